// The oracle: evaluates the primitives of a graph one by one, in f64, as plainly as can be.
#pragma once

#include "graph/feeds.hpp"
#include "graph/weights.hpp"

namespace accelerate {

// f32 rounds the result of every primitive (and every partial sum) to f32: what plain evaluation in that precision
// loses. The difference to f64 is what tolerances are derived from.
enum class Rounding { f64, f32 };

// Outputs as f64, with the rows that the run adds to states (rows_added_to). What states hold is fed under their names,
// [past.rows, n]. Slow, and holds every value: for small shapes.
Outputs interpret(const Graph& graph, const Weights& weights, const Feeds& feeds, Rounding rounding = Rounding::f64);

}  // namespace accelerate
