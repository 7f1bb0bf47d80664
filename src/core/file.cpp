#include "core/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace accelerate {
namespace {

std::string system_message() { return std::strerror(errno); }

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path) : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {
    if (value_ < 0) {
      throw Error(ErrorKind::not_found, errno == ENOENT ? "no such file" : "cannot be opened: " + system_message(),
                  path.string());
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() { ::close(value_); }
  int get() const { return value_; }

 private:
  int value_;
};

std::size_t size_of_file(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    throw Error(ErrorKind::not_found, "cannot be read: " + system_message(), path.string());
  }
  if (S_ISDIR(status.st_mode)) throw Error(ErrorKind::invalid_input, "is a folder, expected a file", path.string());
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::invalid_input, "is not a regular file", path.string());
  return static_cast<std::size_t>(status.st_size);
}

}  // namespace

std::string read_file(const std::filesystem::path& path) {
  const Descriptor file(path);
  std::string text(size_of_file(file, path), '\0');
  std::size_t done = 0;
  while (done < text.size()) {
    const ssize_t got = ::read(file.get(), text.data() + done, text.size() - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) throw Error(ErrorKind::not_found, "cannot be read: " + system_message(), path.string());
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  text.resize(done);
  return text;
}

std::shared_ptr<const MappedFile> MappedFile::open(const std::filesystem::path& path) {
  const Descriptor file(path);
  std::shared_ptr<MappedFile> mapped(new MappedFile);
  mapped->path_ = path;
  mapped->size_ = size_of_file(file, path);
  if (mapped->size_ == 0) return mapped;
  void* pages = mmap(nullptr, mapped->size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (pages == MAP_FAILED) throw Error(ErrorKind::out_of_memory, "cannot be mapped: " + system_message(), path.string());
  mapped->data_ = static_cast<const std::byte*>(pages);
  return mapped;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
}

void MappedFile::release(std::span<const std::byte> part) const {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto from = static_cast<std::size_t>(part.data() - data_);
  const std::size_t first = (from + page - 1) / page * page;
  const std::size_t last = (from + part.size()) / page * page;
  if (first < last) madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

void MappedFile::will_need(std::span<const std::byte> part) const {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto from = static_cast<std::size_t>(part.data() - data_) / page * page;
  const std::size_t last = static_cast<std::size_t>(part.data() - data_) + part.size();
  if (from < last) madvise(const_cast<std::byte*>(data_) + from, last - from, MADV_WILLNEED);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  if (std::filesystem::is_directory(path_)) {
    throw Error(ErrorKind::invalid_input, "is a folder, expected a file to write", path_.string());
  }
  std::string pattern = path_.string() + ".XXXXXX";
  descriptor_ = mkstemp(pattern.data());
  temporary_ = pattern;
  if (descriptor_ < 0) fail("cannot be written");
  const mode_t mask = umask(0);
  umask(mask);
  fchmod(descriptor_, 0666 & ~mask);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  ::unlink(temporary_.c_str());
}

void AtomicFile::fail(const char* action) const {
  throw Error(ErrorKind::invalid_input, std::string(action) + ": " + system_message(), path_.string());
}

void AtomicFile::write(std::span<const std::byte> bytes) {
  while (!bytes.empty()) {
    const ssize_t put = ::write(descriptor_, bytes.data(), bytes.size());
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("cannot be written");
    bytes = bytes.subspan(static_cast<std::size_t>(put));
  }
}

void AtomicFile::rewrite(std::size_t offset, std::string_view text) {
  if (::pwrite(descriptor_, text.data(), text.size(), static_cast<off_t>(offset)) !=
      static_cast<ssize_t>(text.size())) {
    fail("cannot be written");
  }
}

void AtomicFile::commit() {
  if (fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), path_.c_str()) != 0) fail("cannot be written");
  ::close(descriptor_);
  descriptor_ = -1;
}

}  // namespace accelerate
