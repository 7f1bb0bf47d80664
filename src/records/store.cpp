#include "records/store.hpp"

#include <sys/stat.h>

#include <cerrno>
#include <cstring>
#include <functional>

#include "records/columns.hpp"

namespace accelerate::records {
namespace {

// The row of a part that is stored once and shared by records: found, or made.
template <typename Part>
std::int64_t shared_row(const Connection& connection, const std::string& table, const Part& part) {
  const std::string columns = columns_of<Part>();
  const int count = column_count<Part>();
  Statement insert = connection.prepare("INSERT INTO " + table + " (" + columns + ") VALUES (" + places(count) +
                                        ") ON CONFLICT DO NOTHING");
  each_field(part, BindField{insert, 1});
  insert.run();
  Statement find =
      connection.prepare("SELECT row FROM " + table + " WHERE (" + columns + ") = (" + places(count) + ")");
  each_field(part, BindField{find, 1});
  if (!find.step()) throw Error(ErrorKind::corrupted, "is damaged: it loses rows of " + table, connection.path());
  return find.integer(0);
}

std::int64_t model_row(const Connection& connection, const ModelIdentity& model, Paths paths) {
  const std::string keep = paths == Paths::newest ? "excluded.path <> ''" : "model.path = ''";
  Statement insert = connection.prepare(
      "INSERT INTO model (" + columns_of<ModelIdentity>() + ") VALUES (" + places(column_count<ModelIdentity>()) +
      ") ON CONFLICT (content_hash) DO UPDATE SET path = excluded.path WHERE " + keep);
  each_field(model, BindField{insert, 1});
  insert.run();
  Statement find = connection.prepare("SELECT row FROM model WHERE content_hash = ?");
  if (!find.bind(1, model.content_hash).step()) {
    throw Error(ErrorKind::corrupted, "is damaged: it loses rows of model", connection.path());
  }
  return find.integer(0);
}

template <typename T>
void insert_content(const Connection& connection, std::int64_t row, const T& content) {
  Statement insert = connection.prepare("INSERT INTO " + std::string(name_of(kind_of<T>())) + " (record, " +
                                        columns_of<T>() + ") VALUES (" + places(1 + column_count<T>()) + ")");
  insert.bind(1, row);
  each_field(content, BindField{insert, 2});
  insert.run();
}

void insert_layers(const Connection& connection, std::int64_t row, const LayerChoice& choice) {
  Statement insert =
      connection.prepare("INSERT INTO kept_layer (record, position, path, sensitivity) VALUES (?, ?, ?, ?)");
  std::int64_t position = 0;
  for (const LayerChoice::Layer& layer : choice.layers) {
    insert.bind(1, row).bind(2, position++).bind(3, layer.path).bind(4, layer.sensitivity).run();
  }
}

template <typename T>
T content_of(const Connection& connection, std::int64_t row) {
  const std::string table(name_of(kind_of<T>()));
  Statement find = connection.prepare("SELECT " + columns_of<T>() + " FROM " + table + " WHERE record = ?");
  if (!find.bind(1, row).step()) {
    throw Error(ErrorKind::corrupted, "is damaged: a record has no " + table, connection.path());
  }
  T content;
  each_field(content, ReadField{find, 0});
  if constexpr (std::is_same_v<T, LayerChoice>) {
    Statement layers =
        connection.prepare("SELECT path, sensitivity FROM kept_layer WHERE record = ? ORDER BY position");
    layers.bind(1, row);
    while (layers.step()) content.layers.push_back({layers.text(0), layers.real(1)});
  }
  return content;
}

Content content_of(const Connection& connection, std::int64_t row, Kind kind) {
  switch (kind) {
    case Kind::measurement: return content_of<Measurement>(connection, row);
    case Kind::agreement: return content_of<Agreement>(connection, row);
    case Kind::layer_choice: return content_of<LayerChoice>(connection, row);
    case Kind::batch_choice: return content_of<BatchChoice>(connection, row);
  }
  return {};
}

const std::string& select_records() {
  static const std::string sql = "SELECT r.row, r.kind, r.id, r.time_ms, r.precision, " + columns_of<Machine>("ma.") +
                                 ", " + columns_of<Code>("co.") + ", " + columns_of<ModelIdentity>("mo.") + ", " +
                                 columns_of<Device>("de.") +
                                 " FROM record r JOIN machine ma ON ma.row = r.machine JOIN code co ON co.row = r.code "
                                 "JOIN model mo ON mo.row = r.model JOIN device de ON de.row = r.device "
                                 "LEFT JOIN measurement me ON me.record = r.row "
                                 "LEFT JOIN batch_choice ba ON ba.record = r.row";
  return sql;
}

Record read_record(const Connection& connection, const Statement& row) {
  Record record;
  const Kind kind = kind_named(row.text(1));
  record.id = row.text(2);
  record.time_ms = row.integer(3);
  record.precision = row.text(4);
  ReadField read{row, 5};
  each_field(record.machine, read);
  each_field(record.code, read);
  each_field(record.model, read);
  each_field(record.device, read);
  record.content = content_of(connection, row.integer(0), kind);
  return record;
}

// The conditions of a filter, and what binds their parameters.
struct Where {
  std::string sql;
  std::vector<std::function<void(Statement&, int)>> binds;

  template <typename T>
  void add(const std::string& condition, T value, int times = 1) {
    sql += (sql.empty() ? " WHERE " : " AND ") + condition;
    for (int i = 0; i < times; ++i) {
      binds.emplace_back([value](Statement& statement, int parameter) { statement.bind(parameter, value); });
    }
  }
  void text(const std::string& condition, const std::string& value, int times = 1) {
    if (!value.empty()) add(condition, value, times);
  }
};

void add_model(Where& where, const std::string& model) {
  if (model.empty()) return;
  const bool hash = model.size() >= 6 && model.find_first_not_of("0123456789abcdef") == std::string::npos;
  std::string path = model;
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  const std::string begins = hash ? "substr(mo.content_hash, 1, " + std::to_string(model.size()) + ") = ? OR " : "";
  where.add("(" + begins + "mo.path = ? OR substr(mo.path, -length(?) - 1) = '/' || ?)", path, hash ? 4 : 3);
}

Where where_of(const Filter& filter) {
  Where where;
  if (filter.kind) where.text("r.kind = ?", std::string(name_of(*filter.kind)));
  add_model(where, filter.model);
  where.text("de.name = ?", filter.device);
  where.text("de.level = ?", filter.level);
  where.text("r.precision = ?", filter.precision);
  // The build's description names its commit behind the bracket: "0.1.0 (7ee0534; ...)".
  where.text("(co.version = ? OR instr(co.build, '(' || ?) > 0)", filter.code, 2);
  where.text("substr(ma.id, 1, length(?)) = ?", filter.machine, 2);
  where.text("me.workload = ?", filter.workload);
  if (filter.batch) where.add("coalesce(me.batch, ba.batch) = ?", *filter.batch);
  if (filter.tokens) where.add("coalesce(me.tokens, ba.tokens) = ?", *filter.tokens);
  if (filter.threads) where.add("coalesce(me.threads, ba.threads) = ?", std::int64_t{*filter.threads});
  if (filter.since_ms > 0) where.add("r.time_ms >= ?", filter.since_ms);
  return where;
}

std::int64_t nanoseconds(const timespec& time) {
  return static_cast<std::int64_t>(time.tv_sec) * 1'000'000'000 + static_cast<std::int64_t>(time.tv_nsec);
}

}  // namespace

bool insert(const Connection& connection, const Record& record, Paths paths) {
  Statement known = connection.prepare("SELECT 1 FROM record WHERE id = ?");
  if (known.bind(1, record.id).step()) return false;
  const std::int64_t machine = shared_row(connection, "machine", record.machine);
  const std::int64_t code = shared_row(connection, "code", record.code);
  const std::int64_t model = model_row(connection, record.model, paths);
  const std::int64_t device = shared_row(connection, "device", record.device);
  connection
      .prepare("INSERT INTO record (id, kind, time_ms, machine, code, model, device, precision) VALUES (" + places(8) +
               ")")
      .bind(1, record.id)
      .bind(2, name_of(record.kind()))
      .bind(3, record.time_ms)
      .bind(4, machine)
      .bind(5, code)
      .bind(6, model)
      .bind(7, device)
      .bind(8, record.precision)
      .run();
  const std::int64_t row = connection.last_row();
  std::visit([&](const auto& content) { insert_content(connection, row, content); }, record.content);
  if (const auto* choice = std::get_if<LayerChoice>(&record.content)) insert_layers(connection, row, *choice);
  return true;
}

std::vector<Record> select(const Connection& connection, const Filter& filter) {
  const Where where = where_of(filter);
  const std::string limit = filter.limit > 0 ? " LIMIT " + std::to_string(filter.limit) : "";
  Statement rows = connection.prepare(select_records() + where.sql + " ORDER BY r.time_ms DESC, r.row DESC" + limit);
  int parameter = 1;
  for (const auto& bind : where.binds) bind(rows, parameter++);
  std::vector<Record> records;
  while (rows.step()) records.push_back(read_record(connection, rows));
  return records;
}

std::vector<std::string> ids_like(const Connection& connection, std::string_view beginning) {
  Statement rows = connection.prepare("SELECT id FROM record WHERE substr(id, 1, length(?)) = ? LIMIT 2");
  rows.bind(1, beginning).bind(2, beginning);
  std::vector<std::string> ids;
  while (rows.step()) ids.push_back(rows.text(0));
  return ids;
}

std::optional<Record> record_of(const Connection& connection, const std::string& id) {
  Statement row = connection.prepare(select_records() + " WHERE r.id = ?");
  if (!row.bind(1, id).step()) return std::nullopt;
  return read_record(connection, row);
}

void insert(const Connection& connection, const CompatibilityError& error) {
  const std::int64_t machine = shared_row(connection, "machine", error.machine);
  const std::int64_t code = shared_row(connection, "code", error.code);
  Statement insert = connection.prepare(
      "INSERT INTO compatibility_error (machine, code, " + columns_of<CompatibilityError>() + ") VALUES (" +
      places(2 + column_count<CompatibilityError>()) +
      ") ON CONFLICT DO UPDATE SET times = times + 1, last_ms = excluded.last_ms, severity = excluded.severity, "
      "advice = excluded.advice");
  insert.bind(1, machine).bind(2, code);
  each_field(error, BindField{insert, 3});
  insert.run();
}

std::vector<CompatibilityError> select_errors(const Connection& connection) {
  Statement rows = connection.prepare("SELECT " + columns_of<CompatibilityError>("e.") + ", " +
                                      columns_of<Machine>("ma.") + ", " + columns_of<Code>("co.") +
                                      " FROM compatibility_error e JOIN machine ma ON ma.row = e.machine "
                                      "JOIN code co ON co.row = e.code ORDER BY e.last_ms DESC, e.row DESC");
  std::vector<CompatibilityError> errors;
  while (rows.step()) {
    CompatibilityError& error = errors.emplace_back();
    ReadField read{rows, 0};
    each_field(error, read);
    each_field(error.machine, read);
    each_field(error.code, read);
  }
  return errors;
}

FileIdentity identity_of(const std::filesystem::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0) {
    throw Error(ErrorKind::not_found, std::string("cannot be read: ") + std::strerror(errno), file.string());
  }
  FileIdentity identity;
  identity.path = std::filesystem::absolute(file).lexically_normal().string();
  identity.device = static_cast<std::int64_t>(status.st_dev);
  identity.inode = static_cast<std::int64_t>(status.st_ino);
  identity.size = static_cast<std::int64_t>(status.st_size);
  identity.modified_ns = nanoseconds(status.st_mtim);
  identity.changed_ns = nanoseconds(status.st_ctim);
  return identity;
}

std::optional<std::string> known_checksum(const Connection& connection, const FileIdentity& file) {
  Statement find = connection.prepare(
      "SELECT sha256 FROM file_checksum WHERE path = ? AND device = ? AND inode = ? AND size = ? AND modified_ns = ? "
      "AND changed_ns = ?");
  find.bind(1, file.path).bind(2, file.device).bind(3, file.inode).bind(4, file.size);
  if (!find.bind(5, file.modified_ns).bind(6, file.changed_ns).step()) return std::nullopt;
  return find.text(0);
}

void remember_checksum(const Connection& connection, const FileIdentity& file, const std::string& sha256) {
  connection
      .prepare(
          "INSERT OR REPLACE INTO file_checksum (path, device, inode, size, modified_ns, changed_ns, sha256) "
          "VALUES (?, ?, ?, ?, ?, ?, ?)")
      .bind(1, file.path)
      .bind(2, file.device)
      .bind(3, file.inode)
      .bind(4, file.size)
      .bind(5, file.modified_ns)
      .bind(6, file.changed_ns)
      .bind(7, sha256)
      .run();
}

}  // namespace accelerate::records
