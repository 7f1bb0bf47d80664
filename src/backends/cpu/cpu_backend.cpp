#include "backends/cpu/cpu_backend.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "backends/cpu/parts.hpp"
#include "backends/cpu/session.hpp"

namespace accelerate::cpu {
namespace {

// Plans of the same thread count share one pool: two models must not double the threads.
std::shared_ptr<ThreadPool> pool_of(int threads) {
  static std::mutex mutex;
  static std::map<int, std::weak_ptr<ThreadPool>> pools;
  if (threads <= 0) threads = default_thread_count();
  const std::lock_guard lock(mutex);
  std::shared_ptr<ThreadPool> pool = pools[threads].lock();
  if (pool == nullptr) pools[threads] = pool = std::make_shared<ThreadPool>(threads);
  return pool;
}

class CpuPlan final : public Plan {
 public:
  explicit CpuPlan(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::unique_ptr<Session> start() const override { return make_session(compiled_); }
  std::vector<PlanStep> steps() const override {
    std::vector<PlanStep> steps;
    for (const auto& step : compiled_->steps) steps.push_back({step->operation, step->path, step->nodes});
    return steps;
  }

 private:
  std::shared_ptr<const Compiled> compiled_;
};

Precisions precisions_of(const CompileOptions& options) {
  const auto require = [](Precision precision, const std::string& where) {
    if (precision == Precision::f32 || precision == Precision::bf16 || precision == Precision::int8) return;
    throw Error(ErrorKind::unsupported,
                "precision " + std::string(name_of(precision)) + " is not there, only f32, bf16 and int8", where);
  };
  require(options.precision, "backend cpu");
  for (const auto& [path, precision] : options.overrides) require(precision, "backend cpu: " + path);
  return {options.precision, options.overrides};
}

// Of the items, once the run has appended its tokens.
std::vector<std::int64_t> lengths_after(const Extents& extents) {
  std::vector<std::int64_t> lengths = extents.lengths("tokens");
  const std::vector<std::int64_t>& past = extents.lengths("past");
  for (std::size_t i = 0; i < lengths.size(); ++i) lengths[i] += past[i];
  return lengths;
}

// Of each step, what the first product after it multiplies; after the last one that of the next run.
std::vector<std::span<const std::byte>> next_weights(const std::vector<std::unique_ptr<Step>>& steps) {
  std::vector<std::span<const std::byte>> next(steps.size());
  std::span<const std::byte> known;
  for (std::size_t i = 2 * steps.size(); i-- > 0;) {
    const std::size_t step = i % steps.size();
    next[step] = known;
    if (const std::span<const std::byte> own = steps[step]->packed_weights(); !own.empty()) known = own;
  }
  return next;
}

class CpuBackend final : public Backend {
 public:
  std::string_view name() const override { return "cpu"; }

  std::vector<Device> devices() const override {
    const Level level = current_level();
    check_product(level);
    return {{"cpu", std::to_string(default_thread_count()) + " threads, " + std::string(cpu::name_of(level))}};
  }

  std::string_view level() const override { return cpu::name_of(current_level()); }

  std::vector<Precision> precisions(std::string_view) const override {
    // Elsewhere weights in bf16 are widened again: half the bytes, and no product is faster.
    const bool multiplies_bf16 = current_level() >= Level::avx512_bf16;
    if (multiplies_bf16) return {Precision::int8, Precision::bf16, Precision::f32};
    return {Precision::int8, Precision::f32, Precision::bf16};
  }

  std::vector<std::string> lowered(const Graph& graph, std::string_view) const override { return lowered_paths(graph); }

  Support supports(const Graph& graph, const Device&) const override {
    Support support;
    std::set<std::string> seen;
    for (const Node& node : graph.nodes()) {
      if (node.source != Node::Source::operation || has_kernel(node.operation->name())) continue;
      const std::string operation(node.operation->name());
      if (seen.insert(operation).second) support.missing.push_back({operation, "no kernel"});
    }
    return support;
  }

  MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                        const CompileOptions& options) const override {
    const auto steps = make_steps(graph, weights, current_level(), precisions_of(options));
    MemoryEstimate estimate;
    std::set<std::string> counted;
    for (const auto& step : steps) {
      const WeightBytes bytes = step->weight_bytes(counted);
      estimate.weights += bytes.allocated;
      estimate.mapped += bytes.mapped;
    }
    const int threads = options.threads > 0 ? options.threads : default_thread_count();
    const SessionBytes session = session_bytes(graph, steps, extents, threads);
    estimate.activations = session.arenas;
    estimate.workspace = session.workspaces;
    if (graph.keeps_state()) {
      const CacheLayout layout(graph, options.state);
      estimate.cache = layout.bytes(lengths_after(extents));
      estimate.cache_per_token = layout.bytes_per_position();
    }
    for (const Graph::Output& output : graph.outputs()) {
      estimate.activations += 4 * graph.node(output.value).type.shape.elements().evaluate(extents);
    }
    return estimate;
  }

  std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                const CompileOptions& options) const override {
    auto compiled = std::make_shared<Compiled>();
    compiled->graph = graph;
    compiled->weights = std::move(weights);
    compiled->keeps_outputs = options.keeps_outputs;
    compiled->pool = pool_of(options.threads);
    compiled->level = current_level();
    compiled->steps = make_steps(compiled->graph, *compiled->weights, compiled->level, precisions_of(options));
    compiled->symbol = ragged_symbol_of(compiled->graph);
    compiled->cache = CacheLayout(compiled->graph, options.state);
    compiled->placement = std::make_unique<Placement>(compiled->graph, compiled->steps);
    compiled->stretches = stretches_of(compiled->graph, compiled->steps);
    for (const auto& step : compiled->steps) {
      options.cancellation.check();
      step->prepare(*compiled->weights, *compiled->pool);
    }
    compiled->reads_next = next_weights(compiled->steps);
    return std::make_unique<CpuPlan>(std::move(compiled));
  }

 private:
  // The smallest product with a known answer: a level that the processor claims but gets wrong is found here.
  static void check_product(Level level) {
    const float weight[] = {1, 2, 3, 4};  // [2, 2]
    const float x[] = {5, 6};
    float y[2] = {};
    ThreadPool pool(1);
    const WeightSource source{.data = weight, .out_features = 2};
    kernels(level).linear(pool, 1, {x, 2}, PackedMatrix::pack(pool, level, 2, {&source, 1}), {}, {y, 2});
    if (y[0] != 17 || y[1] != 39) {
      throw Error(ErrorKind::device_failed, "level " + std::string(cpu::name_of(level)) + " gives wrong products",
                  "backend cpu", "force a lower one with ACCELERATE_CPU_LEVEL");
    }
  }
};

}  // namespace

std::unique_ptr<Backend> make_backend() { return std::make_unique<CpuBackend>(); }

}  // namespace accelerate::cpu
