#include "core/file.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <string_view>
#include <utility>

namespace accelerate {
namespace {

std::string system_message() { return std::strerror(errno); }

class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& path)
      : value_(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK)) {
    if (value_ < 0) {
      throw Error(ErrorKind::not_found, errno == ENOENT ? "no such file" : "cannot be opened: " + system_message(),
                  path.string());
    }
  }
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) ::close(value_);
  }
  int get() const { return value_; }
  // The caller closes it.
  int take() { return std::exchange(value_, -1); }

 private:
  int value_;
};

// Of a regular file.
struct stat status_of(const Descriptor& file, const std::filesystem::path& path) {
  struct stat status {};
  if (fstat(file.get(), &status) != 0) {
    throw Error(ErrorKind::not_found, "cannot be read: " + system_message(), path.string());
  }
  if (S_ISDIR(status.st_mode)) throw Error(ErrorKind::invalid_input, "is a folder, expected a file", path.string());
  if (!S_ISREG(status.st_mode)) throw Error(ErrorKind::invalid_input, "is not a regular file", path.string());
  return status;
}

std::size_t size_of(const struct stat& status) { return static_cast<std::size_t>(status.st_size); }

std::int64_t change_of(const struct stat& status) {
  return std::int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
}

// A copy of the descriptor that "/dev/stdout", "/dev/stderr" or "/dev/fd/N" stand for, -1 for other paths. Opening the
// name instead would start over at the front of a file that the output was redirected to, and fails for sockets.
int inherited_descriptor(const std::filesystem::path& path) {
  const std::string text = path.string();
  int number = -1;
  if (text == "/dev/stdout") number = STDOUT_FILENO;
  if (text == "/dev/stderr") number = STDERR_FILENO;
  for (const std::string_view folder : {"/dev/fd/", "/proc/self/fd/"}) {
    if (text.starts_with(folder)) std::from_chars(text.data() + folder.size(), text.data() + text.size(), number);
  }
  return number < 0 ? -1 : fcntl(number, F_DUPFD_CLOEXEC, 0);
}

// A rename is on disk once its folder is. Not every file system can do this; the data itself is safe without.
void sync_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.empty() ? "." : folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return;
  fsync(descriptor);
  ::close(descriptor);
}

}  // namespace

std::string read_file(const std::filesystem::path& path, std::size_t most) {
  const Descriptor file(path);
  const std::size_t size = size_of(status_of(file, path));
  if (size > most) {
    throw Error(ErrorKind::invalid_input,
                "is " + std::to_string(size) + " bytes long, expected at most " + std::to_string(most), path.string());
  }
  std::string text(size, '\0');
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
  Descriptor file(path);
  std::shared_ptr<MappedFile> mapped(new MappedFile);
  mapped->path_ = path;
  const struct stat status = status_of(file, path);
  mapped->size_ = size_of(status);
  mapped->changed_ns_ = change_of(status);
  mapped->device_ = status.st_dev;
  mapped->inode_ = status.st_ino;
  if (mapped->size_ == 0) return mapped;
  void* pages = mmap(nullptr, mapped->size_, PROT_READ, MAP_PRIVATE, file.get(), 0);
  if (pages == MAP_FAILED) {
    throw Error(ErrorKind::out_of_memory, "cannot be mapped: " + system_message(), path.string());
  }
  mapped->data_ = static_cast<const std::byte*>(pages);
  mapped->descriptor_ = file.take();
  return mapped;
}

MappedFile::~MappedFile() {
  if (data_ != nullptr) munmap(const_cast<std::byte*>(data_), size_);
  if (descriptor_ >= 0) ::close(descriptor_);
}

bool MappedFile::is_at_path() const {
  struct stat now {};
  return ::stat(path_.c_str(), &now) == 0 && now.st_dev == device_ && now.st_ino == inode_;
}

void MappedFile::expect_unchanged() const {
  struct stat now {};
  if (fstat(descriptor_, &now) != 0 || (size_of(now) == size_ && change_of(now) == changed_ns_)) return;
  throw Error(ErrorKind::corrupted,
              size_of(now) == size_ ? "was written to since it was opened"
                                    : "is " + std::to_string(size_of(now)) + " bytes long, was " +
                                          std::to_string(size_) + " when it was opened",
              path_.string(), "open the model again; replace files by renaming, not by writing into them");
}

void MappedFile::release(std::span<const std::byte> part) const {
  if (part.empty()) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto from = static_cast<std::size_t>(part.data() - data_);
  const std::size_t first = (from + page - 1) / page * page;
  const std::size_t last = (from + part.size()) / page * page;
  if (first < last) madvise(const_cast<std::byte*>(data_) + first, last - first, MADV_DONTNEED);
}

void MappedFile::will_need(std::span<const std::byte> part) const {
  if (part.empty()) return;
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const auto from = static_cast<std::size_t>(part.data() - data_) / page * page;
  const std::size_t last = static_cast<std::size_t>(part.data() - data_) + part.size();
  if (from < last) madvise(const_cast<std::byte*>(data_) + from, last - from, MADV_WILLNEED);
}

AtomicFile::AtomicFile(std::filesystem::path path) : path_(std::move(path)) {
  descriptor_ = inherited_descriptor(path_);
  if (descriptor_ >= 0) return;
  std::error_code ignored;
  const std::filesystem::file_status status = std::filesystem::status(path_, ignored);
  if (std::filesystem::is_directory(status) || !path_.has_filename()) {
    throw Error(ErrorKind::invalid_input, path_.empty() ? "no file to write is named" : "is a folder, expected a file",
                path_.string());
  }
  if (std::filesystem::exists(status) && !std::filesystem::is_regular_file(status)) {
    descriptor_ = ::open(path_.c_str(), O_WRONLY | O_CLOEXEC);
    if (descriptor_ < 0) fail("cannot be written");
    return;
  }
  target_ = std::filesystem::weakly_canonical(path_, ignored);
  if (ignored || target_.empty()) target_ = path_;
  open_temporary();
}

void AtomicFile::open_temporary() {
  static std::atomic<unsigned> counter{0};
  struct stat status {};
  const bool replaces = ::stat(target_.c_str(), &status) == 0;
  if (replaces && ::access(target_.c_str(), W_OK) != 0) fail("cannot be written");
  for (int attempt = 0; attempt < 100 && descriptor_ < 0; ++attempt) {
    // Cut, so that a long name with the ending still is a name.
    temporary_ = target_.parent_path() / (target_.filename().string().substr(0, 200) + "." + std::to_string(getpid()) +
                                          "-" + std::to_string(counter++) + ".partial");
    descriptor_ = ::open(temporary_.c_str(), O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (descriptor_ < 0 && errno != EEXIST) break;
  }
  if (descriptor_ < 0) {
    temporary_.clear();
    fail(errno == ENOENT ? "cannot be written, its folder is missing" : "cannot be written");
  }
  if (replaces) fchmod(descriptor_, status.st_mode & 07777);
}

AtomicFile::~AtomicFile() {
  if (descriptor_ < 0) return;
  ::close(descriptor_);
  if (!temporary_.empty()) ::unlink(temporary_.c_str());
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
  if (!can_rewrite()) {
    throw Error(ErrorKind::internal, "is written to directly, so that nothing can be rewritten", path_.string());
  }
  while (!text.empty()) {
    const ssize_t put = ::pwrite(descriptor_, text.data(), text.size(), static_cast<off_t>(offset));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) fail("cannot be written");
    text.remove_prefix(static_cast<std::size_t>(put));
    offset += static_cast<std::size_t>(put);
  }
}

void AtomicFile::commit() {
  if (can_rewrite()) {
    if (fsync(descriptor_) != 0 || ::rename(temporary_.c_str(), target_.c_str()) != 0) fail("cannot be written");
    temporary_.clear();
    sync_folder(target_.parent_path());
  }
  // Some file systems report a full disk only here.
  if (::close(std::exchange(descriptor_, -1)) != 0) fail("cannot be written");
}

}  // namespace accelerate
