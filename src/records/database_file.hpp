// The database as a file that several processes share: opened, made, moved aside when it is damaged.
#pragma once

#include <chrono>
#include <filesystem>
#include <optional>
#include <string>

#include "records/sqlite.hpp"

namespace accelerate::records {

// Held by whoever makes, migrates or replaces the file, so that of several processes one does it: a lock on the folder,
// which no file is left behind by.
class FolderLock {
 public:
  // Error{unavailable} when another process holds it for longer than `patience`. Where the file system has no such
  // locks it holds nothing.
  FolderLock(const std::filesystem::path& folder, std::chrono::milliseconds patience);
  FolderLock(const FolderLock&) = delete;
  FolderLock& operator=(const FolderLock&) = delete;
  ~FolderLock();

 private:
  int descriptor_ = -1;
};

// For writing, its schema current. Makes folder and file. Errors as Records' constructor's, corrupted included.
Connection open_for_writing(const std::filesystem::path& path, std::chrono::milliseconds patience);

// The same, and a damaged file is moved aside first. Returns its new name where it was; looks again before it moves
// anything, because another process may have done it meanwhile.
struct Recovered {
  Connection connection;
  std::optional<std::filesystem::path> aside;
};
Recovered recover(const std::filesystem::path& path, std::chrono::milliseconds patience);

// None where there is no file, or nothing in it yet. A folder that cannot be written is no obstacle.
std::optional<Connection> open_for_reading(const std::filesystem::path& path, std::chrono::milliseconds patience);

}  // namespace accelerate::records
