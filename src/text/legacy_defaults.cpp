#include "text/legacy_defaults.hpp"

#include <array>
#include <string>

#include "core/file.hpp"
#include "text/legacy_folder.hpp"

namespace accelerate::text {
namespace {

struct ClassDefaults {
  std::string_view model_type, tokenizer_class;
  std::string_view begin, end, padding, unknown, mask;
  bool marks_text = true;  // begin and end are bos_token and eos_token too
};

constexpr std::array<ClassDefaults, 8> kClasses = {{
    {"bert", "BertTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"distilbert", "DistilBertTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"electra", "ElectraTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"nomic_bert", "BertTokenizer", "[CLS]", "[SEP]", "[PAD]", "[UNK]", "[MASK]", false},
    {"roberta", "RobertaTokenizer", "<s>", "</s>", "<pad>", "<unk>", "<mask>"},
    {"xlm-roberta", "XLMRobertaTokenizer", "<s>", "</s>", "<pad>", "<unk>", "<mask>"},
    {"mpnet", "MPNetTokenizer", "<s>", "</s>", "<pad>", "[UNK]", "<mask>"},
    {"albert", "AlbertTokenizer", "[CLS]", "[SEP]", "<pad>", "<unk>", "[MASK]"},
}};

std::string text_at(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && value->is_string() ? value->as_string() : std::string();
}

std::string model_type_of(const std::filesystem::path& folder) {
  const std::filesystem::path path = folder / "config.json";
  return is_file(path) ? text_at(Json::parse(read_file(path), "config.json"), "model_type") : std::string();
}

// "RobertaTokenizerFast" is RobertaTokenizer.
const ClassDefaults* defaults_of(const std::filesystem::path& folder, const Json& config) {
  const std::string named = text_at(config, "tokenizer_class");
  const std::string model_type = named.empty() ? model_type_of(folder) : std::string();
  for (const ClassDefaults& each : kClasses) {
    if (named.empty() ? each.model_type == model_type : named.starts_with(each.tokenizer_class)) return &each;
  }
  return nullptr;
}

}  // namespace

LegacySettings with_class_defaults(const std::filesystem::path& folder, Json config, Json specials) {
  LegacySettings settings{std::move(config), std::move(specials)};
  const ClassDefaults* defaults = defaults_of(folder, settings.config);
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
