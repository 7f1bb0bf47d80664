#include "graph/rotary.hpp"

#include <cmath>

namespace accelerate {

std::vector<float> rotary_frequencies(std::int64_t rotary_dim, double theta) {
  std::vector<float> values;
  for (std::int64_t i = 0; i < rotary_dim; i += 2) {
    const float exponent = static_cast<float>(i) / static_cast<float>(rotary_dim);
    values.push_back(1.0F / std::pow(static_cast<float>(theta), exponent));
  }
  return values;
}

RotaryRule rotary_rule(std::int64_t rotary_dim, double theta) {
  return {.name = "theta=" + std::to_string(theta), .rotary_dim = rotary_dim, .frequencies = [=](std::int64_t) {
            return RotaryFrequencies{rotary_frequencies(rotary_dim, theta)};
          }};
}

}  // namespace accelerate
