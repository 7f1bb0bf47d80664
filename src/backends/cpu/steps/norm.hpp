// The parameters of a norm, which is a step of its own or runs in front of a product.
#pragma once

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {

class NormWeights {
 public:
  NormWeights() = default;  // no norm
  // `norm`: a layer_norm or rms_norm.
  NormWeights(const Context& c, const Node& norm);
  WeightBytes bytes() const;
  void prepare(const Weights& weights);
  bool absent() const { return prologue_.norm == Prologue::Norm::none; }
  // Once prepared.
  Prologue prologue() const;

 private:
  VectorWeight weight_, bias_;
  Prologue prologue_;
};

}  // namespace accelerate::cpu
