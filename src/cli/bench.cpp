#include "bench/bench.hpp"

#include <algorithm>

#include "bench/row_json.hpp"
#include "cli/arguments.hpp"
#include "cli/bench_print.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/interrupt.hpp"
#include "cli/progress_bar.hpp"
#include "cli/run_input.hpp"
#include "core/file.hpp"

namespace accelerate::cli {
namespace {

namespace b = accelerate::bench;

void check_usage(const BenchCommand& command) {
  if (command.input && (!command.batch.empty() || command.find_batch || !command.tokens.empty())) {
    throw UsageError{"--input is given, and --batch or --tokens too", "texts are as many and as long as they are"};
  }
  if (!command.find_batch && (command.max_latency || command.max_memory)) {
    throw UsageError{std::string(command.max_latency ? "--max-latency" : "--max-memory") + " needs --batch auto", ""};
  }
  if (command.max_latency && command.max_memory) {
    throw UsageError{"--max-latency and --max-memory are given", "one of the two"};
  }
  if (command.find_batch && command.profile) {
    throw UsageError{"--profile is of one batch size, and --batch auto tries many", "--batch N --profile"};
  }
}

std::vector<std::string> precisions_of(const BenchCommand& command) {
  if (command.precisions.empty()) return {"f32"};
  for (const std::string& name : command.precisions) {
    try {
      if (name != "auto") precision_named(name);
    } catch (const Error& error) {
      throw UsageError{"--precision: " + error.message(), ""};
    }
  }
  return command.precisions;
}

std::vector<b::Phase> phases_of(const BenchCommand& command) {
  if (command.phases.empty()) return b::Options().phases;
  std::vector<b::Phase> phases;
  for (const std::string& name : command.phases) {
    phases.push_back(name == name_of(b::Phase::decode) ? b::Phase::decode : b::Phase::prefill);
  }
  return phases;
}

std::shared_ptr<const std::vector<std::string>> texts_of(const BenchCommand& command,
                                                         const Cancellation& cancellation) {
  if (!command.input) return nullptr;
  RunCommand run;
  run.input = command.input;
  auto texts = std::make_shared<std::vector<std::string>>();
  for (TextItem& item : open_texts(run, Pairs::none, cancellation)->next(std::size_t{1} << 60)) {
    texts->push_back(std::move(item.text));
  }
  return texts;
}

b::Options options_of(const BenchCommand& command, const Cancellation& cancellation) {
  b::Options options;
  options.model = command.model;
  if (!command.batch.empty()) options.batches = command.batch;
  options.tokens = command.tokens;
  options.phases = phases_of(command);
  options.precisions = precisions_of(command);
  options.cache_precision = command.cache_precision;
  options.devices = command.devices;
  options.split = command.split;
  options.task = command.task.value_or("");
  options.threads = command.threads;
  options.memory_limit = command.resources.memory_limit;
  options.cache_folder = command.resources.cache_folder;
  options.texts = texts_of(command, cancellation);
  options.seconds = command.seconds.value_or(options.seconds);
  options.profile = command.profile.has_value();
  if (command.find_batch) options.search = {command.max_latency.value_or(0), command.max_memory.value_or(0)};
  options.cancellation = cancellation;
  return options;
}

void write_trace(const std::string& path, const b::Report& report) {
  std::vector<b::TitledProfile> profiles;
  for (const b::Row& row : report.rows) {
    if (row.profile != nullptr) profiles.push_back({title_of(row), row.profile.get()});
  }
  AtomicFile file(path);
  file.write(b::trace_json(profiles));
  file.commit();
}

int exit_code_of_report(const b::Report& report) {
  if (report.interrupted) {
    print_error("stopped by a signal");
    return kExitSignal + signal_received();
  }
  const bool any = std::ranges::any_of(report.rows, [](const b::Row& row) { return row.state == b::State::measured; });
  return any || report.rows.empty() ? kExitOk : exit_code_of(report.rows.front().error);
}

}  // namespace

int bench(const BenchCommand& command, const Cancellation& cancellation, Output& out) {
  check_usage(command);
  const bool traced = command.profile && !command.profile->empty();
  if (traced) const AtomicFile probe(*command.profile);
  b::Options options = options_of(command, cancellation);
  ProgressBar bar("rows", out.quiet());
  records::Recorder recorder(command.no_record ? std::filesystem::path() : records::default_path(),
                             [&](const std::string& text) {
                               bar.clear();
                               out.note(text);
                             });
  options.recorder = &recorder;
  options.note = [&](const std::string& text) { out.note(text); };
  options.progress = [&](std::int64_t done, std::int64_t total) {
    bar.update(static_cast<double>(done) / static_cast<double>(total), done);
  };
  options.finished = [&](const b::Row& row) {
    if (out.verbose()) bar.clear();
    out.detail(line_of(row));
  };
  const b::Report report = b::bench(options);
  bar.clear();
  if (out.wants_json()) {
    out.json(b::to_json(report, command.model));
  } else {
    print_report(report, command.model, out);
  }
  if (traced) {
    write_trace(*command.profile, report);
    out.note("trace written to " + *command.profile + ": ui.perfetto.dev opens it");
  }
  return exit_code_of_report(report);
}

}  // namespace accelerate::cli
