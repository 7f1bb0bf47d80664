// An ONNX Runtime that behaves as a test wants (fake/fake_onnxruntime.cpp says how).
#pragma once

#include <filesystem>
#include <string>

#include "accelerate/tensor.hpp"
#include "checkpoint/temporary_folder.hpp"

namespace accelerate::test {

// A folder that holds it, for ACCELERATE_ONNXRUNTIME: of another name in each test, so that it is opened anew.
inline void link_fake_onnxruntime(const TemporaryFolder& folder) {
  std::filesystem::create_symlink(FAKE_ONNXRUNTIME_LIBRARY, folder.path() / "libonnxruntime.so.1");
}

// What an output is to be, in the folder that FAKE_ONNXRUNTIME_ANSWERS names.
inline void write_answer(const TemporaryFolder& folder, const std::string& output, const Tensor& values) {
  const auto bytes = values.bytes();
  folder.write(output + ".f32", std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size()));
}

}  // namespace accelerate::test
