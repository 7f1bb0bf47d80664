// Texts that models continue, for C: options and results are JSON, whose fields grow without breaking callers.
#include "runtime/c_api.hpp"
#include "runtime/generation_json.hpp"

using accelerate::c_api::guarded;
using accelerate::c_api::required;

accelerate_status accelerate_model_generate_json(const accelerate_model* model, const char* const* prompts,
                                                 size_t count, const char* options_json,
                                                 const accelerate_model* assistant, accelerate_text_callback on_text,
                                                 void* context, const accelerate_cancellation* cancellation,
                                                 char** json) {
  return guarded([&] {
    *required(json, "json") = nullptr;
    const accelerate::Model& value = required(model, "model")->value;
    accelerate::Json options = accelerate::Json::object();
    if (options_json != nullptr) options = accelerate::Json::parse(options_json, "options");
    // Of a rendered chat, which has its special tokens.
    const accelerate::Json* special = options.find("add_special_tokens");
    const bool add_special_tokens = special == nullptr || special->as_bool();
    accelerate::Json known = accelerate::Json::object();
    for (const auto& [name, each] : options.members()) {
      if (name != "add_special_tokens") known.set(name, each);
    }
    accelerate::GenerateOptions o = accelerate::runtime::generate_options(known);
    if (assistant != nullptr) o.assistant_model = &assistant->value;
    if (cancellation != nullptr) o.cancellation = cancellation->value;
    if (on_text != nullptr) {
      o.on_text = [&](const accelerate::TextPiece& piece) {
        on_text(piece.prompt, piece.sequence, piece.text.data(), piece.text.size(), context);
      };
    }
    std::vector<accelerate::Prompt> all;
    for (std::string& text : accelerate::c_api::strings(prompts, count, "prompts")) {
      all.push_back({.text = std::move(text), .add_special_tokens = add_special_tokens});
    }
    *json = accelerate::c_api::new_string(accelerate::runtime::to_json(value.generate(all, o)).dump());
  });
}

accelerate_status accelerate_chat_prompt(const char* folder, const char* chat_json, char** prompt) {
  return guarded([&] {
    *required(prompt, "prompt") = nullptr;
    *prompt = accelerate::c_api::new_string(
        accelerate::chat_prompt(required(folder, "folder"), required(chat_json, "chat_json")));
  });
}
