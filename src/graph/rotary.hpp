// Which frequencies rotary positions turn heads by (Su et al. 2021).
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

namespace accelerate {

struct RotaryFrequencies {
  std::vector<float> values;  // [rotary_dim / 2], radians a position
  float magnitude = 1;        // what cosines and sines are multiplied with
};

struct RotaryRule {
  std::string name;  // tables of rules of the same name are shared
  std::int64_t rotary_dim = 0;
  // For a run whose longest item has so many tokens, its past included.
  std::function<RotaryFrequencies(std::int64_t tokens)> frequencies;
  bool by_length = false;  // whether that makes a difference
  std::int64_t limit = 0;  // runs of more tokens have other frequencies than those up to here; 0: all have the same
};

// theta^(-2i / rotary_dim), computed in f32 as Transformers does.
std::vector<float> rotary_frequencies(std::int64_t rotary_dim, double theta);
RotaryRule rotary_rule(std::int64_t rotary_dim, double theta);

}  // namespace accelerate
