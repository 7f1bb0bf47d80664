// What a checkpoint says of itself, whether or not its architecture is known.
#pragma once

#include "accelerate/accelerate.hpp"
#include "checkpoint/checkpoint.hpp"

namespace accelerate::runtime {

// Of ModelInfo: where it lies, its types, the class that its config names, the bytes of its weights, and the sizes that
// the config gives under one of their usual names (0 where it does not). Error{corrupted} on a size that makes no
// sense.
ModelInfo facts_of(const Checkpoint& checkpoint);

}  // namespace accelerate::runtime
