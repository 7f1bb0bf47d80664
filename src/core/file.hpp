// Files: read whole, mapped read-only, and written so that no half-written file is ever left behind.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "accelerate/error.hpp"

namespace accelerate {

// The whole file; Error{not_found} when it is absent or cannot be read, Error{invalid_input} when it is a folder, a
// pipe or longer than `most` bytes.
std::string read_file(const std::filesystem::path& path, std::size_t most = std::size_t{1} << 40);

// A file's bytes, mapped read-only. Pages are read when touched. The file must not shrink meanwhile: the system ends a
// program that touches a page which is no longer there (SIGBUS). One that is removed or replaced by another of its name
// stays as it was for whoever has it mapped.
class MappedFile {
 public:
  // Errors as read_file's.
  static std::shared_ptr<const MappedFile> open(const std::filesystem::path& path);
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;
  ~MappedFile();

  std::span<const std::byte> bytes() const { return {data_, size_}; }
  const std::filesystem::path& path() const { return path_; }
  // Whether its path still leads to this file: not where it was removed or replaced by another since it was opened.
  bool is_at_path() const;
  // Error{corrupted} where the file was written to since it was opened, by its size and time of change. What happens
  // between this look and the next is not seen.
  void expect_unchanged() const;
  // Tells the system that the pages wholly inside `part` are not needed now: they no longer count as resident and
  // are read again from the file if touched.
  void release(std::span<const std::byte> part) const;
  // Tells the system that `part` will be read soon, in order.
  void will_need(std::span<const std::byte> part) const;

 private:
  MappedFile() = default;
  const std::byte* data_ = nullptr;
  std::size_t size_ = 0;
  int descriptor_ = -1;  // kept for looks at the file: by its path one costs three times as much; -1 where it is empty
  std::int64_t changed_ns_ = 0;  // since 1970
  std::uint64_t device_ = 0, inode_ = 0;
  std::filesystem::path path_;
};

// Writes beside the target and renames at commit(); a writer destroyed before that leaves nothing behind, and a file
// that was there keeps its content until then. A link is followed. What cannot be replaced (a device, a pipe, a socket,
// /dev/stdout) is written to directly.
class AtomicFile {
 public:
  // Error{invalid_input} when the target is a folder, its folder does not exist or cannot be written.
  explicit AtomicFile(std::filesystem::path path);
  AtomicFile(const AtomicFile&) = delete;
  AtomicFile& operator=(const AtomicFile&) = delete;
  ~AtomicFile();

  // Error{invalid_input} with the system's reason (a full disk, a closed pipe).
  void write(std::span<const std::byte> bytes);
  void write(std::string_view text) { write(std::as_bytes(std::span(text.data(), text.size()))); }
  // Whether rewrite() works: not where the target is written to directly.
  bool can_rewrite() const { return !temporary_.empty(); }
  // Overwrites bytes already written, from `offset` on (a header whose counts are known only at the end).
  void rewrite(std::size_t offset, std::string_view text);
  // Everything is on disk under the final name when this returns.
  void commit();

 private:
  void open_temporary();
  [[noreturn]] void fail(const char* action) const;
  std::filesystem::path path_;       // as given, for errors
  std::filesystem::path target_;     // with links followed
  std::filesystem::path temporary_;  // empty when written to directly
  int descriptor_ = -1;
};

}  // namespace accelerate
