#include "backends/onnx/library.hpp"

#include <dlfcn.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

namespace accelerate::onnx {
namespace {

namespace fs = std::filesystem;

constexpr const char* kHint =
    "install it (pip install onnxruntime), or name its library or folder with ACCELERATE_ONNXRUNTIME";

fs::path from_environment(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? fs::path() : fs::path(value);
}

// Entries of a folder whose name begins so, the last in alphabetical order first: the newest version.
std::vector<fs::path> beginning_with(const fs::path& folder, const std::string& prefix) {
  std::vector<fs::path> found;
  std::error_code ignored;
  for (const auto& entry : fs::directory_iterator(folder, ignored)) {
    if (entry.path().filename().string().starts_with(prefix)) found.push_back(entry.path());
  }
  std::sort(found.rbegin(), found.rend());
  return found;
}

void add_libraries(const fs::path& folder, std::vector<fs::path>& found) {
  for (const fs::path& file : beginning_with(folder, "libonnxruntime.so")) found.push_back(file);
  for (const fs::path& file : beginning_with(folder, "libonnxruntime.dylib")) found.push_back(file);
}

// Folders in which pip puts packages below a prefix such as /usr/local or a virtual environment.
void add_packages(const fs::path& prefix, std::vector<fs::path>& found) {
  if (prefix.empty()) return;
  for (const fs::path& python : beginning_with(prefix / "lib", "python3")) {
    for (const char* packages : {"site-packages", "dist-packages"}) {
      add_libraries(python / packages / "onnxruntime" / "capi", found);
    }
  }
}

void discard(void*, int, const char*, const char*, const char*, const char*) {}

// Names as dlopen finds them by itself, and files.
std::string list_of(const std::vector<fs::path>& places) {
  std::string text;
  for (const fs::path& place : places) text += (text.empty() ? "" : ", ") + place.string();
  return text;
}

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

std::vector<fs::path> library_candidates() {
  std::vector<fs::path> found;
  if (const fs::path named = from_environment(kLibraryVariable); !named.empty()) {
    std::error_code ignored;
    if (!fs::is_directory(named, ignored)) return {named};
    add_libraries(named, found);
    add_libraries(named / "lib", found);
    add_libraries(named / "capi", found);
    add_libraries(named / "onnxruntime" / "capi", found);
    if (found.empty()) found.push_back(named / "libonnxruntime.so");
    return found;
  }
  found = {"libonnxruntime.so.1", "libonnxruntime.so"};
  for (const char* folder : {"/usr/local/lib", "/opt/onnxruntime/lib", "/opt/homebrew/lib"})
    add_libraries(folder, found);
  add_packages(from_environment("VIRTUAL_ENV"), found);
  add_packages(from_environment("CONDA_PREFIX"), found);
  if (const fs::path home = from_environment("HOME"); !home.empty()) add_packages(home / ".local", found);
  add_packages("/usr/local", found);
  add_libraries("/usr/lib/python3/dist-packages/onnxruntime/capi", found);
  return found;
}

std::shared_ptr<const Library> Library::open() {
  // One for each place that the variable named. A library that was not found may be installed while we run: only
  // success is kept.
  static std::mutex mutex;
  static std::map<fs::path, std::shared_ptr<const Library>> opened;
  const std::lock_guard lock(mutex);
  std::shared_ptr<const Library>& library = opened[from_environment(kLibraryVariable)];
  if (library == nullptr) library = find();
  return library;
}

std::shared_ptr<const Library> Library::find() {
  const std::vector<fs::path> candidates = library_candidates();
  std::string why;
  for (const fs::path& candidate : candidates) {
    void* handle = dlopen(candidate.c_str(), RTLD_NOW | RTLD_LOCAL);
    if (handle != nullptr) return std::shared_ptr<const Library>(new Library(candidate, handle));
    // A name that the loader does not know is no news; a file that is there and does not open is.
    std::error_code ignored;
    if (why.empty() && fs::exists(candidate, ignored)) why = dlerror();
  }
  if (!why.empty()) throw Error(ErrorKind::unavailable, "ONNX Runtime does not open: " + why, "backend onnx", kHint);
  throw Error(ErrorKind::unavailable, "ONNX Runtime is not there; looked for " + list_of(candidates), "backend onnx",
              kHint);
}

Library::Library(fs::path path, void* handle) : path_(std::move(path)) {
  const auto refuse = [&](const std::string& what) {
    throw Error(ErrorKind::unavailable, what, path_.string(), "ONNX Runtime 1.21 or newer is needed");
  };
  using GetApiBase = const ort::ApiBase* (*)() noexcept;
  const auto get_base = reinterpret_cast<GetApiBase>(dlsym(handle, "OrtGetApiBase"));
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
