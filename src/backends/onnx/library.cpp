#include "backends/onnx/library.hpp"

#include <cstdio>

namespace accelerate::onnx {
namespace {

RuntimeLibrary runtime_library() {
  return {.name = "ONNX Runtime",
          .package = "onnxruntime",
          .variable = kLibraryVariable,
          .prefix = "libonnxruntime.",
          .known_to_loader = {"libonnxruntime.so.1", "libonnxruntime.so"},
          .folders = {"/usr/local/lib", "/opt/onnxruntime/lib", "/opt/homebrew/lib"},
          .in_packages = "onnxruntime/capi"};
}

void discard(void*, int, const char*, const char*, const char*, const char*) {}

bool at_least(const std::string& version, int major, int minor) {
  int found_major = 0, found_minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &found_major, &found_minor) != 2) return false;
  return std::pair(found_major, found_minor) >= std::pair(major, minor);
}

ErrorKind kind_of(int code) {
  enum { kInvalidArgument = 2, kNotImplemented = 9, kEpFail = 11 };
  if (code == kInvalidArgument) return ErrorKind::invalid_input;
  return code == kNotImplemented ? ErrorKind::unsupported : ErrorKind::device_failed;
}

int element_type(DType dtype) {
  switch (dtype) {
    case DType::f32: return 1;
    case DType::u8: return 2;
    case DType::i8: return 3;
    case DType::i32: return 6;
    case DType::i64: return 7;
    case DType::f16: return 10;
    default: throw Error(ErrorKind::internal, "no tensors of " + std::string(name_of(dtype)) + " in ONNX Runtime");
  }
}

}  // namespace

std::shared_ptr<const Library> Library::open() {
  static OpenedOnce<Library> opened;
  return opened.get(runtime_library(), "backend onnx");
}

std::vector<std::string> Library::files() { return library_files(runtime_library()); }

Library::Library(const OpenedLibrary& opened) : path_(opened.path) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::unavailable, what, path_.string(), "ONNX Runtime 1.21 or newer is needed");
  };
  using GetApiBase = const ort::ApiBase* (*)() noexcept;
  const auto get_base = reinterpret_cast<GetApiBase>(find_symbol(opened, "OrtGetApiBase"));
  if (get_base == nullptr) refuse("has no OrtGetApiBase: not ONNX Runtime's library");
  const ort::ApiBase* base = get_base();
  version_ = base->get_version_string();
  // Asked for an interface it does not have, a library prints: its version is looked at first.
  if (!at_least(version_, 1, ort::kApiVersion)) refuse("is ONNX Runtime " + version_);
  table_ = base->get_api(ort::kApiVersion);
  if (table_ == nullptr) refuse("has no interface of version " + std::to_string(ort::kApiVersion));
  constexpr int kFatal = 4, kArena = 1, kDefaultMemory = 0;
  call("starting ONNX Runtime", ort::kCreateEnvWithCustomLogger, discard, nullptr, kFatal, "ipfs-accelerate", &env_);
  call("starting ONNX Runtime", ort::kCreateCpuMemoryInfo, kArena, kDefaultMemory, &host_memory_);
}

void Library::check(ort::Status* status, const char* where) const {
  if (status == nullptr) return;
  const ErrorKind kind = kind_of((*this)[ort::kGetErrorCode](status));
  const std::string message = (*this)[ort::kGetErrorMessage](status);
  (*this)[ort::kReleaseStatus](status);
  throw Error(kind, message, std::string("backend onnx, ") + where);
}

std::vector<std::string> Library::providers() const {
  char** names = nullptr;
  int count = 0;
  call("listing providers", ort::kGetAvailableProviders, &names, &count);
  std::vector<std::string> result(names, names + count);
  call("listing providers", ort::kReleaseAvailableProviders, names, count);
  return result;
}

Handle<ort::Value> value_over(const LibraryPtr& library, const Tensor& tensor) {
  Handle<ort::Value> value(library, ort::kReleaseValue);
  // The library takes no constant memory, but writes to none that is an input.
  library->call("making a tensor", ort::kCreateTensorWithDataAsOrtValue, library->host_memory(),
                static_cast<void*>(const_cast<std::byte*>(tensor.bytes().data())), tensor.bytes().size(),
                tensor.dims().data(), tensor.rank(), element_type(tensor.dtype()), value.out());
  return value;
}

}  // namespace accelerate::onnx
