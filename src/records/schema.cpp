#include "records/schema.hpp"

#include <array>
#include <string>

namespace accelerate::records {
namespace {

// 1: what the first release keeps.
constexpr std::string_view kFirst = R"sql(
CREATE TABLE machine (
  row INTEGER PRIMARY KEY,
  id TEXT NOT NULL,
  cpu TEXT NOT NULL,
  physical_cores INTEGER NOT NULL,
  logical_cpus INTEGER NOT NULL,
  memory_bytes INTEGER NOT NULL,
  kernel TEXT NOT NULL,
  UNIQUE (id, cpu, physical_cores, logical_cpus, memory_bytes, kernel)
) STRICT;

CREATE TABLE code (
  row INTEGER PRIMARY KEY,
  version TEXT NOT NULL,
  build TEXT NOT NULL,
  UNIQUE (version, build)
) STRICT;

CREATE TABLE model (
  row INTEGER PRIMARY KEY,
  content_hash TEXT NOT NULL UNIQUE,
  model_type TEXT NOT NULL,
  parameters INTEGER NOT NULL,
  path TEXT NOT NULL
) STRICT;

CREATE TABLE device (
  row INTEGER PRIMARY KEY,
  name TEXT NOT NULL,
  level TEXT NOT NULL,
  UNIQUE (name, level)
) STRICT;

CREATE TABLE record (
  row INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  kind TEXT NOT NULL CHECK (kind IN ('measurement', 'agreement', 'layer_choice', 'batch_choice')),
  time_ms INTEGER NOT NULL,
  machine INTEGER NOT NULL REFERENCES machine,
  code INTEGER NOT NULL REFERENCES code,
  model INTEGER NOT NULL REFERENCES model,
  device INTEGER NOT NULL REFERENCES device,
  precision TEXT NOT NULL
) STRICT;
CREATE INDEX record_time ON record (time_ms);
CREATE INDEX record_model ON record (model, kind, time_ms);

CREATE TABLE measurement (
  record INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
  workload TEXT NOT NULL,
  batch INTEGER NOT NULL,
  tokens INTEGER NOT NULL,
  rows INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  load_average REAL,
  other_cpus_busy REAL,
  load_ms REAL,
  first_ms REAL,
  samples INTEGER NOT NULL,
  p50_ms REAL,
  p90_ms REAL,
  p99_ms REAL,
  spread REAL,
  throughput_per_s REAL,
  peak_bytes INTEGER,
  predicted_bytes INTEGER,
  resident_bytes INTEGER,
  flops INTEGER,
  share_of_limit REAL,
  limit_gflops REAL,
  limit_gbytes REAL
) STRICT;

CREATE TABLE agreement (
  record INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
  reference TEXT NOT NULL,
  weights TEXT NOT NULL,
  inputs TEXT NOT NULL,
  cases INTEGER NOT NULL,
  worst_cosine REAL,
  mean_cosine REAL,
  worst_kl_divergence REAL,
  mean_kl_divergence REAL,
  top1 REAL,
  bound_cosine REAL,
  bound_kl_divergence REAL,
  bound_top1 REAL,
  within_bound INTEGER NOT NULL,
  layer_choice TEXT NOT NULL
) STRICT;

CREATE TABLE layer_choice (
  record INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
  measure TEXT NOT NULL,
  kept_in TEXT NOT NULL,
  examined INTEGER NOT NULL
) STRICT;

CREATE TABLE kept_layer (
  record INTEGER NOT NULL REFERENCES record ON DELETE CASCADE,
  position INTEGER NOT NULL,
  path TEXT NOT NULL,
  sensitivity REAL NOT NULL,
  PRIMARY KEY (record, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE batch_choice (
  record INTEGER PRIMARY KEY REFERENCES record ON DELETE CASCADE,
  tokens INTEGER NOT NULL,
  threads INTEGER NOT NULL,
  bound TEXT NOT NULL,
  bound_value REAL NOT NULL,
  batch INTEGER NOT NULL,
  throughput_per_s REAL NOT NULL,
  p50_ms REAL,
  peak_bytes INTEGER
) STRICT;

-- Checksums of model files, so that they are not read again. Not part of any record.
CREATE TABLE file_checksum (
  path TEXT PRIMARY KEY,
  device INTEGER NOT NULL,
  inode INTEGER NOT NULL,
  size INTEGER NOT NULL,
  modified_ns INTEGER NOT NULL,
  changed_ns INTEGER NOT NULL,
  sha256 TEXT NOT NULL
) STRICT, WITHOUT ROWID;
)sql";

// 2: what devices, drivers and models failed at. Not part of any record.
constexpr std::string_view kCompatibility = R"sql(
CREATE TABLE compatibility_error (
  row INTEGER PRIMARY KEY,
  machine INTEGER NOT NULL REFERENCES machine,
  code INTEGER NOT NULL REFERENCES code,
  hardware TEXT NOT NULL,
  kind TEXT NOT NULL,
  severity TEXT NOT NULL CHECK (severity IN ('error', 'warning')),
  component TEXT NOT NULL,
  model TEXT NOT NULL,
  message TEXT NOT NULL,
  advice TEXT NOT NULL,
  first_ms INTEGER NOT NULL,
  last_ms INTEGER NOT NULL,
  times INTEGER NOT NULL,
  UNIQUE (machine, code, hardware, kind, component, model, message)
) STRICT;
CREATE INDEX compatibility_error_time ON compatibility_error (last_ms);
)sql";

constexpr std::array<Migration, 2> kMigrations = {kFirst, kCompatibility};

}  // namespace

std::span<const Migration> migrations() { return kMigrations; }

SchemaState schema_state(const Connection& connection, std::span<const Migration> steps) {
  // One statement sees the file at one moment, whatever another process does to it meanwhile.
  Statement look = connection.prepare(
      "SELECT count(*), (SELECT user_version FROM pragma_user_version), "
      "(SELECT application_id FROM pragma_application_id) FROM sqlite_schema");
  look.step();
  const bool empty = look.integer(0) == 0;
  const std::int64_t version = look.integer(1), application = look.integer(2);
  const std::string where = connection.path().string();
  if (version == 0 && application == 0 && empty) return SchemaState::empty;
  if (application != kApplication) {
    throw Error(ErrorKind::unsupported, "is a database of another program", where,
                "set ACCELERATE_RECORDS to another file");
  }
  const auto known = static_cast<std::int64_t>(steps.size());
  if (version > known) {
    throw Error(
        ErrorKind::unsupported,
        "has schema version " + std::to_string(version) + ", this build knows versions up to " + std::to_string(known),
        where, "use the newer ipfs-accelerate that wrote it, or set ACCELERATE_RECORDS to another file");
  }
  if (version < 1) {
    throw Error(ErrorKind::corrupted, "is damaged: it has schema version " + std::to_string(version), where);
  }
  return version < known ? SchemaState::older : SchemaState::current;
}

void migrate(const Connection& connection, std::span<const Migration> steps) {
  while (schema_state(connection, steps) != SchemaState::current) {
    Transaction transaction(connection);
    if (schema_state(connection, steps) == SchemaState::current) return;
    const auto version = static_cast<std::size_t>(connection.integer("PRAGMA user_version"));
    connection.execute(std::string(steps[version]));
    connection.execute("PRAGMA application_id = " + std::to_string(kApplication));
    connection.execute("PRAGMA user_version = " + std::to_string(version + 1));
    transaction.commit();
  }
}

}  // namespace accelerate::records
