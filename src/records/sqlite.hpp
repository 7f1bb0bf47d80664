// SQLite as values: connections and statements that close themselves, and errors in the project's terms.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "accelerate/error.hpp"

struct sqlite3;
struct sqlite3_stmt;

namespace accelerate::records {

// A prepared statement. Parameters and columns count from 1 and 0, as SQLite counts them.
class Statement {
 public:
  Statement(sqlite3* connection, std::string_view sql, const std::filesystem::path& where);

  Statement& bind(int parameter, std::int64_t value);
  Statement& bind(int parameter, double value);
  Statement& bind(int parameter, std::string_view value);
  Statement& bind_null(int parameter);

  // True: a row is there. False: done.
  bool step();
  // Steps to the end and makes it ready for other parameters.
  void run();
  void reset();

  bool is_null(int column) const;
  std::int64_t integer(int column) const;
  double real(int column) const;
  std::string text(int column) const;

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const;
  };
  sqlite3* connection_;
  std::filesystem::path where_;
  std::unique_ptr<sqlite3_stmt, Finalize> statement_;
};

// Its errors: corrupted (no database, damaged, or without the tables that a statement names), unavailable (locked,
// read-only, full, cannot be opened), out_of_memory, internal.
class Connection {
 public:
  enum class Mode : std::uint8_t { create, write, read, immutable };
  // `patience`: how long a statement waits for another process's lock.
  Connection(const std::filesystem::path& path, Mode mode, std::chrono::milliseconds patience);

  const std::filesystem::path& path() const { return path_; }
  Statement prepare(std::string_view sql) const { return {connection_.get(), sql, path_}; }
  void execute(const std::string& sql) const;
  // The first column of the first row, 0 where there is none.
  std::int64_t integer(std::string_view sql) const;
  std::int64_t last_row() const;
  bool in_transaction() const;

 private:
  struct Close {
    void operator()(sqlite3* connection) const;
  };
  std::filesystem::path path_;
  std::unique_ptr<sqlite3, Close> connection_;
};

// Takes the lock for writing at once, so that what is read inside still holds when it is written. Rolled back unless
// commit() returned.
class Transaction {
 public:
  explicit Transaction(const Connection& connection);
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;
  ~Transaction();
  void commit();

 private:
  const Connection& connection_;
};

}  // namespace accelerate::records
