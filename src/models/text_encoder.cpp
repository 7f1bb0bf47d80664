#include "models/text_encoder.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "models/sentence_transformer.hpp"

namespace accelerate {
namespace {

// By the ending, which Transformers' classes share: "BertForMaskedLM", "XLMRobertaForMaskedLM".
Head head_of(std::string_view class_name) {
  constexpr std::array<std::pair<std::string_view, Head>, 7> kEndings{{
      {"ForMaskedLM", Head::masked_lm},
      {"ForSequenceClassification", Head::sequence},
      {"ForTokenClassification", Head::token},
      {"ForQuestionAnswering", Head::span},
      {"ForPreTraining", Head::pretraining},
      {"ForNextSentencePrediction", Head::next_sentence},
      {"LMHeadModel", Head::masked_lm},  // of an encoder: build() refuses decoders
  }};
  for (const auto& [ending, head] : kEndings) {
    if (class_name.ends_with(ending)) return head;
  }
  return class_name.ends_with("Model") ? Head::none : Head::unknown;
}

struct NamedHead {
  std::string class_name;
  Head head = Head::none;
};

// The first class that is known; where none is, the first.
NamedHead named_head(const Config& c) {
  const std::vector<std::string> classes = c.architectures();
  for (const std::string& each : classes) {
    if (const Head head = head_of(each); head != Head::unknown) return {each, head};
  }
  return classes.empty() ? NamedHead{} : NamedHead{classes.front(), Head::unknown};
}

std::optional<Task> task_of(Head head, const Graph& graph) {
  switch (head) {
    case Head::masked_lm: return Task::fill_mask;
    case Head::sequence: return Task::text_classification;
    case Head::token: return Task::token_classification;
    case Head::span: return Task::question_answering;
    case Head::pretraining:
      if (graph.find_output("selected_logits") != nullptr) return Task::fill_mask;
      return std::nullopt;
    case Head::next_sentence:
    case Head::none:
    case Head::unknown: return std::nullopt;
  }
  return std::nullopt;
}

std::set<std::string> weights_read(const Graph& graph) {
  std::vector<std::string> outputs;
  for (const Graph::Output& output : graph.outputs()) outputs.push_back(output.name);
  const Graph used = graph.restricted_to(outputs);
  std::set<std::string> names;
  for (const Node& node : used.nodes()) {
    if (node.source == Node::Source::weight) names.insert(node.name);
  }
  return names;
}

// The word table is as wide as the stream that every layer reads and writes, unless the config gives it a width of its
// own: the place to notice that config and weights are from two models.
void check_width(const Config& c, const Weight& table, std::int64_t hidden_size) {
  if (c.has("embedding_size") || (table.dims.size() == 2 && table.dims[1] == hidden_size)) return;
  const std::string rows = table.dims.empty() ? "vocabulary" : std::to_string(table.dims[0]);
  std::string message =
      "has shape " + to_string(table.dims) + ", expected [" + rows + ", " + std::to_string(hidden_size) + "]";
  if (table.dims.size() == 2) {
    message += "\n       config.json says hidden_size " + std::to_string(hidden_size) +
               "; the weights look like hidden_size " + std::to_string(table.dims[1]);
  }
  throw Error(ErrorKind::corrupted, message, table.where, "the config and the weights are from different models");
}

// What the config promises callers must be there: a text of max_tokens would run off a shorter table.
void check_tables(const Config& c, const Weights& weights, const Summary& sizes) {
  for (const char* name : {"embeddings.word_embeddings.weight", "embeddings.tok_embeddings.weight"}) {
    if (const Weight* table = weights.find(name)) check_width(c, *table, sizes.hidden_size);
  }
  const Weight* positions = weights.find("embeddings.position_embeddings.weight");
  if (positions == nullptr || positions->dims.empty()) return;
  const std::int64_t expected = c.size({"max_position_embeddings"});
  if (positions->dims[0] >= expected) return;
  throw Error(ErrorKind::corrupted,
              "has " + std::to_string(positions->dims[0]) + " rows, expected max_position_embeddings " +
                  std::to_string(expected),
              positions->where, "the config and the weights are from different models");
}

}  // namespace

Value first_token_dense(Builder& b, std::string_view name, Value last, Activation activation) {
  return b.linear(name, b.pool(last, ops::PoolMode::first_row), {.activation = activation});
}

Value TextEncoder::pooler(Builder& b, const Config&, Value last) const {
  return b.has("pooler.dense.weight") ? first_token_dense(b, "pooler.dense", last) : Value{};
}

Value TextEncoder::sequence_logits(Builder& b, const Config&, Value last) const {
  return b.linear("classifier", first_token_dense(b, "pooler.dense", last));
}

Value TextEncoder::token_logits(Builder& b, const Config&, Value last) const { return b.linear("classifier", last); }

Value TextEncoder::span_logits(Builder& b, const Config&, Value last) const {
  return b.linear("qa_outputs", last, {.out_features = 2});
}

Value TextEncoder::next_sentence_logits(Builder&, const Config&, Value) const { return {}; }

std::vector<Graph::Output> TextEncoder::pretraining(Builder&, const Config&, Value) const { return {}; }

void TextEncoder::add_head(Builder& b, const Config& c, Value last, Head head) const {
  switch (head) {
    case Head::masked_lm:
      b.output("logits", masked_lm(b, c, last));
      b.output("selected_logits", masked_lm(b, c, selected_rows(b, last)));
      break;
    case Head::sequence: b.output("logits", sequence_logits(b, c, last)); break;
    case Head::token: b.output("logits", token_logits(b, c, last)); break;
    case Head::span: {
      const Value span = span_logits(b, c, last);
      b.output("start_logits", b.column(span, 0));
      b.output("end_logits", b.column(span, 1));
      break;
    }
    case Head::pretraining:
      for (const auto& [name, value] : pretraining(b, c, last)) {
        b.output(name, value);
        if (name == "prediction_logits") b.output("selected_logits", masked_lm(b, c, selected_rows(b, last)));
      }
      break;
    case Head::next_sentence:
      if (const Value logits = next_sentence_logits(b, c, last)) b.output("logits", logits);
      break;
    case Head::none:
    case Head::unknown: break;
  }
}

// For folders that name no class: of the heads that the weights have, the one that reads the most of them, so that a
// token classifier is not seen in every sequence classifier. Heads that read the same weights cannot be told apart, and
// then there is none.
Head TextEncoder::head_in(const Config& c, const Weights& weights) const {
  Builder encoder("encode", weights);
  const Value last = encode(encoder, c).last;
  Head found = Head::none;
  std::set<std::string> most;
  for (const Head head :
       {Head::span, Head::sequence, Head::token, Head::pretraining, Head::masked_lm, Head::next_sentence}) {
    std::set<std::string> read;
    try {
      Builder b = encoder;
      add_head(b, c, last, head);
      const Graph graph = b.finish();
      if (!graph.outputs().empty()) read = weights_read(graph);
    } catch (const Error&) {  // its weights are not there, or not of its shape
    }
    if (!read.empty() && read == most) found = Head::none;
    if (std::ranges::includes(most, read)) continue;
    const bool larger = std::ranges::includes(read, most);
    if (!most.empty() && !larger) continue;
    most = std::move(read);
    found = head;
  }
  return found;
}

Graph TextEncoder::encode_graph(const Config& c, const Weights& weights, const std::vector<SentenceModule>& modules,
                                Head head) const {
  Builder b("encode", weights);
  const Encoded encoded = encode(b, c);
  output_hidden_states(b, encoded);
  if (const Value pooled = pooler(b, c, encoded.last)) b.output("pooler_output", pooled);
  add_head(b, c, encoded.last, head);
  output_embeddings(b, modules, encoded.last);
  return b.finish();
}

Program TextEncoder::build(const Checkpoint& checkpoint, const Weights& weights) const {
  const Config& c = checkpoint.config();
  expect_off(c, "is_decoder");
  expect_setting(c, "position_embedding_type", "absolute");
  expect_plain_weights(c);
  check_tables(c, weights, summary(c));
  const std::vector<SentenceModule> modules = sentence_modules(checkpoint);
  const bool embeds = !modules.empty();
  NamedHead named = named_head(c);
  if (named.class_name.empty()) named.head = head_in(c, weights);
  Program program;
  Graph graph;
  try {
    graph = encode_graph(c, weights, modules, named.head);
  } catch (const Error& error) {
    // Folders of sentence-transformers name the class that their encoder was trained from, whose head they leave out.
    if (!embeds || error.kind() != ErrorKind::not_found) throw;
    graph = encode_graph(c, weights, modules, named.head = Head::none);
  }
  const std::optional<Task> task = task_of(named.head, graph);
  if (task) program.tasks.push_back(*task);
  program.tasks.insert(embeds ? program.tasks.begin() : program.tasks.end(), Task::embed);
  program.class_name = std::move(named.class_name);
  program.graphs.emplace("encode", std::move(graph));
  return program;
}

}  // namespace accelerate
