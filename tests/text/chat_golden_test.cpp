// Published chat templates give, for every chat, what Transformers' apply_chat_template gives.
#include "core/file.hpp"
#include "text/chat_goldens.hpp"

namespace accelerate::text {
namespace {

ChatOptions options_of(const Json& json) {
  ChatOptions options;
  options.variables = Json::object();
  options.rendering.now = golden_noon();
  for (const auto& option : json.members()) {
    if (option.first == "tools") {
      options.tools = option.second;
    } else if (option.first == "documents") {
      options.documents = option.second;
    } else if (option.first == "add_generation_prompt") {
      options.add_generation_prompt = option.second.as_bool();
    } else if (option.first == "continue_final_message") {
      options.continue_final_message = "content";
    } else {
      options.variables.set(option.first, option.second);
    }
  }
  return options;
}

class ChatFamily : public testing::TestWithParam<const char*> {};

TEST_P(ChatFamily, EqualsTransformersInEveryChat) {
  const auto folder = chat_goldens() / GetParam();
  const ChatTemplate chat = ChatTemplate::open(folder);
  const Json chats = Json::parse(read_file(chat_goldens() / "chats.json"), "chats.json");
  const std::vector<Json> rows = lines_of(folder / "rendered.jsonl");
  ASSERT_EQ(rows.size(), chats.members().size());
  std::size_t rendered = 0;
  for (const Json& row : rows) {
    const std::string& name = row.at("chat").as_string();
    SCOPED_TRACE(name);
    rendered += row.find("text") != nullptr ? 1 : 0;
    expect_outcome(
        row, [&] { return chat.render(chats.at(name).at("messages"), options_of(chats.at(name).at("options"))); });
  }
  EXPECT_GT(rendered, 9U) << "most chats are refused: this golden says little";
}

INSTANTIATE_TEST_SUITE_P(Golden, ChatFamily,
                         testing::Values("chatml", "command_r7b", "command_r_plus", "deepseek_r1", "deepseek_v3_1",
                                         "functionary", "gemma_2", "gemma_3", "generation_blocks", "gpt_oss",
                                         "granite_3_3", "hermes_3", "kimi_k2", "llama_2", "llama_2_default", "llama_3",
                                         "llama_3_1", "llama_3_2", "mistral_nemo", "mistral_v1", "mixtral", "nemotron",
                                         "olmo", "phi_3_5", "phi_4", "qwen_2_5", "qwen_3", "smollm_2", "yandex",
                                         "zephyr"),
                         [](const auto& family) { return std::string(family.param); });

}  // namespace
}  // namespace accelerate::text
