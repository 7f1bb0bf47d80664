#include "backends/split_backend.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "backends/place.hpp"
#include "backends/split_slots.hpp"
#include "graph/partition.hpp"

namespace accelerate {
namespace {

// What a part takes over from the whole graph's inputs and from earlier parts, by name.
struct Handover {
  std::vector<std::string> inputs;
  std::vector<std::string>
      finished;  // those that no later part reads: given back, so that no layer's are held to the end
};

std::vector<Handover> handovers(const Graph& whole, const std::vector<GraphPart>& parts) {
  std::vector<Handover> all(parts.size());
  std::set<std::string> read_later;
  for (const Graph::Output& output : whole.outputs()) read_later.insert(crossing_name(output.value));
  for (std::size_t i = parts.size(); i-- > 0;) {
    for (const Node& node : parts[i].graph.nodes()) {
      if (node.source != Node::Source::input) continue;
      all[i].inputs.push_back(node.name);
      if (read_later.insert(node.name).second) all[i].finished.push_back(node.name);
    }
  }
  return all;
}

// One part compiled.
struct PlannedPart {
  GraphPart part;
  Handover handover;
  std::unique_ptr<Plan> plan;
};

struct Plans {
  std::vector<Graph::Output> outputs;  // of the whole graph
  std::vector<PlannedPart> parts;
};

class SplitSession final : public Session {
 public:
  explicit SplitSession(std::shared_ptr<const Plans> plans) : plans_(std::move(plans)) {
    std::vector<StateSlots*> keeping;
    for (const PlannedPart& part : plans_->parts) {
      sessions_.push_back(part.plan->start());
      if (StateSlots* own = sessions_.back()->slots()) keeping.push_back(own);
    }
    if (!keeping.empty()) slots_.emplace(std::move(keeping));
  }

  StateSlots* slots() override { return slots_ ? &*slots_ : nullptr; }

  Outputs run(const Feeds& feeds) override {
    if (!slots_) return run_parts(feeds, feeds.extents);
    const Extents extents = with_past(feeds, *slots_);
    SplitUndo undo(*slots_, feeds);
    try {
      return run_parts(feeds, extents);
    } catch (...) {
      undo.restore();
      throw;
    }
  }

 private:
  Outputs run_parts(const Feeds& feeds, const Extents& extents) {
    Outputs values = feeds.tensors;
    std::size_t keeping = 0;
    for (std::size_t i = 0; i < sessions_.size(); ++i) {
      const PlannedPart& part = plans_->parts[i];
      // A part's last mark is the next one's first.
      if (i > 0 && feeds.step_times != nullptr && !feeds.step_times->empty()) feeds.step_times->pop_back();
      Feeds own = feeds_of(part, values, feeds);
      own.extents = extents;
      if (sessions_[i]->slots() != nullptr) own.slots = slots_->in_part(feeds.slots, keeping++);
      values.merge(sessions_[i]->run(own));
      for (const std::string& name : part.handover.finished) values.erase(name);
    }
    Outputs outputs;
    for (const Graph::Output& output : plans_->outputs) outputs[output.name] = values.at(crossing_name(output.value));
    return outputs;
  }

  static Feeds feeds_of(const PlannedPart& part, const Outputs& values, const Feeds& whole) {
    Feeds feeds;
    for (const std::string& name : part.handover.inputs) {
      // What is missing is the part's session to name.
      if (const auto found = values.find(name); found != values.end()) feeds.tensors.insert(*found);
    }
    feeds.cancellation = whole.cancellation;
    feeds.step_times = whole.step_times;
    feeds.pool_work = whole.pool_work;
    return feeds;
  }

  std::shared_ptr<const Plans> plans_;
  std::vector<std::unique_ptr<Session>> sessions_;
  std::optional<SplitSlots> slots_;
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

std::int64_t bytes_of(const Graph& graph, Value value, const Extents& extents) {
  return 4 * graph.node(value).type.shape.elements().evaluate(extents);
}

// The most that values between the parts take at once. Each part's results are there before what it read is given back.
std::int64_t most_handed_over(const Graph& whole, const std::vector<GraphPart>& parts, const Extents& extents) {
  std::map<std::string, std::int64_t> held;
  std::int64_t now = 0, most = 0;
  const std::vector<Handover> all = handovers(whole, parts);
  for (std::size_t i = 0; i < parts.size(); ++i) {
    for (const Graph::Output& output : parts[i].graph.outputs()) {
      now += held[output.name] = bytes_of(parts[i].graph, output.value, extents);
    }
    most = std::max(most, now);
    for (const std::string& name : all[i].finished) now -= held[name];
  }
  return most;
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
  const std::vector<Precision> known = other_->precisions({});
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
  const std::vector<GraphPart> parts = partition(graph, apart);
  MemoryEstimate sum;
  sum.activations = most_handed_over(graph, parts, extents);
  for (const GraphPart& part : parts) {
    const MemoryEstimate own = part.apart ? other_->memory(part.graph, weights, extents, other)
                                          : inner().memory(part.graph, weights, extents, options);
    sum.activations += own.activations;
    sum.workspace += own.workspace;
    // Counted above, as they do not stay.
    for (const Graph::Output& output : part.graph.outputs()) {
      sum.activations -= bytes_of(part.graph, output.value, extents);
    }
  }
  // Parts share their weights: layers that are alike have one copy.
  for (const bool which : {false, true}) {
    const GraphPart side = side_of(graph, apart, which);
    if (side.nodes.empty()) continue;
    const MemoryEstimate own = which ? other_->memory(side.graph, weights, extents, other)
                                     : inner().memory(side.graph, weights, extents, options);
    sum.weights += own.weights;
    sum.mapped += own.mapped;
    sum.cache += own.cache;
    sum.cache_per_token += own.cache_per_token;
    sum.runtime += own.runtime;
    sum.estimated |= own.estimated;
  }
  return sum;
}

std::unique_ptr<Plan> SplitBackend::compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                            const CompileOptions& options) const {
  if (inner().supports(graph, {device_name(name(), options.device), {}})) {
    return inner().compile(graph, std::move(weights), options);
  }
  std::vector<GraphPart> parts = partition(graph, belongs_apart(graph, options));
  std::vector<Handover> all = handovers(graph, parts);
  auto plans = std::make_shared<Plans>();
  plans->outputs = graph.outputs();
  CompileOptions own = options;
  own.keeps_outputs = false;  // they are handed over and gone before the run ends: each part would keep its own
  for (std::size_t i = 0; i < parts.size(); ++i) {
    PlannedPart planned{std::move(parts[i]), std::move(all[i]), nullptr};
    planned.plan = planned.part.apart ? other_->compile(planned.part.graph, weights, other_options(own))
                                      : inner().compile(planned.part.graph, weights, own);
    plans->parts.push_back(std::move(planned));
  }
  return std::make_unique<SplitPlan>(std::move(plans));
}

}  // namespace accelerate
