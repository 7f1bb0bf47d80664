#include "cli/bench_print.hpp"

#include <algorithm>

namespace accelerate::cli {
namespace {

namespace b = accelerate::bench;

std::string percent(double share) { return fixed_text(100 * share, 0) + " %"; }

// Three digits or so, whatever the size.
std::string time_text(double milliseconds) {
  return fixed_text(milliseconds, milliseconds < 1 ? 4 : milliseconds < 10 ? 3 : milliseconds < 100 ? 2 : 1);
}

std::string rate_text(double rate) { return fixed_text(rate, rate < 10 ? 2 : rate < 1000 ? 1 : 0); }

std::string remarks_of(const b::Row& row) {
  std::string remarks;
  const auto add = [&](bool holds, const char* word) {
    if (holds) remarks += (remarks.empty() ? "" : ", ") + std::string(word);
  };
  add(row.chosen, "the best");
  add(!row.conditions.quiet(), "busy machine");
  add(!row.times.stable, "not stable");
  return remarks;
}

// `generates`: the rows have phases, and a column says which.
std::vector<std::string> cells_of(const b::Row& row, bool generates) {
  std::vector<std::string> cells = {row.device, row.precision};
  if (generates) cells.emplace_back(name_of(row.phase));
  cells.insert(cells.end(), {std::to_string(row.batch), std::to_string(row.tokens)});
  if (row.state != b::State::measured) {
    cells.resize(generates ? 15 : 14);
    cells.push_back(std::string(name_of(row.state)) + ": " + row.reason);
    return cells;
  }
  cells.insert(cells.end(), {time_text(row.times.p50), time_text(row.times.p90), percent(row.times.spread),
                             rate_text(row.throughput_per_s), time_text(row.load_ms), time_text(row.first_ms),
                             bytes_text(row.peak_bytes), bytes_text(row.predicted_bytes)});
  cells.push_back(row.limit_ms > 0 ? percent(row.share_of_limit) : "");
  cells.emplace_back(row.limit_ms <= 0 ? "" : row.limited_by_operations ? "operations" : "bytes");
  cells.push_back(remarks_of(row));
  return cells;
}

const char* unit_of(const b::Row& row) { return row.phase == b::Phase::whole ? "texts/s" : "tokens/s"; }

void print_table(const b::Report& report, Output& out) {
  constexpr Align kRight = Align::right;
  const bool generates = report.rows.front().phase != b::Phase::whole;
  std::vector<Table::Column> columns = {{"device"}, {"precision"}};
  if (generates) columns.push_back({"phase"});
  columns.insert(columns.end(), {{"batch", kRight},
                                 {"tokens", kRight},
                                 {"p50 ms", kRight},
                                 {"p90 ms", kRight},
                                 {"spread", kRight},
                                 {unit_of(report.rows.front()), kRight},
                                 {"load ms", kRight},
                                 {"first ms", kRight},
                                 {"memory", kRight},
                                 {"predicted", kRight},
                                 {"of limit", kRight},
                                 {"limited by"},
                                 {""}});
  Table table(std::move(columns));
  for (const b::Row& row : report.rows) table.row(cells_of(row, generates));
  out.print(table);
}

std::string rows_text(std::int64_t count) { return std::to_string(count) + (count == 1 ? " row" : " rows"); }

// What holds for one row often holds for all: said once.
void print_notes(const b::Report& report, Output& out) {
  std::int64_t busy = 0, unstable = 0;
  double busiest = 0;
  for (const b::Row& row : report.rows) {
    if (row.state != b::State::measured) continue;
    busy += row.conditions.quiet() ? 0 : 1;
    busiest = std::max(busiest, row.conditions.other_cpus_busy.value_or(0));
    unstable += row.times.stable ? 0 : 1;
  }
  if (busy > 0) {
    out.note("busy machine: other processes used up to " + fixed_text(busiest, 1) + " CPUs during " + rows_text(busy) +
             ", whose times are an indication");
  }
  if (unstable > 0) out.note("the median of " + rows_text(unstable) + " did not hold: --seconds gives more time");
  for (const b::Row& row : report.rows) {
    for (const std::string& note : row.notes) out.note(title_of(row) + ": " + note);
  }
}

Table profile_table(const char* what) {
  constexpr Align kRight = Align::right;
  return Table({{what},
                {"calls", kRight},
                {"ms", kRight},
                {"of time", kRight},
                {"threads", kRight},
                {"FLOPs", kRight},
                {"GFLOP/s", kRight},
                {"bytes", kRight},
                {"of limit", kRight}});
}

void add_part(Table& table, const std::string& name, const b::ProfilePart& part, double all) {
  const double seconds = part.milliseconds / 1e3;
  const std::int64_t bytes = part.work.weight_bytes + part.work.activation_bytes;
  const bool works = part.work.flops > 0 && seconds > 0;
  table.row({name, std::to_string(part.calls), time_text(part.milliseconds), percent(part.milliseconds / all),
             part.threads > 0 ? fixed_text(part.threads, 2) : "",
             works ? count_text(static_cast<double>(part.work.flops)) : "",
             works ? fixed_text(static_cast<double>(part.work.flops) / seconds / 1e9, 1) : "",
             bytes > 0 ? bytes_text(bytes) : "",
             part.limit_milliseconds > 0 && seconds > 0 ? percent(part.limit_milliseconds / part.milliseconds) : ""});
}

void print_profile(const b::Row& row, Output& out) {
  const b::Profile& profile = *row.profile;
  out.line();
  out.heading("Profile of " + title_of(row) + ": " + time_text(profile.milliseconds) + " ms, mean of the faster " +
              std::to_string(profile.runs) + " runs; looking cost " + fixed_text(100 * profile.overhead, 1) + " %");
  Table operations = profile_table("operation");
  for (const b::ProfilePart& part : profile.operations) {
    add_part(operations, part.operation, part, profile.milliseconds);
  }
  out.print(operations);
  out.line();
  Table layers = profile_table("layer");
  for (const b::ProfilePart& part : profile.layers) add_part(layers, part.layer, part, profile.milliseconds);
  out.print(layers);
  if (!out.verbose()) return;
  out.line();
  Table steps = profile_table("step");
  for (const b::ProfilePart& part : profile.parts) {
    add_part(steps, part.operation + " " + part.path, part, profile.milliseconds);
  }
  out.print(steps);
}

}  // namespace

std::string title_of(const b::Row& row) {
  return row.precision + ", " + std::to_string(row.batch) + " x " + std::to_string(row.tokens) + ", " + row.workload +
         ", " + row.device;
}

std::string line_of(const b::Row& row) {
  if (row.state != b::State::measured)
    return title_of(row) + ": " + std::string(name_of(row.state)) + ": " + row.reason;
  return title_of(row) + ": " + time_text(row.times.p50) + " ms, " + rate_text(row.throughput_per_s) + " " +
         unit_of(row) + ", " + (row.limit_ms > 0 ? percent(row.share_of_limit) + " of the limit" : "no limit known");
}

void print_report(const b::Report& report, const std::string& model, Output& out) {
  if (report.rows.empty()) return;
  const b::Row& first = report.rows.front();
  const std::string cache = first.workload.substr(std::min(first.workload.find(','), first.workload.size()));
  out.heading(model + " (" + report.model.model_type + "), " + first.task + ", " +
              (first.phase == b::Phase::whole ? first.workload : "random tokens" + cache) + ": " +
              (first.level.empty() ? "" : first.level + ", ") + std::to_string(report.threads) +
              (report.threads == 1 ? " thread" : " threads"));
  print_table(report, out);
  print_notes(report, out);
  for (const b::Row& row : report.rows) {
    if (row.profile != nullptr) print_profile(row, out);
  }
}

}  // namespace accelerate::cli
