// JSON values: read from text with errors that give line and column, built up and written for programs.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "accelerate/error.hpp"

namespace accelerate {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;  // in the order of the text

  // The members of a variant take each file that includes this half a second to compile: they are compiled once.
  Json();  // null
  Json(bool value);
  Json(int value) : Json(std::int64_t{value}) {}
  Json(std::int64_t value);
  Json(std::size_t value) : Json(static_cast<std::int64_t>(value)) {}
  Json(double value);
  Json(const char* value) : Json(std::string(value)) {}
  Json(std::string value);
  Json(std::string_view value) : Json(std::string(value)) {}
  Json(Array value);
  Json(Object value);
  Json(const Json& other);
  Json(Json&& other) noexcept;
  Json& operator=(const Json& other);
  Json& operator=(Json&& other) noexcept;
  ~Json();
  static Json array();
  static Json object();

  // Error{corrupted} with `where`, line and column. As Python's json does it: NaN and Infinity are numbers, of several
  // members of one name the last counts (all are kept in members()). A byte order mark is skipped. Integers beyond 64
  // bits become doubles; numbers beyond the range of double, nesting deeper than 512 and invalid UTF-8 are refused.
  static Json parse(std::string_view text, std::string_view where);

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_int() const { return std::holds_alternative<std::int64_t>(value_); }
  bool is_number() const { return is_int() || std::holds_alternative<double>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  // "null", "boolean", "integer", "number", "string", "array" or "object"
  std::string_view kind_name() const;

  // Each throws Error{corrupted} "found string, expected integer" when the value is of another kind.
  bool as_bool() const;
  std::int64_t as_int() const;  // also a number without a fraction
  double as_double() const;
  const std::string& as_string() const;
  const Array& items() const;
  const Object& members() const;

  // The last member of that name, or null when this is no object or has none.
  const Json* find(std::string_view key) const;
  // The member of that name; Error{corrupted} naming the field when it is absent.
  const Json& at(std::string_view key) const;

  // Building: `set` appends or replaces; both turn a null into an object or array first.
  Json& set(std::string_view key, Json value);
  Json& push(Json value);

  // One line, or indented by `indent` spaces a level. Non-finite numbers are written as null.
  std::string dump(int indent = -1) const;

 private:
  std::variant<std::monostate, bool, std::int64_t, double, std::string, Array, Object> value_;
};

}  // namespace accelerate
