// The graph that a device must get right before it counts as available.
#pragma once

#include <string>

#include "accelerate/devices.hpp"
#include "backends/backend.hpp"

namespace accelerate::hardware {

// What a whole model is held to in f32, too: the norm of the difference over the norm of what is right.
inline constexpr double kMostRelativeError = 1e-5;

// Compiles a small transformer (lookup, products, attention, norms, pooling over two texts of different lengths) in f32
// for `device` (CompileOptions::device), runs it and compares its outputs with the f64 interpreter: the largest
// relative error, infinite where a number is not finite. Errors of compile() and run().
double small_graph_error(const Backend& backend, const std::string& device);

// `report` with the state that running the small graph gives it.
DeviceReport judged(DeviceReport report, const Backend& backend, const std::string& device);

}  // namespace accelerate::hardware
