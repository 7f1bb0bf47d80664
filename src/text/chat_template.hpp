// A checkpoint's chat template: messages to the text that the model continues, as Transformers' apply_chat_template
// makes it.
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "checkpoint/checkpoint.hpp"
#include "core/json.hpp"
#include "text/jinja/template.hpp"

namespace accelerate::text {

struct ChatOptions {
  Json tools;      // an array of JSON schemas, or null
  Json documents;  // an array of {"title": ..., "text": ...}, or null
  Json variables;  // an object of further variables (enable_thinking ...), or null; they go before special tokens
  // Ends where the model's own answer begins.
  bool add_generation_prompt = false;
  // The field of the last message that the model continues ("content"): the text ends behind it.
  std::optional<std::string> continue_final_message;
  // Which of several templates; without it "tool_use" where there are tools and such a template, else "default".
  std::optional<std::string> name;
  jinja::RenderOptions rendering;
};

// All methods are const and safe to call from several threads.
class ChatTemplate {
 public:
  using Named = std::vector<std::pair<std::string, jinja::Template>>;
  // `special_tokens`: an object of variables, {"bos_token": "<s>", ...}. A single template has the name "default".
  ChatTemplate(Named templates, Json special_tokens)
      : templates_(std::move(templates)), special_tokens_(std::move(special_tokens)) {}

  // Of a model folder: chat_template.jinja and additional_chat_templates/*.jinja; else "chat_template" in
  // tokenizer_config.json, one text or a list of named ones; else chat_template.json. Special tokens are read from
  // tokenizer_config.json and special_tokens_map.json. Error{corrupted} for a file that contradicts its format, with
  // the line for a template. Nothing, or Error{not_found}, where the folder has no template.
  static std::optional<ChatTemplate> find(const std::filesystem::path& folder);
  static ChatTemplate open(const std::filesystem::path& folder);
  // The same of a checkpoint; a GGUF file has one template among its metadata.
  static ChatTemplate open(const Checkpoint& checkpoint);

  const Named& templates() const { return templates_; }
  const Json& special_tokens() const { return special_tokens_; }

  // `messages`: an array of {"role": ..., "content": a text or an array of parts, ...}. As in Transformers, members
  // that are null are left out, and reasoning is known under each of its names. Error{invalid_input} for messages that
  // the template refuses, with its own words; else as jinja::Template::render.
  std::string render(const Json& messages, const ChatOptions& options = {}) const;

 private:
  const jinja::Template& chosen(const ChatOptions& options) const;
  Named templates_;
  Json special_tokens_;
};

}  // namespace accelerate::text
