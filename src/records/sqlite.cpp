#include "records/sqlite.hpp"

#include <sqlite3.h>

#include <cstring>

namespace accelerate::records {
namespace {

// The system's own words where SQLite kept the number of its error: "No space left on device".
std::string with_system_reason(std::string message, sqlite3* connection) {
  const int number = connection == nullptr ? 0 : sqlite3_system_errno(connection);
  return number == 0 ? message : message + ": " + std::strerror(number);
}

Error error_of(int code, sqlite3* connection, const std::filesystem::path& path) {
  const std::string where = path.string();
  const auto unavailable = [&](const std::string& message, const char* hint = "") {
    return Error(ErrorKind::unavailable, with_system_reason(message, connection), where, hint);
  };
  const std::string said = connection == nullptr ? sqlite3_errstr(code) : sqlite3_errmsg(connection);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED: return {ErrorKind::unavailable, "is locked by another process", where};
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH: return {ErrorKind::unavailable, "cannot be written: it or its folder is read-only", where};
    case SQLITE_FULL: return unavailable("cannot be written, there is no space left");
    case SQLITE_IOERR: return unavailable("cannot be read or written (" + said + ")");
    case SQLITE_CANTOPEN: return unavailable("cannot be opened");
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: return {ErrorKind::corrupted, "is damaged: " + said, where};
    // Statements are fixed: what they name is missing only where the file is not what its version says.
    case SQLITE_ERROR: return {ErrorKind::corrupted, "does not hold what its version says: " + said, where};
    case SQLITE_NOMEM: return {ErrorKind::out_of_memory, "no memory for the database", where};
    default: return {ErrorKind::internal, said + " (code " + std::to_string(code) + ")", where};
  }
}

void check(int code, sqlite3* connection, const std::filesystem::path& path) {
  if (code != SQLITE_OK) throw error_of(code, connection, path);
}

// A path as SQLite's "file:" addresses spell it.
std::string address_of(const std::filesystem::path& path) {
  constexpr std::string_view kHex = "0123456789abcdef";
  std::string address = "file:";
  for (const char c : std::filesystem::absolute(path).string()) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte <= ' ' || byte >= 0x7f || c == '%' || c == '?' || c == '#') {
      address += {'%', kHex[byte >> 4], kHex[byte & 15]};
    } else {
      address += c;
    }
  }
  return address;
}

}  // namespace

Statement::Statement(sqlite3* connection, std::string_view sql, const std::filesystem::path& where)
    : connection_(connection), where_(where) {
  sqlite3_stmt* statement = nullptr;
  check(sqlite3_prepare_v2(connection, sql.data(), static_cast<int>(sql.size()), &statement, nullptr), connection,
        where_);
  statement_.reset(statement);
}

void Statement::Finalize::operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }

Statement& Statement::bind(int parameter, std::int64_t value) {
  check(sqlite3_bind_int64(statement_.get(), parameter, value), connection_, where_);
  return *this;
}

Statement& Statement::bind(int parameter, double value) {
  check(sqlite3_bind_double(statement_.get(), parameter, value), connection_, where_);
  return *this;
}

Statement& Statement::bind(int parameter, std::string_view value) {
  check(sqlite3_bind_text64(statement_.get(), parameter, value.data() == nullptr ? "" : value.data(), value.size(),
                            SQLITE_TRANSIENT, SQLITE_UTF8),
        connection_, where_);
  return *this;
}

Statement& Statement::bind_null(int parameter) {
  check(sqlite3_bind_null(statement_.get(), parameter), connection_, where_);
  return *this;
}

bool Statement::step() {
  const int code = sqlite3_step(statement_.get());
  if (code == SQLITE_ROW) return true;
  if (code == SQLITE_DONE) return false;
  const Error error = error_of(code, connection_, where_);
  sqlite3_reset(statement_.get());
  throw Error(error);
}

void Statement::run() {
  while (step()) {
  }
  reset();
}

void Statement::reset() {
  // Its code is the last step's, which step() has told already.
  sqlite3_reset(statement_.get());
  sqlite3_clear_bindings(statement_.get());
}

bool Statement::is_null(int column) const { return sqlite3_column_type(statement_.get(), column) == SQLITE_NULL; }
std::int64_t Statement::integer(int column) const { return sqlite3_column_int64(statement_.get(), column); }
double Statement::real(int column) const { return sqlite3_column_double(statement_.get(), column); }

std::string Statement::text(int column) const {
  const auto* bytes = static_cast<const char*>(sqlite3_column_blob(statement_.get(), column));
  return bytes == nullptr
             ? std::string()
             : std::string(bytes, static_cast<std::size_t>(sqlite3_column_bytes(statement_.get(), column)));
}

Connection::Connection(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds patience) : path_(path) {
  int flags = SQLITE_OPEN_URI | SQLITE_OPEN_EXRESCODE | SQLITE_OPEN_NOMUTEX;
  flags |= mode == Mode::read || mode == Mode::immutable ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (mode == Mode::create) flags |= SQLITE_OPEN_CREATE;
  sqlite3* connection = nullptr;
  const std::string address = address_of(path) + (mode == Mode::immutable ? "?immutable=1" : "");
  const int code = sqlite3_open_v2(address.c_str(), &connection, flags, nullptr);
  connection_.reset(connection);  // made even when it fails, to say why
  check(code, connection, path_);
  check(sqlite3_busy_timeout(connection, static_cast<int>(patience.count())), connection, path_);
  // A file that was made by somebody else is not to run code of its own.
  sqlite3_db_config(connection, SQLITE_DBCONFIG_DEFENSIVE, 1, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_TRUSTED_SCHEMA, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_TRIGGER, 0, nullptr);
  sqlite3_db_config(connection, SQLITE_DBCONFIG_ENABLE_VIEW, 0, nullptr);
}

void Connection::Close::operator()(sqlite3* connection) const { sqlite3_close_v2(connection); }

void Connection::execute(const std::string& sql) const {
  check(sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr), connection_.get(), path_);
}

std::int64_t Connection::integer(std::string_view sql) const {
  Statement statement = prepare(sql);
  return statement.step() ? statement.integer(0) : 0;
}

std::int64_t Connection::last_row() const { return sqlite3_last_insert_rowid(connection_.get()); }
bool Connection::in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

Transaction::Transaction(const Connection& connection) : connection_(connection) {
  connection_.execute("BEGIN IMMEDIATE");
}

Transaction::~Transaction() {
  // SQLite itself rolls back after some failures; a second ROLLBACK would be an error.
  if (!connection_.in_transaction()) return;
  try {
    connection_.execute("ROLLBACK");
  } catch (const Error&) {
    // Closing the connection does the same.
  }
}

void Transaction::commit() { connection_.execute("COMMIT"); }

}  // namespace accelerate::records
