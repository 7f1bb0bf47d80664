#include "runtime/scores.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace accelerate::runtime {
namespace {

constexpr std::pair<std::string_view, ScoreFunction> kFunctions[] = {{"softmax", ScoreFunction::softmax},
                                                                     {"sigmoid", ScoreFunction::sigmoid},
                                                                     {"tanh", ScoreFunction::tanh},
                                                                     {"none", ScoreFunction::none}};

std::optional<std::string> activation_path(const Config& config, const std::optional<Config>& sentence_transformers) {
  if (const std::optional<Config> own = config.find_child("sentence_transformers")) {
    if (const auto path = own->find<std::string>("activation_fn")) return path;
  }
  if (const auto path = config.find<std::string>("sbert_ce_default_activation_function")) return path;
  if (sentence_transformers) return sentence_transformers->find<std::string>("activation_fn");
  return std::nullopt;
}

ScoreFunction activation_at(const std::string& path, const Config& config) {
  const std::string name = path.substr(path.rfind('.') + 1);
  if (name == "Identity") return ScoreFunction::none;
  if (name == "Sigmoid") return ScoreFunction::sigmoid;
  if (name == "Tanh") return ScoreFunction::tanh;
  throw Error(ErrorKind::unsupported,
              "activation function \"" + path + "\" is not known, expected Identity, Sigmoid or Tanh", config.where());
}

std::vector<double> softmax(std::span<const float> logits) {
  std::vector<double> scores(logits.begin(), logits.end());
  if (scores.empty()) return scores;
  const double most = *std::ranges::max_element(scores);
  double sum = 0;
  for (double& score : scores) sum += score = std::exp(score - most);
  for (double& score : scores) score /= sum;
  return scores;
}

}  // namespace

ScoreFunction score_function_named(std::string_view name) {
  std::string known;
  for (const auto& [text, function] : kFunctions) {
    if (text == name) return function;
    known += (known.empty() ? "" : ", ") + std::string(text);
  }
  throw Error(ErrorKind::invalid_input, "no activation \"" + std::string(name) + "\"; there are " + known);
}

ScoreFunction score_function_of(const Config& config, const std::optional<Config>& sentence_transformers,
                                std::size_t labels) {
  if (const auto path = activation_path(config, sentence_transformers)) return activation_at(*path, config);
  const auto problem = config.get<std::string>("problem_type", "");
  if (problem == "regression") return ScoreFunction::none;
  if (problem == "multi_label_classification" || labels == 1) return ScoreFunction::sigmoid;
  return ScoreFunction::softmax;
}

void check_finite(std::span<const float> values, std::string_view what) {
  // One sum instead of a test each: it is finite only where all are, but for overflow of f32, which f64 does not know.
  double sum = 0;
  for (const float value : values) sum += value;
  if (std::isfinite(sum)) return;
  throw Error(ErrorKind::corrupted, "the model gives numbers that are not finite; its weights may be damaged",
              std::string(what));
}

std::vector<double> scores_of(std::span<const float> logits, ScoreFunction function) {
  check_finite(logits, "logits");
  if (function == ScoreFunction::softmax) return softmax(logits);
  std::vector<double> scores(logits.begin(), logits.end());
  for (double& score : scores) {
    if (function == ScoreFunction::sigmoid) score = 1 / (1 + std::exp(-score));
    if (function == ScoreFunction::tanh) score = std::tanh(score);
  }
  return scores;
}

std::vector<std::size_t> best(std::span<const double> values, std::size_t count) {
  std::vector<std::size_t> order(values.size());
  std::iota(order.begin(), order.end(), std::size_t{0});
  count = std::min(count, order.size());
  const auto before = [&](std::size_t a, std::size_t b) {
    // NaN comes last: without a place for it the order would be none.
    const bool no_a = std::isnan(values[a]), no_b = std::isnan(values[b]);
    if (no_a != no_b) return no_b;
    return values[a] > values[b] || (!(values[a] < values[b]) && a < b);
  };
  std::partial_sort(order.begin(), order.begin() + static_cast<std::ptrdiff_t>(count), order.end(), before);
  order.resize(count);
  return order;
}

}  // namespace accelerate::runtime
