#include <array>

#include "text/tokenizer_state.hpp"

namespace accelerate::text {
namespace {

// A token in tokenizer_config.json or special_tokens_map.json: its text, or an object with "content".
std::optional<std::string> token_in(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  if (value == nullptr) return std::nullopt;
  if (value->is_object()) value = value->find("content");
  if (value == nullptr || !value->is_string()) return std::nullopt;
  return value->as_string();
}

struct Role {
  std::string_view key;
  std::optional<std::int32_t> SpecialTokens::*member;
  std::array<std::string_view, 3> usual;  // spellings looked for where no file says
};

constexpr std::array<Role, 7> kRoles = {
    {{"cls_token", &SpecialTokens::cls, {"[CLS]", "", ""}},
     {"sep_token", &SpecialTokens::sep, {"[SEP]", "", ""}},
     {"pad_token", &SpecialTokens::pad, {"[PAD]", "<pad>", ""}},
     {"mask_token", &SpecialTokens::mask, {"[MASK]", "<mask>", ""}},
     {"unk_token", &SpecialTokens::unk, {"[UNK]", "<unk>", ""}},
     {"bos_token", &SpecialTokens::bos, {"<s>", "<|begin_of_text|>", ""}},
     {"eos_token", &SpecialTokens::eos, {"</s>", "<|endoftext|>", "<|end_of_text|>"}}}};

Side side_in(const Json& config, std::string_view key) {
  const Json* side = config.find(key);
  return side != nullptr && side->is_string() && side->as_string() == "left" ? Side::left : Side::right;
}

}  // namespace

void Tokenizer::State::read_settings(const Json& config, const Json& special_tokens_map) {
  const auto id_of = [&](std::string_view token) -> std::optional<std::int32_t> {
    std::int32_t id = added.id_of(token);
    if (id < 0) id = parts.model->vocabulary().find(token);
    return id < 0 ? std::nullopt : std::optional(id);
  };
  for (const Role& role : kRoles) {
    auto token = token_in(config, role.key);
    if (!token) token = token_in(special_tokens_map, role.key);
    if (token) {
      settings.special.*role.member = id_of(*token);
      continue;
    }
    // A file that names roles and leaves this one out means that there is none.
    const bool silent = config.is_object() && config.find(role.key) != nullptr;
    for (const std::string_view usual : role.usual) {
      if (silent || usual.empty() || added.id_of(usual) < 0 || settings.special.*role.member) continue;
      settings.special.*role.member = id_of(usual);
    }
  }
  if (!settings.special.unk) {
    if (const auto unknown = parts.model->unknown_token()) settings.special.unk = id_of(*unknown);
  }
  constexpr double kInfinite = 1e15;  // Transformers writes 1e30 for "no limit"
  const Json* longest = config.find("model_max_length");
  if (longest != nullptr && longest->is_number() && longest->as_double() > 0 && longest->as_double() < kInfinite) {
    settings.model_max_length = static_cast<std::size_t>(longest->as_double());
  }
  settings.padding_side = side_in(config, "padding_side");
  settings.truncation_side = side_in(config, "truncation_side");
  const Json* pad_type = config.find("pad_token_type_id");
  if (pad_type != nullptr && pad_type->is_int()) settings.pad_type_id = static_cast<std::int32_t>(pad_type->as_int());
  if (const Json* names = config.find("model_input_names"); names != nullptr && names->is_array()) {
    for (const Json& name : names->items()) settings.input_names.push_back(name.as_string());
  }
}

}  // namespace accelerate::text
