// Every small template gives what jinja2 in Transformers' environment gives, or fails where it fails.
#include "core/file.hpp"
#include "text/chat_goldens.hpp"

namespace accelerate::text {
namespace {

Json variables_of_cases(const Json& first_row) {
  Json variables = first_row.at("variables");
  variables.set("messages", Json::Array{Json::object().set("role", "user")});
  variables.set("tools", Json());
  variables.set("documents", Json());
  return variables.set("add_generation_prompt", false);
}

TEST(JinjaGolden, EqualsJinja2InEveryCase) {
  const std::vector<Json> rows = lines_of(chat_goldens() / "jinja.jsonl");
  ASSERT_GT(rows.size(), 200U);
  const Json variables = variables_of_cases(rows.front());
  for (std::size_t i = 1; i < rows.size(); ++i) {
    const std::string& source = rows[i].at("template").as_string();
    SCOPED_TRACE(source);
    expect_outcome(rows[i],
                   [&] { return jinja::Template::parse(source, "case").render(variables, {.now = golden_noon()}); });
  }
}

}  // namespace
}  // namespace accelerate::text
