// The parameters of a norm, which is a step of its own, comes behind a lookup or runs in front of a product.
#pragma once

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {

class NormWeights {
 public:
  NormWeights() = default;  // no norm
  // `node`: a layer_norm or rms_norm.
  NormWeights(const Context& c, const Node& node);
  WeightBytes bytes() const;
  void prepare(const Weights& weights);
  bool absent() const { return norm_.kind == Norm::Kind::none; }
  // Once prepared.
  Norm norm() const;

 private:
  VectorWeight weight_, bias_;
  Norm norm_;
};

}  // namespace accelerate::cpu
