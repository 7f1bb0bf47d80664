// Which precision a model is computed in: what was asked, and what records of this machine say about it.
#pragma once

#include <map>
#include <string>

#include "accelerate/accelerate.hpp"
#include "backends/place.hpp"

namespace accelerate::runtime {

struct PrecisionChoice {
  Precision precision = Precision::f32;
  std::map<std::string, Precision> layers;  // those in another precision, by path
  std::string reason;                       // what records decided, for people; empty: nothing
};

// As OpenOptions say, without records. Error{invalid_input} naming a precision that there is none of.
PrecisionChoice precision_as_asked(std::string_view precision,
                                   const std::map<std::string, std::string>& layer_precisions);

// The same, asking the records where options.precision is "auto", or lower than f32 with no layer named. Of `info` the
// folder, the type and the number of parameters count. "auto" is the fastest precision whose newest Agreement for this
// content, device and level is of trained weights and within its bound: by the measurements of this machine that were
// taken under equal conditions, else in the order of Backend::precisions(). Layers that a LayerChoice keeps are kept.
// Weights are hashed only where there are records of a model of the same type and size. Records that cannot be read
// decide nothing, and the reason says so.
PrecisionChoice choose_precision(const ModelInfo& info, const Place& place, const OpenOptions& options);

}  // namespace accelerate::runtime
