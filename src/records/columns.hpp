// From a part's fields (fields.hpp) to SQL and back.
#pragma once

#include <string>

#include "records/fields.hpp"
#include "records/sqlite.hpp"

namespace accelerate::records {

// "m.id, m.cpu, ..." for the prefix "m."
template <typename Part>
std::string columns_of(const std::string& prefix = {}) {
  std::string names;
  const Part part{};
  each_field(part, [&](std::string_view name, const auto&) {
    names += (names.empty() ? "" : ", ") + prefix + std::string(name);
  });
  return names;
}

template <typename Part>
int column_count() {
  int count = 0;
  const Part part{};
  each_field(part, [&](std::string_view, const auto&) { ++count; });
  return count;
}

// "?, ?, ?"
inline std::string places(int count) {
  std::string text;
  for (int i = 0; i < count; ++i) text += i == 0 ? "?" : ", ?";
  return text;
}

// Binds one field after the other.
struct BindField {
  Statement& statement;
  int parameter;

  void operator()(std::string_view, const std::string& field) { statement.bind(parameter++, field); }
  void operator()(std::string_view, double field) { statement.bind(parameter++, field); }
  template <std::integral T>
  void operator()(std::string_view, T field) {
    statement.bind(parameter++, static_cast<std::int64_t>(field));
  }
  template <typename T>
  void operator()(std::string_view name, const std::optional<T>& field) {
    if (field) {
      (*this)(name, *field);
    } else {
      statement.bind_null(parameter++);
    }
  }
};

struct ReadField {
  const Statement& statement;
  int column;

  void operator()(std::string_view, std::string& field) { field = statement.text(column++); }
  void operator()(std::string_view, double& field) { field = statement.real(column++); }
  template <std::integral T>
  void operator()(std::string_view, T& field) {
    field = static_cast<T>(statement.integer(column++));
  }
  template <typename T>
  void operator()(std::string_view name, std::optional<T>& field) {
    if (statement.is_null(column)) {
      field.reset();
      ++column;
    } else {
      (*this)(name, field.emplace());
    }
  }
};

}  // namespace accelerate::records
