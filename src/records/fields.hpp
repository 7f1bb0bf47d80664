// The fields of every part of a record, named once: columns, JSON and checks all follow these lists.
//
// each(record.content part, visit) calls visit(name, field) for every field, in the order in which people read them.
// Fields are std::string, bool, int, int64, double, or an optional of the last two; what is nested in lists is not
// here.
#pragma once

#include <type_traits>

#include "records/compatibility.hpp"
#include "records/record.hpp"

namespace accelerate::records {

// T or const T: one list serves reading and writing.
template <typename Part, typename T>
concept Is = std::is_same_v<std::remove_const_t<Part>, T>;

template <typename Visit>
void each_field(Is<Machine> auto& m, Visit&& visit) {
  visit("id", m.id);
  visit("cpu", m.cpu);
  visit("physical_cores", m.physical_cores);
  visit("logical_cpus", m.logical_cpus);
  visit("memory_bytes", m.memory_bytes);
  visit("kernel", m.kernel);
}

template <typename Visit>
void each_field(Is<Code> auto& c, Visit&& visit) {
  visit("version", c.version);
  visit("build", c.build);
}

template <typename Visit>
void each_field(Is<ModelIdentity> auto& m, Visit&& visit) {
  visit("content_hash", m.content_hash);
  visit("model_type", m.model_type);
  visit("parameters", m.parameters);
  visit("path", m.path);
}

template <typename Visit>
void each_field(Is<Device> auto& d, Visit&& visit) {
  visit("name", d.name);
  visit("level", d.level);
}

template <typename Visit>
void each_field(Is<Measurement> auto& m, Visit&& visit) {
  visit("workload", m.workload);
  visit("batch", m.batch);
  visit("tokens", m.tokens);
  visit("rows", m.rows);
  visit("threads", m.threads);
  visit("load_average", m.load_average);
  visit("other_cpus_busy", m.other_cpus_busy);
  visit("load_ms", m.load_ms);
  visit("first_ms", m.first_ms);
  visit("samples", m.samples);
  visit("p50_ms", m.p50_ms);
  visit("p90_ms", m.p90_ms);
  visit("p99_ms", m.p99_ms);
  visit("spread", m.spread);
  visit("throughput_per_s", m.throughput_per_s);
  visit("peak_bytes", m.peak_bytes);
  visit("predicted_bytes", m.predicted_bytes);
  visit("resident_bytes", m.resident_bytes);
  visit("flops", m.flops);
  visit("share_of_limit", m.share_of_limit);
  visit("limit_gflops", m.limit_gflops);
  visit("limit_gbytes", m.limit_gbytes);
}

template <typename Visit>
void each_field(Is<Agreement> auto& a, Visit&& visit) {
  visit("reference", a.reference);
  visit("weights", a.weights);
  visit("inputs", a.inputs);
  visit("cases", a.cases);
  visit("worst_cosine", a.worst_cosine);
  visit("mean_cosine", a.mean_cosine);
  visit("worst_kl_divergence", a.worst_kl_divergence);
  visit("mean_kl_divergence", a.mean_kl_divergence);
  visit("top1", a.top1);
  visit("bound_cosine", a.bound.cosine);
  visit("bound_kl_divergence", a.bound.kl_divergence);
  visit("bound_top1", a.bound.top1);
  visit("within_bound", a.within_bound);
  visit("layer_choice", a.layer_choice);
}

template <typename Visit>
void each_field(Is<LayerChoice> auto& l, Visit&& visit) {
  visit("measure", l.measure);
  visit("kept_in", l.kept_in);
  visit("examined", l.examined);
}

template <typename Visit>
void each_field(Is<BatchChoice> auto& b, Visit&& visit) {
  visit("tokens", b.tokens);
  visit("threads", b.threads);
  visit("bound", b.bound);
  visit("bound_value", b.bound_value);
  visit("batch", b.batch);
  visit("throughput_per_s", b.throughput_per_s);
  visit("p50_ms", b.p50_ms);
  visit("peak_bytes", b.peak_bytes);
}

template <typename Visit>
void each_field(Is<CompatibilityError> auto& e, Visit&& visit) {
  visit("hardware", e.hardware);
  visit("kind", e.kind);
  visit("severity", e.severity);
  visit("component", e.component);
  visit("model", e.model);
  visit("message", e.message);
  visit("advice", e.advice);
  visit("first_ms", e.first_ms);
  visit("last_ms", e.last_ms);
  visit("times", e.times);
}

template <typename T>
inline constexpr bool is_optional = false;
template <typename T>
inline constexpr bool is_optional<std::optional<T>> = true;

}  // namespace accelerate::records
