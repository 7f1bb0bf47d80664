// `tokenize` as a user meets it. That templates give what Transformers gives is for tests/text/chat_golden_test.cpp.
#include <gtest/gtest.h>

#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli {
namespace {

using test::copy_of;
using test::Finished;
using test::fixture;
using test::Folder;
using test::run_program;

constexpr const char* kTemplate =
    "{% for m in messages %}\n"
    "{% if m.role not in ['user', 'assistant'] %}{{ raise_exception('No role ' ~ m.role ~ ' here!') }}{% endif %}\n"
    "[{{ m.role }}] {{ m.content }}\n"
    "{% endfor %}\n"
    "{% if tone is defined %}({{ tone }}){% endif %}{% if add_generation_prompt %}[assistant]{% endif %}";

class Tokenize : public testing::Test {
 protected:
  Tokenize() : model(copy_of("bert", folder)) { test::write(model / "chat_template.jinja", kTemplate); }
  Folder folder;
  std::filesystem::path model;
};

TEST_F(Tokenize, PrintsThePromptOfAChat) {
  test::write(folder / "chat.json", R"([{"role": "user", "content": "Hi <b>"}])");
  EXPECT_EQ(run_program({"tokenize", model, "--chat", folder / "chat.json"}).out, "[user] Hi <b>\n[assistant]\n");
  EXPECT_EQ(run_program({"tokenize", model, "--chat", folder / "chat.json", "--no-generation-prompt"}).out,
            "[user] Hi <b>\n");
}

TEST_F(Tokenize, TakesARequestWithVariablesFromStdin) {
  const Finished done = run_program({.arguments = {"tokenize", model, "--chat", "-", "--json"},
                                     .input = R"({"messages": [{"role": "user", "content": "the"}], "tone": "dry"})"});
  ASSERT_EQ(done.code, 0) << done.err;
  const Json json = Json::parse(done.out, "stdout");
  EXPECT_EQ(json.at("prompt").as_string(), "[user] the\n(dry)[assistant]");
  EXPECT_EQ(json.at("ids").items().size(), json.at("tokens").items().size());
  EXPECT_GT(json.at("ids").items().size(), 3U);
}

TEST_F(Tokenize, ContinuesTheLastMessage) {
  test::write(folder / "chat.json",
              R"([{"role": "user", "content": "Count"}, {"role": "assistant", "content": "1, "}])");
  EXPECT_EQ(run_program({"tokenize", model, "--chat", folder / "chat.json", "--continue"}).out,
            "[user] Count\n[assistant] 1, \n");
}

TEST_F(Tokenize, SaysWithTheTemplatesWordsAndLineWhatItRefuses) {
  test::write(folder / "chat.json", R"([{"role": "critic", "content": "No."}])");
  const Finished refused = run_program({"tokenize", model, "--chat", folder / "chat.json"});
  EXPECT_EQ(refused.code, 3);
  EXPECT_NE(refused.err.find("chat_template.jinja:2: No role critic here!"), std::string::npos) << refused.err;
  test::write(model / "chat_template.jinja", "{% for m in messages %}\n{{ m.content }\n");
  const Finished broken = run_program({"tokenize", model, "--chat", folder / "chat.json"});
  EXPECT_EQ(broken.code, 5);
  EXPECT_NE(broken.err.find("chat_template.jinja:2"), std::string::npos) << broken.err;
}

TEST_F(Tokenize, ShowsTheTokensOfTexts) {
  const Finished done = run_program({"tokenize", model, "the", "--json"});
  ASSERT_EQ(done.code, 0) << done.err;
  const Json rows = Json::parse(done.out, "stdout");
  ASSERT_EQ(rows.items().size(), 1U);
  EXPECT_EQ(rows.items()[0].at("tokens").items().front().as_string(), "[CLS]");
  EXPECT_NE(run_program({"tokenize", model, "the"}).out.find("[SEP]"), std::string::npos);
}

TEST(TokenizeWithout, SaysWhatIsMissing) {
  const Finished none = run_program({"tokenize", fixture("bert"), "--chat", "-"});
  EXPECT_EQ(none.code, 4);
  EXPECT_NE(none.err.find("no chat template"), std::string::npos) << none.err;
  EXPECT_EQ(run_program({"tokenize", fixture("bert")}).code, 2);
}

}  // namespace
}  // namespace accelerate::cli
