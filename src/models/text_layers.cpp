#include "models/text_layers.hpp"

namespace accelerate {
namespace {

// More layers than any model has; weights shared by layers (ALBERT) would let a config ask for any number.
constexpr std::int64_t kMostLayers = 10'000;

}  // namespace

std::int64_t heads_in(Builder& b, Value x, std::int64_t head_dim, std::string_view operand) {
  const std::int64_t width = b.width(x);
  if (width >= head_dim && width % head_dim == 0) return width / head_dim;
  throw Error(ErrorKind::corrupted,
              "the " + std::string(operand) + " is " + std::to_string(width) +
                  " wide, expected a multiple of the head size " + std::to_string(head_dim),
              b.path(), "the config and the weights are from different models");
}

Summary text_summary(const Config& c) {
  Summary s;
  s.layers = c.size({"num_hidden_layers", "n_layers", "n_layer"}, 1, kMostLayers);
  s.hidden_size = c.size({"hidden_size", "dim", "n_embd"});
  s.heads = c.size({"num_attention_heads", "n_heads", "n_head"});
  s.vocabulary = c.size({"vocab_size"});
  s.max_tokens = c.size({"max_position_embeddings", "n_positions"});
  if (s.hidden_size % s.heads != 0 && !c.has("head_dim")) {
    const char* key = c.has("num_attention_heads") ? "num_attention_heads" : c.has("n_heads") ? "n_heads" : "n_head";
    c.fail(key, "is " + std::to_string(s.heads) + ", which does not divide the hidden size " +
                    std::to_string(s.hidden_size));
  }
  return s;
}

void output_hidden_states(Builder& b, const Encoded& encoded) {
  b.output("last_hidden_state", encoded.last);
  for (std::size_t i = 0; i < encoded.hidden_states.size(); ++i) {
    b.output("hidden_states." + std::to_string(i), encoded.hidden_states[i]);
  }
}

void output_embeddings(Builder& b, const std::vector<SentenceModule>& modules, Value last) {
  const Value mean = b.pool(last, ops::PoolMode::mean);
  b.output("mean_pooled", mean);
  b.output("sentence_embedding", modules.empty() ? mean : sentence_embedding(b, modules, last));
}

void expect_off(const Config& c, std::string_view key) {
  if (c.get(key, false)) c.fail(key, "is true, which is not supported", ErrorKind::unsupported);
}

void expect_setting(const Config& c, std::string_view key, std::string_view expected) {
  const auto found = c.get(key, std::string(expected));
  if (found == expected) return;
  c.fail(key, "is \"" + found + "\", which is not supported, expected \"" + std::string(expected) + "\"",
         ErrorKind::unsupported);
}

void expect_plain_weights(const Config& c) {
  if (!c.has("quantization_config")) return;
  c.fail("quantization_config", "says that the weights are quantized, which is not supported", ErrorKind::unsupported);
}

Activation activation_of(const Config& c, std::string_view key, const std::string& fallback) {
  const auto name = c.get(key, fallback);
  try {
    return activation_named(name);
  } catch (const Error& error) {
    c.fail(key, error.message(), error.kind());
  }
}

Value selected_rows(Builder& b, Value x) {
  const Type type{Element::index, Shape{Dim::symbol("selected")}};
  return b.select_rows(x, b.input("selected.item", type), b.input("selected.position", type));
}

void add_continued(Program& program, const Weights& weights, const std::function<Value(Builder&)>& decode,
                   const std::function<Value(Builder&, Value)>& logits) {
  const auto made = [&weights, decode, logits](const char* name, bool selects) {
    Builder b(name, weights, Builder::State::kept);
    const Value last = decode(b);
    b.output("logits", logits(b, selects ? selected_rows(b, last) : last));
    return b.finish();
  };
  program.graphs.emplace("decode", made("decode", true));
  program.for_files.emplace("continue", [made] { return made("continue", false); });
}

Value attend(Builder& b, std::int64_t head_dim, AttentionOptions options) {
  options.heads = heads_in(b, options.query, head_dim, "query");
  options.kv_heads = heads_in(b, options.key, head_dim, "key");
  return b.attention(options);
}

}  // namespace accelerate
