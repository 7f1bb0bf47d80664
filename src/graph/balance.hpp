// What every backend that multiplies in 8 bits shares: which products, and how the sizes of their input features are
// evened out beforehand. Large features are divided, and their weights multiplied, by a power of how large they tend to
// be (SmoothQuant, Xiao et al. 2023), which the norm in front of a product tells without any data.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "graph/graph.hpp"
#include "graph/weights.hpp"

namespace accelerate {

// The norm that makes a product's inputs, by the names of its parameters; empty where there is none.
struct InputNorm {
  std::string weight, bias;
  double offset = 0;  // added to the weight (RmsNorm)
};
InputNorm input_norm(const Graph& graph, const Node& product);

// How large each feature behind the norm tends to be.
std::vector<float> magnitudes(const Weights& weights, const InputNorm& norm);
// What weights are multiplied with and inputs divided by, feature by feature, from these and how large each feature's
// weights are.
std::vector<float> balance(std::span<const float> magnitudes, std::vector<float> weight_sizes);

// Whether an operation's result has one row a text. Products of such rows (a pooler, a classifier) are never lowered:
// they cost nothing and decide the answer.
bool is_one_row_an_item(const Node& node);

// Whether experts read it as their scores: a few columns, in which a little decides much, so that they stay in f32.
bool chooses_experts(const Graph& graph, Value product);

}  // namespace accelerate
