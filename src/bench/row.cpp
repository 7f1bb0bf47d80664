#include "bench/row.hpp"

#include <cstdio>

namespace accelerate::bench {
namespace {

std::string fixed(double value) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f", value);
  return text;
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::measured: return "measured";
    case State::unsupported: return "unsupported";
    case State::refused: return "refused";
    case State::untested: return "untested";
  }
  return "";
}

std::vector<std::string> remarks_on(const Row& row) {
  std::vector<std::string> remarks = row.notes;
  if (row.state != State::measured) return remarks;
  if (!row.conditions.quiet()) {
    remarks.push_back("busy machine: other processes used " + fixed(*row.conditions.other_cpus_busy) +
                      " CPUs meanwhile, the times are an indication");
  }
  if (!row.times.stable) {
    remarks.push_back("the median did not hold over " + std::to_string(row.times.samples) + " runs in " +
                      fixed(row.conditions.wall_seconds) + " s");
  }
  return remarks;
}

records::Measurement measurement_of(const Row& row) {
  if (row.state != State::measured) throw Error(ErrorKind::internal, "a row that was not measured has no figures");
  records::Measurement m;
  m.workload = row.workload;
  m.batch = row.batch;
  m.tokens = row.tokens;
  m.rows = row.rows;
  m.threads = row.threads;
  m.load_average = row.conditions.load_average;
  m.other_cpus_busy = row.conditions.other_cpus_busy;
  m.load_ms = row.load_ms;
  m.first_ms = row.first_ms;
  m.samples = static_cast<std::int64_t>(row.times.samples);
  m.p50_ms = row.times.p50;
  m.p90_ms = row.times.p90;
  m.p99_ms = row.times.p99;
  m.spread = row.times.spread;
  m.throughput_per_s = row.throughput_per_s;
  m.peak_bytes = row.peak_bytes;
  m.predicted_bytes = row.predicted_bytes;
  if (row.resident_bytes > 0) m.resident_bytes = row.resident_bytes;
  m.flops = row.flops;
  if (row.limit_ms > 0) {
    m.share_of_limit = row.share_of_limit;
    m.limit_gflops = row.limit_gflops;
    m.limit_gbytes = row.limit_gbytes;
  }
  return m;
}

}  // namespace accelerate::bench
