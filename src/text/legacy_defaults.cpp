#include "text/legacy_defaults.hpp"

#include <array>
#include <string>

#include "text/legacy_folder.hpp"

namespace accelerate::text {
namespace {

struct ClassDefaults {
  std::string_view tokenizer_class;
  std::string_view begin, end, padding, unknown, mask;
  bool marks_text = true;  // begin and end are bos_token and eos_token too
};

constexpr std::array<ClassDefaults, 7> kClasses = {{
    {"BertTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"DistilBertTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"ElectraTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"RobertaTokenizer", "<s>", "</s>", "<pad>", "<unk>", "<mask>"},
    {"XLMRobertaTokenizer", "<s>", "</s>", "<pad>", "<unk>", "<mask>"},
    {"MPNetTokenizer", "<s>", "</s>", "<pad>", "[UNK]", "<mask>"},
    {"AlbertTokenizer", "[CLS]", "[SEP]", "<pad>", "<unk>", "[MASK]"},
}};

std::string text_at(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

// "RobertaTokenizerFast" is RobertaTokenizer.
const ClassDefaults* defaults_of(std::string_view name) {
  for (const ClassDefaults& each : kClasses) {
    if (name.starts_with(each.tokenizer_class)) return &each;
  }
  return nullptr;
}

}  // namespace

LegacySettings with_class_defaults(std::string_view default_class, Json config, Json specials) {
  LegacySettings settings{std::move(config), std::move(specials)};
  const std::string named = text_at(settings.config, "tokenizer_class");
  const ClassDefaults* defaults = defaults_of(named.empty() ? default_class : named);
  if (defaults == nullptr) return settings;
  for (Json* each : {&settings.config, &settings.specials}) {
    if (!each->is_object()) *each = Json::object();
  }
  settings.config.set("tokenizer_class", std::string(defaults->tokenizer_class));
  const auto fill = [&](std::string_view role, std::string_view token) {
    if (settings.config.find(role) != nullptr || settings.specials.find(role) != nullptr) return;
    Json entry = object({{"content", std::string(token)}, {"special", true}});
    if (role == "mask_token") entry.set("lstrip", defaults->marks_text);
    settings.specials.set(std::string(role), std::move(entry));
  };
  if (defaults->marks_text) {
    fill("bos_token", defaults->begin);
    fill("eos_token", defaults->end);
  }
  fill("cls_token", defaults->begin);
  fill("sep_token", defaults->end);
  fill("pad_token", defaults->padding);
  fill("unk_token", defaults->unknown);
  fill("mask_token", defaults->mask);
  return settings;
}

}  // namespace accelerate::text
