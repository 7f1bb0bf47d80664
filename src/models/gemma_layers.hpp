// What the generations of Gemma share.
#pragma once

#include "models/llama_layers.hpp"

namespace accelerate {

// Scaled embeddings, norms around one, a gate of tanh GELU.
LlamaLayers gemma_layers(const Config& c);
// Of the second and third also: four norms a layer, and the scale of their scores.
LlamaLayers later_gemma_layers(const Config& c);

// A cap of softcap(): `fallback` where the config does not say, 0 where it says null.
double cap_of(const Config& c, std::string_view key, double fallback);

}  // namespace accelerate
