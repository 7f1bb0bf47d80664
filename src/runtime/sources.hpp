// What the encoder of an encoder-decoder gives of texts, once each, for all tokens that follow.
#pragma once

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "decoding/settings.hpp"
#include "runtime/loaded_model.hpp"
#include "runtime/packing.hpp"
#include "runtime/sequences.hpp"

namespace accelerate::runtime {

// Whether the model's "decode" graph looks at what an encoder read.
bool has_encoder(const LoadedModel& model);

// The encoder as far as the decoder looks at it: its outputs are what "decode" takes of the source.
std::shared_ptr<CompiledGraph> source_encoder(const LoadedModel& model);

// What every text of an encoder-decoder begins with. Error{unsupported} where the settings do not say.
std::int32_t start_token(const decoding::GenerationSettings& settings);

// Texts for an encoder, as for_each_batch() takes them.
std::vector<Item> source_items(std::span<const std::vector<std::int32_t>> texts);

// Of each text, in their order. `run` runs `encoder`; its errors go through.
std::vector<std::shared_ptr<const Source>> read_sources(const CompiledGraph& encoder,
                                                        std::span<const std::vector<std::int32_t>> texts,
                                                        const std::function<Outputs(Feeds)>& run);

}  // namespace accelerate::runtime
