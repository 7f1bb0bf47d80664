#include "backends/split_backend.hpp"

#include <algorithm>
#include <set>

#include "backends/place.hpp"
#include "graph/partition.hpp"

namespace accelerate {
namespace {

// One part compiled, and what is handed over around it.
struct PlannedPart {
  GraphPart part;
  std::unique_ptr<Plan> plan;
  std::vector<std::string> inputs;    // names of what it reads, of the whole graph's inputs and of earlier parts
  std::vector<std::string> finished;  // those that no later part reads
};

struct Plans {
  std::vector<Graph::Output> outputs;  // of the whole graph
  std::vector<PlannedPart> parts;
};

std::vector<std::string> input_names(const Graph& graph) {
  std::vector<std::string> names;
  for (const Node& node : graph.nodes()) {
    if (node.source == Node::Source::input) names.push_back(node.name);
  }
  return names;
}

// Values are given back after their last reader, so that a layer's are not held to the end.
void find_last_readers(Plans& plans) {
  std::set<std::string> read_later;
  for (const Graph::Output& output : plans.outputs) read_later.insert(crossing_name(output.value));
  for (auto part = plans.parts.rbegin(); part != plans.parts.rend(); ++part) {
    for (const std::string& name : part->inputs) {
      if (read_later.insert(name).second) part->finished.push_back(name);
    }
  }
}

class SplitSession final : public Session {
 public:
  explicit SplitSession(std::shared_ptr<const Plans> plans) : plans_(std::move(plans)) {
    for (const PlannedPart& part : plans_->parts) sessions_.push_back(part.plan->start());
  }

  Outputs run(const Feeds& feeds) override {
    Outputs values = feeds.tensors;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      const PlannedPart& part = plans_->parts[i];
      // A part's last mark is the next one's first.
      if (i > 0 && feeds.step_times != nullptr && !feeds.step_times->empty()) feeds.step_times->pop_back();
      values.merge(sessions_[i]->run(feeds_of(part, values, feeds)));
      for (const std::string& name : part.finished) values.erase(name);
    }
    Outputs outputs;
    for (const Graph::Output& output : plans_->outputs) outputs[output.name] = values.at(crossing_name(output.value));
    return outputs;
  }

 private:
  static Feeds feeds_of(const PlannedPart& part, const Outputs& values, const Feeds& whole) {
    Feeds feeds;
    for (const std::string& name : part.inputs) {
      // What is missing is the part's session to name.
      if (const auto found = values.find(name); found != values.end()) feeds.tensors.insert(*found);
    }
    feeds.extents = whole.extents;
    feeds.cancellation = whole.cancellation;
    feeds.step_times = whole.step_times;
    feeds.pool_work = whole.pool_work;
    return feeds;
  }

  std::shared_ptr<const Plans> plans_;
  std::vector<std::unique_ptr<Session>> sessions_;
};

class SplitPlan final : public Plan {
 public:
  explicit SplitPlan(std::shared_ptr<const Plans> plans) : plans_(std::move(plans)) {}

  std::unique_ptr<Session> start() const override { return std::make_unique<SplitSession>(plans_); }

  // Where one of the parts does not tell its steps apart, the times of all would mean nothing.
  std::vector<PlanStep> steps() const override {
    std::vector<PlanStep> all;
    for (const PlannedPart& part : plans_->parts) {
      const std::vector<PlanStep> own = part.plan->steps();
      if (own.empty()) return {};
      for (PlanStep step : own) {
        for (std::size_t& node : step.nodes) node = part.part.nodes[node];
        all.push_back(std::move(step));
      }
    }
    return all;
  }

 private:
  std::shared_ptr<const Plans> plans_;
};

MemoryEstimate& operator+=(MemoryEstimate& sum, const MemoryEstimate& part) {
  sum.activations += part.activations;
  sum.workspace += part.workspace;
  return sum;
}

}  // namespace

Support SplitBackend::supports(const Graph& graph, const Device& device) const {
  Support support = inner().supports(graph, device);
  if (support) return support;
  const Support other = other_->supports(graph, {std::string(other_->name()), {}});
  std::erase_if(support.missing, [&other](const Support::Missing& each) {
    return std::ranges::find(other.missing, each.operation, &Support::Missing::operation) == other.missing.end();
  });
  return support;
}

std::vector<std::string> SplitBackend::moved(const Graph& graph, const Device& device) const {
  std::vector<std::string> names;
  for (const Support::Missing& each : inner().supports(graph, device).missing) names.push_back(each.operation);
  return names;
}

std::function<bool(const Node&)> SplitBackend::belongs_apart(const Graph& graph, const CompileOptions& options) const {
  return [missing = moved(graph, {device_name(name(), options.device), {}})](const Node& node) {
    return std::ranges::find(missing, node.operation->name()) != missing.end();
  };
}

CompileOptions SplitBackend::other_options(const CompileOptions& options) const {
  CompileOptions own = options;
  own.device.clear();
  const std::vector<Precision> known = other_->precisions();
  const auto lower = [&known](Precision& precision) {
    if (std::ranges::find(known, precision) == known.end()) precision = Precision::f32;
  };
  lower(own.precision);
  for (auto& [path, precision] : own.overrides) lower(precision);
  return own;
}

MemoryEstimate SplitBackend::memory(const Graph& graph, const Weights& weights, const Extents& extents,
                                    const CompileOptions& options) const {
  const auto apart = belongs_apart(graph, options);
  const CompileOptions other = other_options(options);
  MemoryEstimate sum;
  for (const GraphPart& part : partition(graph, apart)) {
    sum += part.apart ? other_->memory(part.graph, weights, extents, other)
                      : inner().memory(part.graph, weights, extents, options);
  }
  // Parts share their weights: layers that are alike have one copy.
  for (const bool which : {false, true}) {
    const GraphPart side = side_of(graph, apart, which);
    if (side.nodes.empty()) continue;
    const MemoryEstimate own = which ? other_->memory(side.graph, weights, extents, other)
                                     : inner().memory(side.graph, weights, extents, options);
    sum.weights += own.weights;
    sum.mapped += own.mapped;
  }
  return sum;
}

std::unique_ptr<Plan> SplitBackend::compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                            const CompileOptions& options) const {
  if (inner().supports(graph, {device_name(name(), options.device), {}})) {
    return inner().compile(graph, std::move(weights), options);
  }
  auto plans = std::make_shared<Plans>();
  plans->outputs = graph.outputs();
  for (GraphPart& part : partition(graph, belongs_apart(graph, options))) {
    PlannedPart planned;
    planned.plan = part.apart ? other_->compile(part.graph, weights, other_options(options))
                              : inner().compile(part.graph, weights, options);
    planned.inputs = input_names(part.graph);
    planned.part = std::move(part);
    plans->parts.push_back(std::move(planned));
  }
  find_last_readers(*plans);
  return std::make_unique<SplitPlan>(std::move(plans));
}

}  // namespace accelerate
