// Where the time of a run goes: by operation, by layer, and as a trace that Perfetto (ui.perfetto.dev) and
// chrome://tracing open.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "bench/cost.hpp"
#include "bench/workload.hpp"

namespace accelerate::bench {

// A step of the plan, or what a run does around it ("inputs", "outputs"). Figures of one run.
struct ProfilePart {
  std::string operation, path, layer;  // "linear", "encoder.layer.3.output.dense", "encoder.layer.3"
  double milliseconds = 0;
  Work work;
  double limit_milliseconds = 0;  // 0: nothing to compute or to read is known of it
  std::int64_t calls = 0;
  // Threads that worked, on average over its time: as many as there are where none waits for another. 0: not known.
  double threads = 0;
};

struct Profile {
  std::size_t runs = 0;            // that the means below are over: the faster half of those that were taken
  double milliseconds = 0;         // mean of one run
  double plain_milliseconds = 0;   // median of the runs without a profile that were made in turn with these
  double overhead = 0;             // median of the runs with it over that, less 1
  std::vector<ProfilePart> parts;  // in the order of a run; their milliseconds add up to the run's
  std::vector<ProfilePart> operations, layers;  // the same by operation and by layer, the longest first

  // Of an encoder-decoder those of the encoder come first.
  std::vector<PlanStep> steps;
  std::size_t encoder_steps = 0;
  // The steps that a batch of a run takes.
  std::span<const PlanStep> steps_of(bool encodes) const {
    return encodes ? std::span(steps).first(encoder_steps) : std::span(steps).subspan(encoder_steps);
  }
  // Those whose times a batch has; none where they were not taken.
  std::span<const PlanStep> told_steps(const RunTrace::Batch& batch) const {
    const std::span<const PlanStep> own = steps_of(batch.encodes);
    return batch.steps.size() == own.size() + 1 ? own : std::span<const PlanStep>();
  }
  std::size_t first_step(bool encodes) const { return encodes ? 0 : encoder_steps; }

  // The fastest of the runs, for the trace.
  RunTrace trace;
};

// When thread `thread` of a run worked, between `from` and `to`: what it waited is left out. The calling thread (0)
// works but where it waits for the others at the end of a job.
double busy_milliseconds(const PoolWork& work, std::size_t thread, Clock::time_point from, Clock::time_point to);

// "encoder.layer.3" of "encoder.layer.3.output.dense": up to the first number; without one, the first name.
std::string layer_of(const std::string& path);

// Runs in turn with and without looking, for about `seconds` (at least 5 runs of each). `weight_set` as bound_of's.
Profile take_profile(const Subject& subject, const Workload& workload, std::span<const SizedRun> runs,
                     const Limits& limits, std::int64_t weight_set, double seconds, const Cancellation& cancellation);

// A profile of one row, in the JSON of Chrome's trace events: complete events in microseconds, a run holding its
// batches, these their layers and those their steps, all on one track. `title` names the process.
struct TitledProfile {
  std::string title;
  const Profile* profile;
};
std::string trace_json(std::span<const TitledProfile> profiles);

}  // namespace accelerate::bench
