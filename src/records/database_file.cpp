#include "records/database_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <ctime>
#include <system_error>
#include <thread>

#include "records/schema.hpp"

namespace accelerate::records {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

fs::path folder_of(const fs::path& path) { return path.has_parent_path() ? path.parent_path() : fs::path("."); }
fs::path beside(const fs::path& path, const char* ending) { return path.string() + ending; }

void make_folder(const fs::path& path) {
  std::error_code failed;
  fs::create_directories(folder_of(path), failed);
  if (failed) {
    throw Error(ErrorKind::unavailable, "its folder cannot be made: " + failed.message(), path.string(),
                "set ACCELERATE_RECORDS to a file in a folder that can be written");
  }
}

void require_file(const fs::path& path) {
  std::error_code ignored;
  const fs::file_status status = fs::status(path, ignored);
  if (fs::exists(status) && !fs::is_regular_file(status)) {
    throw Error(ErrorKind::invalid_input, fs::is_directory(status) ? "is a folder, expected a file" : "is not a file",
                path.string());
  }
}

// The first commit that switches to the log needs the file alone, and a reader that looks in at that moment is in the
// way without waiting for anybody.
void use_write_ahead_log(const Connection& connection, std::chrono::milliseconds patience) {
  const Clock::time_point end = Clock::now() + patience;
  while (true) {
    try {
      connection.execute("PRAGMA journal_mode = WAL");
      return;
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::unavailable || Clock::now() >= end) throw;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

enum class Folder : std::uint8_t { free, locked };

Connection open(const fs::path& path, std::chrono::milliseconds patience, Folder folder) {
  Connection connection(path, Connection::Mode::create, patience);
  connection.execute("PRAGMA foreign_keys = ON");
  // A finished record is on the disk, not only in the system's memory: records are few and each took long to measure.
  connection.execute("PRAGMA synchronous = FULL");
  if (schema_state(connection) != SchemaState::current) {
    std::optional<FolderLock> lock;
    if (folder == Folder::free) lock.emplace(folder_of(path), patience);
    use_write_ahead_log(connection, patience);
    migrate(connection);
  }
  return connection;
}

fs::path name_aside(const fs::path& path) {
  const std::time_t now = std::time(nullptr);
  std::tm local{};
  localtime_r(&now, &local);
  std::array<char, 32> stamp{};
  std::strftime(stamp.data(), stamp.size(), ".corrupt-%Y%m%d-%H%M%S", &local);
  fs::path aside = path.string() + stamp.data();
  for (int number = 2; fs::exists(aside); ++number) aside = path.string() + stamp.data() + "-" + std::to_string(number);
  return aside;
}

void rename_or_throw(const fs::path& from, const fs::path& to) {
  std::error_code failed;
  fs::rename(from, to, failed);
  if (failed) {
    throw Error(ErrorKind::unavailable, "is damaged and cannot be moved aside: " + failed.message(), from.string());
  }
}

// The log goes first: a new database must never find the old one's.
fs::path move_aside(const fs::path& path) {
  std::error_code ignored;
  const fs::path canonical = fs::canonical(path, ignored);
  const fs::path real = ignored ? path : canonical;
  const fs::path aside = name_aside(real);
  for (const char* ending : {"-wal", "-shm", "-journal", ""}) {
    if (fs::exists(beside(real, ending), ignored)) rename_or_throw(beside(real, ending), beside(aside, ending));
  }
  return aside;
}

bool is_sound(const Connection& connection) {
  Statement check = connection.prepare("PRAGMA quick_check(1)");
  return check.step() && check.text(0) == "ok";
}

// Without a folder to write to there can be no log either, so that the file is all there is.
std::optional<Connection> open_unwritable(const fs::path& path, std::chrono::milliseconds patience,
                                          const Error& reason) {
  std::error_code ignored;
  const std::uintmax_t log = fs::file_size(beside(path, "-wal"), ignored);
  if (reason.kind() != ErrorKind::unavailable || (!ignored && log > 0)) throw reason;
  Connection connection(path, Connection::Mode::immutable, patience);
  const SchemaState state = schema_state(connection);
  if (state == SchemaState::empty) return std::nullopt;
  if (state == SchemaState::older) throw reason;
  return connection;
}

}  // namespace

FolderLock::FolderLock(const fs::path& folder, std::chrono::milliseconds patience)
    : descriptor_(::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)) {
  if (descriptor_ < 0) return;
  const Clock::time_point end = Clock::now() + patience;
  while (flock(descriptor_, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) break;
    if (Clock::now() >= end) {
      ::close(descriptor_);
      throw Error(ErrorKind::unavailable, "is locked by another process", folder.string());
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Connection open_for_writing(const fs::path& path, std::chrono::milliseconds patience) {
  make_folder(path);
  require_file(path);
  return open(path, patience, Folder::free);
}

Recovered recover(const fs::path& path, std::chrono::milliseconds patience) {
  const FolderLock lock(folder_of(path), patience);
  try {
    Connection connection = open(path, patience, Folder::locked);
    if (is_sound(connection)) return {std::move(connection), std::nullopt};
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupted) throw;
  }
  fs::path aside = move_aside(path);
  return {open(path, patience, Folder::locked), std::move(aside)};
}

std::optional<Connection> open_for_reading(const fs::path& path, std::chrono::milliseconds patience) {
  std::error_code ignored;
  if (!fs::exists(path, ignored)) return std::nullopt;
  require_file(path);
  try {
    Connection connection(path, Connection::Mode::write, patience);
    const SchemaState state = schema_state(connection);
    if (state == SchemaState::empty) return std::nullopt;
    if (state == SchemaState::older) connection = open_for_writing(path, patience);
    connection.execute("PRAGMA query_only = ON");
    return connection;
  } catch (const Error& error) {
    return open_unwritable(path, patience, error);
  }
}

}  // namespace accelerate::records
