// Graphs compiled when they are first run, each with the sessions that are not in use.
#pragma once

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "backends/backend.hpp"

namespace accelerate::runtime {

// Told of every error of Backend::compile before it is thrown on.
using CompileFailed = std::function<void(const Error&, const Backend&, const CompileOptions&)>;

// One graph on one backend. Safe for several threads: each run has a session of its own for as long as it takes.
class CompiledGraph {
 public:
  CompiledGraph(Graph graph, const Backend& backend, CompileOptions options, std::shared_ptr<const Weights> weights,
                CompileFailed failed)
      : graph_(std::move(graph)),
        backend_(backend),
        options_(std::move(options)),
        weights_(std::move(weights)),
        failed_(std::move(failed)) {}

  const Graph& graph() const { return graph_; }
  RunCost run_cost() const { return backend_.run_cost(options_.device); }
  // Compiles unless that is done. Error{unsupported} naming the operations that the device lacks; errors of
  // Backend::compile, Error{out_of_memory} and {device_failed} naming the device. Error{out_of_memory} where not even
  // one token would keep to CompileOptions::memory_limit.
  void prepare();
  // Bytes that the memory limit leaves beside a run of these sizes, as predicted; the largest number without a limit.
  // Error{out_of_memory} where there are none.
  std::int64_t expect_room(const Extents& extents) const;
  // Plan::steps(), compiled if need be.
  std::vector<PlanStep> steps();
  // Errors of Session::run, the same two naming the device; the cancellation is looked at between operations. Where it
  // is predicted to take more than the memory limit, nothing is run: Error{out_of_memory}.
  // A run that fails leaves nothing behind: the next one starts anew.
  Outputs run(Feeds feeds, const Cancellation& cancellation);
  // A session of one's own, for graphs that keep state; errors of prepare(). One thread at a time runs it, as run()
  // does; a run that fails leaves its slots as they were. Files that were written to are refused within 10 ms.
  std::unique_ptr<Session> start();
  Outputs run(Session& session, Feeds feeds, const Cancellation& cancellation);

 private:
  Outputs run_unlooked(Session& session, Feeds feeds, const Cancellation& cancellation);
  void look_at_files();
  std::unique_ptr<Session> borrow();
  std::unique_ptr<Plan> compile() const;
  std::string device() const;
  template <typename Work>
  auto named(Work&& work) const;

  const Graph graph_;
  const Backend& backend_;
  const CompileOptions options_;
  const std::shared_ptr<const Weights> weights_;
  const CompileFailed failed_;
  std::mutex compiling_, lending_;
  std::unique_ptr<Plan> plan_;
  std::vector<std::unique_ptr<Session>> idle_;
  std::atomic<std::chrono::steady_clock::time_point> looked_{};  // at the files, by a step of a session of one's own
};

// The graphs that calls have asked for.
class PlanCache {
 public:
  PlanCache(const Backend& backend, CompileOptions options, std::shared_ptr<const Weights> weights,
            CompileFailed failed)
      : backend_(backend), options_(std::move(options)), weights_(std::move(weights)), failed_(std::move(failed)) {}

  // The graph under `key`, made by `make` when it is first asked for.
  std::shared_ptr<CompiledGraph> get(const std::string& key, const std::function<Graph()>& make);

  const Backend& backend() const { return backend_; }
  const CompileOptions& options() const { return options_; }

 private:
  const Backend& backend_;
  const CompileOptions options_;
  const std::shared_ptr<const Weights> weights_;
  const CompileFailed failed_;
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<CompiledGraph>, std::less<>> graphs_;
};

}  // namespace accelerate::runtime
