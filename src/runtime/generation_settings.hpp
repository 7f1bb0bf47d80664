// What a call asks for over what the folder says.
#pragma once

#include "accelerate/generation.hpp"
#include "decoding/settings.hpp"
#include "runtime/text_processor.hpp"

namespace accelerate::runtime {

// Error{invalid_input} naming the option, and errors of decoding::settings_of.
decoding::GenerationSettings generation_settings(const Checkpoint& checkpoint, const TextProcessor& processor,
                                                 const GenerateOptions& options);

}  // namespace accelerate::runtime
