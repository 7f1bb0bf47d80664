#include "accelerate/generation.hpp"
#include "models/architecture.hpp"
#include "text/chat_template.hpp"

namespace accelerate {

std::string chat_prompt(const std::filesystem::path& model, std::string_view chat, const ChatForm& form) {
  const auto chat_template = text::ChatTemplate::open(open_checkpoint(model));
  const Json json = Json::parse(chat, "chat");
  text::ChatOptions options;
  options.name = form.template_name;
  options.add_generation_prompt = !form.continue_final_message && form.add_generation_prompt;
  if (form.continue_final_message) options.continue_final_message = "content";
  if (!json.is_object()) return chat_template.render(json, options);
  options.variables = Json::object();
  for (const auto& [name, value] : json.members()) {
    if (name == "tools") {
      options.tools = value;
    } else if (name == "documents") {
      options.documents = value;
    } else if (name != "messages") {
      options.variables.set(name, value);
    }
  }
  return chat_template.render(json.at("messages"), options);
}

}  // namespace accelerate
