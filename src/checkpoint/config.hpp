// Typed reading of config.json and its like: an error names the file, the field, what was found and what was expected.
#pragma once

#include <cstdint>
#include <filesystem>
#include <initializer_list>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/tensor.hpp"
#include "core/json.hpp"

namespace accelerate {

// No published JSON file comes near; a larger one is refused unread.
constexpr std::size_t kLargestJsonFile = std::size_t{256} << 20;

// Error{not_found} when the file is absent, Error{invalid_input} when it is larger than kLargestJsonFile,
// Error{corrupted} with line and column when it is not JSON.
Json read_json(const std::filesystem::path& file);

// One object of a configuration. A field that is null counts as absent, as Transformers writes unset fields.
// T is one of bool, std::int64_t, double, std::string, Dims (std::vector<std::int64_t>), std::vector<double>,
// std::vector<std::string>.
class Config {
 public:
  // No size in a model is larger than this; larger ones are refused before anything is allocated by them.
  static constexpr std::int64_t kLargestSize = std::int64_t{1} << 31;

  // Error{corrupted} unless `json` is an object. `where` is named in errors: the file.
  Config(Json json, std::string where);
  // Error{not_found} when the file is absent, Error{corrupted} with line and column when it is not a JSON object.
  static Config read(const std::filesystem::path& file);

  // Whether the field is there and not null.
  bool has(std::string_view key) const { return value(key) != nullptr; }
  // The field; nothing when absent; Error{corrupted} when it is of another type.
  template <typename T>
  std::optional<T> find(std::string_view key) const;
  // The field; Error{corrupted} when it is absent or of another type.
  template <typename T>
  T require(std::string_view key) const;
  // The field, or `fallback` when absent.
  template <typename T>
  T get(std::string_view key, T fallback) const;

  // The same by the first of several names that is there ({"n_embd", "hidden_size"}).
  template <typename T>
  std::optional<T> find_any(std::initializer_list<std::string_view> keys) const;

  // A count or size by the first of its names that is there: Error{corrupted} unless `least` <= value <= `most`.
  std::int64_t size(std::initializer_list<std::string_view> keys, std::int64_t least = 1,
                    std::int64_t most = kLargestSize) const;
  std::int64_t size(std::string_view key) const { return size({key}); }
  // The same with a value for when it is absent (not checked).
  std::int64_t size_or(std::initializer_list<std::string_view> keys, std::int64_t fallback, std::int64_t least = 1,
                       std::int64_t most = kLargestSize) const;
  // A number by the first of its names: Error{corrupted} unless finite and `least` <= value <= `most`.
  double number_or(std::initializer_list<std::string_view> keys, double fallback, double least, double most) const;

  // A nested object ("text_config"); Error{corrupted} when it is absent or no object. Errors below name the whole path.
  Config child(std::string_view key) const;
  std::optional<Config> find_child(std::string_view key) const;

  // "bert"; Error{corrupted} when absent.
  std::string model_type() const;
  // ["BertModel"]; empty when absent.
  std::vector<std::string> architectures() const;
  // Names of classes by their id. Ids that id2label leaves out are "LABEL_<id>"; without id2label there are num_labels
  // of them (2 when that is absent too), as in Transformers.
  std::vector<std::string> labels() const;
  // Of the stored weights: `dtype`, or `torch_dtype` in older files. Nothing when absent or "auto";
  // Error{unsupported} on one this library does not know.
  std::optional<DType> dtype() const;

  const Json& json() const { return *json_; }
  // The file, and the path of this object in it: "config.json" or "config.json: text_config".
  std::string where() const;
  // Error{kind} about a field, for checks that only the caller can make ("hidden_size 100 is no multiple of ...").
  [[noreturn]] void fail(std::string_view key, const std::string& message, ErrorKind kind = ErrorKind::corrupted) const;

 private:
  Config(std::shared_ptr<const Json> root, const Json* json, std::string where, std::string path);
  // Null when absent or null.
  const Json* value(std::string_view key) const;
  [[noreturn]] void fail_missing(std::initializer_list<std::string_view> keys) const;
  std::string_view first_present(std::initializer_list<std::string_view> keys) const;  // empty when none is

  std::shared_ptr<const Json> root_;  // keeps json_ alive
  const Json* json_;
  std::string file_, path_;
};

template <typename T>
T Config::require(std::string_view key) const {
  if (std::optional<T> found = find<T>(key)) return *std::move(found);
  fail_missing({key});
}

template <typename T>
T Config::get(std::string_view key, T fallback) const {
  std::optional<T> found = find<T>(key);
  return found ? *std::move(found) : std::move(fallback);
}

template <typename T>
std::optional<T> Config::find_any(std::initializer_list<std::string_view> keys) const {
  const std::string_view key = first_present(keys);
  return key.empty() ? std::nullopt : find<T>(key);
}

// The types that a field can be read as.
template <>
std::optional<bool> Config::find(std::string_view key) const;
template <>
std::optional<std::int64_t> Config::find(std::string_view key) const;
template <>
std::optional<double> Config::find(std::string_view key) const;
template <>
std::optional<std::string> Config::find(std::string_view key) const;
template <>
std::optional<Dims> Config::find(std::string_view key) const;
template <>
std::optional<std::vector<double>> Config::find(std::string_view key) const;
template <>
std::optional<std::vector<std::string>> Config::find(std::string_view key) const;

}  // namespace accelerate
