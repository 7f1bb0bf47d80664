#include "checkpoint/config.hpp"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "core/file.hpp"

namespace accelerate {
namespace {

// More classes than any published classifier has; a larger id is a broken file, not a model.
constexpr std::int64_t kMostLabels = 1'000'000;

// What a person would look for in the file: strings in quotes, long values cut.
std::string shown(const Json& value) {
  std::string text = value.dump();
  if (text.size() > 60) {
    std::size_t cut = 57;
    while (cut > 0 && (static_cast<unsigned char>(text[cut]) & 0xc0) == 0x80) --cut;  // not within a character
    text.resize(cut);
    text += "...";
  }
  return text;
}

template <typename T>
constexpr std::string_view expectation();
template <>
constexpr std::string_view expectation<bool>() {
  return "true or false";
}
template <>
constexpr std::string_view expectation<std::int64_t>() {
  return "an integer";
}
template <>
constexpr std::string_view expectation<double>() {
  return "a number";
}
template <>
constexpr std::string_view expectation<std::string>() {
  return "a string";
}

bool holds(const Json& value, const bool&) { return value.is_bool(); }
bool holds(const Json& value, const double&) { return value.is_number(); }
bool holds(const Json& value, const std::string&) { return value.is_string(); }
bool holds(const Json& value, const std::int64_t&) {
  if (value.is_int()) return true;
  if (!value.is_number()) return false;
  const double number = value.as_double();
  return number == std::floor(number) && std::abs(number) <= 9.0e15;
}

bool read_as(const Json& value, const bool&) { return value.as_bool(); }
std::int64_t read_as(const Json& value, const std::int64_t&) { return value.as_int(); }
double read_as(const Json& value, const double&) { return value.as_double(); }
std::string read_as(const Json& value, const std::string&) { return value.as_string(); }

std::string alternatives(std::initializer_list<std::string_view> keys) {
  std::string text;
  for (const std::string_view key : keys) text += (text.empty() ? "\"" : " or \"") + std::string(key) + "\"";
  return text;
}

std::optional<std::int64_t> parse_id(std::string_view text) {
  std::int64_t id = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return id;
}

}  // namespace

Config::Config(Json json, std::string where)
    : root_(std::make_shared<const Json>(std::move(json))), json_(root_.get()), file_(std::move(where)) {
  if (!json_->is_object()) {
    throw Error(ErrorKind::corrupted, "found " + std::string(json_->kind_name()) + ", expected an object", file_);
  }
}

Config::Config(std::shared_ptr<const Json> root, const Json* json, std::string where, std::string path)
    : root_(std::move(root)), json_(json), file_(std::move(where)), path_(std::move(path)) {}

Json read_json(const std::filesystem::path& file) {
  return Json::parse(read_file(file, kLargestJsonFile), file.string());
}

Config Config::read(const std::filesystem::path& file) { return {read_json(file), file.string()}; }

const Json* Config::value(std::string_view key) const {
  const Json* found = json_->find(key);
  return found == nullptr || found->is_null() ? nullptr : found;
}

std::string Config::where() const { return path_.empty() ? file_ : file_ + ": " + path_; }

void Config::fail(std::string_view key, const std::string& message, ErrorKind kind) const {
  throw Error(kind, message, file_ + ": " + (path_.empty() ? "" : path_ + ".") + std::string(key));
}

void Config::fail_missing(std::initializer_list<std::string_view> keys) const {
  throw Error(ErrorKind::corrupted, "field " + alternatives(keys) + " is missing", where());
}

std::string_view Config::first_present(std::initializer_list<std::string_view> keys) const {
  for (const std::string_view key : keys) {
    if (has(key)) return key;
  }
  return {};
}

namespace {

// Shared by the scalar types: nothing when absent, `mismatch` called with what was found when of another type.
template <typename T, typename Mismatch>
std::optional<T> scalar(const Json* field, const Mismatch& mismatch) {
  if (field == nullptr) return std::nullopt;
  if (!holds(*field, T{})) mismatch("found " + shown(*field) + ", expected " + std::string(expectation<T>()));
  return read_as(*field, T{});
}

template <typename T, typename Mismatch>
std::optional<std::vector<T>> list(const Json* field, const Mismatch& mismatch) {
  if (field == nullptr) return std::nullopt;
  std::vector<T> values;
  const bool fits =
      field->is_array() && std::ranges::all_of(field->items(), [](const Json& item) { return holds(item, T{}); });
  if (!fits) {
    mismatch("found " + shown(*field) + ", expected a list with in each place " + std::string(expectation<T>()));
  }
  for (const Json& item : field->items()) values.push_back(read_as(item, T{}));
  return values;
}

}  // namespace

template <>
std::optional<bool> Config::find(std::string_view key) const {
  return scalar<bool>(value(key), [&](const std::string& message) { fail(key, message); });
}
template <>
std::optional<std::int64_t> Config::find(std::string_view key) const {
  return scalar<std::int64_t>(value(key), [&](const std::string& message) { fail(key, message); });
}
template <>
std::optional<double> Config::find(std::string_view key) const {
  return scalar<double>(value(key), [&](const std::string& message) { fail(key, message); });
}
template <>
std::optional<std::string> Config::find(std::string_view key) const {
  return scalar<std::string>(value(key), [&](const std::string& message) { fail(key, message); });
}
template <>
std::optional<Dims> Config::find(std::string_view key) const {
  return list<std::int64_t>(value(key), [&](const std::string& message) { fail(key, message); });
}
template <>
std::optional<std::vector<double>> Config::find(std::string_view key) const {
  return list<double>(value(key), [&](const std::string& message) { fail(key, message); });
}
template <>
std::optional<std::vector<std::string>> Config::find(std::string_view key) const {
  return list<std::string>(value(key), [&](const std::string& message) { fail(key, message); });
}

std::int64_t Config::size(std::initializer_list<std::string_view> keys, std::int64_t least, std::int64_t most) const {
  const std::string_view key = first_present(keys);
  if (key.empty()) fail_missing(keys);
  const auto found = require<std::int64_t>(key);
  if (found < least || found > most) {
    fail(key, "is " + std::to_string(found) + ", expected " + std::to_string(least) + " to " + std::to_string(most));
  }
  return found;
}

std::int64_t Config::size_or(std::initializer_list<std::string_view> keys, std::int64_t fallback, std::int64_t least,
                             std::int64_t most) const {
  return first_present(keys).empty() ? fallback : size(keys, least, most);
}

double Config::number_or(std::initializer_list<std::string_view> keys, double fallback, double least,
                         double most) const {
  const std::string_view key = first_present(keys);
  if (key.empty()) return fallback;
  const auto found = require<double>(key);
  if (!(found >= least && found <= most) || !std::isfinite(found)) {
    fail(key, "is " + shown(*value(key)) + ", expected " + shown(Json(least)) + " to " + shown(Json(most)));
  }
  return found;
}

Config Config::child(std::string_view key) const {
  if (std::optional<Config> found = find_child(key)) return *std::move(found);
  fail_missing({key});
}

std::optional<Config> Config::find_child(std::string_view key) const {
  const Json* found = value(key);
  if (found == nullptr) return std::nullopt;
  if (!found->is_object()) fail(key, "found " + shown(*found) + ", expected an object");
  return Config(root_, found, file_, (path_.empty() ? "" : path_ + ".") + std::string(key));
}

std::string Config::model_type() const { return require<std::string>("model_type"); }

std::vector<std::string> Config::architectures() const { return get<std::vector<std::string>>("architectures", {}); }

std::vector<std::string> Config::labels() const {
  const auto default_label = [](std::int64_t id) { return "LABEL_" + std::to_string(id); };
  const std::optional<Config> by_id = find_child("id2label");
  std::vector<std::string> labels;
  const std::int64_t count = by_id ? 0 : size_or({"num_labels"}, 2, 1, kMostLabels);
  for (std::int64_t id = 0; id < count; ++id) labels.push_back(default_label(id));
  if (!by_id) return labels;
  for (const auto& [key, label] : by_id->json().members()) {
    const std::optional<std::int64_t> id = parse_id(key);
    if (!id || *id < 0 || *id >= kMostLabels) {
      by_id->fail(key, "is no class id, expected 0 to " + std::to_string(kMostLabels - 1));
    }
    while (static_cast<std::int64_t>(labels.size()) <= *id) {
      labels.push_back(default_label(static_cast<std::int64_t>(labels.size())));
    }
    // Labels that are numbers (ratings) appear without quotes in some published files.
    labels[static_cast<std::size_t>(*id)] = label.is_string() ? label.as_string() : label.dump();
  }
  return labels;
}

std::optional<DType> Config::dtype() const {
  const std::string_view key = first_present({"dtype", "torch_dtype"});
  if (key.empty()) return std::nullopt;
  std::string name = require<std::string>(key);
  if (name.starts_with("torch.")) name.erase(0, 6);
  if (name == "auto") return std::nullopt;
  if (name == "float32" || name == "float") return DType::f32;
  if (name == "float16" || name == "half") return DType::f16;
  if (name == "bfloat16") return DType::bf16;
  if (name == "float64" || name == "double") return DType::f64;
  fail(key, "is \"" + name + "\", expected float32, float16, bfloat16 or float64", ErrorKind::unsupported);
}

}  // namespace accelerate
