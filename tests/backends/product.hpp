// The smallest graph over ragged rows, for tests of what stands around a backend's arithmetic.
#pragma once

#include <gtest/gtest.h>

#include <memory>

#include "graph/builder.hpp"
#include "graph/feeds.hpp"

namespace accelerate::test {

// y = x w^T
struct Product {
  std::shared_ptr<Weights> weights = std::make_shared<Weights>();
  Graph graph;
  Feeds feeds;

  Product() {
    weights->add("w", Tensor::of<float>({1, 2}, {10, 1}));
    Builder b("product", *weights);
    b.output("y", b.linear(b.input("x", {Element::real, Shape({kBatch, kTokens, 2}, true)}), b.weight("w"), {}));
    graph = b.finish();
    feeds.extents.set_ragged("tokens", {2, 1});
    feeds.tensors["x"] = Tensor::of<float>({3, 2}, {1, 2, 3, 4, 5, 6});
  }
};

inline void expect_product(const Tensor& y) {
  ASSERT_EQ(y.dims(), (Dims{3, 1}));
  EXPECT_EQ(y.as<float>()[0], 12);
  EXPECT_EQ(y.as<float>()[1], 34);
  EXPECT_EQ(y.as<float>()[2], 56);
}

}  // namespace accelerate::test
