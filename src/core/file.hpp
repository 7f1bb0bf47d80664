// Files: read whole, mapped read-only, and written so that no half-written file is ever left behind.
#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "accelerate/error.hpp"

namespace accelerate {

// The whole file; Error{not_found} when it is absent or cannot be read, Error{invalid_input} when it is a folder.
std::string read_file(const std::filesystem::path& path);

// A file's bytes, mapped read-only. Pages are read when touched.
class MappedFile {
 public:
  // Errors as read_file's.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  // Tells the system that the pages wholly inside `part` are not needed now: they no longer count as resident and
  // are read again from the file if touched.
  void release(std::span<const std::byte> part) const;
  // Tells the system that `part` will be read soon, in order.
  void will_need(std::span<const std::byte> part) const;

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  std::filesystem::path path_;
};

// Writes beside the target and renames at commit(); a writer destroyed before that leaves nothing behind.
class AtomicFile {
 public:
  // Error{invalid_input} when the folder cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  // Overwrites bytes already written, from `offset` on (a header whose counts are known only at the end).
  void rewrite(std::size_t offset, std::string_view text);
  // Everything is on disk under the final name when this returns.
  void commit();

 private:
  [[noreturn]] void fail(const char* action) const;
  std::filesystem::path path_, temporary_;
  int descriptor_ = -1;
};

}  // namespace accelerate
