// Logits as probabilities, and the best of them.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "checkpoint/config.hpp"

namespace accelerate::runtime {

// What turns logits into scores.
enum class ScoreFunction { softmax, sigmoid, tanh, none };
// "softmax", "sigmoid", "tanh", "none"; Error{invalid_input} listing them.
ScoreFunction score_function_named(std::string_view name);
// What a folder asks for: the activation function of a cross-encoder (sentence_transformers.activation_fn or its older
// name in config.json, activation_fn in config_sentence_transformers.json), else as Transformers' text-classification
// pipeline decides by problem_type and the number of labels. Error{unsupported} on an activation that is not known.
ScoreFunction score_function_of(const Config& config, const std::optional<Config>& sentence_transformers,
                                std::size_t labels);

// Error{corrupted} unless all are finite: what a model with damaged weights gives. `what` names them ("logits").
void check_finite(std::span<const float> values, std::string_view what);

// In f64. Error{corrupted} where a logit is not finite.
std::vector<double> scores_of(std::span<const float> logits, ScoreFunction function);
// Indices of the `count` largest values, the largest first; equal ones in order, NaN last. At most values.size().
std::vector<std::size_t> best(std::span<const double> values, std::size_t count);

}  // namespace accelerate::runtime
