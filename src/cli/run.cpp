#include <algorithm>
#include <chrono>
#include <filesystem>

#include "cli/arguments.hpp"
#include "cli/device_print.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/generation.hpp"
#include "cli/progress_bar.hpp"
#include "cli/recorded_batch.hpp"
#include "cli/run_generation.hpp"
#include "cli/run_input.hpp"
#include "cli/run_output.hpp"
#include "cli/run_print.hpp"
#include "cli/run_task.hpp"
#include "cli/run_tensors.hpp"
#include "core/file.hpp"

namespace accelerate::cli {
namespace {

using Clock = std::chrono::steady_clock;

constexpr std::size_t kTextsAtOnce = 1024, kAll = std::size_t{1} << 60;
constexpr std::size_t kManyTexts = 64;  // from here on looking for a recorded batch size costs nothing that shows

double milliseconds_since(Clock::time_point start) {
  return std::chrono::duration<double, std::milli>(Clock::now() - start).count();
}

// One call of `run`: what it was asked, and what it has measured so far.
class Run {
 public:
  Run(const RunCommand& command, const Cancellation& cancellation, Output& out)
      : command_(command), cancellation_(cancellation), out_(out), bar_("texts", out.quiet()) {}

  int run() {
    check_usage();
    const Clock::time_point start = Clock::now();
    OpenOptions options = open_options(command_.execution);
    options.task = command_.task.value_or("");
    options.cancellation = cancellation_;
    const Model model = Model::open(command_.model, options);
    stats_.set("open_milliseconds", milliseconds_since(start));
    task_ = command_.task.value_or(model.info().task);
    out_.detail("opened " + command_.model + " (" + model.info().model_type + ") for " + task_ + " in " +
                fixed_text(milliseconds_since(start), 1) + " ms on " + model.info().device);
    note_devices(model.info(), command_.execution.explain, out_);
    computed_.set("device", model.info().device).set("devices", devices_json(model.info()));
    computed_.set("split_operations", split_json(model.info()));
    computed_.set("precision", model.info().precision);
    if (!model.info().precision_reason.empty()) out_.note(model.info().precision_reason);
    if (task_ == "text-generation" && !command_.inputs && !command_.save_tensors) {
      check_options(command_, task_);
      return run_generation(model, command_, summary(), cancellation_, out_);
    }
    if (command_.inputs || command_.save_tensors) {
      run_tensors(model);
    } else if (command_.output) {
      run_to_file(model);
    } else {
      run_to_screen(model);
    }
    return kExitOk;
  }

 private:
  void check_usage() const {
    const bool texts = !command_.texts.empty() || command_.input || command_.question || command_.context;
    if (command_.inputs && texts) throw UsageError{"--inputs is given and texts too", "one of the two"};
    if (command_.inputs && command_.output) {
      throw UsageError{"--output is for answers to texts",
                       "--save-tensors FILE.safetensors writes what --inputs gives"};
    }
    if (command_.save_tensors && command_.output) {
      throw UsageError{"--output and --save-tensors are given", "one of the two"};
    }
    if (command_.output && command_.repeat) throw UsageError{"--repeat measures, it writes no --output", ""};
    if (command_.layers && !command_.save_tensors) throw UsageError{"--layers needs --save-tensors FILE", ""};
    if (!command_.tensors.empty() && !command_.inputs && !command_.save_tensors) {
      throw UsageError{"--tensors chooses among the outputs of --inputs or --save-tensors", ""};
    }
  }

  BatchOptions batch_options(double from, double to, std::int64_t done_before) {
    BatchOptions batch;
    batch.strict = command_.strict;
    if (token_budget_ > 0) batch.tokens = token_budget_;
    batch.cancellation = cancellation_;
    batch.progress = [this, from, to, done_before](std::int64_t done, std::int64_t total) {
      const double part = static_cast<double>(done) / static_cast<double>(std::max<std::int64_t>(1, total));
      bar_.update(to < 0 ? -1 : from + (to - from) * part, done_before + done);
    };
    return batch;
  }

  // The batch size that was found best for this model here, where it was asked for or is worth looking for.
  void look_for_batch(const Model& model, std::size_t texts) {
    const bool asked = command_.batch == "auto";
    if (command_.batch == "default" || (!asked && texts < kManyTexts)) return;
    const std::optional<RecordedBatch> found = recorded_batch(model.info(), command_.execution, out_);
    if (found) {
      token_budget_ = found->token_budget;
      out_.detail("at most " + std::to_string(token_budget_) + " tokens a run: " + found->how);
    } else if (asked) {
      out_.note(
          "no batch size is recorded for this model, precision and number of threads: `bench --batch auto` finds it");
    }
  }

  std::unique_ptr<TextSource> open_source() {
    check_options(command_, task_);
    return open_texts(command_, pairs_of(command_, task_), cancellation_);
  }

  void note_truncated(const std::vector<std::string>& places, const ModelInfo& info) {
    if (places.empty()) return;
    bar_.clear();
    std::string which = places.front();
    if (places.size() == 2) which += " and " + places.back();
    if (places.size() > 2) which += " and " + std::to_string(places.size() - 1) + " others";
    out_.note(which + (places.size() == 1 ? " was" : " were") + " longer than the " + std::to_string(info.max_tokens) +
              " tokens this model takes: the end was cut off (--strict refuses such texts)");
  }

  // Everything at once: a table or JSON on stdout.
  void run_to_screen(const Model& model) {
    const std::unique_ptr<TextSource> source = open_source();
    const std::vector<TextItem> items = source->next(kAll);
    look_for_batch(model, items.size());
    TaskResults results;
    measure([&] {
      results = run_task(model, task_, command_, items, batch_options(0, 1, 0));
      return items.size();
    });
    bar_.clear();
    note_truncated(results.truncated, model.info());
    if (!out_.wants_json()) {
      print_results(results, task_, out_);
      print_measured();
      return;
    }
    Json rows = Json::array();
    for (std::size_t i = 0; i < results.rows.size(); ++i) rows.push(row_with_vector(results, i));
    Json json = summary();
    out_.json(with_measured(json.set("results", std::move(rows))));
  }

  // Some texts at a time, so that a file of any size may be worked through.
  void run_to_file(const Model& model) {
    const std::unique_ptr<TextSource> source = open_source();
    const std::unique_ptr<ResultFile> file = create_result_file(*command_.output, task_);
    std::int64_t done = 0;
    std::vector<std::string> truncated;
    const Clock::time_point start = Clock::now();
    for (;;) {
      const double from = source->fraction();
      const std::vector<TextItem> items = source->next(kTextsAtOnce);
      if (items.empty()) break;
      if (done == 0) look_for_batch(model, items.size());
      cancellation_.check();
      const TaskResults results =
          run_task(model, task_, command_, items, batch_options(from, source->fraction(), done));
      file->append(results);
      done += static_cast<std::int64_t>(items.size());
      truncated.insert(truncated.end(), results.truncated.begin(), results.truncated.end());
    }
    cancellation_.check();
    file->commit();
    bar_.clear();
    stats_.set("run_milliseconds", milliseconds_since(start)).set("texts", done);
    note_truncated(truncated, model.info());
    if (out_.wants_json()) {
      Json json = summary();
      out_.json(with_measured(json.set("output", *command_.output).set("texts", done)));
      return;
    }
    out_.note(std::to_string(done) + (done == 1 ? " text" : " texts") + " in " +
              fixed_text(milliseconds_since(start) / 1000, 2) + " s, written to " + *command_.output);
    print_measured();
  }

  void run_tensors(const Model& model) {
    NamedTensors inputs;
    if (command_.save_tensors) const AtomicFile probe(*command_.save_tensors);
    if (command_.inputs) {
      inputs = read_inputs(*command_.inputs);
    } else {
      const std::vector<TextItem> items = open_source()->next(kAll);
      look_for_batch(model, items.size());
      ModelInputs made = encode_items(model, command_, items, batch_options(0, 1, 0));
      inputs = std::move(made.tensors);
      std::vector<std::string> places;
      for (const std::size_t i : made.truncated) places.push_back(items[i].where);
      note_truncated(places, model.info());
    }
    NamedTensors outputs;
    const accelerate::RunOptions options{
        .outputs = command_.tensors, .layers = command_.layers, .batch = batch_options(0, 1, 0)};
    measure([&] {
      outputs = model.run(inputs, options);
      return static_cast<std::size_t>(outputs.empty() ? 0 : outputs.begin()->second.dim(0));
    });
    bar_.clear();
    cancellation_.check();
    if (command_.save_tensors) save_tensors(*command_.save_tensors, outputs, command_.inputs ? NamedTensors() : inputs);
    print_tensors(outputs);
  }

  void print_tensors(const NamedTensors& outputs) {
    Json list = Json::array();
    Table table({{"tensor"}, {"type"}, {"shape"}, {"first numbers"}});
    for (const auto& [name, tensor] : outputs) {
      Json shape = Json::array(), first = Json::array();
      std::string numbers;
      for (const std::int64_t dim : tensor.dims()) shape.push(dim);
      for (const float value : tensor.as<float>().first(std::min<std::size_t>(4, tensor.as<float>().size()))) {
        first.push(shortest(value));
        numbers += (numbers.empty() ? "" : "  ") + fixed_text(static_cast<double>(value), 4);
      }
      table.row({name, std::string(name_of(tensor.dtype())), to_string(tensor.dims()), numbers});
      Json one;
      one.set("name", name).set("dtype", name_of(tensor.dtype())).set("shape", std::move(shape));
      list.push(std::move(one.set("first", std::move(first))));
    }
    if (out_.wants_json()) {
      Json json = summary();
      if (command_.save_tensors) json.set("output", *command_.save_tensors);
      out_.json(with_measured(json.set("tensors", std::move(list))));
      return;
    }
    out_.print(table);
    if (command_.save_tensors) out_.note("written to " + *command_.save_tensors);
    print_measured();
  }

  // Calls `work`, which returns how many texts it did, once; with --repeat again and again, each timed.
  template <typename Work>
  void measure(Work&& work) {
    const Clock::time_point first = Clock::now();
    const std::size_t texts = work();
    stats_.set("run_milliseconds", milliseconds_since(first)).set("texts", texts);
    if (!command_.repeat) return;
    for (std::int64_t i = 0; i < *command_.repeat; ++i) {
      cancellation_.check();
      const Clock::time_point start = Clock::now();
      work();
      milliseconds_.push_back(milliseconds_since(start));
    }
  }

  Json summary() const {
    Json json;
    json.set("model", command_.model).set("task", task_);
    for (const auto& [name, value] : computed_.members()) json.set(name, value);
    return json;
  }

  Json memory_stats() const {
    const ProcessMemory memory = memory_use();
    Json stats = stats_;
    stats.set("allocated_bytes", memory.allocated).set("peak_allocated_bytes", memory.allocated_peak);
    stats.set("resident_bytes", memory.resident).set("peak_resident_bytes", memory.resident_peak);
    return stats;
  }

  Json with_measured(Json& json) const {
    if (!milliseconds_.empty()) {
      Json list = Json::array();
      for (const double each : milliseconds_) list.push(each);
      json.set("milliseconds", std::move(list));
    }
    if (command_.stats) json.set("stats", memory_stats());
    return std::move(json);
  }

  void print_measured() {
    if (!milliseconds_.empty()) {
      std::vector<double> sorted = milliseconds_;
      std::sort(sorted.begin(), sorted.end());
      out_.line();
      out_.line(std::to_string(sorted.size()) + " runs: median " + fixed_text(sorted[sorted.size() / 2], 3) +
                " ms, fastest " + fixed_text(sorted.front(), 3) + " ms, slowest " + fixed_text(sorted.back(), 3) +
                " ms");
    }
    if (!command_.stats) return;
    Table table({{""}, {"", Align::right}});
    const Json stats = memory_stats();
    for (const auto& [name, value] : stats.members()) {
      const std::size_t unit = name.rfind('_');
      const std::string label = unit == std::string::npos ? name : name.substr(0, unit);
      std::string shown = value.dump();
      if (name.ends_with("_milliseconds")) shown = fixed_text(value.as_double(), 2) + " ms";
      if (name.ends_with("_bytes")) shown = bytes_text(value.as_int());
      table.row({label, shown});
    }
    out_.line();
    out_.print(table);
  }

  const RunCommand& command_;
  const Cancellation& cancellation_;
  Output& out_;
  ProgressBar bar_;
  std::string task_;
  Json computed_;                  // where and in what
  std::int64_t token_budget_ = 0;  // 0: the library's own
  Json stats_;
  std::vector<double> milliseconds_;
};

}  // namespace

int run(const RunCommand& command, const Cancellation& cancellation, Output& out) {
  return Run(command, cancellation, out).run();
}

}  // namespace accelerate::cli
