#include "bench/bench.hpp"

#include <algorithm>

#include "bench/measure.hpp"
#include "bench/search.hpp"
#include "core/thread_pool.hpp"
#include "records/content_hash.hpp"

namespace accelerate::bench {
namespace {

constexpr std::int64_t kMostTexts = std::int64_t{1} << 20;
constexpr std::int64_t kMostTokensInSearch = std::int64_t{1} << 16;

void expect_within(std::int64_t value, std::int64_t most, const char* name) {
  if (value >= 1 && (most == 0 || value <= most)) return;
  throw Error(ErrorKind::invalid_input,
              "is " + std::to_string(value) + ", expected 1 " +
                  (most == 0 ? std::string("or more") : "to " + std::to_string(most)),
              name);
}

class Bench {
 public:
  explicit Bench(const Options& options) : options_(options), threads_(allowed_threads()), meter_(threads_) {}

  Report run() {
    check();
    report_.threads = threads_;
    try {
      for (const Asked& asked : asked_) {
        if (options_.search) {
          search(asked);
          continue;
        }
        measure_row(asked, {options_.seconds, options_.profile, 0});
        if (options_.progress) {
          options_.progress(static_cast<std::int64_t>(report_.rows.size()), static_cast<std::int64_t>(asked_.size()));
        }
      }
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) throw;
      report_.interrupted = true;
      add_untested();
    }
    return std::move(report_);
  }

 private:
  int allowed_threads() const {
    const int wanted = options_.threads > 0 ? options_.threads : default_thread_count();
    const int usable = cpu_allowance().usable;
    if (wanted > usable && options_.note) {
      options_.note(std::to_string(wanted) + " threads were asked for, this process may use " + std::to_string(usable) +
                    " CPUs (affinity and cgroup): measuring with " + std::to_string(usable));
    }
    return std::min(wanted, usable);
  }

  // What holds for all rows: the folder opens, and the sizes are such as the model takes.
  void check() {
    const Subject subject(options_.model, {.device = "cpu", .threads = threads_, .cancellation = options_.cancellation},
                          options_.task);
    std::int64_t longest = subject.longest_input();
    generates_ = subject.task() == name_of(Task::text_generation);
    if (generates_) {
      expect_random_prompts();
      if (!subject.has_encoder()) longest = std::max<std::int64_t>(0, longest - 1);  // one more token follows
    }
    if (options_.texts) {
      if (options_.texts->empty())
        throw Error(ErrorKind::invalid_input, "there are none, expected one or more", "texts");
      if (options_.search) {
        throw Error(ErrorKind::invalid_input, "a search for a batch size makes its own texts", "texts");
      }
      lengths_ = {0};
      batches_ = {static_cast<std::int64_t>(options_.texts->size())};
    } else {
      lengths_ = options_.tokens;
      if (lengths_.empty()) lengths_ = usual_lengths(longest);
      batches_ = options_.batches;
    }
    for (const std::int64_t tokens : lengths_) {
      if (!options_.texts) expect_within(tokens, longest, "tokens");
    }
    for (const std::int64_t batch : batches_) expect_within(batch, kMostTexts, "batch");
    for (const std::string& precision : options_.precisions) {
      if (precision != "auto") precision_named(precision);
    }
    for (const std::string& device : options_.devices) runtime::devices_asked(device);
    if (!(options_.seconds > 0)) throw Error(ErrorKind::invalid_input, "is not above 0", "seconds");
    const ModelInfo& info = subject.info();
    report_.model = {options_.recorder != nullptr ? options_.recorder->content_hash(options_.model)
                                                  : records::content_hash(options_.model),
                     info.model_type, info.parameters, recorded_path(options_.model)};
    task_ = subject.task();
    ask();
  }

  void expect_random_prompts() const {
    if (options_.texts) {
      throw Error(ErrorKind::invalid_input, "text-generation is measured on random tokens, not on texts", "texts",
                  "`run --stats` says how long a text took");
    }
    if (options_.search) {
      throw Error(ErrorKind::invalid_input, "a batch size is not looked for in text-generation", "batches",
                  "--batch 1,2,4,8 shows them side by side");
    }
  }

  std::vector<std::int64_t> usual_lengths(std::int64_t longest) const {
    if (!generates_) return {longest == 0 ? 128 : std::min<std::int64_t>(128, longest)};
    std::vector<std::int64_t> lengths;
    for (const std::int64_t tokens : {32, 512}) {
      if (longest == 0 || tokens <= longest) lengths.push_back(tokens);
    }
    return lengths.empty() ? std::vector{longest} : lengths;
  }

  // A row that was asked for.
  struct Asked {
    std::string device, precision;
    Workload workload;
  };

  // In the order of the report. A search tries batches of its own.
  void ask() {
    const std::vector<std::int64_t> batches = options_.search ? std::vector<std::int64_t>{0} : batches_;
    const std::vector<Phase> phases = generates_ ? options_.phases : std::vector{Phase::whole};
    for (const std::string& device : options_.devices) {
      for (const std::string& precision : options_.precisions) {
        for (const Phase phase : phases) {
          for (const std::int64_t tokens : lengths_) {
            for (const std::int64_t batch : batches) {
              asked_.push_back({device, precision, {batch, tokens, options_.texts, phase}});
            }
          }
        }
      }
    }
  }

  // What is measured with narrower keys and values is another workload.
  std::string cache_name(Phase phase) const {
    const bool is_usual = phase == Phase::whole || options_.cache_precision == "f32";
    return is_usual ? "" : ", cache in " + options_.cache_precision;
  }

  Row row_of(const Asked& asked) const {
    Row row;
    row.device = asked.device;
    row.task = task_;
    row.precision = asked.precision;
    row.workload = asked.workload.name() + cache_name(asked.workload.phase);
    row.phase = asked.workload.phase;
    row.batch = asked.workload.batch;
    row.tokens = asked.workload.tokens;
    row.threads = threads_;
    row.reason = "the bench was stopped before";
    return row;
  }

  // Measures and hands out one row. What was measured is on disk when this returns.
  Row& measure_row(const Asked& asked, const MeasureOptions& how) {
    Row row = row_of(asked);
    measure(options_, asked.workload, how, meter_, row);
    if (row.state == State::measured && options_.recorder != nullptr) {
      row.record = options_.recorder->add(record_of(row, measurement_of(row)));
    }
    report_.rows.push_back(std::move(row));
    if (options_.finished) options_.finished(report_.rows.back());
    return report_.rows.back();
  }

  records::Record record_of(const Row& row, records::Content content) const {
    records::Record record;
    record.model = report_.model;
    record.device = {row.device, row.level};
    record.precision = row.precision;
    record.content = std::move(content);
    return record;
  }

  void search(const Asked& asked) {
    const SearchBound& bound = *options_.search;
    const std::int64_t tokens = asked.workload.tokens;
    const std::size_t first = report_.rows.size();
    const std::int64_t most = std::clamp<std::int64_t>(kMostTokensInSearch / tokens, 1, kMostTexts);
    const std::optional<std::int64_t> best = best_batch(most, [&](std::int64_t batch) {
      Row& row = measure_row({asked.device, asked.precision, {batch, tokens}},
                             {options_.seconds / 2, false, bound.memory_bytes});
      const bool measured = row.state == State::measured;
      const bool in_time = bound.latency_ms <= 0 || row.times.p90 <= bound.latency_ms;
      const bool in_memory = bound.memory_bytes <= 0 || row.peak_bytes <= bound.memory_bytes;
      if (measured && !in_time) row.notes.emplace_back("slower than the bound");
      if (measured && !in_memory) row.notes.emplace_back("more memory than the bound");
      return Tried{measured && in_time && in_memory, row.throughput_per_s};
    });
    if (!best) return;
    for (std::size_t i = first; i < report_.rows.size(); ++i) {
      if (report_.rows[i].batch == *best) choose(report_.rows[i]);
    }
  }

  void choose(Row& row) {
    const SearchBound& bound = *options_.search;
    row.chosen = true;
    if (options_.recorder == nullptr) return;
    records::BatchChoice choice;
    choice.tokens = row.tokens;
    choice.threads = row.threads;
    choice.bound = bound.latency_ms > 0 ? "latency_ms" : bound.memory_bytes > 0 ? "memory_bytes" : "none";
    choice.bound_value = bound.latency_ms > 0 ? bound.latency_ms : static_cast<double>(bound.memory_bytes);
    choice.batch = row.batch;
    choice.throughput_per_s = row.throughput_per_s;
    choice.p50_ms = row.times.p50;
    choice.peak_bytes = row.peak_bytes;
    options_.recorder->add(record_of(row, choice));
  }

  // Rows that were asked for and not reached.
  void add_untested() {
    if (options_.search) return;
    for (std::size_t i = report_.rows.size(); i < asked_.size(); ++i) report_.rows.push_back(row_of(asked_[i]));
  }

  const Options& options_;
  const int threads_;
  hardware::LimitMeter meter_;
  Report report_;
  std::string task_;
  bool generates_ = false;
  std::vector<std::int64_t> lengths_, batches_;
  std::vector<Asked> asked_;
};

}  // namespace

std::string recorded_path(const std::filesystem::path& folder) {
  std::string path = std::filesystem::weakly_canonical(folder).string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

Report bench(const Options& options) { return Bench(options).run(); }

}  // namespace accelerate::bench
