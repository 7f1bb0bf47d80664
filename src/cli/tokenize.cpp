#include <iostream>
#include <iterator>

#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "core/file.hpp"
#include "text/chat_template.hpp"
#include "text/tokenizer.hpp"

namespace accelerate::cli {
namespace {

Json chat_in(const std::string& file) {
  if (file != "-") return Json::parse(read_file(file), file);
  return Json::parse(std::string(std::istreambuf_iterator<char>(std::cin), {}), "stdin");
}

// The text that the model is given for a chat.
std::string prompt_of(const TokenizeCommand& command) {
  const auto chat_template = text::ChatTemplate::open(command.model);
  const Json chat = chat_in(*command.chat);
  text::ChatOptions options;
  options.name = command.chat_template;
  options.add_generation_prompt = !command.continue_final && !command.no_generation_prompt;
  if (command.continue_final) options.continue_final_message = "content";
  if (!chat.is_object()) return chat_template.render(chat, options);
  options.variables = Json::object();
  for (const auto& member : chat.members()) {
    if (member.first == "messages") continue;
    if (member.first == "tools") {
      options.tools = member.second;
    } else if (member.first == "documents") {
      options.documents = member.second;
    } else {
      options.variables.set(member.first, member.second);
    }
  }
  return chat_template.render(chat.at("messages"), options);
}

Json tokens_json(const text::Encoding& encoding) {
  Json ids = Json::array(), tokens = Json::array();
  for (const std::int32_t id : encoding.ids) ids.push(std::int64_t{id});
  for (const std::string& token : encoding.tokens) tokens.push(token);
  Json json;
  json.set("ids", std::move(ids)).set("tokens", std::move(tokens));
  return json;
}

int show_chat(const TokenizeCommand& command, Output& out) {
  const std::string prompt = prompt_of(command);
  if (!out.wants_json()) {
    out.text(prompt);
    if (!prompt.ends_with('\n')) out.line();
    return kExitOk;
  }
  // The template wrote the special tokens itself.
  const auto tokenizer = text::Tokenizer::open(command.model);
  Json json = tokens_json(tokenizer.encode(prompt, {.add_special_tokens = false}));
  json.set("prompt", prompt);
  out.json(json);
  return kExitOk;
}

}  // namespace

int tokenize(const TokenizeCommand& command, Output& out) {
  if (command.chat.has_value() != command.texts.empty()) {
    throw UsageError{"tokenize takes texts or --chat FILE, one of them", ""};
  }
  if (command.chat) return show_chat(command, out);
  const auto tokenizer = text::Tokenizer::open(command.model);
  Json all = Json::array();
  Table table({{"text", Align::right}, {"id", Align::right}, {"token"}});
  for (const std::string& each : command.texts) {
    const text::Encoding encoding = tokenizer.encode(each);
    const std::string number = std::to_string(all.items().size());
    for (std::size_t i = 0; i < encoding.ids.size(); ++i) {
      table.row({number, std::to_string(encoding.ids[i]), encoding.tokens[i]});
    }
    all.push(tokens_json(encoding));
  }
  if (out.wants_json()) {
    out.json(all);
  } else {
    out.print(table);
  }
  return kExitOk;
}

}  // namespace accelerate::cli
