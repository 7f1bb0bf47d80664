#include "records/record_json.hpp"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>
#include <limits>
#include <set>

#include "records/fields.hpp"
#include "records/schema.hpp"

namespace accelerate::records {
namespace {

struct WriteField {
  Json& json;

  template <typename T>
  void operator()(std::string_view name, const T& field) const {
    if constexpr (is_optional<T>) {
      if (field) json.set(name, *field);
    } else {
      json.set(name, field);
    }
  }
};

template <typename Part>
Json json_of(const Part& part) {
  Json json = Json(Json::Object{});
  each_field(part, WriteField{json});
  return json;
}

[[noreturn]] void refuse(const std::string& field, const std::string& what) {
  throw Error(ErrorKind::invalid_input, what, "field " + field);
}

// One object's fields, each asked for by name; what nobody asked for is unknown.
class Reader {
 public:
  Reader(const Json& json, std::string prefix) : json_(json), prefix_(std::move(prefix)) {
    if (!json.is_object()) refuse(prefix_, "is " + std::string(json.kind_name()) + ", expected object");
  }

  // Null where it is missing and may be.
  const Json* find(std::string_view name, bool required) {
    asked_.emplace(name);
    const Json* value = json_.find(name);
    if (value == nullptr && required) refuse(full(name), "is missing");
    return value;
  }

  template <typename T>
  void operator()(std::string_view name, T& field) {
    const Json* value = find(name, !is_optional<T>);
    if (value == nullptr || (is_optional<T> && value->is_null())) return;
    try {
      take(*value, field);
    } catch (const Error& error) {
      refuse(full(name), error.message());
    }
  }

  void finish() const {
    for (const auto& [name, value] : json_.members()) {
      if (asked_.count(name) == 0) refuse(full(name), "is unknown to this build");
    }
  }

 private:
  std::string full(std::string_view name) const { return (prefix_.empty() ? "" : prefix_ + ".") + std::string(name); }

  static void take(const Json& value, std::string& field) { field = value.as_string(); }
  static void take(const Json& value, bool& field) { field = value.as_bool(); }
  static void take(const Json& value, double& field) { field = value.as_double(); }
  static void take(const Json& value, std::int64_t& field) { field = value.as_int(); }
  static void take(const Json& value, int& field) {
    const std::int64_t number = value.as_int();
    if (number < 0 || number > std::numeric_limits<int>::max()) {
      throw Error(ErrorKind::invalid_input, "is " + std::to_string(number) + ", which no count is");
    }
    field = static_cast<int>(number);
  }
  template <typename T>
  static void take(const Json& value, std::optional<T>& field) {
    take(value, field.emplace());
  }

  const Json& json_;
  std::string prefix_;
  std::set<std::string, std::less<>> asked_;
};

template <typename Part>
void read_part(Reader& outer, std::string_view name, Part& part) {
  Reader reader(*outer.find(name, true), std::string(name));
  each_field(part, reader);
  reader.finish();
}

std::vector<LayerChoice::Layer> layers_from(const Json& json) {
  if (!json.is_array()) refuse("content.layers", "is " + std::string(json.kind_name()) + ", expected array");
  std::vector<LayerChoice::Layer> layers;
  for (const Json& each : json.items()) {
    Reader reader(each, "content.layers");
    LayerChoice::Layer& layer = layers.emplace_back();
    reader("path", layer.path);
    reader("sensitivity", layer.sensitivity);
    reader.finish();
  }
  return layers;
}

template <typename T>
T content_from(const Json& json) {
  Reader reader(json, "content");
  T content;
  each_field(content, reader);
  if constexpr (std::is_same_v<T, LayerChoice>) content.layers = layers_from(*reader.find("layers", true));
  reader.finish();
  return content;
}

Content content_from(const Json& json, Kind kind) {
  switch (kind) {
    case Kind::measurement: return content_from<Measurement>(json);
    case Kind::agreement: return content_from<Agreement>(json);
    case Kind::layer_choice: return content_from<LayerChoice>(json);
    case Kind::batch_choice: return content_from<BatchChoice>(json);
  }
  return {};
}

Json content_json(const Record& record) {
  Json json = std::visit([](const auto& content) { return json_of(content); }, record.content);
  if (const auto* choice = std::get_if<LayerChoice>(&record.content)) {
    Json layers = Json::array();
    for (const LayerChoice::Layer& layer : choice->layers) {
      Json one;
      layers.push(std::move(one.set("path", layer.path).set("sensitivity", layer.sensitivity)));
    }
    json.set("layers", std::move(layers));
  }
  return json;
}

void check_schema(std::int64_t schema) {
  if (schema > kRecordSchema) {
    throw Error(ErrorKind::unsupported,
                "has schema version " + std::to_string(schema) + ", this build knows versions up to " +
                    std::to_string(kRecordSchema),
                "field schema", "use the ipfs-accelerate that exported it, or a newer one");
  }
  if (schema < 1) refuse("schema", "is " + std::to_string(schema) + ", expected at least 1");
}

// `digits` digits at `position`.
int number_at(std::string_view text, std::size_t position, std::size_t digits) {
  int number = 0;
  const char* first = text.data() + position;
  const auto read = std::from_chars(first, first + digits, number);
  return read.ec == std::errc() && read.ptr == first + digits && number >= 0 ? number : -1;
}

bool has_form(std::string_view text, std::string_view form) {
  if (text.size() != form.size()) return false;
  for (std::size_t i = 0; i < form.size(); ++i) {
    const bool digit = text[i] >= '0' && text[i] <= '9';
    if (form[i] == '0' ? !digit : text[i] != form[i]) return false;
  }
  return true;
}

}  // namespace

std::string time_text(std::int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm utc{};
  gmtime_r(&seconds, &utc);
  std::array<char, 80> text{};
  std::snprintf(text.data(), text.size(), "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", utc.tm_year + 1900, utc.tm_mon + 1,
                utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec, static_cast<int>(milliseconds % 1000));
  return text.data();
}

std::int64_t time_from(std::string_view text) {
  const bool day = has_form(text, "0000-00-00");
  if (!day && !has_form(text, "0000-00-00T00:00:00.000Z")) {
    throw Error(ErrorKind::invalid_input, "\"" + std::string(text.substr(0, 40)) +
                                              "\" is no time, expected 2026-11-23 or 2026-11-23T18:02:08.123Z");
  }
  std::tm utc{};
  utc.tm_year = number_at(text, 0, 4) - 1900;
  utc.tm_mon = number_at(text, 5, 2) - 1;
  utc.tm_mday = number_at(text, 8, 2);
  std::int64_t milliseconds = 0;
  if (!day) {
    utc.tm_hour = number_at(text, 11, 2);
    utc.tm_min = number_at(text, 14, 2);
    utc.tm_sec = number_at(text, 17, 2);
    milliseconds = number_at(text, 20, 3);
  }
  const std::int64_t time = static_cast<std::int64_t>(timegm(&utc)) * 1000 + milliseconds;
  // The C library turns the 31st of February into March.
  if (time < 0 || time_text(time).substr(0, text.size()) != text) {
    throw Error(ErrorKind::invalid_input, "\"" + std::string(text) + "\" is no day and time since 1970");
  }
  return time;
}

Json to_json(const Record& record) {
  Json json;
  json.set("schema", kRecordSchema).set("id", record.id).set("kind", name_of(record.kind()));
  json.set("time", time_text(record.time_ms)).set("machine", json_of(record.machine));
  json.set("code", json_of(record.code)).set("model", json_of(record.model)).set("device", json_of(record.device));
  return json.set("precision", record.precision).set("content", content_json(record));
}

Record record_from(const Json& json) {
  if (!json.is_object()) {
    throw Error(ErrorKind::invalid_input, "is " + std::string(json.kind_name()) + ", expected an object with a record");
  }
  Reader reader(json, {});
  Record record;
  std::int64_t schema = 0;
  std::string kind, time;
  reader("schema", schema);
  check_schema(schema);
  reader("id", record.id);
  reader("kind", kind);
  reader("time", time);
  reader("precision", record.precision);
  read_part(reader, "machine", record.machine);
  read_part(reader, "code", record.code);
  read_part(reader, "model", record.model);
  read_part(reader, "device", record.device);
  record.content = content_from(*reader.find("content", true), kind_named(kind));
  reader.finish();
  record.time_ms = time_from(time);
  // What add() would fill in is not ours to fill in here.
  if (record.id.empty()) refuse("id", "is empty, expected a UUID");
  if (record.machine.id.empty()) refuse("machine.id", "is empty, expected 16 hexadecimal digits");
  if (record.time_ms == 0) refuse("time", "is the year 1970, expected when it was recorded");
  validate(record);
  return record;
}

}  // namespace accelerate::records
