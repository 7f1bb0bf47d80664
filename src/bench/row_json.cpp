#include "bench/row_json.hpp"

#include "accelerate/version.hpp"

namespace accelerate::bench {
namespace {

Json or_null(const std::optional<double>& value) { return value ? Json(*value) : Json(); }

void set_figures(const Row& row, Json& json) {
  const bool has = row.state == State::measured;
  const auto figure = [&](const char* name, auto value) { json.set(name, has ? Json(value) : Json()); };
  figure("load_ms", row.load_ms);
  figure("first_ms", row.first_ms);
  figure("samples", row.times.samples);
  figure("stable", row.times.stable);
  figure("min_ms", row.times.min);
  figure("p10_ms", row.times.p10);
  figure("p50_ms", row.times.p50);
  figure("p90_ms", row.times.p90);
  figure("p99_ms", row.times.p99);
  figure("spread", row.times.spread);
  figure("throughput_per_s", row.throughput_per_s);
  figure("tokens_per_s", row.tokens_per_s);
  figure("peak_bytes", row.peak_bytes);
  json.set("predicted_bytes", row.predicted_bytes > 0 ? Json(row.predicted_bytes) : Json());
  figure("resident_bytes", row.resident_bytes);
}

void set_limit(const Row& row, Json& json) {
  const bool has = row.state == State::measured && row.limit_ms > 0;
  const auto figure = [&](const char* name, auto value) { json.set(name, has ? Json(value) : Json()); };
  figure("share_of_limit", row.share_of_limit);
  figure("limited_by", row.limited_by_operations ? "operations" : "bytes");
  figure("limit_ms", row.limit_ms);
  figure("limit_gflops", row.limit_gflops);
  figure("limit_gbytes", row.limit_gbytes);
  figure("limit_drift", row.limit_drift);
  figure("flops", row.flops);
  figure("weight_bytes", row.bytes);
  figure("cache_bytes", row.cache_bytes);
}

void set_conditions(const Row& row, Json& json) {
  const bool has = row.state == State::measured;
  const Conditions& c = row.conditions;
  const auto figure = [&](const char* name, Json value) { json.set(name, has ? std::move(value) : Json()); };
  figure("quiet", c.other_cpus_busy ? Json(c.quiet()) : Json());
  figure("load_average", or_null(c.load_average));
  figure("other_cpus_busy", or_null(c.other_cpus_busy));
  figure("involuntary_switches", c.involuntary_switches);
  figure("wall_seconds", c.wall_seconds);
  figure("cpu_seconds", c.cpu_seconds);
}

Json row_json(const Row& row, const Report& report, const std::string& model) {
  Json json, notes = Json::array();
  json.set("model", model).set("content_hash", report.model.content_hash).set("code", version());
  json.set("device", row.device).set("level", row.level).set("precision", row.precision);
  Json kept = Json::object();
  for (const auto& [path, precision] : row.layer_precisions) kept.set(path, precision);
  json.set("layer_precisions", std::move(kept));
  json.set("task", row.task).set("workload", row.workload);
  json.set("phase", row.phase == Phase::whole ? Json() : Json(name_of(row.phase)));
  json.set("batch", row.batch).set("tokens", row.tokens);
  json.set("rows", row.rows > 0 ? Json(row.rows) : Json()).set("threads", row.threads);
  json.set("state", name_of(row.state));
  json.set("reason", row.state == State::measured ? Json() : Json(row.reason));
  set_figures(row, json);
  set_limit(row, json);
  set_conditions(row, json);
  for (const std::string& note : remarks_on(row)) notes.push(note);
  json.set("notes", std::move(notes)).set("chosen", row.chosen);
  json.set("record", row.record.empty() ? Json() : Json(row.record));
  if (row.profile != nullptr) json.set("profile", to_json(*row.profile));
  return json;
}

Json part_json(const ProfilePart& part, double all) {
  Json json;
  if (!part.operation.empty()) json.set("operation", part.operation);
  if (!part.path.empty()) json.set("path", part.path);
  if (!part.layer.empty()) json.set("layer", part.layer);
  json.set("calls", part.calls).set("milliseconds", part.milliseconds).set("share_of_time", part.milliseconds / all);
  json.set("flops", part.work.flops).set("weight_bytes", part.work.weight_bytes);
  json.set("activation_bytes", part.work.activation_bytes);
  json.set("threads", part.threads > 0 ? Json(part.threads) : Json());
  const bool limited = part.limit_milliseconds > 0 && part.milliseconds > 0;
  return json.set("share_of_limit", limited ? Json(part.limit_milliseconds / part.milliseconds) : Json());
}

Json parts_json(const std::vector<ProfilePart>& parts, double all) {
  Json list = Json::array();
  for (const ProfilePart& part : parts) list.push(part_json(part, all));
  return list;
}

}  // namespace

Json to_json(const Profile& profile) {
  Json json;
  json.set("runs", profile.runs).set("milliseconds", profile.milliseconds);
  json.set("plain_milliseconds", profile.plain_milliseconds).set("overhead", profile.overhead);
  json.set("operations", parts_json(profile.operations, profile.milliseconds));
  json.set("layers", parts_json(profile.layers, profile.milliseconds));
  return json.set("steps", parts_json(profile.parts, profile.milliseconds));
}

Json to_json(const Report& report, const std::string& model) {
  Json json, rows = Json::array();
  json.set("model", model).set("model_type", report.model.model_type).set("content_hash", report.model.content_hash);
  json.set("code", version()).set("build", build_description()).set("threads", report.threads);
  json.set("machine", records::this_machine().id).set("processor", records::this_machine().cpu);
  json.set("interrupted", report.interrupted);
  for (const Row& row : report.rows) rows.push(row_json(row, report, model));
  return json.set("rows", std::move(rows));
}

}  // namespace accelerate::bench
