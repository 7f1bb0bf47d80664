// An ONNX model as files: model.onnx, and its weights beside it as external data.
#pragma once

#include <filesystem>

#include "accelerate/progress.hpp"
#include "lowering/onnx_model.hpp"

namespace accelerate::lowering {

struct OnnxFiles {
  std::filesystem::path model, weights;
  std::int64_t bytes = 0;  // of both
};

// FOLDER/model.onnx and FOLDER/model.onnx.data, in which each weight begins at a multiple of 4096 bytes, so that
// readers can map it. The folder is made if it is missing. Nothing is left behind unless both files are whole.
// Error{invalid_input} where the folder cannot be written, or where either file is there already and `force` is not
// set.
OnnxFiles write_onnx(const OnnxModel& model, const std::filesystem::path& folder, bool force,
                     const Cancellation& cancellation);

}  // namespace accelerate::lowering
