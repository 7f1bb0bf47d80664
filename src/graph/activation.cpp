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
    {"gelu_python_tanh", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_accurate", Activation::gelu_tanh},
    {"quick_gelu", Activation::quick_gelu},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid},
    {"relu2", Activation::relu_squared},
    {"relu6", Activation::relu6},
    {"leaky_relu", Activation::leaky_relu},
    {"gelu_10", Activation::gelu_10},
    {"hardswish", Activation::hard_swish},
    {"mish", Activation::mish},
    {"laplace", Activation::laplace},
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

Value clamp(Primitives& p, Value x, double least, double most) {
  return p.minimum(p.maximum(x, p.constant(least)), p.constant(most));
}

// x tanh(log(1 + e^x)) (Misra 2019). Above 20 the logarithm is x.
Value mish(Primitives& p, Value x) {
  const Value softplus = p.log(p.add(p.constant(1), p.exp(p.minimum(x, p.constant(20)))));
  return p.multiply(x, p.tanh(p.select(p.less(x, p.constant(20)), softplus, x)));
}

// Phi((x - mu) / sigma) with the constants rounded as they were published (Ma et al. 2022).
Value laplace(Primitives& p, Value x) {
  const Value scale = p.constant(1 / (0.282095 * std::numbers::sqrt2));
  const Value phi = p.erf(p.multiply(p.subtract(x, p.constant(0.707107)), scale));
  return p.multiply(p.constant(0.5), p.add(p.constant(1), phi));
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
  std::string known;
  for (const Row& row : kRows) known += (known.empty() ? "" : ", ") + std::string(row.name);
  throw Error(ErrorKind::unsupported, "activation \"" + std::string(name) + "\" is not known; there are " + known);
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
    case Activation::relu_squared: {
      const Value positive = p.maximum(x, p.constant(0));
      return p.multiply(positive, positive);
    }
    case Activation::relu6: return clamp(p, x, 0, 6);
    case Activation::leaky_relu: return p.maximum(x, p.multiply(x, p.constant(0.01)));
    case Activation::gelu_10: return clamp(p, gelu(p, x), -10, 10);
    case Activation::hard_swish: {
      const Value gate = clamp(p, p.add(x, p.constant(3)), 0, 6);
      return p.multiply(x, p.divide(gate, p.constant(6)));
    }
    case Activation::mish: return mish(p, x);
    case Activation::laplace: return laplace(p, x);
  }
  return x;
}

}  // namespace accelerate
