// OpenVINO's library: found, opened once in a process, never closed.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "accelerate/error.hpp"
#include "accelerate/tensor.hpp"
#include "backends/openvino/ov_api.hpp"
#include "backends/runtime_library.hpp"

namespace accelerate::openvino {

// Names a file of the library, or the folder that holds it; nothing else is then looked at.
constexpr const char* kLibraryVariable = "ACCELERATE_OPENVINO";

class Library {
 public:
  // Error{unavailable} saying what was looked for and where, or why what was found cannot be used.
  static std::shared_ptr<const Library> open();
  // Where it would be opened from, and was looked for.
  static std::vector<std::string> files();

  const std::string& version() const { return version_; }  // "2026.4.1"
  const std::filesystem::path& path() const { return path_; }
  const ov::Api& api() const { return api_; }
  ov::Core* core() const { return core_; }
  // As OpenVINO names them: "CPU", "GPU.0", ... Those whose plugin and driver it finds.
  std::vector<std::string> devices() const;
  // Of a device; what OpenVINO says against it is an Error.
  std::string property(const std::string& device, const char* key) const;

  // A status other than success becomes an Error; `where` says during what.
  void check(ov::Status status, const char* where) const;
  // A text that a function of the interface gave, which is freed.
  std::string taken(char* text) const;

 private:
  friend class OpenedOnce<Library>;
  explicit Library(const OpenedLibrary& opened);

  std::filesystem::path path_;
  std::string version_;
  ov::Api api_{};
  ov::Core* core_ = nullptr;
};

using LibraryPtr = std::shared_ptr<const Library>;

// An object of the library that is released by a function of its interface.
template <typename Object>
class Handle {
 public:
  Handle(LibraryPtr library, void (*release)(Object*)) : library_(std::move(library)), release_(release) {}
  Handle(Handle&& other) noexcept
      : library_(std::move(other.library_)), release_(other.release_), object_(std::exchange(other.object_, nullptr)) {}
  Handle& operator=(Handle&&) = delete;
  ~Handle() {
    if (object_ != nullptr) release_(object_);
  }

  Object* get() const { return object_; }
  Object** out() { return &object_; }

 private:
  LibraryPtr library_;
  void (*release_)(Object*);
  Object* object_ = nullptr;
};

// A tensor as the library sees it, over the same memory.
Handle<ov::Tensor> tensor_over(const LibraryPtr& library, const Tensor& tensor);

}  // namespace accelerate::openvino
