#include "graph/activation.hpp"

#include <cmath>
#include <numbers>

namespace accelerate {
namespace {

struct Row {
  std::string_view name;
  Activation activation;
};

// The first name of each is what name_of() gives.
constexpr Row kRows[] = {
    {"none", Activation::none},
    {"linear", Activation::none},
    {"identity", Activation::none},
    {"relu", Activation::relu},
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_accurate", Activation::gelu_tanh},
    {"quick_gelu", Activation::quick_gelu},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid},
};

Value sigmoid(Primitives& p, Value x) {
  const Value negative = p.multiply(x, p.constant(-1));
  return p.divide(p.constant(1), p.add(p.constant(1), p.exp(negative)));
}

// x Phi(x) (Hendrycks & Gimpel 2016)
Value gelu(Primitives& p, Value x) {
  const Value phi = p.add(p.constant(1), p.erf(p.multiply(x, p.constant(std::numbers::sqrt2 / 2))));
  return p.multiply(p.multiply(x, p.constant(0.5)), phi);
}

Value gelu_tanh(Primitives& p, Value x) {
  const Value cubic = p.multiply(p.multiply(x, p.multiply(x, x)), p.constant(0.044715));
  const Value inner = p.multiply(p.add(x, cubic), p.constant(std::sqrt(2 / std::numbers::pi)));
  return p.multiply(p.multiply(x, p.constant(0.5)), p.add(p.constant(1), p.tanh(inner)));
}

}  // namespace

std::string_view name_of(Activation activation) {
  for (const Row& row : kRows) {
    if (row.activation == activation) return row.name;
  }
  return "none";
}

Activation activation_named(std::string_view name) {
  for (const Row& row : kRows) {
    if (row.name == name) return row.activation;
  }
  throw Error(ErrorKind::unsupported, "activation \"" + std::string(name) + "\" is not known");
}

Value apply(Primitives& p, Activation activation, Value x) {
  switch (activation) {
    case Activation::none: return x;
    case Activation::relu: return p.maximum(x, p.constant(0));
    case Activation::gelu: return gelu(p, x);
    case Activation::gelu_tanh: return gelu_tanh(p, x);
    case Activation::quick_gelu: return p.multiply(x, sigmoid(p, p.multiply(x, p.constant(1.702))));
    case Activation::silu: return p.multiply(x, sigmoid(p, x));
    case Activation::tanh: return p.tanh(x);
    case Activation::sigmoid: return sigmoid(p, x);
  }
  return x;
}

}  // namespace accelerate
