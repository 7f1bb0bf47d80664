#include "backends/cpu/cpu_backend.hpp"

#include <algorithm>
#include <cstring>
#include <map>
#include <mutex>
#include <set>

#include "backends/cpu/arena.hpp"
#include "backends/cpu/step.hpp"

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

// Everything that is decided when a graph is compiled; sessions share it.
struct Compiled {
  Graph graph;
  std::shared_ptr<const Weights> weights;
  std::shared_ptr<ThreadPool> pool;
  Level level = Level::portable;
  std::vector<std::unique_ptr<Step>> steps;
  std::unique_ptr<Placement> placement;
};

std::size_t workspace_bytes(const std::vector<std::unique_ptr<Step>>& steps, const Extents& extents, int threads) {
  std::size_t most = 0;
  for (const auto& step : steps) most = std::max(most, step->workspace_bytes(extents, threads));
  return most;
}

// Looks at what the threads of a pool do, where somebody wants to know.
class Watched {
 public:
  Watched(ThreadPool& pool, PoolWork* work) : pool_(work == nullptr ? nullptr : &pool) {
    if (pool_ != nullptr) pool_->watch(work);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    if (pool_ != nullptr) pool_->watch(nullptr);
  }

 private:
  ThreadPool* pool_;
};

class CpuSession final : public Session {
 public:
  explicit CpuSession(std::shared_ptr<const Compiled> compiled) : c_(std::move(compiled)) {}

  Outputs run(const Feeds& feeds) override {
    check_feeds(c_->graph, feeds);
    if (!laid_out_ || !(feeds.extents == extents_)) lay_out(feeds.extents);
    for (std::size_t i = 0; i < c_->graph.nodes().size(); ++i) {
      const Node& node = c_->graph.nodes()[i];
      if (node.source == Node::Source::input)
        values_[i] = locate(feeds.tensors.find(node.name)->second, node, values_[i]);
    }
    const Run run{kernels(c_->level), *c_->pool, extents_, values_, workspace_.data()};
    const Watched watched(*c_->pool, feeds.pool_work);
    for (const auto& step : c_->steps) {
      feeds.cancellation.check();
      mark(feeds.step_times);
      step->run(run);
    }
    mark(feeds.step_times);
    return outputs();
  }

 private:
  static void mark(StepTimes* times) {
    if (times != nullptr) times->push_back(StepTimes::value_type::clock::now());
  }

  // Decides where everything lies for these sizes; memory only grows.
  void lay_out(const Extents& extents) {
    laid_out_ = false;
    extents_ = extents;
    const ArenaLayout layout(*c_->placement, extents);
    if (arena_.size() < layout.bytes) {
      arena_ = HostBuffer();  // given back first: the old one and the new one are never held together
      arena_ = HostBuffer(layout.bytes);
    }
    const std::size_t workspace = workspace_bytes(c_->steps, extents, c_->pool->threads());
    if (workspace_.size() < workspace) {
      workspace_ = HostBuffer();
      workspace_ = HostBuffer(workspace);
    }
    values_.assign(c_->graph.nodes().size(), {});
    for (std::size_t i = 0; i < values_.size(); ++i) {
      const Node& node = c_->graph.nodes()[i];
      if (node.source == Node::Source::weight) continue;
      Location& value = values_[i];
      value.rows = row_count(node.type.shape).evaluate(extents);
      value.width = value.stride = row_width(node.type.shape);
      if (node.source == Node::Source::table) value = locate(table(node), node, value);
      const Placement::Place& place = c_->placement->place(i);
      if (place.buffer < 0) continue;
      const auto buffer = static_cast<std::size_t>(place.buffer);
      value.stride = c_->placement->buffers()[buffer].stride();
      value.data = reinterpret_cast<float*>(arena_.data() + layout.offsets[buffer]) + place.column;
    }
    laid_out_ = true;
  }

  // Tables depend on their sizes alone, and batches often repeat them.
  const Tensor& table(const Node& node) {
    Tensor& known = tables_[node.name];
    if (known.empty() || known.dims() != node.type.shape.stored(extents_)) known = node.table(extents_);
    return known;
  }

  static Location locate(const Tensor& tensor, const Node& node, Location location) {
    if (node.type.element == Element::index) {
      location.index = tensor.as<std::int64_t>().data();
    } else {
      location.data = const_cast<float*>(tensor.as<float>().data());
    }
    return location;
  }

  Outputs outputs() const {
    Outputs result;
    for (const Graph::Output& output : c_->graph.outputs()) {
      const auto index = static_cast<std::size_t>(output.value.id);
      const Location& value = values_[index];
      Tensor tensor(DType::f32, c_->graph.node(output.value).type.shape.stored(extents_));
      float* out = tensor.as<float>().data();
      for (std::int64_t row = 0; row < value.rows; ++row) {
        std::copy_n(value.data + row * value.stride, value.width, out + row * value.width);
      }
      result[output.name] = std::move(tensor);
    }
    return result;
  }

  std::shared_ptr<const Compiled> c_;
  bool laid_out_ = false;
  Extents extents_;
  HostBuffer arena_, workspace_;
  std::vector<Location> values_;
  std::map<std::string, Tensor> tables_;
};

class CpuPlan final : public Plan {
 public:
  explicit CpuPlan(std::shared_ptr<const Compiled> compiled) : compiled_(std::move(compiled)) {}
  std::unique_ptr<Session> start() const override { return std::make_unique<CpuSession>(compiled_); }
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

class CpuBackend final : public Backend {
 public:
  std::string_view name() const override { return "cpu"; }

  std::vector<Device> devices() const override {
    const Level level = current_level();
    check_product(level);
    return {{"cpu", std::to_string(default_thread_count()) + " threads, " + std::string(cpu::name_of(level))}};
  }

  std::string_view level() const override { return cpu::name_of(current_level()); }

  std::vector<Precision> precisions() const override {
    // Elsewhere weights in bf16 are widened again: half the bytes, and no product is faster.
    const bool multiplies_bf16 = current_level() == Level::avx512_bf16;
    if (multiplies_bf16) return {Precision::int8, Precision::bf16, Precision::f32};
    return {Precision::int8, Precision::f32, Precision::bf16};
  }

  std::vector<std::string> lowered(const Graph& graph) const override { return lowered_paths(graph); }

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
    estimate.activations = static_cast<std::int64_t>(ArenaLayout(Placement(graph, steps), extents).bytes);
    estimate.workspace = static_cast<std::int64_t>(workspace_bytes(steps, extents, threads));
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
    compiled->pool = pool_of(options.threads);
    compiled->level = current_level();
    compiled->steps = make_steps(compiled->graph, *compiled->weights, compiled->level, precisions_of(options));
    compiled->placement = std::make_unique<Placement>(compiled->graph, compiled->steps);
    for (const auto& step : compiled->steps) {
      options.cancellation.check();
      step->prepare(*compiled->weights, *compiled->pool);
    }
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
