#include <simdjson.h>

#include <algorithm>
#include <limits>
#include <new>
#include <nlohmann/json.hpp>
#include <optional>

#include "core/json.hpp"

namespace accelerate {
namespace {

constexpr std::size_t kDeepest = 512;
constexpr std::size_t kLongestExcerpt = 60;

struct TooDeep {};

// JSON has no NaN and no Infinity. They are parsed as numbers of the same length, so that places in the text stay the
// same, in spellings that the text does not hold.
struct PythonConstants {
  std::string nan, infinity;
};

Json to_json(const simdjson::dom::element& element) {
  using Type = simdjson::dom::element_type;
  switch (element.type()) {
    case Type::ARRAY: {
      const simdjson::dom::array items = element.get_array().value_unsafe();
      Json::Array result;
      result.reserve(items.size());
      for (const simdjson::dom::element item : items) result.push_back(to_json(item));
      return result;
    }
    case Type::OBJECT: {
      const simdjson::dom::object members = element.get_object().value_unsafe();
      Json::Object result;
      result.reserve(members.size());
      for (const auto& member : members) result.emplace_back(std::string(member.key), to_json(member.value));
      return result;
    }
    case Type::INT64: return element.get_int64().value_unsafe();
    case Type::UINT64: return static_cast<double>(element.get_uint64().value_unsafe());
    case Type::DOUBLE: return element.get_double().value_unsafe();
    case Type::STRING: return element.get_string().value_unsafe();
    case Type::BOOL: return element.get_bool().value_unsafe();
    case Type::NULL_VALUE: return {};
  }
  return {};
}

// Nothing where the text is not plain JSON: what is wrong, or odd but taken, the slower parser says.
std::optional<Json> parse_fast(std::string_view text) {
  if (text.empty()) return std::nullopt;  // simdjson copies from its pointer, which may be null then
  simdjson::dom::parser parser;
  if (parser.allocate(text.size(), kDeepest) != simdjson::SUCCESS) return std::nullopt;
  const simdjson::simdjson_result<simdjson::dom::element> parsed = parser.parse(text.data(), text.size());
  if (parsed.error() != simdjson::SUCCESS) return std::nullopt;
  return to_json(parsed.value_unsafe());
}

// Builds Json values from the library's events, so that no second tree is held.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(PythonConstants constants) : constants_(std::move(constants)) {}

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(number_integer_t value) override { return put(Json(static_cast<std::int64_t>(value))); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return put(Json(static_cast<double>(value)));
    }
    return put(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t& text) override {
    if (!constants_.nan.empty()) {
      const double sign = text.starts_with('-') ? -1.0 : 1.0;
      const std::string_view digits = std::string_view(text).substr(sign < 0 ? 1 : 0);
      if (digits == constants_.nan) return put(Json(std::numeric_limits<double>::quiet_NaN()));
      if (digits == constants_.infinity) return put(Json(sign * std::numeric_limits<double>::infinity()));
    }
    return put(Json(value));
  }
  bool string(string_t& value) override { return put(Json(std::move(value))); }
  bool binary(binary_t&) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool key(string_t& value) override {
    key_ = std::move(value);
    return true;
  }
  bool end_object() override { return close(); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t position, const std::string&, const nlohmann::detail::exception& error) override {
    position_ = position;
    message_ = error.what();
    return false;
  }

  Json take() { return std::move(root_); }
  std::size_t position() const { return position_; }  // bytes read when the error was seen
  const std::string& message() const { return message_; }

 private:
  // Containers are collected in frames and moved into their parent when they close: a parent's vector may grow
  // meanwhile, which would leave pointers into it dangling.
  struct Frame {
    Json value;
    std::string key;
  };

  bool put(Json value) {
    if (frames_.empty()) {
      root_ = std::move(value);
      return true;
    }
    Json& parent = frames_.back().value;
    if (parent.is_array()) {
      parent.push(std::move(value));
    } else {
      const_cast<Json::Object&>(parent.members()).emplace_back(std::move(key_), std::move(value));
    }
    return true;
  }

  bool open(Json container) {
    if (frames_.size() >= kDeepest) throw TooDeep{};
    frames_.push_back({std::move(container), std::move(key_)});
    return true;
  }

  bool close() {
    Frame done = std::move(frames_.back());
    frames_.pop_back();
    key_ = std::move(done.key);
    return put(std::move(done.value));
  }

  PythonConstants constants_;
  Json root_;
  std::vector<Frame> frames_;
  std::string key_, message_;
  std::size_t position_ = 0;
};

// A number that the text does not hold: `front` and one of the digits. Empty when it holds them all.
std::string unused_number(std::string_view text, const std::string& front) {
  for (char digit = '0'; digit <= '9'; ++digit) {
    if (text.find(front + digit) == std::string_view::npos) return front + digit;
  }
  return {};
}

std::string with_numbers_for_constants(std::string_view text, const PythonConstants& constants) {
  std::string result(text);
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (in_string && text[i] == '\\') {
      ++i;
    } else if (text[i] == '"') {
      in_string = !in_string;
    } else if (!in_string && text.substr(i, 3) == "NaN") {
      result.replace(i, 3, constants.nan);
    } else if (!in_string && text.substr(i, 8) == "Infinity") {
      result.replace(i, 8, constants.infinity);
    }
  }
  return result;
}

// "JSON error at line 3, column 5: " for the byte at `offset`.
std::string place(std::string_view text, std::size_t offset) {
  const std::string_view before = text.substr(0, std::min(offset, text.size()));
  const auto line = std::ranges::count(before, '\n') + 1;
  const std::size_t start = before.rfind('\n') + 1;  // npos + 1 is 0
  return "JSON error at line " + std::to_string(line) + ", column " + std::to_string(before.size() - start + 1) + ": ";
}

// The library's sentence without its own prefix, and without what it read last, which may be long or no text at all.
std::string reason(const std::string& message, std::string_view text, std::size_t position) {
  const std::size_t prefix = message.find("] ");
  std::string reason = prefix == std::string::npos ? message : message.substr(prefix + 2);
  if (const std::size_t at = reason.find(": "); reason.starts_with("parse error at ") && at != std::string::npos) {
    reason.erase(0, at + 2);
  }
  if (const std::size_t last_read = reason.find("; last read"); last_read != std::string::npos) {
    const std::size_t expected = reason.rfind("; expected ");
    const std::string wanted =
        expected != std::string::npos && expected > last_read ? reason.substr(expected) : std::string();
    reason = reason.substr(0, last_read) + wanted;
  }
  if (reason.size() > 3 * kLongestExcerpt) reason.resize(3 * kLongestExcerpt);
  std::erase_if(reason,
                [](char c) { return static_cast<unsigned char>(c) < 0x20 || static_cast<unsigned char>(c) > 0x7e; });

  return place(text, position == 0 ? 0 : position - 1) + reason;  // the position counts the byte that was wrong
}

}  // namespace

Json Json::parse(std::string_view text, std::string_view where) {
  try {
    if (std::optional<Json> parsed = parse_fast(text)) return *std::move(parsed);
    PythonConstants constants;
    std::string replaced;
    // The slower parser takes a zero byte for the end and whatever follows for nothing.
    const std::size_t zero = text.find('\0');
    std::string_view plain = text.substr(0, zero);
    if (text.find("NaN") != std::string_view::npos || text.find("Infinity") != std::string_view::npos) {
      constants = {unused_number(text, "1E"), unused_number(text, "1.000E+")};
      if (!constants.nan.empty() && !constants.infinity.empty()) {
        plain = replaced = with_numbers_for_constants(plain, constants);
      }
    }
    Builder builder(constants);
    const bool parsed = nlohmann::json::sax_parse(plain.begin(), plain.end(), &builder);
    if (parsed && zero == std::string_view::npos) return builder.take();
    if (parsed) throw Error(ErrorKind::corrupted, place(text, zero) + "a zero byte", std::string(where));
    throw Error(ErrorKind::corrupted, reason(builder.message(), text, builder.position()), std::string(where));
  } catch (const TooDeep&) {
    throw Error(ErrorKind::corrupted, "JSON nested deeper than " + std::to_string(kDeepest) + " levels",
                std::string(where));
  } catch (const std::bad_alloc&) {
    throw Error(ErrorKind::out_of_memory, "JSON of " + std::to_string(text.size()) + " bytes does not fit into memory",
                std::string(where));
  }
}

}  // namespace accelerate
