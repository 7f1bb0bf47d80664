// Sequences of a graph that runs in parts, two of which keep state: every run is one of the whole graph too.
#include "backends/split_slots.hpp"

#include <gtest/gtest.h>

#include <cmath>

#include "backends/cpu/cpu_backend.hpp"
#include "backends/limited_backend.hpp"
#include "backends/split_backend.hpp"
#include "graph/builder.hpp"
#include "graph/ops/attention.hpp"

namespace accelerate {
namespace {

constexpr std::int64_t kWidth = 8;

// Causal attention, activated, and once more with keys and values of its own. The first may look back one page less.
Graph graph_of_two(const Weights& weights, std::int64_t window) {
  Builder b("two", weights);
  const Type row{Element::real, Shape({kBatch, kTokens, kWidth}, true)};
  const auto attention = [&](const std::string& name, Value query, std::int64_t reach) {
    ops::Attention op;
    op.causal = true;
    op.window = reach;
    const Value key = b.input(name + ".key", row), value = b.input(name + ".value", row);
    const Value keys = b.state(name + ".keys", kWidth, reach), values = b.state(name + ".values", kWidth, reach);
    return b.apply(std::make_shared<ops::Attention>(op), {query, key, value, {}, {}, {}, keys, values});
  };
  const Value first = attention("first", b.input("query", row), window);
  b.output("y", attention("second", b.activate(first, Activation::tanh), -1));
  return b.finish();
}

Feeds feeds_of(const Graph& graph, const std::vector<Slot>& slots, std::vector<std::int64_t> counts, int run) {
  Feeds feeds;
  feeds.extents.set_ragged("tokens", std::move(counts));
  int number = 0;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::input) continue;
    Tensor x(DType::f32, {feeds.extents.at("tokens.rows"), kWidth});
    ++number;
    for (std::int64_t i = 0; i < x.elements(); ++i) {
      x.as<float>()[static_cast<std::size_t>(i)] = std::sin(static_cast<float>(7 * i + 31 * run + 53 * number));
    }
    feeds.tensors[node.name] = std::move(x);
  }
  feeds.slots = slots;
  return feeds;
}

class SplitState : public testing::TestWithParam<std::int64_t> {
 protected:
  // Does the same to the slots of both, which are numbered alike.
  template <typename Change>
  auto both(Change&& change) {
    change(*whole_->slots());
    return change(*split_->slots());
  }
  void SetUp() override {
    slots_.push_back(both([](StateSlots& each) { return each.open(); }));
    slots_.push_back(both([](StateSlots& each) { return each.open(); }));
  }

  void run(const std::vector<Slot>& slots, const std::vector<std::int64_t>& counts) {
    const Feeds feeds = feeds_of(graph_, slots, counts, run_++);
    const Tensor y = split_->run(feeds).at("y"), expected = whole_->run(feeds).at("y");
    ASSERT_EQ(y.dims(), expected.dims());
    for (std::size_t i = 0; i < y.as<float>().size(); ++i) {
      ASSERT_NEAR(y.as<float>()[i], expected.as<float>()[i], 1e-6) << "run " << run_ << ", element " << i;
    }
    for (const Slot slot : slots) EXPECT_EQ(split_->slots()->length(slot), whole_->slots()->length(slot));
  }
  // The first attention has run when the second misses its keys.
  void fail(const std::vector<Slot>& slots, const std::vector<std::int64_t>& counts) {
    Feeds feeds = feeds_of(graph_, slots, counts, 99);
    feeds.tensors.erase("second.key");
    EXPECT_THROW(split_->run(feeds), Error);
  }

  const std::shared_ptr<Weights> weights_ = std::make_shared<Weights>();
  const Graph graph_ = graph_of_two(*weights_, GetParam());
  const std::unique_ptr<Backend> cpu_ = cpu::make_backend();
  const SplitBackend backend_{
      std::make_shared<LimitedBackend>(borrowed(*cpu_), std::set<std::string, std::less<>>{"activate"}),
      borrowed(*cpu_)};
  const std::unique_ptr<Session> whole_ = cpu_->compile(graph_, weights_, {.threads = 1})->start();
  const std::unique_ptr<Session> split_ = backend_.compile(graph_, weights_, {.threads = 1})->start();
  std::vector<Slot> slots_;
  int run_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Windows, SplitState, testing::Values(-1, 40));

TEST_P(SplitState, GoesOnWhereTheLastRunEnded) {
  run(slots_, {5, 90});
  run(slots_, {1, 1});
  run({slots_[1]}, {3});
  run(slots_, {70, 1});
  EXPECT_EQ(split_->slots()->bytes(), whole_->slots()->bytes());
  EXPECT_EQ(split_->slots()->bytes_per_position(), whole_->slots()->bytes_per_position());
}

TEST_P(SplitState, FollowsForksBeamsAndCuts) {
  run(slots_, {7, 4});
  slots_.push_back(both([&](StateSlots& each) { return each.fork(slots_[0]); }));
  run(slots_, {1, 2, 3});
  const std::vector<Slot> parents = {slots_[2], slots_[2], slots_[1]};
  both([&](StateSlots& each) { return each.reorder(slots_, parents), 0; });
  run(slots_, {1, 1, 1});
  both([&](StateSlots& each) { return each.truncate(slots_[1], 6), 0; });
  both([&](StateSlots& each) { return each.release(slots_[0]), 0; });
  run({slots_[1], slots_[2]}, {2, 1});
  EXPECT_THROW(split_->slots()->length(slots_[0]), Error);
  both([&](StateSlots& each) { return each.release(slots_[1]), each.release(slots_[2]), each.trim(), 0; });
  EXPECT_EQ(split_->slots()->bytes(), 0);
}

TEST_P(SplitState, ARunThatFailsBetweenItsPartsLeavesItAsItWas) {
  fail(slots_, {3, 2});
  run(slots_, {5, 90});
  fail(slots_, {1, 1});
  run(slots_, {1, 1});
  fail(slots_, {200, 1});
  fail(slots_, {2, 200});
  run(slots_, {1, 4});
  EXPECT_EQ(split_->slots()->length(slots_[0]), 7);
}

TEST_P(SplitState, IsPredictedAsOfTheWholeGraph) {
  Extents extents;
  extents.set_ragged("tokens", {1, 1}).set_ragged("past", {100, 30});
  const MemoryEstimate split = backend_.memory(graph_, *weights_, extents, {}),
                       whole = cpu_->memory(graph_, *weights_, extents, {});
  EXPECT_GT(whole.cache, 0);
  EXPECT_EQ(split.cache, whole.cache);
  EXPECT_EQ(split.cache_per_token, whole.cache_per_token);
}

}  // namespace
}  // namespace accelerate
