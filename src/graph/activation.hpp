// Activation functions by the names that configs use.
#pragma once

#include <string_view>

#include "graph/primitives.hpp"

namespace accelerate {

enum class Activation { none, relu, gelu, gelu_tanh, quick_gelu, silu, tanh, sigmoid };

std::string_view name_of(Activation activation);
// "gelu", "gelu_new", "gelu_pytorch_tanh", "quick_gelu", "relu", "silu", "swish", "tanh", "sigmoid", ...: the names in
// Transformers' ACT2FN. Error{unsupported} naming any other.
Activation activation_named(std::string_view name);

Value apply(Primitives& p, Activation activation, Value x);

}  // namespace accelerate
