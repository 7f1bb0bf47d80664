// What a graph gives: values that are computed in their own tensors, and those that are copied out of a session's
// memory, large ones by all threads.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "backends/backend.hpp"
#include "graph/builder.hpp"
#include "graph/feeds.hpp"

namespace accelerate {
namespace {

using Give = std::function<void(Builder&, Value)>;

// What a graph gives of y[r][c] = r + c, of texts of these lengths.
Outputs outputs_of(const std::vector<std::int64_t>& lengths, std::int64_t columns, int threads, const Give& give) {
  const auto weights = std::make_shared<Weights>();
  Tensor w(DType::f32, {columns, 2});
  for (std::int64_t c = 0; c < columns; ++c) {
    w.as<float>()[static_cast<std::size_t>(2 * c)] = static_cast<float>(c);
    w.as<float>()[static_cast<std::size_t>(2 * c + 1)] = 1;
  }
  weights->add("w", std::move(w));
  Builder b("sums", *weights);
  give(b, b.linear(b.input("x", {Element::real, Shape({kBatch, kTokens, 2}, true)}), b.weight("w"), {}));
  const Graph graph = b.finish();
  Feeds feeds;
  feeds.extents.set_ragged("tokens", lengths);
  const std::int64_t rows = std::accumulate(lengths.begin(), lengths.end(), std::int64_t{0});
  Tensor x(DType::f32, {rows, 2});
  for (std::int64_t r = 0; r < rows; ++r) {
    x.as<float>()[static_cast<std::size_t>(2 * r)] = 1;
    x.as<float>()[static_cast<std::size_t>(2 * r + 1)] = static_cast<float>(r);
  }
  feeds.tensors["x"] = std::move(x);
  return backend_named("cpu").compile(graph, weights, {.threads = threads})->start()->run(feeds);
}

void expect_sums(const Tensor& y, std::int64_t rows, std::int64_t columns, float factor = 1) {
  ASSERT_EQ(y.dims(), (Dims{rows, columns}));
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    const float wanted = factor * static_cast<float>(i / columns + i % columns);
    wrong += y.as<float>()[static_cast<std::size_t>(i)] != wanted ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0) << rows << " x " << columns;
}

void expect_sums(std::int64_t rows, std::int64_t columns, int threads) {
  SCOPED_TRACE(std::to_string(threads) + " threads");
  const Outputs outputs = outputs_of({rows}, columns, threads, [](Builder& b, Value y) { b.output("y", y); });
  expect_sums(outputs.at("y"), rows, columns);
}

TEST(CpuOutputs, AreWhole) {
  for (const int threads : {1, 3}) {
    expect_sums(5003, 41, threads);  // several tasks, the last one short
    expect_sums(3, 20011, threads);  // a row is more than a task
    expect_sums(1, 1, threads);
    expect_sums(700, 1024, threads);
  }
}

TEST(CpuOutputs, AreThoseOfEveryPartOfABatch) {
  const std::vector<std::int64_t> lengths(64, 20);
  for (const std::int64_t columns : {41, 1024}) {
    for (const int threads : {1, 2, 3}) {
      const Outputs outputs = outputs_of(lengths, columns, threads, [](Builder& b, Value y) { b.output("y", y); });
      expect_sums(outputs.at("y"), 1280, columns);
    }
  }
}

TEST(CpuOutputs, MayHaveTwoNames) {
  const Outputs outputs = outputs_of({7}, 5, 1, [](Builder& b, Value y) {
    b.output("y", y);
    b.output("again", y);
  });
  expect_sums(outputs.at("y"), 7, 5);
  expect_sums(outputs.at("again"), 7, 5);
}

// A session uses their memory again, but not before everybody has let go of it.
TEST(CpuOutputs, StayWhileSomebodyHasThem) {
  Builder b("scaled", Weights());
  b.output("y", b.scale(b.input("x", {Element::real, Shape({kBatch, kTokens, 4}, true)}), 2));
  const auto plan = backend_named("cpu").compile(b.finish(), std::make_shared<Weights>(), {.threads = 2});
  const auto session = plan->start();
  const auto run = [&](float value, std::int64_t rows) {
    Feeds feeds;
    feeds.extents.set_ragged("tokens", {rows});
    feeds.tensors["x"] = Tensor::of({rows, 4}, std::vector<float>(static_cast<std::size_t>(4 * rows), value));
    return std::move(session->run(feeds).at("y"));
  };
  const auto holds = [](const Tensor& y, float value) {
    return std::ranges::all_of(y.as<float>(), [value](float each) { return each == value; });
  };
  const Tensor first = run(1, 5);
  const float* place = nullptr;
  {
    const Tensor second = run(2, 5);
    place = second.as<float>().data();
    EXPECT_TRUE(holds(second, 4));
  }
  const Tensor third = run(3, 5);
  EXPECT_EQ(third.as<float>().data(), place) << "nobody had it";
  const Tensor longer = run(4, 9);
  EXPECT_TRUE(holds(first, 2));
  EXPECT_TRUE(holds(third, 6));
  EXPECT_EQ(longer.dims(), (Dims{9, 4}));
  EXPECT_TRUE(holds(longer, 8));
}

// What takes over the memory of its input is that input's heir only where nobody asks for it.
TEST(CpuOutputs, MayBeReadAndComputedInPlace) {
  const Outputs outputs = outputs_of({7}, 5, 1, [](Builder& b, Value y) {
    b.output("y", y);
    const Value twice = b.scale(y, 2);
    b.output("eight times", b.scale(b.scale(twice, 2), 2));
  });
  expect_sums(outputs.at("y"), 7, 5);
  expect_sums(outputs.at("eight times"), 7, 5, 8);
}

// Rows of 1024 lie further apart than a tensor has them, where they are read again.
TEST(CpuOutputs, MayBeReadOfWidthsThatLieApart) {
  const Outputs outputs = outputs_of({70}, 1024, 2, [](Builder& b, Value y) {
    b.output("y", y);
    b.output("twice", b.add(y, y));
  });
  expect_sums(outputs.at("y"), 70, 1024);
  expect_sums(outputs.at("twice"), 70, 1024, 2);
}

// Products over one input are computed as one: each lies where it is asked for, or beside its neighbours.
TEST(CpuOutputs, MayBeStretchesOfOneProduct) {
  constexpr std::int64_t kRows = 9;
  for (const Precision precision : {Precision::f32, Precision::bf16, Precision::int8}) {
    for (const std::int64_t width : {64, 40}) {  // whole panels on every level, and not
      const auto weights = std::make_shared<Weights>();
      Builder b("three", *weights);
      const Value x = b.input("x", {Element::real, Shape({kBatch, kTokens, 1}, true)});
      const auto product = [&](const std::string& name, float factor) {
        Tensor w(DType::f32, {width, 1});
        std::ranges::fill(w.as<float>(), factor);
        weights->add(name, std::move(w));
        return b.linear(x, b.weight(name), {});
      };
      const Value one = product("one", 1), two = product("two", 2), four = product("four", 4);
      b.output("one", one);
      b.output("six", b.add(two, four));
      b.output("four", four);
      const Graph graph = b.finish();
      Feeds feeds;
      feeds.extents.set_ragged("tokens", {kRows});
      Tensor ones(DType::f32, {kRows, 1});
      std::ranges::fill(ones.as<float>(), 1.0F);
      feeds.tensors["x"] = std::move(ones);
      const auto plan = backend_named("cpu").compile(graph, weights, {.precision = precision, .threads = 2});
      const Outputs outputs = plan->start()->run(feeds);
      for (const auto& [name, wanted] : {std::pair{"one", 1.0F}, {"four", 4.0F}, {"six", 6.0F}}) {
        ASSERT_EQ(outputs.at(name).dims(), (Dims{kRows, width}));
        for (const float found : outputs.at(name).as<float>()) {
          ASSERT_NEAR(found, wanted, 0.02 * wanted) << name << " in " << name_of(precision) << ", width " << width;
        }
      }
    }
  }
}

// A residual that is also multiplied must not be written over before all columns are done, unless it is normed before.
TEST(CpuOutputs, AreRightWhereAResidualIsMultipliedToo) {
  constexpr std::int64_t kRows = 5, kWidth = 128;
  for (const bool normed : {false, true}) {
    const auto weights = std::make_shared<Weights>();
    Tensor w(DType::f32, {kWidth, kWidth});
    std::ranges::fill(w.as<float>(), 1.0F / kWidth);
    weights->add("w", std::move(w));
    Tensor ones(DType::f32, {kWidth});
    std::ranges::fill(ones.as<float>(), 1.0F);
    weights->add("norm.weight", std::move(ones));
    Builder b("twice", *weights);
    const Value two = b.scale(b.input("x", {Element::real, Shape({kBatch, kTokens, kWidth}, true)}), 2);
    const Value multiplied = normed ? b.rms_norm("norm", two, 1e-9) : two;  // 1 or 2
    b.output("y", b.scale(b.linear(multiplied, b.weight("w"), {}, {.residual = two}), 1));
    const Graph graph = b.finish();
    Feeds feeds;
    feeds.extents.set_ragged("tokens", {kRows});
    Tensor x(DType::f32, {kRows, kWidth});
    std::ranges::fill(x.as<float>(), 1.0F);
    feeds.tensors["x"] = std::move(x);
    const Outputs outputs = backend_named("cpu").compile(graph, weights, {.threads = 1})->start()->run(feeds);
    for (const float found : outputs.at("y").as<float>()) ASSERT_NEAR(found, normed ? 3.0F : 4.0F, 1e-5);
  }
}

// A session's next run takes nothing of what an earlier one gave.
TEST(CpuOutputs, StayWhenTheSessionGoesOn) {
  const auto weights = std::make_shared<Weights>();
  weights->add("w", Tensor::of<float>({1, 1}, {3}));
  Builder b("thrice", *weights);
  b.output("y", b.linear(b.input("x", {Element::real, Shape({kBatch, kTokens, 1}, true)}), b.weight("w"), {}));
  const auto session = backend_named("cpu").compile(b.finish(), weights, {})->start();
  const auto run = [&](float x) {
    Feeds feeds;
    feeds.extents.set_ragged("tokens", {1});
    feeds.tensors["x"] = Tensor::of<float>({1, 1}, {x});
    return session->run(feeds).at("y");
  };
  const Tensor first = run(1), second = run(2);
  EXPECT_EQ(first.as<float>()[0], 3);
  EXPECT_EQ(second.as<float>()[0], 6);
}

}  // namespace
}  // namespace accelerate
