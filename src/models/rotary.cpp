#include "models/rotary.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace accelerate {
namespace {

constexpr double kMost = 1e12;  // of thetas, factors and the like

// The settings, wherever the config has them.
class Settings {
 public:
  Settings(const Config& c, std::string_view layers) : c_(c), own_(c.find_child("rope_parameters")) {
    if (own_ && !layers.empty() && own_->find_child(layers)) own_ = own_->find_child(layers);
    if (!own_) own_ = c.find_child("rope_scaling");
  }

  std::string kind() const {
    if (!own_) return "default";
    const auto name = own_->get<std::string>("rope_type", own_->get<std::string>("type", "default"));
    // What the first files of Phi-3 call it.
    return name == "su" || (name == "yarn" && has("long_factor")) ? "longrope" : name;
  }
  // Of its own object or, as older files have it, of the config itself, there also by the name that GPT-NeoX has.
  double number(std::string_view key, double fallback, double least, std::string_view older = {}) const {
    const double outer = c_.number_or({key, older.empty() ? key : older}, fallback, least, kMost);
    return own_ ? own_->number_or({key}, outer, least, kMost) : outer;
  }
  bool has(std::string_view key) const { return own_ && own_->has(key); }
  double require(std::string_view key, double least) const {
    if (!has(key)) source().fail(key, "is missing, which rope type \"" + kind() + "\" needs");
    return own_->number_or({key}, 0, least, kMost);
  }
  std::vector<double> list(std::string_view key, std::size_t size) const {
    auto values = source().require<std::vector<double>>(key);
    if (values.size() != size) {
      source().fail(key, "has " + std::to_string(values.size()) + " entries, expected " + std::to_string(size));
    }
    return values;
  }
  const Config& source() const { return own_ ? *own_ : c_; }
  double longest() const { return static_cast<double>(c_.size({"max_position_embeddings", "n_positions"})); }
  // That the model was trained on before its context was stretched.
  double trained() const { return number("original_max_position_embeddings", longest(), 1); }
  double factor() const { return has("factor") ? require("factor", 1e-6) : longest() / trained(); }

 private:
  const Config& c_;
  std::optional<Config> own_;
};

RotaryRule fixed(std::string name, std::int64_t rotary_dim, RotaryFrequencies frequencies) {
  return {.name = std::move(name),
          .rotary_dim = rotary_dim,
          .frequencies = [frequencies = std::move(frequencies)](std::int64_t) { return frequencies; }};
}

std::vector<float> linear(std::vector<float> values, double factor) {
  for (float& value : values) value /= static_cast<float>(factor);
  return values;
}

// The base grows with the text, once that is longer than the model was trained on.
RotaryRule dynamic(const Settings& s, std::string name, std::int64_t rotary_dim, double theta) {
  const double factor = s.require("factor", 1e-6), longest = s.longest();
  const auto dim = static_cast<double>(rotary_dim);
  const auto frequencies = [=](std::int64_t tokens) {
    const double length = std::max(static_cast<double>(tokens), longest);
    const double stretch = factor * length / longest - (factor - 1);
    return RotaryFrequencies{rotary_frequencies(rotary_dim, theta * std::pow(stretch, dim / (dim - 2)))};
  };
  return {.name = std::move(name), .rotary_dim = rotary_dim, .frequencies = frequencies, .by_length = true};
}

// High frequencies stay, low ones are stretched, those between by a ramp over their index.
RotaryFrequencies yarn(const Settings& s, std::int64_t rotary_dim, double theta) {
  const double factor = s.factor(), trained = s.trained();
  const auto dim = static_cast<double>(rotary_dim);
  const auto index_of = [&](double rotations) {
    return dim * std::log(trained / (rotations * 2 * std::numbers::pi)) / (2 * std::log(theta));
  };
  const bool whole = s.source().get("truncate", true);
  double low = index_of(s.number("beta_fast", 32, 1e-6)), high = index_of(s.number("beta_slow", 1, 1e-6));
  if (whole) low = std::floor(low), high = std::ceil(high);
  low = std::max(low, 0.0);
  high = std::min(high, dim - 1);
  if (low == high) high += 0.001;
  RotaryFrequencies result{rotary_frequencies(rotary_dim, theta)};
  for (std::size_t i = 0; i < result.values.size(); ++i) {
    const auto place = static_cast<float>((static_cast<double>(i) - low) / (high - low));
    const float stretched = std::clamp(place, 0.0F, 1.0F);
    const float value = result.values[i];
    result.values[i] = value / static_cast<float>(factor) * stretched + value * (1 - stretched);
  }
  const auto magnitude = [&](double scale) { return factor <= 1 ? 1 : 0.1 * scale * std::log(factor) + 1; };
  const double all = s.number("mscale_all_dim", 0, 0), some = s.number("mscale", 0, 0);
  const double usual = all != 0 && some != 0 ? magnitude(some) / magnitude(all) : magnitude(1);
  result.magnitude = static_cast<float>(s.number("attention_factor", usual, 0));
  return result;
}

std::vector<float> llama3(const Settings& s, std::vector<float> values) {
  const double factor = s.require("factor", 1e-6), trained = s.trained();
  const double low = s.require("low_freq_factor", 1e-6), high = s.require("high_freq_factor", 1e-6);
  for (float& value : values) {
    const double rotations = trained * static_cast<double>(value) / (2 * std::numbers::pi);
    // 1: high frequencies stay; 0: low ones are stretched.
    const double kept = std::clamp((rotations - low) / (high - low), 0.0, 1.0);
    value = static_cast<float>((1 - kept) * static_cast<double>(value) / factor + kept * static_cast<double>(value));
  }
  return values;
}

// A factor for each frequency: one list for texts as long as the model was trained on, one for longer ones.
RotaryRule longrope(const Settings& s, std::string name, std::int64_t rotary_dim, double theta) {
  const auto half = static_cast<std::size_t>(rotary_dim / 2);
  const double factor = s.factor(), trained = s.trained();
  const double usual = factor <= 1 ? 1 : std::sqrt(1 + std::log(factor) / std::log(trained));
  const auto magnitude = static_cast<float>(s.number("attention_factor", usual, 0));
  const auto divided = [&](const std::vector<double>& factors) {
    RotaryFrequencies result{rotary_frequencies(rotary_dim, theta), magnitude};
    for (std::size_t i = 0; i < half; ++i) result.values[i] /= static_cast<float>(factors[i]);
    return result;
  };
  const auto frequencies = [brief = divided(s.list("short_factor", half)),
                            prolonged = divided(s.list("long_factor", half)), trained](std::int64_t tokens) {
    return static_cast<double>(tokens) > trained ? prolonged : brief;
  };
  return {.name = std::move(name),
          .rotary_dim = rotary_dim,
          .frequencies = frequencies,
          .by_length = true,
          .limit = static_cast<std::int64_t>(trained)};
}

}  // namespace

RotaryRule rotary_rule(const Config& c, std::int64_t head_dim, const RotaryDefaults& defaults) {
  return rotary_rule(c, head_dim, "", defaults);
}

RotaryRule rotary_rule(const Config& c, std::int64_t head_dim, std::string_view layers,
                       const RotaryDefaults& defaults) {
  const Settings s(c, layers);
  const double theta = s.number("rope_theta", defaults.theta, 1, "rotary_emb_base");
  const double part = s.number("partial_rotary_factor", defaults.part, 0, "rotary_pct");
  const auto rotary_dim = static_cast<std::int64_t>(static_cast<double>(head_dim) * std::min(part, 1.0)) / 2 * 2;
  const std::string kind = s.kind();
  RotaryRule plain = rotary_rule(rotary_dim, theta);
  if (kind == "default") return plain;
  std::string name = kind + " " + plain.name;
  if (!layers.empty()) name += " " + std::string(layers);
  std::vector<float> values = rotary_frequencies(rotary_dim, theta);
  if (kind == "linear") return fixed(name, rotary_dim, {linear(std::move(values), s.require("factor", 1e-6))});
  if (kind == "dynamic") return dynamic(s, name, rotary_dim, theta);
  if (kind == "yarn") return fixed(name, rotary_dim, yarn(s, rotary_dim, theta));
  if (kind == "llama3") return fixed(name, rotary_dim, {llama3(s, std::move(values))});
  if (kind == "longrope") return longrope(s, name, rotary_dim, theta);
  s.source().fail(s.has("rope_type") ? "rope_type" : "type", "is \"" + kind + "\", which is not supported",
                  ErrorKind::unsupported);
}

}  // namespace accelerate
