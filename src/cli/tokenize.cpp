#include "accelerate/accelerate.hpp"
#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"

namespace accelerate::cli {
namespace {

Json json_of(const std::string& text, const TokenizedText& tokenized) {
  Json ids = Json::array(), tokens = Json::array();
  for (const std::int32_t id : tokenized.ids) ids.push(std::int64_t{id});
  for (const std::string& token : tokenized.tokens) tokens.push(token);
  Json json;
  return json.set("text", text).set("ids", std::move(ids)).set("tokens", std::move(tokens));
}

}  // namespace

int tokenize(const TokenizeCommand& command, Output& out) {
  if (command.texts.empty()) throw UsageError{"TEXT is missing: what to cut into tokens", ""};
  const std::vector<TokenizedText> all =
      accelerate::tokenize(command.model, command.texts, {.add_special_tokens = !command.no_special_tokens});
  if (out.wants_json()) {
    Json list = Json::array();
    for (std::size_t i = 0; i < all.size(); ++i) list.push(json_of(command.texts[i], all[i]));
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

}  // namespace accelerate::cli
