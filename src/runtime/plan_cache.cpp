#include "runtime/plan_cache.hpp"

namespace accelerate::runtime {

std::unique_ptr<Plan> CompiledGraph::compile() const {
  try {
    return backend_.compile(graph_, weights_, options_);
  } catch (const Error& error) {
    if (failed_) failed_(error, backend_, options_);
    throw;
  }
}

void CompiledGraph::prepare() {
  const std::lock_guard lock(compiling_);
  if (!plan_) plan_ = compile();
}

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

Outputs CompiledGraph::run(Feeds feeds, const Cancellation& cancellation) {
  feeds.cancellation = cancellation;
  prepare();
  std::unique_ptr<Session> session = borrow();
  // A session whose run fails is not given back: nobody promises what its buffers hold.
  Outputs outputs = session->run(feeds);
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
