#include "cli/records_print.hpp"

#include <array>
#include <cmath>
#include <ctime>

#include "records/record_json.hpp"

namespace accelerate::cli {
namespace {

namespace r = accelerate::records;

constexpr std::size_t kShortId = 8, kShortHash = 12;

// On this machine's clock, to the minute.
std::string local_time(std::int64_t milliseconds) {
  const auto seconds = static_cast<std::time_t>(milliseconds / 1000);
  std::tm local{};
  localtime_r(&seconds, &local);
  std::array<char, 32> text{};
  std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M", &local);
  return text.data();
}

// The folder's own name; the beginning of the hash where nobody has seen a folder.
std::string model_name(const r::ModelIdentity& model) {
  const std::string name = std::filesystem::path(model.path).filename().string();
  return name.empty() ? model.content_hash.substr(0, kShortHash) : name;
}

std::string device_name(const r::Device& device) {
  return device.level.empty() ? device.name : device.name + " " + device.level;
}

std::string threads_text(int threads) { return std::to_string(threads) + (threads == 1 ? " thread" : " threads"); }

std::string rate_text(double rate) { return fixed_text(rate, rate < 10 ? 2 : rate < 1000 ? 1 : 0) + "/s"; }

std::string percent_text(double share) { return fixed_text(share * 100, 0) + " %"; }

std::string conditions(const r::Measurement& m) {
  return std::to_string(m.batch) + " x " + std::to_string(m.tokens) + ", " + threads_text(m.threads) +
         (m.workload.empty() ? "" : ", " + m.workload);
}
std::string conditions(const r::Agreement& a) {
  return "with " + a.reference + (a.inputs.empty() ? "" : ", " + a.inputs) + ", " + a.weights + " weights";
}
std::string conditions(const r::LayerChoice& choice) { return choice.measure; }
std::string conditions(const r::BatchChoice& choice) {
  std::string bound = "no bound";
  if (choice.bound == "latency_ms") bound = "at most " + significant_text(choice.bound_value, 4) + " ms";
  if (choice.bound == "memory_bytes") bound = "at most " + bytes_text(static_cast<std::int64_t>(choice.bound_value));
  return std::to_string(choice.tokens) + " tokens, " + threads_text(choice.threads) + ", " + bound;
}

std::string outcome(const r::Measurement& m) {
  std::string text = m.p50_ms ? significant_text(*m.p50_ms, 4) + " ms" : "no time";
  if (m.spread) text += " \u00b1" + significant_text(*m.spread * 100, 2) + " %";
  if (m.throughput_per_s) text += ", " + rate_text(*m.throughput_per_s);
  if (m.share_of_limit) text += ", " + percent_text(*m.share_of_limit) + " of the limit";
  return text;
}
std::string outcome(const r::Agreement& a) {
  // Random weights are compared and not judged.
  std::string text = !a.bound.cosine ? "not judged" : a.within_bound ? "within its bound" : "OUT OF ITS BOUND";
  if (a.worst_cosine) text += ", worst cosine " + fixed_text(*a.worst_cosine, 6);
  if (a.top1) text += ", top-1 " + percent_text(*a.top1);
  return text;
}
std::string outcome(const r::LayerChoice& choice) {
  return std::to_string(choice.layers.size()) + " of " + std::to_string(choice.examined) + " layers kept in " +
         choice.kept_in;
}
std::string outcome(const r::BatchChoice& choice) {
  return "batch " + std::to_string(choice.batch) + ", " + rate_text(choice.throughput_per_s);
}

std::string conditions_of(const r::Record& record) {
  return std::visit([](const auto& content) { return conditions(content); }, record.content);
}

// Nested fields as "model.path".
void add_rows(Table& table, const std::string& prefix, const Json& json) {
  for (const auto& [name, value] : json.members()) {
    const std::string full = prefix.empty() ? name : prefix + "." + name;
    if (value.is_object()) {
      add_rows(table, full, value);
    } else if (!value.is_array()) {
      table.row({full, value.is_string() ? value.as_string() : value.dump()});
    }
  }
}

// What the two records of a pair differ in, as a person needs it beside the condition.
std::string sides(const r::Pair& pair) {
  if (pair.before.precision != pair.after.precision) return pair.before.precision + " -> " + pair.after.precision;
  return pair.after.precision;
}

std::string number_text(double value) {
  return value == std::floor(value) && std::abs(value) < 1e15 ? std::to_string(static_cast<std::int64_t>(value))
                                                              : significant_text(value, 5);
}

void add_pair(Table& table, const r::Pair& pair) {
  const r::Record& after = pair.after;
  bool first = true;
  for (const r::Compared& figure : pair.figures) {
    table.row({first ? model_name(after.model) : "", first ? sides(pair) : "", first ? conditions_of(after) : "",
               figure.what, number_text(figure.before), number_text(figure.after),
               figure.before == 0 ? "" : fixed_text(figure.ratio, 3),
               figure.noise > 0 ? "\u00b1" + significant_text(figure.noise * 100, 2) + " %" : "",
               figure.verdict == r::Verdict::unjudged ? "" : std::string(name_of(figure.verdict))});
    first = false;
  }
}

std::string summary(const r::Comparison& comparison) {
  return std::to_string(comparison.count(r::Verdict::worse)) + " worse, " +
         std::to_string(comparison.count(r::Verdict::better)) + " better, " +
         std::to_string(comparison.count(r::Verdict::same)) + " the same within the noise; " +
         std::to_string(comparison.without_partner) + " conditions have nothing to compare with";
}

}  // namespace

void print_list(std::span<const r::Record> found, Output& out) {
  Table table({{"id"}, {"when"}, {"kind"}, {"model"}, {"device"}, {"precision"}, {"conditions"}, {"outcome"}});
  for (const r::Record& record : found) {
    const std::string result = std::visit([](const auto& content) { return outcome(content); }, record.content);
    table.row({record.id.substr(0, kShortId), local_time(record.time_ms), std::string(name_of(record.kind())),
               model_name(record.model), device_name(record.device), record.precision, conditions_of(record), result});
  }
  out.print(table);
}

void print_record(const r::Record& record, Output& out) {
  Table table({{""}, {""}});
  add_rows(table, "", r::to_json(record));
  out.print(table);
  if (const auto* choice = std::get_if<r::LayerChoice>(&record.content); choice && !choice->layers.empty()) {
    Table layers({{"layer"}, {"sensitivity", Align::right}});
    for (const auto& layer : choice->layers) layers.row({layer.path, significant_text(layer.sensitivity, 3)});
    out.line();
    out.print(layers);
  }
}

void print_comparison(const r::Comparison& comparison, Output& out) {
  if (!comparison.pairs.empty()) {
    Table table({{"model"},
                 {"precision"},
                 {"conditions"},
                 {"figure"},
                 {"before", Align::right},
                 {"after", Align::right},
                 {"ratio", Align::right},
                 {"noise", Align::right},
                 {""}});
    for (const r::Pair& pair : comparison.pairs) add_pair(table, pair);
    out.print(table);
    out.line();
  }
  out.line(summary(comparison));
}

Json json_of(const r::Comparison& comparison) {
  Json pairs = Json::array();
  for (const r::Pair& pair : comparison.pairs) {
    Json figures = Json::array();
    for (const r::Compared& figure : pair.figures) {
      Json one;
      one.set("what", figure.what).set("before", figure.before).set("after", figure.after);
      if (figure.before != 0) one.set("ratio", figure.ratio);
      figures.push(std::move(one.set("noise", figure.noise).set("verdict", name_of(figure.verdict))));
    }
    Json one;
    one.set("before", r::to_json(pair.before)).set("after", r::to_json(pair.after));
    pairs.push(std::move(one.set("figures", std::move(figures))));
  }
  Json json;
  json.set("worse", comparison.count(r::Verdict::worse)).set("better", comparison.count(r::Verdict::better));
  json.set("same", comparison.count(r::Verdict::same)).set("without_partner", comparison.without_partner);
  return json.set("pairs", std::move(pairs));
}

}  // namespace accelerate::cli
