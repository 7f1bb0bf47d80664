#include "runtime/text_processor.hpp"

#include <algorithm>

#include "models/gguf_folder.hpp"

namespace accelerate::runtime {
namespace {

Json default_decoder(const text::Tokenizer& tokenizer) {
  Json decoder;
  if (tokenizer.model_type() == "WordPiece") {
    decoder.set("type", "WordPiece");
    decoder.set("prefix", "##");
    decoder.set("cleanup", true);
  } else if (tokenizer.model_type() == "BPE") {
    decoder.set("type", "ByteLevel");
  } else if (tokenizer.model_type() == "Unigram") {
    decoder.set("type", "Metaspace");
    decoder.set("replacement", "\xe2\x96\x81");
    decoder.set("prepend_scheme", "always");
  }
  return decoder;
}

// What overflowed has the types that the tokenizer gave it before its template, so they are changed one by one.
void drop_types(text::Encoding& encoding) {
  std::ranges::fill(encoding.type_ids, 0);
  for (text::Encoding& piece : encoding.overflowing) drop_types(piece);
}

text::Tokenizer open_tokenizer(const Checkpoint& checkpoint, const TextSettings& settings) {
  if (const GgufFile* file = checkpoint.gguf()) return gguf_tokenizer(*file);
  return text::Tokenizer::open(checkpoint.main_folder(), settings.tokenizer_class, settings.lower_case);
}

std::string number_of(std::size_t text) { return "texts[" + std::to_string(text) + "]"; }

}  // namespace

std::vector<TextView> views(std::span<const std::string> texts) {
  std::vector<TextView> all;
  all.reserve(texts.size());
  for (const std::string& text : texts) all.push_back({text});
  return all;
}

std::vector<TextView> views(std::span<const TextPair> pairs) {
  std::vector<TextView> all;
  all.reserve(pairs.size());
  for (const TextPair& pair : pairs) all.push_back({pair.text, pair.pair});
  return all;
}

TextProcessor::TextProcessor(const Checkpoint& checkpoint, TextSettings settings)
    : checkpoint_(checkpoint), settings_(std::move(settings)), tokenizer_(open_tokenizer(checkpoint, settings_)) {}

const TextProcessor::Spelling& TextProcessor::spelling() const {
  std::call_once(spelled_, [&] {
    const std::optional<Json> file = checkpoint_.json("tokenizer.json");
    const Json* decoder = file ? file->find("decoder") : nullptr;
    spelling_.decoder = text::Decoder::make(decoder != nullptr ? *decoder
                                            : file             ? Json()
                                                               : default_decoder(tokenizer_));
    const Json* model = file ? file->find("model") : nullptr;
    const Json* prefix = model != nullptr ? model->find("continuing_subword_prefix") : nullptr;
    spelling_.marks_continuations = prefix != nullptr ? prefix->is_string() && !prefix->as_string().empty()
                                                      : tokenizer_.model_type() == "WordPiece";
  });
  return spelling_;
}

text::EncodeOptions TextProcessor::options() const {
  text::EncodeOptions options;
  if (settings_.max_tokens > 0) options.max_length = static_cast<std::size_t>(settings_.max_tokens);
  return options;
}

void TextProcessor::check_length(std::size_t number, const TextView& input, bool truncated, bool strict) const {
  if (!truncated || !strict) return;
  const std::vector<TextView> one{input};
  const std::size_t tokens = tokenizer_.encode_ids(one).ids.size();
  throw Error(ErrorKind::invalid_input,
              "has " + std::to_string(tokens) + " tokens, the model takes " + std::to_string(settings_.max_tokens),
              number_of(number), "without strict it is cut");
}

TokenizedTexts TextProcessor::ids_of(std::span<const TextView> texts, const BatchOptions& options) const {
  constexpr std::size_t kTextsAtOnce = 256;
  TokenizedTexts tokenized;
  tokenized.ids.reserve(texts.size());
  const text::EncodeOptions encode = this->options();
  for (std::size_t first = 0; first < texts.size(); first += kTextsAtOnce) {
    options.cancellation.check();
    const auto part = texts.subspan(first, std::min(kTextsAtOnce, texts.size() - first));
    text::RaggedIds rows;
    try {
      rows = tokenizer_.encode_ids(part, encode);
    } catch (const Error&) {
      // Which one it was: the first that fails alone.
      for (std::size_t i = 0; i < part.size(); ++i) encoding_of(first + i, part[i], encode);
      throw;
    }
    for (std::size_t i = 0; i < rows.rows(); ++i) {
      tokenized.ids.emplace_back(rows.row(i).begin(), rows.row(i).end());
      tokenized.type_ids.emplace_back(rows.row_types(i).begin(), rows.row_types(i).end());
      if (!settings_.token_types) std::ranges::fill(tokenized.type_ids.back(), 0);
      if (rows.truncated[i] == 0) continue;
      check_length(first + i, part[i], true, options.strict);
      tokenized.truncated.push_back(first + i);
    }
  }
  return tokenized;
}

text::Encoding TextProcessor::encode(const TextView& input, const text::EncodeOptions& options) const {
  text::Encoding encoding =
      input.pair ? tokenizer_.encode(input.text, *input.pair, options) : tokenizer_.encode(input.text, options);
  if (!settings_.token_types) drop_types(encoding);
  return encoding;
}

text::Encoding TextProcessor::encoding_of(std::size_t number, const TextView& input,
                                          const text::EncodeOptions& options) const {
  try {
    return encode(input, options);
  } catch (const Error& error) {
    throw error.within(number_of(number));
  }
}

std::string TextProcessor::mask_token() const {
  const std::optional<std::int32_t> id = tokenizer_.special_tokens().mask;
  return id ? tokenizer_.id_to_token(*id).value_or("") : "";
}

std::string TextProcessor::text_of(std::vector<std::string> tokens) const {
  std::string joined;
  const text::Decoder* decoder = spelling().decoder.get();
  if (decoder == nullptr) {
    for (const std::string& token : tokens) joined += (&token == &tokens.front() ? "" : " ") + token;
    return joined;
  }
  for (const std::string& piece : decoder->decode(std::move(tokens))) joined += piece;
  return joined;
}

std::int64_t TextProcessor::prompt_length(std::string_view prompt) const {
  const std::vector<std::int32_t> ids = tokenizer_.encode_ids(prompt, options());
  const bool closed = !ids.empty() && tokenizer_.is_special(ids.back());
  return static_cast<std::int64_t>(ids.size()) - (closed ? 1 : 0);
}

}  // namespace accelerate::runtime
