// Where a folder keeps its chat templates, and what is refused before a template is asked.
#include "text/chat_template.hpp"

#include <gtest/gtest.h>

#include "core/file.hpp"

namespace accelerate::text {
namespace {

class ChatFolder : public testing::Test {
 protected:
  ChatFolder()
      : path(std::filesystem::path(testing::TempDir()) /
             testing::UnitTest::GetInstance()->current_test_info()->name()) {
    std::filesystem::remove_all(path);
    std::filesystem::create_directories(path / "additional_chat_templates");
  }
  ~ChatFolder() override { std::filesystem::remove_all(path); }

  void write(const std::string& name, std::string_view text) const {
    AtomicFile file(path / name);
    file.write(text);
    file.commit();
  }
  // What the folder's template makes of one message.
  std::string rendered(const ChatOptions& options = {}) const { return ChatTemplate::open(path).render(hi(), options); }
  static Json hi() { return Json::parse(R"([{"role": "user", "content": "Hi"}])", "test"); }
  static Json tool() { return Json::parse(R"([{"type": "function"}])", "test"); }

  const std::filesystem::path path;
};

TEST_F(ChatFolder, TemplateFilesGoBeforeTheConfig) {
  write("tokenizer_config.json", R"({"chat_template": "config"})");
  EXPECT_EQ(rendered(), "config");
  write("chat_template.json", R"({"chat_template": "json"})");
  EXPECT_EQ(rendered(), "config");
  write("chat_template.jinja", "file");
  EXPECT_EQ(rendered(), "file");
  std::filesystem::remove(path / "chat_template.jinja");
  std::filesystem::remove(path / "tokenizer_config.json");
  EXPECT_EQ(rendered(), "json");
}

TEST_F(ChatFolder, OneOfSeveralTemplatesIsTakenByNameOrByTools) {
  write("chat_template.jinja", "default");
  write("additional_chat_templates/tool_use.jinja", "with {{ tools | length }} tool");
  write("additional_chat_templates/rag.jinja", "rag");
  EXPECT_EQ(rendered(), "default");
  EXPECT_EQ(rendered({.tools = tool()}), "with 1 tool");
  EXPECT_EQ(rendered({.name = "rag"}), "rag");
  try {
    rendered({.name = "chat"});
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::not_found);
    EXPECT_EQ(error.hint(), "there are: default, rag, tool_use");
  }
}

TEST_F(ChatFolder, SeveralTemplatesWithoutADefaultMustBeNamed) {
  write("tokenizer_config.json",
        R"({"chat_template": [{"name": "a", "template": "A"}, {"name": "b", "template": "B"}]})");
  EXPECT_EQ(rendered({.name = "b"}), "B");
  EXPECT_THROW(rendered(), Error);
}

TEST_F(ChatFolder, SpecialTokensAreVariablesThatOthersMayReplace) {
  write("chat_template.jinja", "{{ bos_token }}|{{ eos_token }}|{{ pad_token is defined }}|{{ enable_thinking }}");
  write("tokenizer_config.json", R"({"bos_token": {"content": "<s>"}, "eos_token": "</s>", "pad_token": null})");
  EXPECT_EQ(rendered({.variables = Json::object().set("enable_thinking", false)}), "<s>|</s>|False|False");
  EXPECT_EQ(rendered({.variables = Json::object().set("eos_token", "!")}), "<s>|!|False|");
  // The older file counts where the config does not list its added tokens.
  write("special_tokens_map.json", R"({"eos_token": "<end>"})");
  EXPECT_EQ(rendered(), "<s>|<end>|False|");
}

TEST_F(ChatFolder, WithoutATemplateThereIsNone) {
  EXPECT_FALSE(ChatTemplate::find(path));
  write("tokenizer_config.json", R"({"chat_template": null})");
  EXPECT_FALSE(ChatTemplate::find(path));
  EXPECT_THROW(ChatTemplate::open(path), Error);
}

TEST_F(ChatFolder, BrokenTemplatesAreNamedWithTheirLine) {
  write("additional_chat_templates/rag.jinja", "a\n{% if %}");
  try {
    ChatTemplate::open(path);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), ErrorKind::corrupted);
    EXPECT_EQ(error.where(), "additional_chat_templates/rag.jinja:2");
  }
  std::filesystem::remove(path / "additional_chat_templates/rag.jinja");
  write("tokenizer_config.json", R"({"chat_template": 5})");
  EXPECT_THROW(ChatTemplate::open(path), Error);
  write("tokenizer_config.json", R"({"chat_template": [{"name": "a"}]})");
  EXPECT_THROW(ChatTemplate::open(path), Error);
}

TEST_F(ChatFolder, MessagesThatAreNoneAreRefused) {
  write("chat_template.jinja", "{{ messages[0].content }}");
  const ChatTemplate chat = ChatTemplate::open(path);
  for (const char* messages : {"[]", "{}", "\"Hi\"", "[5]", "[[]]", "null"}) {
    EXPECT_THROW(chat.render(Json::parse(messages, "test")), Error) << messages;
  }
  EXPECT_THROW(chat.render(hi(), {.tools = Json("x")}), Error);
  EXPECT_THROW(chat.render(hi(), {.variables = Json("x")}), Error);
}

TEST_F(ChatFolder, OnlyTextThatTheTemplateWritesCanBeContinued) {
  write("chat_template.jinja", "{% for m in messages %}[{{ m.content | trim }}]{% endfor %}");
  const ChatTemplate chat = ChatTemplate::open(path);
  ChatOptions options{.continue_final_message = "content"};
  EXPECT_EQ(chat.render(Json::parse(R"([{"role": "assistant", "content": "1, 2, "}])", "test"), options), "[1, 2,");
  EXPECT_THROW(chat.render(Json::parse(R"([{"role": "assistant"}])", "test"), options), Error);
  EXPECT_THROW(chat.render(Json::parse(R"([{"role": "assistant", "content": 5}])", "test"), options), Error);
  options.continue_final_message = "reasoning_content";
  EXPECT_THROW(chat.render(Json::parse(R"([{"role": "assistant", "reasoning_content": "x"}])", "test"), options),
               Error);
  options = {.add_generation_prompt = true, .continue_final_message = "content"};
  EXPECT_THROW(chat.render(hi(), options), Error);
  write("chat_template.jinja", "content of {{ messages | length }}");
  EXPECT_THROW(ChatTemplate::open(path).render(hi(), {.continue_final_message = "content"}), Error);
}

TEST_F(ChatFolder, TheLastTextOfSeveralPartsIsContinued) {
  write("chat_template.jinja",
        "{% for m in messages %}{% for p in m.content %}{{ p.text }}{{ p.type }};{% endfor %}{% endfor %}");
  const Json parts = Json::parse(
      R"([{"role": "assistant", "content": [{"type": "text", "text": "One"}, {"type": "text", "text": "Two "}, {"type": "image"}]}])",
      "test");
  EXPECT_EQ(ChatTemplate::open(path).render(parts, {.continue_final_message = "content"}), "Onetext;Two ");
}

}  // namespace
}  // namespace accelerate::text
