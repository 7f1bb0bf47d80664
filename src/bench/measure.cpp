#include "bench/measure.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

#include "core/memory.hpp"
#include "hardware/cpu_info.hpp"
#include "runtime/device_choice.hpp"

namespace accelerate::bench {
namespace {

constexpr double kWarmUpMilliseconds = 100, kLeastMilliseconds = 200;
constexpr std::size_t kWarmUpRuns = 3, kLeastRuns = 10, kSlowRuns = 3, kMostRuns = 100000;
constexpr double kDriftWorthSaying = 0.1;
// Working sets of activations, for the limits of single operations.
constexpr std::int64_t kProfileSets[] = {64 << 10, 512 << 10, 4 << 20, 32 << 20};

std::string megabytes(std::int64_t bytes) {
  char text[32];
  std::snprintf(text, sizeof text, "%.1f MB", static_cast<double>(bytes) / 1e6);
  return text;
}

std::string number(double value, int digits) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", digits, value);
  return text;
}

double timed(const Subject& subject, const Workload& workload, const Cancellation& cancellation) {
  subject.rewind(cancellation);
  const Clock::time_point start = Clock::now();
  subject.run(workload, cancellation);
  return milliseconds(Clock::now() - start);
}

// Runs whose times do not count: caches, branch predictors, clock rates and sleeping threads come to where they stay.
void warm_up(const Subject& subject, const Workload& workload, double first_ms, double seconds,
             const Cancellation& cancellation) {
  if (first_ms > 250 * seconds) return;  // slow enough that nothing of this shows
  double spent = 0;
  for (std::size_t run = 0; run < kWarmUpRuns || spent < std::min(kWarmUpMilliseconds, 250 * seconds); ++run) {
    spent += timed(subject, workload, cancellation);
  }
}

// Until the median is stable, `seconds` are over or there are more times than anybody needs.
std::vector<double> repeat(const Subject& subject, const Workload& workload, double seconds,
                           const Cancellation& cancellation) {
  std::vector<double> times;
  double spent = 0;
  std::size_t next_look = kLeastRuns;
  while (times.size() < kMostRuns) {
    times.push_back(timed(subject, workload, cancellation));
    spent += times.back();
    if (times.size() >= kSlowRuns && spent >= 1e3 * seconds) break;
    if (times.size() < next_look) continue;
    next_look = times.size() + std::max(kLeastRuns, times.size() / 8);
    if (spent >= std::min(kLeastMilliseconds, 1e3 * seconds) && is_stable(times)) break;
  }
  return times;
}

void refuse(Row& row, std::string reason) {
  row.state = State::refused;
  row.error = ErrorKind::out_of_memory;
  row.reason = std::move(reason);
}

// Whether there is room for what is predicted.
bool has_room(const MemoryPrediction& predicted, std::int64_t most_bytes, Row& row) {
  row.predicted_bytes = predicted.total;
  if (most_bytes > 0 && predicted.total > most_bytes) {
    refuse(row, "would take " + megabytes(predicted.total) + ", allowed are " + megabytes(most_bytes));
    return false;
  }
  // The padded tensors that the caller holds: ids and mask, and once more while they are packed.
  const std::int64_t needed = predicted.total + 32 * row.rows;
  if (const std::int64_t available = available_memory(); available > 0 && needed > available) {
    refuse(row, "would take " + megabytes(needed) + " of memory, " + megabytes(available) + " are available");
    return false;
  }
  return true;
}

// "cpu", "onnx:cpu"
bool is_processor(const std::string& device) { return device == "cpu" || device.ends_with(":cpu"); }

// What a phase is held against: a prompt's operations, the bytes of one more token. Any other run: what takes longer.
Work decisive(Work work, Phase phase) {
  if (phase == Phase::prefill) work.weight_bytes = work.cache_bytes = 0;
  if (phase == Phase::decode) work.flops = 0;
  return work;
}

void take_limits(const Limits& before, const Limits& after, const Work& work, std::int64_t weight_set, Row& row) {
  const Limits limits = Limits::best_of(before, after);
  const Bound bound = bound_of(decisive(work, row.phase), limits, weight_set);
  row.flops = work.flops;
  row.bytes = work.weight_bytes;
  row.cache_bytes = work.cache_bytes;
  row.limit_gflops = limits.operations_per_second / 1e9;
  row.limit_gbytes = limits.read_speed(weight_set) / 1e9;
  row.limit_drift = 1 - std::min(before.operations_per_second, after.operations_per_second) /
                            std::max(before.operations_per_second, after.operations_per_second);
  row.limit_ms = 1e3 * bound.seconds;
  row.limited_by_operations = bound.by_operations;
  row.share_of_limit = row.limit_ms / row.times.p50;
}

// Everything from the opened folder on.
class Measuring {
 public:
  Measuring(const Options& options, Workload workload, const MeasureOptions& how, hardware::LimitMeter& meter, Row& row)
      : options_(options), workload_(std::move(workload)), how_(how), meter_(meter), row_(row) {}

  void run() {
    const Clock::time_point start = Clock::now();
    Subject subject(options_.model,
                    {.device = row_.device,
                     .split = options_.split,
                     .task = options_.task,
                     .precision = row_.precision,
                     .cache_precision = options_.cache_precision,
                     .threads = row_.threads,
                     .cancellation = options_.cancellation,
                     .memory_limit = options_.memory_limit,
                     .cache_folder = options_.cache_folder},
                    options_.task);
    if (workload_.texts) subject.open_tokenizer();
    row_.load_ms = milliseconds(Clock::now() - start);
    describe(subject);
    std::vector<SizedRun> all = subject.filling_of(workload_);
    all.insert(all.end(), runs_.begin(), runs_.end());
    if (!has_room(subject.predict(all), how_.most_bytes, row_)) return;

    const Precision precision = subject.options().precision;
    const Work work = subject.work(runs_);
    const Work read = subject.work(one_of_each_graph());
    const std::int64_t weight_set = read.weight_bytes + read.cache_bytes;
    std::vector<std::int64_t> sets{weight_set};
    if (how_.profile) sets.insert(sets.end(), std::begin(kProfileSets), std::end(kProfileSets));
    const Limits before = limits_of(precision, sets);
    load_and_run(subject);
    const Limits after = limits_of(precision, sets);
    if (on_processor_) take_limits(before, after, work, weight_set, row_);
    if (row_.limit_drift > kDriftWorthSaying) {
      row_.notes.push_back("the machine's own speed changed by " + number(100 * row_.limit_drift, 0) +
                           " % between before and after");
    }
    if (how_.profile) {
      row_.profile =
          std::make_shared<const Profile>(take_profile(subject, workload_, runs_, Limits::best_of(before, after),
                                                       weight_set, how_.seconds / 3, options_.cancellation));
    }
    row_.state = State::measured;
    row_.reason.clear();
  }

 private:
  // Each reads the weights of its graph: together what a run of the workload walks through.
  std::vector<SizedRun> one_of_each_graph() const {
    std::vector<SizedRun> runs{runs_.front()};
    if (runs_.back().encodes != runs_.front().encodes) runs.push_back(runs_.back());
    return runs;
  }

  // What the processor reaches; of other devices no limit is known.
  Limits limits_of(Precision precision, std::span<const std::int64_t> sets) const {
    return on_processor_ ? measure_limits(meter_, precision, sets) : Limits();
  }

  void describe(const Subject& subject) {
    row_.device = runtime::computed_on(subject.info());
    on_processor_ = is_processor(subject.info().device);
    row_.level = subject.backend().level();
    row_.task = subject.task();
    row_.precision = subject.info().precision;
    row_.layer_precisions = subject.info().layer_precisions;
    if (!subject.info().precision_reason.empty()) row_.notes.push_back(subject.info().precision_reason);
    runs_ = subject.runs_of(workload_);
    row_.batch = workload_.batch;
    row_.tokens = workload_.tokens;
    row_.rows = Subject::rows(runs_);
  }

  void load_and_run(Subject& subject) {
    reset_resident_peak();
    reset_peak_host_memory();
    const std::int64_t held_before = host_memory_use().current;
    const Clock::time_point start = Clock::now();
    subject.compile();
    row_.load_ms += milliseconds(Clock::now() - start);
    subject.make_inputs(workload_);
    // The caller's, not the model's.
    const std::int64_t inputs = workload_.texts || workload_.phase != Phase::whole ? 0 : 16 * row_.rows;
    row_.first_ms = timed(subject, workload_, options_.cancellation);
    const Watch watch;
    warm_up(subject, workload_, row_.first_ms, how_.seconds, options_.cancellation);
    row_.times = summary_of(repeat(subject, workload_, how_.seconds, options_.cancellation));
    row_.conditions = watch.so_far();
    row_.peak_bytes = host_memory_use().peak - held_before - inputs;
    row_.resident_bytes = resident_memory().peak;
    row_.tokens_per_s = 1e3 * static_cast<double>(row_.rows) / row_.times.p50;
    row_.throughput_per_s = 1e3 * static_cast<double>(row_.batch) / row_.times.p50;
    if (workload_.phase != Phase::whole) row_.throughput_per_s = row_.tokens_per_s;
  }

  const Options& options_;
  Workload workload_;
  const MeasureOptions& how_;
  hardware::LimitMeter& meter_;
  Row& row_;
  std::vector<SizedRun> runs_;
  bool on_processor_ = false;
};

}  // namespace

std::int64_t available_memory() {
  const hardware::CpuInfo info = hardware::read_cpu_info();
  std::int64_t available = info.memory_available;
  if (info.memory_limit > 0) {
    const std::int64_t left = std::max<std::int64_t>(1, info.memory_limit - resident_memory().current);
    available = available > 0 ? std::min(available, left) : left;
  }
  return available;
}

void measure(const Options& options, Workload workload, const MeasureOptions& measure_options,
             hardware::LimitMeter& meter, Row& row) {
  try {
    Measuring(options, std::move(workload), measure_options, meter, row).run();
  } catch (const Error& error) {
    if (error.kind() == ErrorKind::unsupported || runtime::is_unusable(error)) {
      row.state = State::unsupported;
      row.error = error.kind();
      row.reason = error.where().empty() ? error.message() : error.where() + ": " + error.message();
    } else if (error.kind() == ErrorKind::out_of_memory) {
      refuse(row, error.message());
    } else {
      throw;
    }
  }
}

}  // namespace accelerate::bench
