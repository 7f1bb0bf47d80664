#include "core/json.hpp"

#include <charconv>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace accelerate {
namespace {

constexpr std::size_t kDeepest = 512;

struct TooDeep {};

// Builds Json values from the library's events, so that no second tree is held.
class Builder final : public nlohmann::json_sax<nlohmann::json> {
 public:
  explicit Builder(Json& root) : root_(&root) {}

  bool null() override { return put(Json()); }
  bool boolean(bool value) override { return put(Json(value)); }
  bool number_integer(number_integer_t value) override { return put(Json(static_cast<std::int64_t>(value))); }
  bool number_unsigned(number_unsigned_t value) override {
    if (value > static_cast<number_unsigned_t>(std::numeric_limits<std::int64_t>::max())) {
      return put(Json(static_cast<double>(value)));
    }
    return put(Json(static_cast<std::int64_t>(value)));
  }
  bool number_float(number_float_t value, const string_t&) override { return put(Json(value)); }
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
  bool parse_error(std::size_t, const std::string&, const nlohmann::detail::exception& error) override {
    message_ = error.what();
    return false;
  }

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
      *root_ = std::move(value);
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

  Json* root_;
  std::vector<Frame> frames_;
  std::string key_, message_;
};

// "[json.exception.parse_error.101] parse error at line 3, column 5: ..." without the library's own prefix.
std::string tidy(const std::string& message) {
  const std::size_t from = message.find("parse error at ");
  return from == std::string::npos ? message : message.substr(from);
}

[[noreturn]] void wrong_kind(const Json& value, std::string_view expected) {
  throw Error(ErrorKind::corrupted, "found " + std::string(value.kind_name()) + ", expected " + std::string(expected));
}

// Python writes NaN and Infinity, which JSON has not: they become null and a number too large to hold.
std::string without_python_constants(std::string_view text) {
  std::string result;
  result.reserve(text.size());
  bool in_string = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    if (in_string && c == '\\' && i + 1 < text.size()) {
      result += c;
      result += text[++i];
      continue;
    }
    if (c == '"') in_string = !in_string;
    if (!in_string && text.substr(i, 3) == "NaN") {
      result += "null";
      i += 2;
    } else if (!in_string && text.substr(i, 8) == "Infinity") {
      result += "1.7976931348623157e308";
      i += 7;
    } else {
      result += c;
    }
  }
  return result;
}

void write_string(std::string& out, std::string_view text) {
  out += '"';
  for (const char c : text) {
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default:
        if (static_cast<unsigned char>(c) < 0x20) {
          constexpr char kHex[] = "0123456789abcdef";
          out += "\\u00";
          out += kHex[static_cast<unsigned char>(c) >> 4];
          out += kHex[static_cast<unsigned char>(c) & 15];
        } else {
          out += c;
        }
    }
  }
  out += '"';
}

void write_double(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out += "null";
    return;
  }
  char buffer[32];
  const auto written = std::to_chars(buffer, buffer + sizeof buffer, value);
  const std::string_view digits(buffer, static_cast<std::size_t>(written.ptr - buffer));
  out += digits;
  if (digits.find_first_of(".e") == std::string_view::npos) out += ".0";
}

void new_line(std::string& out, int indent, int depth) {
  if (indent < 0) return;
  out += '\n';
  out.append(static_cast<std::size_t>(indent) * static_cast<std::size_t>(depth), ' ');
}

void write(std::string& out, const Json& value, int indent, int depth) {
  if (value.is_null()) {
    out += "null";
  } else if (value.is_bool()) {
    out += value.as_bool() ? "true" : "false";
  } else if (value.is_int()) {
    out += std::to_string(value.as_int());
  } else if (value.is_number()) {
    write_double(out, value.as_double());
  } else if (value.is_string()) {
    write_string(out, value.as_string());
  } else if (value.is_array()) {
    // Rows of plain numbers and strings stay on one line.
    bool nested = false;
    for (const Json& item : value.items()) nested |= item.is_array() || item.is_object();
    const int inner = nested ? indent : -1;
    out += '[';
    for (std::size_t i = 0; i < value.items().size(); ++i) {
      if (i > 0) out += indent >= 0 && !nested ? ", " : ",";
      new_line(out, inner, depth + 1);
      write(out, value.items()[i], inner, depth + 1);
    }
    if (!value.items().empty()) new_line(out, inner, depth);
    out += ']';
  } else {
    out += '{';
    for (std::size_t i = 0; i < value.members().size(); ++i) {
      if (i > 0) out += ',';
      new_line(out, indent, depth + 1);
      write_string(out, value.members()[i].first);
      out += indent >= 0 ? ": " : ":";
      write(out, value.members()[i].second, indent, depth + 1);
    }
    if (!value.members().empty()) new_line(out, indent, depth);
    out += '}';
  }
}

}  // namespace

Json Json::parse(std::string_view text, std::string_view where) {
  Json root;
  Builder builder(root);
  try {
    if (nlohmann::json::sax_parse(text.begin(), text.end(), &builder)) return root;
    if (text.find("NaN") != std::string_view::npos || text.find("Infinity") != std::string_view::npos) {
      const std::string plain = without_python_constants(text);
      Builder again(root);
      if (nlohmann::json::sax_parse(plain.begin(), plain.end(), &again)) return root;
    }
  } catch (const TooDeep&) {
    throw Error(ErrorKind::corrupted, "JSON nested deeper than " + std::to_string(kDeepest) + " levels",
                std::string(where));
  }
  throw Error(ErrorKind::corrupted, tidy(builder.message()), std::string(where));
}

std::string_view Json::kind_name() const {
  if (is_null()) return "null";
  if (is_bool()) return "boolean";
  if (is_int()) return "integer";
  if (is_number()) return "number";
  if (is_string()) return "string";
  return is_array() ? "array" : "object";
}

bool Json::as_bool() const {
  if (!is_bool()) wrong_kind(*this, "boolean");
  return std::get<bool>(value_);
}

std::int64_t Json::as_int() const {
  if (is_int()) return std::get<std::int64_t>(value_);
  if (!is_number()) wrong_kind(*this, "integer");
  const double number = std::get<double>(value_);
  if (number != std::floor(number) || std::abs(number) > 9.0e15) wrong_kind(*this, "integer");
  return static_cast<std::int64_t>(number);
}

double Json::as_double() const {
  if (is_int()) return static_cast<double>(std::get<std::int64_t>(value_));
  if (!is_number()) wrong_kind(*this, "number");
  return std::get<double>(value_);
}

const std::string& Json::as_string() const {
  if (!is_string()) wrong_kind(*this, "string");
  return std::get<std::string>(value_);
}

const Json::Array& Json::items() const {
  if (!is_array()) wrong_kind(*this, "array");
  return std::get<Array>(value_);
}

const Json::Object& Json::members() const {
  if (!is_object()) wrong_kind(*this, "object");
  return std::get<Object>(value_);
}

const Json* Json::find(std::string_view key) const {
  if (!is_object()) return nullptr;
  for (const Member& member : members()) {
    if (member.first == key) return &member.second;
  }
  return nullptr;
}

const Json& Json::at(std::string_view key) const {
  if (!is_object()) wrong_kind(*this, "object");
  if (const Json* found = find(key)) return *found;
  throw Error(ErrorKind::corrupted, "field \"" + std::string(key) + "\" is missing");
}

Json& Json::set(std::string_view key, Json value) {
  if (is_null()) value_ = Object{};
  if (!is_object()) wrong_kind(*this, "object");
  auto& object = std::get<Object>(value_);
  for (Member& member : object) {
    if (member.first == key) {
      member.second = std::move(value);
      return *this;
    }
  }
  object.emplace_back(std::string(key), std::move(value));
  return *this;
}

Json& Json::push(Json value) {
  if (is_null()) value_ = Array{};
  if (!is_array()) wrong_kind(*this, "array");
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

std::string Json::dump(int indent) const {
  std::string out;
  write(out, *this, indent, 0);
  return out;
}

}  // namespace accelerate
