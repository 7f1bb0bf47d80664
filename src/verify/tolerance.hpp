// How far a result may be from the reference: one table, the same for every model and backend.
#pragma once

#include <string>

namespace accelerate::verify {

// A bound on each number, |found - expected| <= absolute + relative * |expected|; or, where l2 is given, one on the
// whole tensor, ||found - expected|| <= l2 * ||expected||.
struct Tolerance {
  double absolute = 0, relative = 0, l2 = 0;
  // "5e-05 + 1e-04 of the value" or "1e-05 of the norm"
  std::string to_string() const;
};

enum class Quantity {
  tensor,   // hidden states, logits, embeddings
  steps,    // logits and scores while texts are generated: Transformers' own are up to 1e-4 from its float64 runs
  score,    // probabilities after softmax or sigmoid, cosines, norms
  rounded,  // numbers of `expected` that are a tensor's, written with seven digits
};

// What the weights are. Small random ones amplify rounding (float64 runs of the same weights differ from float32 by up
// to 1.4e-5), so that each number gets a bound; trained ones do not, and the error of a tensor is the stricter measure.
enum class WeightKind { random, trained };

// For f32, which is all there is to compare with so far.
Tolerance tolerance_of(Quantity quantity, WeightKind weights);

}  // namespace accelerate::verify
