// Steps that threads take by rows: which they are, when it is done, where their values lie, and that a row's numbers
// stay the same.
#include "backends/cpu/stretches.hpp"

#include <algorithm>
#include <random>

#include "backends/backend.hpp"
#include "backends/cpu/arena.hpp"
#include "core/environment.hpp"
#include "core/thread_pool.hpp"
#include "graph/builder.hpp"
#include "graph/feeds.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu {
namespace {

constexpr std::int64_t kWidth = 64, kInner = 160;

// Attention in the midst, the first row of each text at the end.
class Layers {
 public:
  explicit Layers(DType stored = DType::f32) : stored_(stored) {
    Builder b("layers", *weights);
    Value x = b.input("x", {Element::real, Shape({kBatch, kTokens, kWidth}, true)});
    const Value query = linear(b, x, "query", kWidth, {});
    const Value attended = b.attention({.query = query,
                                        .key = linear(b, x, "key", kWidth, {}),
                                        .value = linear(b, x, "value", kWidth, {}),
                                        .heads = 4});
    x = norm(b, linear(b, attended, "out", kWidth, {.residual = x}), "norm");
    for (const std::string number : {"1", "2"}) {
      const Value inner = linear(b, x, "up" + number, kInner, {.activation = accelerate::Activation::gelu});
      x = linear(b, inner, "down" + number, kWidth, {});
    }
    b.output("rows", linear(b, x, "last", kWidth, {}));
    b.output("first", linear(b, b.pool(x, ops::PoolMode::first), "pooler", kWidth,
                             {.activation = accelerate::Activation::tanh}));
    graph = b.finish();
  }

  std::shared_ptr<Weights> weights = std::make_shared<Weights>();
  Graph graph;

 private:
  Tensor random(Dims dims, float scale) {
    Tensor tensor(DType::f32, std::move(dims));
    std::normal_distribution<float> normal(0.0F, scale);
    for (float& value : tensor.as<float>()) value = normal(generator_);
    return tensor;
  }
  Value linear(Builder& b, Value x, const std::string& name, std::int64_t out, const LinearOptions& options) {
    weights->add(name + ".weight", random({out, b.width(x)}, 0.1F).to(stored_));
    weights->add(name + ".bias", random({out}, 0.1F));
    return b.linear(name, x, options);
  }
  Value norm(Builder& b, Value x, const std::string& name) {
    weights->add(name + ".weight", random({kWidth}, 1.0F));
    weights->add(name + ".bias", random({kWidth}, 0.1F));
    return b.layer_norm(name, x, 1e-5);
  }
  DType stored_;
  std::mt19937 generator_{7};
};

using Lengths = std::vector<std::int64_t>;

Feeds feeds_of(const Lengths& lengths) {
  Feeds feeds;
  feeds.extents.set_ragged("tokens", lengths);
  Tensor x(DType::f32, {feeds.extents.offsets("tokens").back(), kWidth});
  std::mt19937 generator(3);
  std::normal_distribution<float> normal(0.0F, 1.0F);
  for (float& value : x.as<float>()) value = normal(generator);
  feeds.tensors["x"] = std::move(x);
  return feeds;
}

std::vector<std::unique_ptr<Step>> steps_of(const Layers& layers) {
  return make_steps(layers.graph, *layers.weights, current_level(), {});
}

TEST(Stretches, EndWhereRowsLookAtOthers) {
  const Layers layers;
  const auto steps = steps_of(layers);
  std::vector<std::vector<std::string>> found;
  for (const Stretch& stretch : stretches_of(layers.graph, steps)) {
    found.emplace_back();
    for (std::size_t i = stretch.begin; i < stretch.end; ++i) found.back().push_back(steps[i]->path);
  }
  ASSERT_EQ(found.size(), 3U);
  EXPECT_EQ(found[0].size(), 1U) << "query, key and value are one step";
  EXPECT_EQ(found[1], (std::vector<std::string>{"out", "up1", "down1", "up2", "down2", "last"}))
      << "the norm is in up1";
  EXPECT_EQ(found[2], (std::vector<std::string>{"pooler"})) << "of other rows than what comes before";
}

TEST(Stretches, AreSharedWhereThreadsHaveEnoughToDo) {
  const auto is_shared = [](std::int64_t rows, std::int64_t bytes, int threads) {
    Extents extents;
    extents.set_ragged("tokens", {rows});
    const Stretch stretch{.begin = 0, .end = 1, .rows = Shape({kBatch, kTokens}, true).elements(), .read_bytes = bytes};
    return !shared_by_rows({stretch}, extents, threads).empty();
  };
  EXPECT_TRUE(is_shared(16, 1 << 20, 2)) << "bert-tiny";
  EXPECT_FALSE(is_shared(16, 1 << 20, 1)) << "nobody to share with";
  EXPECT_FALSE(is_shared(15, 1 << 20, 2)) << "too few rows for a tile";
  EXPECT_FALSE(is_shared(16, 1 << 20, 4));
  EXPECT_FALSE(is_shared(16, 7 << 20, 2)) << "MiniLM: its weights would come twice for too little work";
  EXPECT_TRUE(is_shared(64, 7 << 20, 2));
  EXPECT_FALSE(is_shared(512, 7 << 20, 2)) << "waiting costs nothing beside so much";
}

TEST(Stretches, KeepApartWhatThreadsUseAtTheSameTime) {
  const Layers layers;
  const auto steps = steps_of(layers);
  const Placement placement(layers.graph, steps);
  Extents extents;
  extents.set_ragged("tokens", {16});
  const std::vector<Stretch> by_rows = shared_by_rows(stretches_of(layers.graph, steps), extents, 2);
  ASSERT_EQ(by_rows.size(), 2U);
  const auto bytes_of = [&](std::size_t buffer) {
    const Placement::Buffer& b = placement.buffers()[buffer];
    return b.output >= 0 ? 0 : static_cast<std::size_t>(b.rows.evaluate(extents) * b.stride()) * sizeof(float);
  };
  const auto lives_in = [&](std::size_t buffer, const Stretch& stretch) {
    const Placement::Buffer& b = placement.buffers()[buffer];
    return b.first < stretch.end && b.last >= stretch.begin;
  };
  const auto meeting = [&](const ArenaLayout& arena) {
    int pairs = 0;
    for (const Stretch& stretch : by_rows) {
      for (std::size_t a = 0; a < placement.buffers().size(); ++a) {
        for (std::size_t b = 0; b < a; ++b) {
          if (!lives_in(a, stretch) || !lives_in(b, stretch) || bytes_of(a) == 0 || bytes_of(b) == 0) continue;
          const bool apart =
              arena.offsets[a] + bytes_of(a) <= arena.offsets[b] || arena.offsets[b] + bytes_of(b) <= arena.offsets[a];
          pairs += apart ? 0 : 1;
        }
      }
    }
    return pairs;
  };
  EXPECT_EQ(meeting(ArenaLayout(placement, extents, by_rows)), 0);
  EXPECT_GT(meeting(ArenaLayout(placement, extents)), 0) << "where steps follow each other memory is used again";
}

using SameNumbers = testing::EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, SameNumbers, ::testing::ValuesIn(testing::tested_levels()), testing::level_name);

void expect_same_numbers(Precision precision, DType stored) {
  const Layers layers(stored);
  // The last ones are parts of a batch: the text of 3 tokens is one of others with one thread, and last with two.
  for (const Lengths& lengths :
       {Lengths{16}, Lengths{17}, Lengths{61}, Lengths{9, 30}, Lengths(24, 3), Lengths{90, 90, 90, 90, 90, 110, 3}}) {
    const Feeds feeds = feeds_of(lengths);
    const auto outputs_with = [&](int threads) {
      const auto session = backend_named("cpu")
                               .compile(layers.graph, layers.weights, {.precision = precision, .threads = threads})
                               ->start();
      std::vector<Outputs> all;
      for (int run = 0; run < 20; ++run) all.push_back(session->run(feeds));  // threads meet in other ways each time
      return all;
    };
    const Outputs alone = outputs_with(1)[0];
    for (const int threads : {2, 3}) {
      for (const Outputs& outputs : outputs_with(threads)) {
        for (const auto& [name, values] : alone) {
          EXPECT_TRUE(std::ranges::equal(outputs.at(name).bytes(), values.bytes()))
              << name << " of " << lengths[0] << ", " << threads;
        }
      }
    }
  }
}

TEST_P(SameNumbers, WithAnyThreads) {
  test::Environment environment;
  environment.set("ACCELERATE_CPU_LEVEL", std::string(name_of(GetParam())));
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    SCOPED_TRACE(accelerate::name_of(precision));
    expect_same_numbers(precision, DType::f32);
  }
  for (const DType stored : {DType::f16, DType::bf16}) {
    SCOPED_TRACE(accelerate::name_of(stored));
    expect_same_numbers(Precision::f32, stored);
  }
}

TEST(Stretches, AProfileHasEveryStep) {
  const Layers layers;
  const auto plan = backend_named("cpu").compile(layers.graph, layers.weights, {.threads = 2});
  const auto session = plan->start();
  Feeds feeds = feeds_of({16});
  session->run(feeds);
  StepTimes times;
  PoolWork work;
  feeds.step_times = &times;
  feeds.pool_work = &work;
  // On a busy machine the other thread may come too late for all of a run.
  for (int run = 0; run < 10000 && (work.threads.empty() || work.threads[1].empty()); ++run) {
    times.clear();
    session->run(feeds);
    EXPECT_EQ(times.size(), plan->steps().size() + 1);
    EXPECT_TRUE(std::ranges::is_sorted(times));
  }
  EXPECT_FALSE(work.threads[1].empty());
}

TEST(Stretches, ACancelledRunLeavesTheSessionAsItWas) {
  const Layers layers;
  const auto session = backend_named("cpu").compile(layers.graph, layers.weights, {.threads = 2})->start();
  Feeds feeds = feeds_of({16});
  const Outputs before = session->run(feeds);
  feeds.cancellation.cancel();
  EXPECT_THROW(session->run(feeds), Error);
  feeds.cancellation = Cancellation();
  EXPECT_TRUE(std::ranges::equal(session->run(feeds).at("rows").bytes(), before.at("rows").bytes()));
}

}  // namespace
}  // namespace accelerate::cpu
