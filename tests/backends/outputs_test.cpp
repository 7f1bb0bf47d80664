// What a graph gives is copied out of a session's memory, large values by all threads.
#include <gtest/gtest.h>

#include "backends/backend.hpp"
#include "graph/builder.hpp"
#include "graph/feeds.hpp"

namespace accelerate {
namespace {

// y[r][c] = r + c, of one text.
void expect_sums(std::int64_t rows, std::int64_t columns, int threads) {
  const auto weights = std::make_shared<Weights>();
  Tensor w(DType::f32, {columns, 2});
  for (std::int64_t c = 0; c < columns; ++c) {
    w.as<float>()[static_cast<std::size_t>(2 * c)] = static_cast<float>(c);
    w.as<float>()[static_cast<std::size_t>(2 * c + 1)] = 1;
  }
  weights->add("w", std::move(w));
  Builder b("sums", *weights);
  b.output("y", b.linear(b.input("x", {Element::real, Shape({kBatch, kTokens, 2}, true)}), b.weight("w"), {}));
  const Graph graph = b.finish();
  Feeds feeds;
  feeds.extents.set_ragged("tokens", {rows});
  Tensor x(DType::f32, {rows, 2});
  for (std::int64_t r = 0; r < rows; ++r) {
    x.as<float>()[static_cast<std::size_t>(2 * r)] = 1;
    x.as<float>()[static_cast<std::size_t>(2 * r + 1)] = static_cast<float>(r);
  }
  feeds.tensors["x"] = std::move(x);
  const auto plan = backend_named("cpu").compile(graph, weights, {.threads = threads});
  const Outputs outputs = plan->start()->run(feeds);
  const Tensor& y = outputs.at("y");
  ASSERT_EQ(y.dims(), (Dims{rows, columns}));
  std::int64_t wrong = 0;
  for (std::int64_t i = 0; i < rows * columns; ++i) {
    wrong += y.as<float>()[static_cast<std::size_t>(i)] != static_cast<float>(i / columns + i % columns) ? 1 : 0;
  }
  EXPECT_EQ(wrong, 0) << rows << " x " << columns << ", " << threads << " threads";
}

TEST(CpuOutputs, AreWhole) {
  for (const int threads : {1, 3}) {
    expect_sums(5003, 41, threads);  // several tasks, the last one short
    expect_sums(3, 20011, threads);  // a row is more than a task
    expect_sums(1, 1, threads);
  }
}

}  // namespace
}  // namespace accelerate
