#include "records/record.hpp"

#include <array>
#include <cmath>

#include "accelerate/version.hpp"
#include "records/fields.hpp"

namespace accelerate::records {
namespace {

constexpr std::array<std::string_view, 4> kKinds = {"measurement", "agreement", "layer_choice", "batch_choice"};
constexpr std::size_t kLongestText = 4096;
constexpr std::size_t kMostLayers = 100'000;
constexpr double kRounding = 1e-6;
constexpr std::int64_t kYear10000 = 253'402'300'800'000;  // milliseconds

[[noreturn]] void refuse(const std::string& field, const std::string& found, const std::string& expected) {
  throw Error(ErrorKind::invalid_input, "is " + found + ", expected " + expected, "field " + field);
}

bool is_hex(std::string_view text, std::size_t digits) {
  return text.size() == digits && text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool is_uuid(std::string_view id) {
  if (id.size() != 36) return false;
  for (std::size_t i = 0; i < id.size(); ++i) {
    const bool dash = i == 8 || i == 13 || i == 18 || i == 23;
    if (dash ? id[i] != '-' : !is_hex(id.substr(i, 1), 1)) return false;
  }
  return true;
}

void check_text(const std::string& field, const std::string& text) {
  if (text.size() > kLongestText) {
    refuse(field, std::to_string(text.size()) + " bytes long", "at most " + std::to_string(kLongestText));
  }
  if (text.find('\0') != std::string::npos) refuse(field, "text with a zero byte", "text");
}

struct Range {
  double least, most;
};

// What a figure of that name may be.
Range range_of(std::string_view name) {
  if (name.find("cosine") != std::string_view::npos) return {-1, 1};
  if (name.find("top1") != std::string_view::npos) return {0, 1};
  return {0, HUGE_VAL};
}

void check_number(const std::string& field, std::string_view name, double value) {
  const Range range = range_of(name);
  if (!std::isfinite(value)) refuse(field, "not finite", "a number");
  if (value < range.least - kRounding || value > range.most + kRounding) {
    const std::string from = std::to_string(static_cast<int>(range.least));
    refuse(
        field, std::to_string(value),
        std::isfinite(range.most) ? from + " to " + std::to_string(static_cast<int>(range.most)) : "at least " + from);
  }
}

// Every field by its type and name.
struct CheckField {
  std::string prefix;

  template <typename T>
  void operator()(std::string_view name, const T& field) const {
    const std::string full = prefix + "." + std::string(name);
    if constexpr (std::is_same_v<T, std::string>) {
      check_text(full, field);
    } else if constexpr (is_optional<T>) {
      if (field) check_number(full, name, static_cast<double>(*field));
    } else if constexpr (!std::is_same_v<T, bool>) {
      check_number(full, name, static_cast<double>(field));
    }
  }
};

void require_word(const std::string& field, const std::string& word, std::initializer_list<std::string_view> words) {
  std::string listed;
  for (const std::string_view each : words) {
    if (word == each) return;
    listed += (listed.empty() ? "\"" : " or \"") + std::string(each) + "\"";
  }
  refuse(field, "\"" + word.substr(0, 40) + "\"", listed);
}

void require_least(const std::string& field, std::int64_t value, std::int64_t least) {
  if (value < least) refuse(field, std::to_string(value), "at least " + std::to_string(least));
}

void require_order(const std::string& field, std::optional<double> lower, std::optional<double> upper) {
  if (lower && upper && *upper < *lower) refuse(field, std::to_string(*upper), "at least " + std::to_string(*lower));
}

void check_content(const Measurement& m) {
  require_least("content.batch", m.batch, 1);
  require_least("content.threads", m.threads, 1);
  require_order("content.p90_ms", m.p50_ms, m.p90_ms);
  require_order("content.p99_ms", m.p90_ms, m.p99_ms);
}

void check_content(const Agreement& a) {
  require_least("content.cases", a.cases, 1);
  require_word("content.weights", a.weights, {"random", "trained"});
  if (a.reference.empty()) refuse("content.reference", "empty", "what was compared with");
  if (!a.layer_choice.empty() && !is_uuid(a.layer_choice)) {
    refuse("content.layer_choice", "\"" + a.layer_choice.substr(0, 40) + "\"", "a record's id");
  }
}

void check_content(const LayerChoice& choice) {
  if (choice.layers.size() > kMostLayers) {
    refuse("content.layers", std::to_string(choice.layers.size()) + " long", "at most " + std::to_string(kMostLayers));
  }
  for (const LayerChoice::Layer& layer : choice.layers) {
    if (layer.path.empty()) refuse("content.layers.path", "empty", "the path of a layer");
    check_text("content.layers.path", layer.path);
    if (!std::isfinite(layer.sensitivity)) refuse("content.layers.sensitivity", "not finite", "a number");
  }
}

void check_content(const BatchChoice& choice) {
  require_least("content.batch", choice.batch, 1);
  require_least("content.threads", choice.threads, 1);
  require_word("content.bound", choice.bound, {"none", "latency_ms", "memory_bytes"});
}

}  // namespace

std::string_view name_of(Kind kind) { return kKinds[static_cast<std::size_t>(kind)]; }

Kind kind_named(std::string_view name) {
  for (std::size_t i = 0; i < kKinds.size(); ++i) {
    if (kKinds[i] == name) return static_cast<Kind>(i);
  }
  throw Error(ErrorKind::invalid_input, "no kind of record is called \"" + std::string(name.substr(0, 40)) + "\"", {},
              "there are measurement, agreement, layer_choice and batch_choice");
}

Code this_code() { return {.version = std::string(version()), .build = std::string(build_description())}; }

void validate(const Record& record) {
  if (!record.id.empty() && !is_uuid(record.id)) {
    refuse("id", "\"" + record.id.substr(0, 40) + "\"", "a UUID in lower case");
  }
  if (record.time_ms < 0 || record.time_ms >= kYear10000) refuse("time", std::to_string(record.time_ms), "a time");
  if (!record.machine.id.empty() && !is_hex(record.machine.id, 16)) {
    refuse("machine.id", "\"" + record.machine.id.substr(0, 40) + "\"", "16 hexadecimal digits");
  }
  if (!is_hex(record.model.content_hash, 64)) {
    refuse("model.content_hash", "\"" + record.model.content_hash.substr(0, 80) + "\"", "64 hexadecimal digits");
  }
  if (record.device.name.empty()) refuse("device.name", "empty", "a device's name");
  if (record.precision.empty()) refuse("precision", "empty", "a precision's name");
  check_text("precision", record.precision);
  each_field(record.machine, CheckField{"machine"});
  each_field(record.code, CheckField{"code"});
  each_field(record.model, CheckField{"model"});
  each_field(record.device, CheckField{"device"});
  std::visit(
      [](const auto& content) {
        each_field(content, CheckField{"content"});
        check_content(content);
      },
      record.content);
}

}  // namespace accelerate::records
