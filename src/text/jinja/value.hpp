// Values of a template as Python has them: what a variable, a literal or a filter's result is.
//
// Values are immutable and cheap to copy; only a namespace's attributes change. Nothing a template can write makes a
// cycle that is never freed: namespaces are emptied by the interpreter, macros do not own their scope.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "core/json.hpp"

namespace accelerate::text::jinja {

// What a template does wrong, before the interpreter adds the line.
struct Failure {
  ErrorKind kind;
  std::string message;
};
[[noreturn]] void fail(std::string message, ErrorKind kind = ErrorKind::invalid_input);

// How much a template may still do. Everything that takes time or memory in proportion to its data is charged, so that
// no template runs or grows without end.
class Budget {
 public:
  explicit Budget(std::size_t steps) : left_(steps) {}
  void charge(std::size_t steps = 1) {
    if (steps > left_) exhausted();
    left_ -= steps;
  }
  void charge_bytes(std::size_t bytes) { charge(1 + bytes / 32); }

 private:
  [[noreturn]] static void exhausted();
  std::size_t left_;
};

using Text = std::shared_ptr<const std::string>;

enum class Kind : std::uint8_t {
  undefined,
  none,
  boolean,
  integer,
  real,
  string,
  sequence,
  dict,
  name_space,
  callable
};

// Why there is no value: said when the template uses it where it may not.
struct Undefined {
  enum class Why : std::uint8_t { variable, attribute, element, unsafe, other };
  Text name;                    // the variable, attribute or element; for `other` the whole message
  std::string_view owner = {};  // Python's type name of what lacks it
  Why why = Why::variable;
};

// Text that `safe` or `escape` marked as HTML: what is added to it is escaped, templates without HTML included.
struct Markup {
  Text text;
};

struct Sequence;
struct Dict;
struct Namespace;
struct Callable;

class Value {
 public:
  Value() = default;  // None
  Value(Undefined value) : value_(std::move(value)) {}
  Value(bool value) : value_(value) {}
  Value(int value) : value_(std::int64_t{value}) {}
  Value(std::int64_t value) : value_(value) {}
  Value(std::size_t value) : value_(static_cast<std::int64_t>(value)) {}
  Value(double value) : value_(value) {}
  Value(Text value) : value_(std::move(value)) {}
  Value(Markup value) : value_(std::move(value)) {}
  Value(std::string value) : value_(std::make_shared<const std::string>(std::move(value))) {}
  Value(std::string_view value) : Value(std::string(value)) {}
  Value(const char* value) : Value(std::string(value)) {}
  Value(std::shared_ptr<const Sequence> value) : value_(std::move(value)) {}
  Value(std::shared_ptr<const Dict> value) : value_(std::move(value)) {}
  Value(std::shared_ptr<Namespace> value) : value_(std::move(value)) {}
  Value(std::shared_ptr<const Callable> value) : value_(std::move(value)) {}
  static Value from_json(const Json& json);  // Failure where a text is no UTF-8

  Kind kind() const {
    constexpr Kind kKinds[] = {Kind::none, Kind::undefined,  Kind::boolean, Kind::integer,
                               Kind::real, Kind::string,     Kind::string,  Kind::sequence,
                               Kind::dict, Kind::name_space, Kind::callable};
    return kKinds[value_.index()];
  }
  bool is(Kind kind) const { return this->kind() == kind; }
  bool is_whole() const { return is(Kind::integer) || is(Kind::boolean); }  // what Python counts as int
  bool is_number() const { return is_whole() || is(Kind::real); }

  // Each only where is() of its kind holds.
  const Undefined& undefined() const { return std::get<Undefined>(value_); }
  const std::string& string() const { return *text(); }
  const Text& text() const {
    const Markup* markup = std::get_if<Markup>(&value_);
    return markup != nullptr ? markup->text : std::get<Text>(value_);
  }
  bool is_markup() const { return std::holds_alternative<Markup>(value_); }
  const Sequence& sequence() const { return *std::get<std::shared_ptr<const Sequence>>(value_); }
  const Dict& dict() const { return *std::get<std::shared_ptr<const Dict>>(value_); }
  Namespace& name_space() const { return *std::get<std::shared_ptr<Namespace>>(value_); }
  const Callable& callable() const { return *std::get<std::shared_ptr<const Callable>>(value_); }

  std::int64_t whole() const { return is(Kind::boolean) ? std::get<bool>(value_) : std::get<std::int64_t>(value_); }
  double real() const { return is(Kind::real) ? std::get<double>(value_) : static_cast<double>(whole()); }
  bool truth() const;

  // Python's: "str", "int", "NoneType", ...
  std::string_view type_name() const;
  // How deep it nests: 0 for what holds no other value.
  std::uint32_t depth() const;

 private:
  std::variant<std::monostate, Undefined, bool, std::int64_t, double, Text, Markup, std::shared_ptr<const Sequence>,
               std::shared_ptr<const Dict>, std::shared_ptr<Namespace>, std::shared_ptr<const Callable>>
      value_;
};

struct Sequence {
  enum class Type : std::uint8_t { list, tuple, range, keys, values, items, generator };
  Type type = Type::list;
  std::uint32_t depth = 1;
  std::vector<Value> items;
  mutable std::size_t taken = 0;  // of a generator: items that something iterated over already

  bool is_indexed() const { return type == Type::list || type == Type::tuple || type == Type::range; }
};

struct Dict {
  std::uint32_t depth = 1;
  std::vector<std::pair<Value, Value>> members;  // in order of insertion, keys differ

  const Value* find(const Value& key, Budget& budget) const;
  const Value* find(std::string_view key) const;
};

struct Namespace {
  std::vector<std::pair<Text, Value>> attributes;
  const Value* find(std::string_view name) const;
  void set(const Text& name, Value value);
};

class Interpreter;
struct Arguments {
  std::vector<Value> positional;
  std::vector<std::pair<Text, Value>> named;
};

// Macros, functions, methods taken from a value, and `loop`, which also has attributes.
struct Callable {
  std::string name;
  std::function<Value(Interpreter&, const Arguments&)> call;        // null: not callable
  std::function<Value(std::string_view attribute)> attribute = {};  // null: has none
  std::uint32_t depth = 0;
};

// Deeper values than 500 are a Failure, so that walking and freeing them cannot exhaust the stack.
std::uint32_t depth_around(std::uint32_t inner);
Value make_sequence(std::vector<Value> items, Sequence::Type type = Sequence::Type::list);
Value make_dict(std::vector<std::pair<Value, Value>> members);  // keys must differ
Value make_undefined(std::string message);
// Failure where a value cannot be a key, as lists and dicts cannot.
void expect_hashable(const Value& key);
// Adds or replaces, as dict[key] = value does; Failure where the key cannot be one.
void put(std::vector<std::pair<Value, Value>>& members, Value key, Value value, Budget& budget);
// "'x' is undefined": why using it is a Failure.
std::string message_of(const Undefined& undefined);
[[noreturn]] void fail_undefined(const Value& value);

// What `for` runs over; Failure where the value is not iterable. A generator is empty afterwards.
std::vector<Value> iterate(const Value& value, Budget& budget);
// len(): Failure where it has none.
std::size_t length_of(const Value& value);

}  // namespace accelerate::text::jinja
