#include "bench/profile.hpp"

#include <algorithm>
#include <cctype>
#include <iterator>
#include <numeric>

#include "bench/statistics.hpp"

namespace accelerate::bench {
namespace {

constexpr std::size_t kLeastTaken = 5, kMostTaken = 2000;

// Milliseconds of what a run consists of: what is before the steps, each step, and what is after them.
struct Pieces {
  double total = 0, prepare = 0, inputs = 0, outputs = 0;
  std::vector<double> steps;
  // Of all threads together: in each step, and while outputs are copied.
  std::vector<double> busy;
  double outputs_busy = 0;
};

// Milliseconds that all threads together worked in between.
double busy_of_all(const PoolWork& work, Clock::time_point from, Clock::time_point to) {
  double busy = 0;
  for (std::size_t thread = 0; thread < std::max<std::size_t>(1, work.threads.size()); ++thread) {
    busy += busy_milliseconds(work, thread, from, to);
  }
  return busy;
}

std::vector<double> busy_of_steps(const RunTrace& trace, const Profile& profile) {
  std::vector<double> busy(profile.steps.size(), 0.0);
  for (const RunTrace::Batch& batch : trace.batches) {
    const std::size_t first = profile.first_step(batch.encodes), count = profile.told_steps(batch).size();
    for (std::size_t i = 0; i < count; ++i) {
      busy[first + i] += busy_of_all(batch.threads, batch.steps[i], batch.steps[i + 1]);
    }
  }
  return busy;
}

// Every moment of the run belongs to exactly one piece, so that the pieces add up to it.
Pieces pieces_of(const RunTrace& trace, const Profile& profile) {
  Pieces pieces;
  pieces.steps.assign(profile.steps.size(), 0.0);
  pieces.prepare = milliseconds(trace.prepared - trace.begin);
  Clock::time_point last = trace.prepared;
  for (const RunTrace::Batch& batch : trace.batches) {
    const std::size_t first = profile.first_step(batch.encodes), count = profile.told_steps(batch).size();
    const bool told = count > 0;
    pieces.inputs += milliseconds((told ? batch.steps.front() : batch.fed) - last);
    for (std::size_t i = 0; i < count; ++i) {
      pieces.steps[first + i] += milliseconds(batch.steps[i + 1] - batch.steps[i]);
    }
    last = told ? batch.steps.back() : batch.fed;
    pieces.outputs += milliseconds(batch.end - last);
    pieces.outputs_busy += told ? busy_of_all(batch.threads, last, batch.end) : milliseconds(batch.end - last);
    last = batch.end;
  }
  pieces.outputs += milliseconds(trace.end - last);
  pieces.outputs_busy += milliseconds(trace.end - last);
  pieces.total = milliseconds(trace.end - trace.begin);
  pieces.busy = busy_of_steps(trace, profile);
  return pieces;
}

std::vector<ProfilePart> empty_parts(const Workload& workload, const std::vector<PlanStep>& steps) {
  std::vector<ProfilePart> parts(1);
  parts[0].operation = workload.texts ? "tokenize" : "read tensors";
  parts.emplace_back().operation = "make inputs";
  for (const PlanStep& step : steps) {
    ProfilePart& part = parts.emplace_back();
    part.operation = step.operation;
    part.path = step.path;
    part.layer = layer_of(step.path);
  }
  parts.emplace_back().operation = "copy outputs";
  for (ProfilePart* outside : {&parts[0], &parts[1], &parts.back()}) outside->layer = "(outside the model)";
  return parts;
}

void add_times(const Pieces& pieces, double weight, std::vector<ProfilePart>& parts) {
  parts[0].milliseconds += weight * pieces.prepare;
  parts[1].milliseconds += weight * pieces.inputs;
  for (std::size_t i = 0; i < pieces.steps.size(); ++i) parts[i + 2].milliseconds += weight * pieces.steps[i];
  parts.back().milliseconds += weight * pieces.outputs;
  // Until all runs are in, `threads` holds the milliseconds of all threads together.
  parts[0].threads += weight * pieces.prepare;
  parts[1].threads += weight * pieces.inputs;
  for (std::size_t i = 0; i < pieces.busy.size(); ++i) parts[i + 2].threads += weight * pieces.busy[i];
  parts.back().threads += weight * pieces.outputs_busy;
}

void divide_threads(std::vector<ProfilePart>& parts) {
  for (ProfilePart& part : parts) part.threads = part.milliseconds > 0 ? part.threads / part.milliseconds : 0;
}

void add_work(const Subject& subject, const SizedRun& run, const Limits& limits, std::int64_t weight_set,
              Profile& profile) {
  std::size_t place = profile.first_step(run.encodes) + 2;
  for (const PlanStep& step : profile.steps_of(run.encodes)) {
    ProfilePart& part = profile.parts[place++];
    const Work work =
        work_of(subject.graph_of(run), step.nodes, run.extents, subject.options(), subject.kept_weights());
    part.work += work;
    part.limit_milliseconds += 1e3 * bound_of(work, limits, weight_set).seconds;
    ++part.calls;
  }
}

void add_work(const Subject& subject, std::span<const SizedRun> runs, const Limits& limits, std::int64_t weight_set,
              Profile& profile) {
  for (const SizedRun& run : runs) add_work(subject, run, limits, weight_set, profile);
  const auto calls = static_cast<std::int64_t>(runs.size());
  profile.parts[0].calls = 1;
  profile.parts[1].calls = profile.parts.back().calls = calls;
}

std::vector<ProfilePart> grouped(const std::vector<ProfilePart>& parts, std::string ProfilePart::*by) {
  std::vector<ProfilePart> groups;
  for (const ProfilePart& part : parts) {
    auto group = std::ranges::find(groups, part.*by, by);
    if (group == groups.end()) {
      group = groups.emplace(groups.end());
      (*group).*by = part.*by;
    }
    group->milliseconds += part.milliseconds;
    group->work += part.work;
    group->limit_milliseconds += part.limit_milliseconds;
    group->calls += part.calls;
    group->threads += part.threads;
  }
  divide_threads(groups);
  std::ranges::stable_sort(groups, std::ranges::greater(), &ProfilePart::milliseconds);
  return groups;
}

double median_of(std::vector<double> values) { return summary_of(values).p50; }

}  // namespace

double busy_milliseconds(const PoolWork& work, std::size_t thread, Clock::time_point from, Clock::time_point to) {
  const auto overlap = [&](Clock::time_point begin, Clock::time_point end) {
    return std::max(0.0, milliseconds(std::min(end, to) - std::max(begin, from)));
  };
  if (thread == 0) {
    double waited = 0;
    for (std::size_t job = 0; job < work.joined.size(); ++job) {
      waited += overlap(work.threads[0][job].end, work.joined[job]);
    }
    return milliseconds(to - from) - waited;
  }
  double busy = 0;
  for (const PoolWork::Span& span : work.threads[thread]) busy += overlap(span.begin, span.end);
  return busy;
}

std::string layer_of(const std::string& path) {
  std::size_t begin = 0;
  while (begin < path.size()) {
    const std::size_t end = std::min(path.find('.', begin), path.size());
    if (std::isdigit(static_cast<unsigned char>(path[begin])) != 0) return path.substr(0, end);
    begin = end + 1;
  }
  return path.empty() ? "(after the layers)" : path.substr(0, path.find('.'));
}

Profile take_profile(const Subject& subject, const Workload& workload, std::span<const SizedRun> runs,
                     const Limits& limits, std::int64_t weight_set, double seconds, const Cancellation& cancellation) {
  Profile profile;
  if (subject.has_encoder() && workload.phase == Phase::prefill) profile.steps = subject.steps(true);
  profile.encoder_steps = profile.steps.size();
  std::ranges::copy(subject.steps(false), std::back_inserter(profile.steps));
  std::vector<Pieces> taken;
  std::vector<double> plain, looked;
  RunTrace trace;
  const Clock::time_point begin = Clock::now();
  const auto enough = [&] { return taken.size() >= kMostTaken || milliseconds(Clock::now() - begin) > 1e3 * seconds; };
  const auto run_plain = [&] {
    subject.rewind(cancellation);
    const Clock::time_point start = Clock::now();
    subject.run(workload, cancellation);
    plain.push_back(milliseconds(Clock::now() - start));
  };
  // In turn (A B, B A), so that a change of the machine's speed, and what is left in the caches, falls on both.
  while (taken.size() < kLeastTaken || !enough()) {
    const bool plain_first = taken.size() % 2 == 0;
    if (plain_first) run_plain();
    subject.rewind(cancellation);
    subject.run(workload, cancellation, &trace);
    if (!plain_first) run_plain();
    taken.push_back(pieces_of(trace, profile));
    looked.push_back(taken.back().total);
    if (looked.back() <= *std::ranges::min_element(looked)) profile.trace = trace;
  }
  profile.plain_milliseconds = median_of(plain);
  profile.overhead = median_of(looked) / profile.plain_milliseconds - 1;

  std::ranges::sort(taken, {}, &Pieces::total);
  profile.runs = (taken.size() + 1) / 2;
  profile.parts = empty_parts(workload, profile.steps);
  const double weight = 1 / static_cast<double>(profile.runs);
  for (std::size_t i = 0; i < profile.runs; ++i) {
    add_times(taken[i], weight, profile.parts);
    profile.milliseconds += weight * taken[i].total;
  }
  add_work(subject, runs, limits, weight_set, profile);
  profile.operations = grouped(profile.parts, &ProfilePart::operation);
  profile.layers = grouped(profile.parts, &ProfilePart::layer);
  divide_threads(profile.parts);
  return profile;
}

}  // namespace accelerate::bench
