#include "models/text_decoder.hpp"

#include <algorithm>

namespace accelerate {
namespace {

// The first class that makes logits; where there is none, the first.
std::string class_of(const Config& c) {
  const std::vector<std::string> classes = c.architectures();
  const auto makes_logits = [](const std::string& name) {
    return name.ends_with("ForCausalLM") || name.ends_with("LMHeadModel");
  };
  const auto found = std::ranges::find_if(classes, makes_logits);
  return found != classes.end() ? *found : classes.empty() ? std::string() : classes.front();
}

}  // namespace

Value TextDecoder::logits(Builder& b, const Config&, Value rows) const {
  return b.linear("lm_head", rows, {.bias = Bias::none});
}

Program TextDecoder::build(const Checkpoint& checkpoint, const Weights& weights) const {
  const Config& c = checkpoint.config();
  expect_plain_weights(c);
  expect_off(c, "add_cross_attention");
  const std::vector<SentenceModule> modules = sentence_modules(checkpoint);
  Builder b("encode", weights);
  const Encoded decoded = decode(b, c);
  output_hidden_states(b, decoded);
  const bool generates = b.has("lm_head.weight");
  if (generates) b.output("logits", logits(b, c, decoded.last));
  output_embeddings(b, modules, decoded.last);
  Program program;
  program.graphs.emplace("encode", b.finish());
  if (generates) {
    add_continued(
        program, weights, [this, c](Builder& next) { return decode(next, c).last; },
        [this, c](Builder& next, Value rows) { return logits(next, c, rows); });
    program.tasks = {Task::text_generation};
  }
  program.tasks.push_back(Task::embed);
  program.class_name = class_of(c);
  return program;
}

Value decoder_positions(Builder& b, std::int64_t offset) {
  return b.token_input("position_ids", {.fill = InputRule::Fill::rows, .offset = offset});
}

NameMap tied_head(const Config& c, std::string_view embedding, bool by_default) {
  if (!c.get("tie_word_embeddings", by_default)) return {};
  return {names::tied("lm_head.weight", std::string(embedding))};
}

}  // namespace accelerate
