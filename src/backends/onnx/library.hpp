// ONNX Runtime's library: found, opened once in a process, never closed.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "accelerate/error.hpp"
#include "accelerate/tensor.hpp"
#include "backends/onnx/ort_api.hpp"
#include "backends/runtime_library.hpp"

namespace accelerate::onnx {

// Names a file of the library, or the folder that holds it; nothing else is then looked at.
constexpr const char* kLibraryVariable = "ACCELERATE_ONNXRUNTIME";

class Library {
 public:
  // Error{unavailable} saying what was looked for and where, or why what was found cannot be used; Error{unsupported}
  // where it is too old.
  static std::shared_ptr<const Library> open();
  // Where it would be opened from, and was looked for.
  static std::vector<std::string> files();

  const std::string& version() const { return version_; }  // "1.32.0"
  const std::filesystem::path& path() const { return path_; }
  const ort::Env* env() const { return env_; }
  // Of memory that the host owns.
  const ort::MemoryInfo* host_memory() const { return host_memory_; }
  // Execution providers it was built with: "CPUExecutionProvider", ...
  std::vector<std::string> providers() const;

  // A function of the table.
  template <typename Function>
  Function* operator[](ort::Entry<Function> entry) const {
    return reinterpret_cast<Function*>(const_cast<void*>(table_[entry.place]));
  }
  // Calls it; a status other than success becomes an Error: `where` says during what. Its kind follows from the message
  // where the code says nothing: {out_of_memory}, {unavailable} for a library that the provider lacks, {not_found} for
  // a device, {unsupported} for a driver that is too old; else {device_failed}.
  template <typename Function, typename... Arguments>
  void call(const char* where, ort::Entry<Function> entry, Arguments... arguments) const {
    check((*this)[entry](arguments...), where);
  }
  // What a provider only logs. check_log() throws it as call() would, where it was logged in this thread since
  // forget_log().
  static void forget_log();
  static void check_log(const char* where);

 private:
  friend class OpenedOnce<Library>;
  explicit Library(const OpenedLibrary& opened);
  void check(ort::Status* status, const char* where) const;

  std::filesystem::path path_;
  std::string version_;
  const void* const* table_ = nullptr;
  ort::Env* env_ = nullptr;
  ort::MemoryInfo* host_memory_ = nullptr;
};

using LibraryPtr = std::shared_ptr<const Library>;

// An object of the library that is released by an entry of its table.
template <typename Object>
class Handle {
 public:
  Handle(LibraryPtr library, ort::Entry<void(Object*)> release) : library_(std::move(library)), release_(release) {}
  Handle(Handle&& other) noexcept
      : library_(std::move(other.library_)), release_(other.release_), object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (object_ != nullptr) (*library_)[release_](object_);
  }

  Object* get() const { return object_; }
  Object** out() { return &object_; }
  const LibraryPtr& library() const { return library_; }

 private:
  LibraryPtr library_;
  ort::Entry<void(Object*)> release_;
  Object* object_ = nullptr;
};

// A tensor as the library sees it, over the same memory.
Handle<ort::Value> value_over(const LibraryPtr& library, const Tensor& tensor);

}  // namespace accelerate::onnx
