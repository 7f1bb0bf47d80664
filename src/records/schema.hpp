// The tables of the database, made and changed by numbered steps.
//
// A file's PRAGMA user_version is the number of the last step it has taken. A step is never changed once it was
// released: what is wrong with it is put right by the next one.
#pragma once

#include <span>
#include <string_view>

#include "records/sqlite.hpp"

namespace accelerate::records {

// SQL that brings a file from the version before to the next one. The first makes the tables.
using Migration = std::string_view;
std::span<const Migration> migrations();

// Written into the file's header, so that another program's database is never taken for ours: "ipfa".
inline constexpr std::int64_t kApplication = 0x69706661;

// The last step that changed what a record is: exported lines carry it, so that a table beside the records does not
// make them unreadable for older programs.
inline constexpr std::int64_t kRecordSchema = 1;

enum class SchemaState : std::uint8_t { empty, older, current };

// Error{unsupported} for a newer schema and for another program's database.
SchemaState schema_state(const Connection& connection, std::span<const Migration> steps = migrations());

// All missing steps, each in its own transaction; what another process has done meanwhile is not done again. Errors as
// schema_state's and the connection's.
void migrate(const Connection& connection, std::span<const Migration> steps = migrations());

}  // namespace accelerate::records
