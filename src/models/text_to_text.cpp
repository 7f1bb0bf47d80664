#include "models/text_to_text.hpp"

namespace accelerate {
namespace {

std::string cross_name(std::int64_t layer, std::string_view which) {
  return "cross." + std::to_string(layer) + "." + std::string(which);
}

}  // namespace

Program TextToText::build(const Checkpoint& checkpoint, const Weights& weights) const {
  const Config& c = checkpoint.config();
  expect_plain_weights(c);
  Builder source("encode", weights);
  const Encoded encoded = encode(source, c);
  output_hidden_states(source, encoded);
  output_embeddings(source, sentence_modules(checkpoint), encoded.last);
  output_cross(source, c, encoded.last);
  Program program;
  program.for_files.emplace(
      "decoder", [this, c, &weights, width = source.width(encoded.last)] { return whole_decoder(c, weights, width); });
  program.graphs.emplace("encode", source.finish());
  add_continued(
      program, weights, [this, c](Builder& b) { return decode(b, c); },
      [this, c](Builder& b, Value rows) { return logits(b, c, rows); });
  program.tasks = {Task::text_generation, Task::embed};
  const std::vector<std::string> classes = c.architectures();
  if (!classes.empty()) program.class_name = classes.front();
  return program;
}

Graph TextToText::whole_decoder(const Config& c, const Weights& weights, std::int64_t encoder_width) const {
  Builder b("decoder", weights);
  const Shape states({kBatch, kSource, encoder_width}, true);
  output_cross(b, c, b.input("encoder_hidden_states", {Element::real, states}));
  b.output("logits", logits(b, c, decode(b, c)));
  return b.finish().restricted_to(std::vector<std::string>{"logits"});
}

void TextToText::output_cross(Builder& b, const Config& c, Value states) const {
  const std::int64_t layers = decoder_layers(c);
  for (std::int64_t layer = 0; layer < layers; ++layer) {
    const CrossNames names = cross_names(layer);
    const auto scope = b.scope(names.scope);
    b.output(cross_name(layer, "key"), b.linear(names.key, states, {.bias = names.bias}));
    b.output(cross_name(layer, "value"), b.linear(names.value, states, {.bias = names.bias}));
  }
}

Value TextToText::cross_part(Builder& b, std::int64_t layer, std::string_view which) const {
  if (const Value computed = b.find_output(cross_name(layer, which))) return computed;
  const CrossNames names = cross_names(layer);
  const std::string_view part = which == "key" ? names.key : names.value;
  const std::int64_t width = b.weights().at(names.scope + "." + std::string(part) + ".weight").dims.at(0);
  return b.input(cross_name(layer, which), {Element::real, Shape({kBatch, kSource, width}, true)});
}

}  // namespace accelerate
