// Activation functions by the names that configs use.
#pragma once

#include <string_view>

#include "graph/primitives.hpp"

namespace accelerate {

enum class Activation {
  none,
  relu,
  gelu,
  gelu_tanh,
  quick_gelu,
  silu,
  tanh,
  sigmoid,
  relu_squared,
  relu6,
  leaky_relu,  // 0.01 x below 0
  gelu_10,     // gelu, at most 10
  hard_swish,
  mish,
  laplace,
};

std::string_view name_of(Activation activation);
// "gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "swish", "tanh", "sigmoid", "mish", ...: the
// names in Transformers' ACT2FN but "prelu" and "xielu", which have parameters, and "sqrtsoftplus", which routes
// tokens. Error{unsupported} listing them, unless it is one.
Activation activation_named(std::string_view name);

Value apply(Primitives& p, Activation activation, Value x);

}  // namespace accelerate
