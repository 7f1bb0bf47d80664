// Where a model folder keeps its chat templates and special tokens.
#include <algorithm>
#include <array>

#include "core/file.hpp"
#include "text/chat_template.hpp"

namespace accelerate::text {
namespace {

constexpr std::array<std::string_view, 7> kSpecialTokens = {"bos_token", "eos_token", "unk_token", "sep_token",
                                                            "pad_token", "cls_token", "mask_token"};

Json json_of(const std::filesystem::path& path) {
  return std::filesystem::exists(path) ? Json::parse(read_file(path), path.filename().string()) : Json();
}

// A token's text, whether it stands alone or as the "content" of an object; null where there is none.
Json token_text(const Json* token) {
  if (token != nullptr && token->is_object()) token = token->find("content");
  return token != nullptr && token->is_string() ? *token : Json();
}

Json tokens_in(const Json& config, const Json& map) {
  // As Transformers reads them: the older file counts where the newer one does not list the added tokens.
  const bool reads_map = config.find("added_tokens_decoder") == nullptr;
  Json tokens = Json::object();
  for (const std::string_view name : kSpecialTokens) {
    const Json* mapped = reads_map ? map.find(name) : nullptr;
    Json text = token_text(mapped != nullptr ? mapped : config.find(name));
    if (!text.is_null()) tokens.set(name, std::move(text));
  }
  return tokens;
}

jinja::Template parsed(const std::string& source, const std::string& name) {
  return jinja::Template::parse(source, name);
}

// chat_template.jinja and additional_chat_templates/NAME.jinja, in the order of their names.
ChatTemplate::Named template_files(const std::filesystem::path& folder) {
  ChatTemplate::Named found;
  const std::filesystem::path one = folder / "chat_template.jinja", more = folder / "additional_chat_templates";
  if (std::filesystem::exists(one)) found.emplace_back("default", parsed(read_file(one), "chat_template.jinja"));
  if (!std::filesystem::is_directory(more)) return found;
  std::vector<std::filesystem::path> files;
  for (const auto& entry : std::filesystem::directory_iterator(more)) {
    if (entry.path().extension() == ".jinja") files.push_back(entry.path());
  }
  std::sort(files.begin(), files.end());
  for (const auto& file : files) {
    const std::string name = more.filename() / file.filename();
    found.emplace_back(file.stem().string(), parsed(read_file(file), name));
  }
  return found;
}

// One text, or [{"name": ..., "template": ...}, ...].
ChatTemplate::Named templates_in(const Json& config, const std::string& file) {
  ChatTemplate::Named found;
  const Json* entry = config.find("chat_template");
  if (entry == nullptr || entry->is_null()) return found;
  const std::string where = file + " chat_template";
  if (entry->is_string()) {
    found.emplace_back("default", parsed(entry->as_string(), where));
    return found;
  }
  if (!entry->is_array()) {
    throw Error(ErrorKind::corrupted,
                "found " + std::string(entry->kind_name()) + ", expected a text or an array of named ones", where);
  }
  for (const Json& named : entry->items()) {
    const std::string& name = named.at("name").as_string();
    std::string place = where;
    place.append(" \"").append(name).append("\"");
    found.emplace_back(name, parsed(named.at("template").as_string(), place));
  }
  return found;
}

}  // namespace

std::optional<ChatTemplate> ChatTemplate::find(const std::filesystem::path& folder) {
  const Json config = json_of(folder / "tokenizer_config.json");
  Named found = template_files(folder);
  try {
    if (found.empty()) found = templates_in(config, "tokenizer_config.json");
    if (found.empty()) found = templates_in(json_of(folder / "chat_template.json"), "chat_template.json");
  } catch (const Error& error) {
    throw error.where().empty() ? error.within("chat_template") : error;
  }
  if (found.empty()) return std::nullopt;
  return ChatTemplate(std::move(found), tokens_in(config, json_of(folder / "special_tokens_map.json")));
}

ChatTemplate ChatTemplate::open(const Checkpoint& checkpoint) {
  if (checkpoint.gguf() == nullptr) return open(checkpoint.main_folder());
  const Json config = checkpoint.json("tokenizer_config.json").value_or(Json::object());
  Named found = templates_in(config, "tokenizer.chat_template");
  if (!found.empty()) return {std::move(found), tokens_in(config, Json::object())};
  throw Error(ErrorKind::not_found, "the file has no tokenizer.chat_template", checkpoint.folder().string(),
              "a model without one continues texts, it does not chat");
}

ChatTemplate ChatTemplate::open(const std::filesystem::path& folder) {
  if (auto found = find(folder)) return *std::move(found);
  throw Error(ErrorKind::not_found, "the folder has no chat template", folder.string(),
              "looked for chat_template.jinja, chat_template.json and chat_template in tokenizer_config.json; "
              "a model without one continues texts, it does not chat");
}

}  // namespace accelerate::text
