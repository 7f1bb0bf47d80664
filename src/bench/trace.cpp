#include <algorithm>

#include "bench/profile.hpp"
#include "core/json.hpp"

namespace accelerate::bench {
namespace {

// The events of one run, in microseconds from its begin.
class Events {
 public:
  Events(const Profile& profile, std::int64_t process, Json& list)
      : profile_(profile), process_(process), list_(list), begin_(profile.trace.begin) {}

  void add_all() {
    const RunTrace& trace = profile_.trace;
    add("run", "run", trace.begin, trace.end);
    add(profile_.parts.front().operation, "outside", trace.begin, trace.prepared);
    for (std::size_t i = 0; i < trace.batches.size(); ++i) add_batch(trace.batches[i], i);
  }

 private:
  void add_batch(const RunTrace::Batch& batch, std::size_t number) {
    add("batch " + std::to_string(number), "batch", batch.begin, batch.end);
    const std::span<const PlanStep> steps = profile_.told_steps(batch);
    if (steps.empty()) return;
    add("make inputs", "outside", batch.begin, batch.steps.front());
    // Steps of one layer lie side by side; where a layer comes again (shared weights) it is a new event.
    for (std::size_t first = 0; first < steps.size();) {
      const std::string layer = layer_of(steps[first].path);
      std::size_t end = first + 1;
      while (end < steps.size() && layer_of(steps[end].path) == layer) ++end;
      add(layer, "layer", batch.steps[first], batch.steps[end]);
      for (std::size_t i = first; i < end; ++i) add_step(i, batch);
      first = end;
    }
    add("copy outputs", "outside", batch.steps.back(), batch.end);
    for (std::size_t thread = 1; thread < batch.threads.threads.size(); ++thread) add_thread(batch, thread);
  }

  // What another thread did, named by the step that it belonged to.
  void add_thread(const RunTrace::Batch& batch, std::size_t thread) {
    const std::span<const PlanStep> steps = profile_.steps_of(batch.encodes);
    for (const PoolWork::Span& span : batch.threads.threads[thread]) {
      const auto next = std::upper_bound(batch.steps.begin(), batch.steps.end(), span.begin);
      if (next == batch.steps.begin()) continue;
      add(work_name(span, next, batch, steps), "work", span.begin, span.end, {}, static_cast<std::int64_t>(thread) + 1);
    }
  }

  // `next`: the first mark behind the work's beginning.
  static std::string work_name(const PoolWork::Span& span, StepTimes::const_iterator next, const RunTrace::Batch& batch,
                               std::span<const PlanStep> steps) {
    if (next == batch.steps.end()) return "copy outputs";
    // A thread may take a few texts through all steps, while others do the same with others.
    if (span.end > *next) return "a part of the batch";
    const PlanStep& step = steps[static_cast<std::size_t>(next - batch.steps.begin()) - 1];
    return step.operation + " " + step.path;
  }

  void add_step(std::size_t i, const RunTrace::Batch& batch) {
    const ProfilePart& part = profile_.parts[profile_.first_step(batch.encodes) + i + 2];
    const auto calls = part.calls > 0 ? part.calls : 1;
    Json arguments;
    arguments.set("path", part.path).set("flops", part.work.flops / calls);
    arguments.set("weight_bytes", part.work.weight_bytes / calls);
    arguments.set("activation_bytes", part.work.activation_bytes / calls);
    if (part.milliseconds > 0) arguments.set("mean_share_of_limit", part.limit_milliseconds / part.milliseconds);
    add(part.operation + " " + part.path, "operation", batch.steps[i], batch.steps[i + 1], std::move(arguments));
  }

  void add(const std::string& name, const char* category, Clock::time_point from, Clock::time_point to,
           Json arguments = {}, std::int64_t track = 1) {
    const auto microseconds = [this](Clock::time_point time) { return 1e3 * milliseconds(time - begin_); };
    Json event;
    event.set("name", name).set("cat", category).set("ph", "X");
    event.set("ts", microseconds(from)).set("dur", microseconds(to) - microseconds(from));
    event.set("pid", process_).set("tid", track);
    if (!arguments.is_null()) event.set("args", std::move(arguments));
    list_.push(std::move(event));
  }

  const Profile& profile_;
  const std::int64_t process_;
  Json& list_;
  const Clock::time_point begin_;
};

Json name_event(const char* what, std::int64_t process, const std::string& name, std::int64_t track = 1) {
  Json event, arguments;
  event.set("name", what).set("ph", "M").set("pid", process).set("tid", track);
  return event.set("args", std::move(arguments.set("name", name)));
}

}  // namespace

std::string trace_json(std::span<const TitledProfile> profiles) {
  Json events = Json::array();
  std::int64_t process = 0;
  for (const TitledProfile& each : profiles) {
    ++process;
    events.push(name_event("process_name", process, each.title));
    events.push(name_event("thread_name", process, "the calling thread"));
    std::size_t threads = 1;
    for (const RunTrace::Batch& batch : each.profile->trace.batches) {
      threads = std::max(threads, batch.threads.threads.size());
    }
    for (std::size_t thread = 1; thread < threads; ++thread) {
      events.push(name_event("thread_name", process, "thread " + std::to_string(thread),
                             static_cast<std::int64_t>(thread) + 1));
    }
    Events(*each.profile, process, events).add_all();
  }
  Json json;
  json.set("displayTimeUnit", "ms").set("traceEvents", std::move(events));
  return json.dump() + "\n";
}

}  // namespace accelerate::bench
