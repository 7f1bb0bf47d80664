#include "models/gguf_rope.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <optional>

namespace accelerate {
namespace {

constexpr std::string_view kDivisors = "rope_freqs.weight";
constexpr std::string_view kLong = "rope_factors_long.weight", kShort = "rope_factors_short.weight";

// Fields of rope.scaling and of rope_scaling; absent ones stay absent.
constexpr std::pair<std::string_view, std::string_view> kYarn[] = {
    {"rope.scaling.factor", "factor"},
    {"rope.scaling.original_context_length", "original_max_position_embeddings"},
    {"rope.scaling.attn_factor", "attention_factor"},
    {"rope.scaling.yarn_beta_fast", "beta_fast"},
    {"rope.scaling.yarn_beta_slow", "beta_slow"},
};

std::vector<double> values_of(const StoredTensor& tensor) {
  tensor.require_readable();
  const Tensor values = widened(tensor.encoding, tensor.dims, tensor.bytes, tensor.file);
  const std::span<const float> span = std::as_const(values).as<float>();
  return {span.begin(), span.end()};
}

Json list_of(const std::vector<double>& values) { return Json::Array(values.begin(), values.end()); }

// The scaling of Llama 3.1: frequencies are divided by `factor` where a turn is longer than original / low positions,
// left where it is shorter than original / high, and blended between.
struct Llama3 {
  double factor = 1, low = 1, high = 4, original = 8192;

  double divisor(double turn) const {
    if (turn < original / high) return 1;
    if (turn > original / low) return factor;
    const double share = (original / turn - low) / (high - low);
    return 1 / ((1 - share) / factor + share);
  }
};

// Positions that one turn takes, of each frequency.
std::vector<double> turns_of(std::size_t count, double theta) {
  std::vector<double> turns;
  for (std::size_t i = 0; i < count; ++i) {
    turns.push_back(2 * std::numbers::pi * std::pow(theta, static_cast<double>(i) / static_cast<double>(count)));
  }
  return turns;
}

// Between the ends the share is original / (high - low) / turn - low / (high - low): two divisors there give it. Only
// the ratios of original, low and high matter, so low is 1, as published. Where fewer say it, high is 4, as published,
// and where none does, any original will do that lies between the ends: a power of two, as published.
Llama3 fitted(const std::vector<double>& divisors, const std::vector<double>& turns) {
  Llama3 found{.factor = *std::ranges::max_element(divisors)};
  std::vector<std::pair<double, double>> between;  // 1 / turn, share
  double longest_whole = 1;                        // turn whose frequency is left
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    if (divisors[i] <= 1) longest_whole = std::max(longest_whole, turns[i]);
    if (divisors[i] <= 1 || divisors[i] >= found.factor) continue;
    between.emplace_back(1 / turns[i], (1 / divisors[i] - 1 / found.factor) / (1 - 1 / found.factor));
  }
  if (between.empty()) {
    found.original = std::exp2(std::ceil(std::log2(found.high * longest_whole)));
    return found;
  }
  const auto [first, first_share] = between.front();
  const auto [last, last_share] = between.back();
  if (between.size() == 1) {
    found.original = std::round((first_share * (found.high - found.low) + found.low) / first);
    return found;
  }
  const double slope = (last_share - first_share) / (last - first), start = slope * first - first_share;
  found.original = std::round(slope / start);
  found.high = std::round(1e3 * (1 + 1 / start)) / 1e3;
  return found;
}

Json llama3_of(const StoredTensor& tensor, double theta) {
  const std::vector<double> divisors = values_of(tensor);
  if (divisors.empty()) throw Error(ErrorKind::corrupted, "has no values", tensor.where());
  const std::vector<double> turns = turns_of(divisors.size(), theta);
  const Llama3 found = fitted(divisors, turns);
  if (!(found.original >= 1 && found.original <= static_cast<double>(Config::kLargestSize))) {
    throw Error(ErrorKind::corrupted, "has divisors that no llama3 scaling gives", tensor.where());
  }
  for (std::size_t i = 0; i < divisors.size(); ++i) {
    const double expected = found.divisor(turns[i]);
    if (std::abs(divisors[i] - expected) <= 1e-3 * expected) continue;
    throw Error(ErrorKind::corrupted,
                "has " + std::to_string(divisors[i]) + " at place " + std::to_string(i) + ", expected " +
                    std::to_string(expected) + ": these are no divisors of a llama3 scaling",
                tensor.where());
  }
  Json scaling;
  scaling.set("rope_type", "llama3").set("factor", found.factor);
  scaling.set("low_freq_factor", found.low).set("high_freq_factor", found.high);
  return scaling.set("original_max_position_embeddings", static_cast<std::int64_t>(found.original));
}

Json longrope_of(const StoredTensor& long_factors, const StoredTensor* short_factors, const Config& fields) {
  Json scaling;
  scaling.set("rope_type", "longrope").set("long_factor", list_of(values_of(long_factors)));
  if (short_factors != nullptr) scaling.set("short_factor", list_of(values_of(*short_factors)));
  if (const auto factor = fields.find<double>("rope.scaling.attn_factor")) scaling.set("attention_factor", *factor);
  return scaling;
}

}  // namespace

void add_rope_scaling(const GgufFile& file, const Config& fields, Json& config) {
  if (const StoredTensor* long_factors = file.find(kLong)) {
    config.set("rope_scaling", longrope_of(*long_factors, file.find(kShort), fields));
    const std::string_view original = "rope.scaling.original_context_length";
    if (fields.has(original)) config.set("original_max_position_embeddings", fields.size(original));
    return;
  }
  if (const StoredTensor* divisors = file.find(kDivisors)) {
    config.set("rope_scaling", llama3_of(*divisors, fields.number_or({"rope.freq_base"}, 10000, 1, 1e12)));
    return;
  }
  const auto type = fields.get<std::string>("rope.scaling.type", "none");
  if (type == "none") return;
  if (type != "linear" && type != "yarn") {
    fields.fail("rope.scaling.type", "is \"" + type + "\", expected none, linear or yarn", ErrorKind::unsupported);
  }
  Json scaling;
  scaling.set("rope_type", type);
  for (const auto& [key, name] : kYarn) {
    if (type == "linear" && name != "factor") continue;
    if (const Json* value = fields.json().find(key)) scaling.set(name, *value);
  }
  config.set("rope_scaling", std::move(scaling));
}

}  // namespace accelerate
