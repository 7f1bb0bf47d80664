// What commands that generate text share: their options as the library's, answers as JSON, and figures about them.
#pragma once

#include <optional>

#include "accelerate/accelerate.hpp"
#include "cli/commands.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

// Throws UsageError on options that contradict one another.
GenerateOptions generate_options(const GenerationOptions& given, std::optional<std::int64_t> top_k);

// How a model is opened that computes as `execution` says.
OpenOptions open_options(const ExecutionOptions& execution);

// The model that guesses tokens, where one is named; on the same devices as the other.
std::optional<Model> draft_model(const GenerationOptions& given, const ExecutionOptions& execution);

// How fast the texts came, and what keys and values take, for people.
std::string text_of(const GenerationTimes& times);

// The prompt for the chat in a file; "-" is stdin. Errors name the file.
std::string chat_text(const std::string& model, const std::string& file, const ChatForm& form = {});

}  // namespace accelerate::cli
