#include "text/tokenizer_state.hpp"

namespace accelerate::text {
namespace {

template <typename F>
auto read_member(const Json& json, std::string_view key, F&& read) {
  static const Json kNull;
  const Json* member = json.find(key);
  try {
    return read(member == nullptr ? kNull : *member);
  } catch (const Error& error) {
    throw error.within(key);
  }
}

std::size_t count_at(const Json& json, std::string_view key) {
  const std::int64_t value = json.at(key).as_int();
  if (value < 0) throw Error(ErrorKind::corrupted, "found " + std::to_string(value), std::string(key));
  return static_cast<std::size_t>(value);
}

Side side_at(const Json& json) {
  const Json* side = json.find("direction");
  if (side == nullptr) return Side::right;
  const std::string& name = side->as_string();
  if (name != "Left" && name != "Right") {
    throw Error(ErrorKind::corrupted, "found \"" + name + "\", expected Left or Right", "direction");
  }
  return name == "Left" ? Side::left : Side::right;
}

std::optional<Truncation> read_truncation(const Json& json) {
  if (json.is_null()) return std::nullopt;
  Truncation truncation;
  truncation.max_length = count_at(json, "max_length");
  truncation.stride = count_at(json, "stride");
  truncation.side = side_at(json);
  const std::string& strategy = json.at("strategy").as_string();
  if (strategy == "LongestFirst") {
    truncation.strategy = TruncationStrategy::longest_first;
  } else if (strategy == "OnlyFirst") {
    truncation.strategy = TruncationStrategy::only_first;
  } else if (strategy == "OnlySecond") {
    truncation.strategy = TruncationStrategy::only_second;
  } else {
    throw Error(ErrorKind::corrupted, "unknown strategy \"" + strategy + "\"", "strategy");
  }
  return truncation;
}

std::optional<Padding> read_padding(const Json& json) {
  if (json.is_null()) return std::nullopt;
  constexpr std::size_t kMost = 1U << 24;  // tokens; beyond it only memory would run out
  Padding padding;
  const Json& strategy = json.at("strategy");
  if (strategy.is_object()) {
    padding.fixed = count_at(strategy, "Fixed");
  } else if (strategy.as_string() != "BatchLongest") {
    throw Error(ErrorKind::corrupted, "unknown strategy \"" + strategy.as_string() + "\"", "strategy");
  }
  const Json* multiple = json.find("pad_to_multiple_of");
  if (multiple != nullptr && !multiple->is_null()) padding.multiple_of = count_at(json, "pad_to_multiple_of");
  if (padding.fixed.value_or(0) > kMost || padding.multiple_of.value_or(0) > kMost) {
    throw Error(ErrorKind::corrupted, "padding to more than " + std::to_string(kMost) + " tokens");
  }
  padding.side = side_at(json);
  padding.id = static_cast<std::int32_t>(count_at(json, "pad_id"));
  padding.type_id = static_cast<std::int32_t>(count_at(json, "pad_type_id"));
  padding.token = json.at("pad_token").as_string();
  return padding;
}

}  // namespace

Parts read_parts(const Json& json) {
  if (const Json* version = json.find("version"); version != nullptr && version->as_string() != "1.0") {
    throw Error(ErrorKind::unsupported, "version \"" + version->as_string() + "\", only 1.0 is known", "version");
  }
  Parts parts;
  parts.normalizer = read_member(json, "normalizer", Normalizer::make);
  parts.pre_tokenizer = read_member(json, "pre_tokenizer", PreTokenizer::make);
  parts.model = read_member(json, "model", make_model);
  parts.post_processor = read_member(json, "post_processor", PostProcessor::make);
  parts.decoder = read_member(json, "decoder", Decoder::make);
  if (json.find("added_tokens") != nullptr) {
    parts.added_tokens = read_member(json, "added_tokens", read_added_tokens);
  }
  parts.truncation = read_member(json, "truncation", read_truncation);
  parts.padding = read_member(json, "padding", read_padding);
  return parts;
}

}  // namespace accelerate::text
