// Records as rows: written and read over a connection whose schema is current.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "records/records.hpp"
#include "records/sqlite.hpp"

namespace accelerate::records {

// Whose word counts about where a model lies: this machine's newest, or what is known already (records from elsewhere).
enum class Paths : std::uint8_t { newest, known };

// Inside the caller's transaction. The record is complete and valid. False: a record of that id is there already.
bool insert(const Connection& connection, const Record& record, Paths paths);

// Newest first.
std::vector<Record> select(const Connection& connection, const Filter& filter);
// Ids that begin with `beginning`, at most two.
std::vector<std::string> ids_like(const Connection& connection, std::string_view beginning);
std::optional<Record> record_of(const Connection& connection, const std::string& id);

// Inside the caller's transaction. Counts one that is there already and takes its time, severity and advice.
void insert(const Connection& connection, const CompatibilityError& error);
// The last met first.
std::vector<CompatibilityError> select_errors(const Connection& connection);

// What decides whether a file is still the one that was summed.
struct FileIdentity {
  std::string path;  // absolute
  std::int64_t device = 0, inode = 0, size = 0, modified_ns = 0, changed_ns = 0;
  bool operator==(const FileIdentity&) const = default;
};
// Error{not_found}.
FileIdentity identity_of(const std::filesystem::path& file);
std::optional<std::string> known_checksum(const Connection& connection, const FileIdentity& file);
void remember_checksum(const Connection& connection, const FileIdentity& file, const std::string& sha256);

}  // namespace accelerate::records
