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

// The first error that the library has logged in this thread since somebody asked.
thread_local std::string logged;

void keep_first(void*, int, const char*, const char*, const char*, const char* message) {
  if (logged.empty()) logged = message;
}

bool at_least(const std::string& version, int major, int minor) {
  int found_major = 0, found_minor = 0;
  if (std::sscanf(version.c_str(), "%d.%d", &found_major, &found_minor) != 2) return false;
  return std::pair(found_major, found_minor) >= std::pair(major, minor);
}

// Codes tell little: most of what goes wrong on a device is "fail". What the library and the drivers below it say then.
struct Saying {
  std::string_view part;
  ErrorKind kind;
};
constexpr Saying kSayings[] = {
    {"Failed to allocate memory", ErrorKind::out_of_memory},
    {"out of memory", ErrorKind::out_of_memory},
    {"bad_alloc", ErrorKind::out_of_memory},
    {"cannot open shared object file", ErrorKind::unavailable},
    {"Failed to load library", ErrorKind::unavailable},
    {"Failed to load shared library", ErrorKind::unavailable},
    {"-capable device is detected", ErrorKind::not_found},  // "no CUDA-capable device", "no ROCm-capable device"
    {"driver version is insufficient", ErrorKind::unsupported},
};

ErrorKind kind_of(int code, const std::string& message) {
  enum { kInvalidArgument = 2, kNotImplemented = 9 };
  if (code == kInvalidArgument) return ErrorKind::invalid_input;
  if (code == kNotImplemented) return ErrorKind::unsupported;
  for (const Saying& saying : kSayings) {
    if (message.find(saying.part) != std::string::npos) return saying.kind;
  }
  return ErrorKind::device_failed;
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
  const auto refuse = [&](ErrorKind kind, const std::string& what) {
    throw Error(kind, what, path_.string(), "ONNX Runtime 1.21 or newer is needed");
  };
  using GetApiBase = const ort::ApiBase* (*)() noexcept;
  const auto get_base = reinterpret_cast<GetApiBase>(find_symbol(opened, "OrtGetApiBase"));
  if (get_base == nullptr) refuse(ErrorKind::unavailable, "has no OrtGetApiBase: not ONNX Runtime's library");
  const ort::ApiBase* base = get_base();
  version_ = base->get_version_string();
  // Asked for an interface it does not have, a library prints: its version is looked at first.
  if (!at_least(version_, 1, ort::kApiVersion)) refuse(ErrorKind::unsupported, "is ONNX Runtime " + version_);
  table_ = base->get_api(ort::kApiVersion);
  if (table_ == nullptr) {
    refuse(ErrorKind::unsupported, "has no interface of version " + std::to_string(ort::kApiVersion));
  }
  constexpr int kError = 3, kArena = 1, kDefaultMemory = 0;
  call("starting ONNX Runtime", ort::kCreateEnvWithCustomLogger, keep_first, nullptr, kError, "ipfs-accelerate", &env_);
  call("starting ONNX Runtime", ort::kCreateCpuMemoryInfo, kArena, kDefaultMemory, &host_memory_);
}

void Library::check(ort::Status* status, const char* where) const {
  if (status == nullptr) return;
  const int code = (*this)[ort::kGetErrorCode](status);
  const std::string message = (*this)[ort::kGetErrorMessage](status);
  (*this)[ort::kReleaseStatus](status);
  throw Error(kind_of(code, message), message, std::string("backend onnx, ") + where);
}

void Library::forget_log() { logged.clear(); }

void Library::check_log(const char* where) {
  if (logged.empty()) return;
  const std::string message = std::exchange(logged, {});
  throw Error(kind_of(0, message), message, std::string("backend onnx, ") + where);
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
