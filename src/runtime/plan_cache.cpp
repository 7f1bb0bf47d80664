#include "runtime/plan_cache.hpp"

#include <limits>

#include "backends/place.hpp"
#include "hardware/bytes_text.hpp"
#include "runtime/prediction.hpp"

namespace accelerate::runtime {

// Errors that are a device's, with its name.
template <typename Work>
auto CompiledGraph::named(Work&& work) const {
  try {
    return work();
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::device_failed && error.kind() != ErrorKind::out_of_memory) throw;
    throw error.within("device " + device());
  }
}

std::unique_ptr<Plan> CompiledGraph::compile() const {
  try {
    require(backend_.supports(graph_, {device(), {}}), device());
    return named([&] { return backend_.compile(graph_, weights_, options_); });
  } catch (const Error& error) {
    if (failed_) failed_(error, backend_, options_);
    throw;
  }
}

void CompiledGraph::prepare() {
  const std::lock_guard lock(compiling_);
  if (plan_) return;
  expect_room(extents_of(1, 1));
  weights_->expect_unchanged();
  std::unique_ptr<Plan> plan = compile();
  // What was packed while the file was written to is neither the old model nor the new one.
  weights_->expect_unchanged();
  plan_ = std::move(plan);
}

std::int64_t CompiledGraph::expect_room(const Extents& extents) const {
  if (options_.memory_limit == 0) return std::numeric_limits<std::int64_t>::max();
  const MemoryPrediction needed = predict_memory(graph_, *weights_, backend_, options_, extents);
  if (needed.total <= options_.memory_limit) return options_.memory_limit - needed.total;
  using hardware::bytes_text;
  throw Error(ErrorKind::out_of_memory,
              "would take " + bytes_text(needed.total) + ", the limit is " + bytes_text(options_.memory_limit) + ": " +
                  bytes_text(needed.weights) + " of it are weights",
              "device " + device(), "fewer or shorter texts at once, or a higher limit; `inspect` predicts");
}

std::string CompiledGraph::device() const { return device_name(backend_.name(), options_.device); }

std::vector<PlanStep> CompiledGraph::steps() {
  prepare();
  return plan_->steps();
}

std::unique_ptr<Session> CompiledGraph::borrow() {
  const std::lock_guard lock(lending_);
  if (idle_.empty()) return plan_->start();
  std::unique_ptr<Session> session = std::move(idle_.back());
  idle_.pop_back();
  return session;
}

std::unique_ptr<Session> CompiledGraph::start() {
  prepare();
  return named([&] { return plan_->start(); });
}

// Tables are read in place. A look at each file costs a microsecond, or ten where what the system knows of it has left
// the caches: of tokens that follow one another closely not each one looks.
void CompiledGraph::look_at_files() {
  constexpr auto kEvery = std::chrono::milliseconds(10);
  const auto now = std::chrono::steady_clock::now();
  if (now - looked_.load(std::memory_order_relaxed) < kEvery) return;
  weights_->expect_unchanged();
  looked_.store(now, std::memory_order_relaxed);
}

Outputs CompiledGraph::run_unlooked(Session& session, Feeds feeds, const Cancellation& cancellation) {
  feeds.cancellation = cancellation;
  if (options_.memory_limit != 0) {
    expect_room(session.slots() == nullptr ? feeds.extents : with_past(feeds, *session.slots()));
  }
  return named([&] { return session.run(feeds); });
}

Outputs CompiledGraph::run(Session& session, Feeds feeds, const Cancellation& cancellation) {
  look_at_files();
  return run_unlooked(session, std::move(feeds), cancellation);
}

Outputs CompiledGraph::run(Feeds feeds, const Cancellation& cancellation) {
  prepare();
  weights_->expect_unchanged();
  std::unique_ptr<Session> session = named([&] { return borrow(); });
  // A session whose run fails is not given back: nobody promises what its buffers hold.
  Outputs outputs = run_unlooked(*session, std::move(feeds), cancellation);
  const std::lock_guard lock(lending_);
  idle_.push_back(std::move(session));
  return outputs;
}

std::shared_ptr<CompiledGraph> PlanCache::get(const std::string& key, const std::function<Graph()>& make) {
  const std::lock_guard lock(mutex_);
  std::shared_ptr<CompiledGraph>& graph = graphs_[key];
  if (!graph) graph = std::make_shared<CompiledGraph>(make(), backend_, options_, weights_, failed_);
  return graph;
}

}  // namespace accelerate::runtime
