#include "text/chat_template.hpp"

#include <algorithm>
#include <array>

#include "core/text.hpp"
#include "text/jinja/strings.hpp"

namespace accelerate::text {
namespace {

constexpr std::string_view kTag = "CONTINUE_FINAL_MESSAGE_TAG ";
constexpr std::array<std::string_view, 3> kReasoning = {"reasoning_content", "thinking", "reasoning"};

[[noreturn]] void refuse(std::string message) { throw Error(ErrorKind::invalid_input, std::move(message), "messages"); }

// Members that are null are left out: many templates would print them.
Json without_nulls(const Json& message) {
  Json kept = Json::object();
  for (const auto& member : message.members()) {
    const bool last = message.find(member.first) == &member.second;
    if (last && !member.second.is_null()) kept.set(member.first, member.second);
  }
  return kept;
}

// Reasoning stands under `thinking` and `reasoning_content`, under whichever name it came.
Json with_reasoning(const Json& message) {
  const Json* found = nullptr;
  for (const std::string_view name : kReasoning) {
    if (found == nullptr) found = message.find(name);
  }
  if (found == nullptr) return message;
  Json aliased = Json::object();
  aliased.set("thinking", *found);
  for (const auto& member : message.members()) aliased.set(member.first, member.second);
  aliased.set("reasoning_content", *found);
  return aliased;
}

Json::Array plain_messages(const Json& messages) {
  if (!messages.is_array()) refuse("found " + std::string(messages.kind_name()) + ", expected an array of messages");
  if (messages.items().empty()) refuse("there is no message; a chat has at least one");
  Json::Array plain;
  for (const Json& message : messages.items()) {
    if (!message.is_object()) {
      refuse("message " + std::to_string(plain.size()) + ": found " + std::string(message.kind_name()) +
             ", expected an object with a role and a content");
    }
    plain.push_back(with_reasoning(without_nulls(message)));
  }
  return plain;
}

// Puts the mark behind the text that is to be continued, which is returned.
std::string mark_part(Json& parts) {
  Json::Array marked = parts.items();
  for (auto part = marked.rbegin(); part != marked.rend(); ++part) {
    const Json* text = part->find("text");
    if (text == nullptr) continue;
    const std::string found = text->as_string();
    part->set("text", found + std::string(kTag));
    parts = Json(std::move(marked));
    return found;
  }
  refuse("the last message has no text to continue");
}

std::string mark_end(Json& message, const std::string& field, const std::string& source) {
  const Json* found = message.find(field);
  if (found == nullptr) refuse("the last message has no \"" + field + "\" to continue");
  const Json content = *found;
  std::vector<std::string> fields = {field};
  if (std::find(kReasoning.begin(), kReasoning.end(), field) != kReasoning.end()) {
    fields.clear();
    for (const std::string_view name : kReasoning) {
      const Json* other = message.find(name);
      if (other != nullptr && other->is_string() && content.is_string() && other->as_string() == content.as_string()) {
        fields.emplace_back(name);
      }
    }
  }
  const auto read = [&](const std::string& name) { return source.find(name) != std::string::npos; };
  if (std::none_of(fields.begin(), fields.end(), read)) refuse("the chat template reads no \"" + field + "\"");
  if (content.is_array()) {
    Json parts = content;
    std::string text = mark_part(parts);
    message.set(field, std::move(parts));
    return text;
  }
  if (!content.is_string()) refuse("the last message's \"" + field + "\" is no text to continue");
  for (const std::string& name : fields) message.set(name, content.as_string() + std::string(kTag));
  return content.as_string();
}

// The text up to the mark. Where the template trimmed the mark's space, it trimmed that of the message too.
std::string cut_at_mark(const std::string& text, const std::string& continued) {
  const std::string_view bare = jinja::stripped(kTag);
  const std::size_t at = text.rfind(bare);
  if (at == std::string::npos || text.find(jinja::stripped(continued)) == std::string::npos) {
    refuse("the chat template changes or leaves out the end of the last message, so that it cannot be continued");
  }
  if (text.compare(at, kTag.size(), kTag) == 0) return text.substr(0, at);
  return std::string(jinja::stripped(std::string_view(text).substr(0, at), jinja::Ends::right));
}

void expect_array(const Json& json, const char* what) {
  if (json.is_null() || json.is_array()) return;
  throw Error(ErrorKind::invalid_input, "found " + std::string(json.kind_name()) + ", expected an array", what);
}

Json variables_of(const Json& special_tokens, const ChatOptions& options, Json::Array messages) {
  expect_array(options.tools, "tools");
  expect_array(options.documents, "documents");
  Json variables = special_tokens.is_object() ? special_tokens : Json::object();
  if (!options.variables.is_null()) {
    if (!options.variables.is_object()) {
      throw Error(ErrorKind::invalid_input,
                  "found " + std::string(options.variables.kind_name()) + ", expected an object", "variables");
    }
    for (const auto& variable : options.variables.members()) variables.set(variable.first, variable.second);
  }
  variables.set("messages", Json(std::move(messages)));
  variables.set("tools", options.tools);
  variables.set("documents", options.documents);
  variables.set("add_generation_prompt", options.add_generation_prompt);
  return variables;
}

}  // namespace

const jinja::Template& ChatTemplate::chosen(const ChatOptions& options) const {
  const auto named = [&](std::string_view name) -> const jinja::Template* {
    for (const auto& each : templates_) {
      if (each.first == name) return &each.second;
    }
    return nullptr;
  };
  const auto names = [&] { return joined(templates_, ", ", [](const auto& each) { return each.first; }); };
  if (options.name) {
    if (const jinja::Template* found = named(*options.name)) return *found;
    throw Error(ErrorKind::not_found, "there is no chat template \"" + *options.name + "\"", {},
                "there are: " + names());
  }
  if (!options.tools.is_null()) {
    if (const jinja::Template* found = named("tool_use")) return *found;
  }
  if (const jinja::Template* found = named("default")) return *found;
  throw Error(ErrorKind::invalid_input, "there are several chat templates and none is the default", {},
              "name one of: " + names());
}

std::string ChatTemplate::render(const Json& messages, const ChatOptions& options) const {
  const jinja::Template& used = chosen(options);
  Json::Array plain = plain_messages(messages);
  if (!options.continue_final_message) {
    return used.render(variables_of(special_tokens_, options, std::move(plain)), options.rendering);
  }
  if (options.add_generation_prompt) {
    refuse(
        "the last message is either continued or answered: continue_final_message and add_generation_prompt exclude "
        "one another");
  }
  const std::string continued = mark_end(plain.back(), *options.continue_final_message, used.source());
  return cut_at_mark(used.render(variables_of(special_tokens_, options, std::move(plain)), options.rendering),
                     continued);
}

}  // namespace accelerate::text
