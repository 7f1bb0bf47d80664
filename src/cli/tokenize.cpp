#include "accelerate/accelerate.hpp"
#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/generation.hpp"

namespace accelerate::cli {
namespace {

// The text that the model is given for a chat.
std::string prompt_of(const TokenizeCommand& command) {
  return chat_text(command.model, *command.chat,
                   {.template_name = command.chat_template,
                    .continue_final_message = command.continue_final,
                    .add_generation_prompt = !command.no_generation_prompt});
}

Json json_of(const TokenizedText& tokenized) {
  Json ids = Json::array(), tokens = Json::array();
  for (const std::int32_t id : tokenized.ids) ids.push(std::int64_t{id});
  for (const std::string& token : tokenized.tokens) tokens.push(token);
  Json json;
  return json.set("ids", std::move(ids)).set("tokens", std::move(tokens));
}

int show_chat(const TokenizeCommand& command, Output& out) {
  const std::vector<std::string> prompt = {prompt_of(command)};
  if (!out.wants_json()) {
    out.text(prompt[0]);
    if (!prompt[0].ends_with('\n')) out.line();
    return kExitOk;
  }
  // The template wrote the special tokens itself.
  Json json = json_of(accelerate::tokenize(command.model, prompt, {.add_special_tokens = false}).front());
  out.json(json.set("prompt", prompt[0]));
  return kExitOk;
}

int show_texts(const TokenizeCommand& command, Output& out) {
  const std::vector<TokenizedText> all =
      accelerate::tokenize(command.model, command.texts, {.add_special_tokens = !command.no_special_tokens});
  if (out.wants_json()) {
    Json list = Json::array();
    for (std::size_t i = 0; i < all.size(); ++i) list.push(json_of(all[i]).set("text", command.texts[i]));
    out.json(list);
    return kExitOk;
  }
  Table table({{"text", Align::right}, {"id", Align::right}, {"token"}});
  for (std::size_t i = 0; i < all.size(); ++i) {
    for (std::size_t k = 0; k < all[i].ids.size(); ++k) {
      table.row({std::to_string(i + 1), std::to_string(all[i].ids[k]), all[i].tokens[k]});
    }
  }
  out.print(table);
  return kExitOk;
}

}  // namespace

int tokenize(const TokenizeCommand& command, Output& out) {
  if (command.chat.has_value() != command.texts.empty()) {
    throw UsageError{"expected either TEXT, what to cut into tokens, or --chat FILE", ""};
  }
  return command.chat ? show_chat(command, out) : show_texts(command, out);
}

}  // namespace accelerate::cli
