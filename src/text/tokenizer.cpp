#include "text/tokenizer.hpp"

#include "core/file.hpp"
#include "text/gguf_tokenizer.hpp"
#include "text/legacy_defaults.hpp"
#include "text/legacy_files.hpp"
#include "text/precompiled.hpp"
#include "text/tokenizer_state.hpp"

namespace accelerate::text {
namespace {

Json json_file(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::is_regular_file(path, ignored)) return Json();
  return Json::parse(read_file(path), path.filename().string());
}

void put_lower_case_first(Parts& parts) {
  Json lower;
  std::vector<std::unique_ptr<Normalizer>> steps;
  steps.push_back(Normalizer::make(lower.set("type", "Lowercase")));
  if (parts.normalizer) steps.push_back(std::move(parts.normalizer));
  parts.normalizer = make_normalizer_sequence(std::move(steps));
}

}  // namespace

Tokenizer Tokenizer::open(const std::filesystem::path& folder, std::string_view default_class, bool lower_case) {
  LegacySettings settings{json_file(folder / "tokenizer_config.json"), json_file(folder / "special_tokens_map.json")};
  const std::filesystem::path path = folder / "tokenizer.json";
  std::error_code ignored;
  try {
    const bool whole = std::filesystem::is_regular_file(path, ignored);
    if (!whole) settings = with_class_defaults(default_class, std::move(settings.config), std::move(settings.specials));
    Parts parts = whole ? read_parts_of_text(read_file(path), "tokenizer.json")
                        : read_legacy_parts(folder, settings.config, settings.specials);
    if (lower_case) put_lower_case_first(parts);
    auto state = std::make_shared<State>(std::move(parts));
    state->read_settings(settings.config, settings.specials);
    return Tokenizer(std::move(state));
  } catch (const Error& error) {
    throw error.within(folder.string());
  }
}

Tokenizer Tokenizer::from_json(const Json& json, std::string_view where, const Json& config) {
  try {
    auto state = std::make_shared<State>(read_parts(json));
    state->read_settings(config, Json());
    return Tokenizer(std::move(state));
  } catch (const Error& error) {
    throw error.within(where);
  }
}

Tokenizer Tokenizer::from_gguf(const Config& metadata, bool merges_by_id, const Json& config) {
  auto state = std::make_shared<State>(gguf_parts(metadata, merges_by_id));
  state->read_settings(config, Json());
  return Tokenizer(std::move(state));
}

Encoding Tokenizer::encode(std::string_view text, const EncodeOptions& options) const {
  const TextInput input{text};
  return std::move(encode_batch(std::span(&input, 1), options).front());
}

Encoding Tokenizer::encode(std::string_view text, std::string_view pair, const EncodeOptions& options) const {
  const TextInput input{text, pair};
  return std::move(encode_batch(std::span(&input, 1), options).front());
}

std::vector<Encoding> Tokenizer::encode_batch(std::span<const TextInput> inputs, const EncodeOptions& options) const {
  const State::Lease work(*state_);
  std::vector<Encoding> out;
  out.reserve(inputs.size());
  for (const TextInput& input : inputs) out.push_back(state_->encode(input, options, *work));
  if (options.file_padding && state_->parts.padding) pad_encodings(out, *state_->parts.padding);
  return out;
}

std::vector<std::int32_t> Tokenizer::encode_ids(std::string_view text, const EncodeOptions& options) const {
  const State::Lease work(*state_);
  RaggedIds out;
  state_->encode_ids({text}, options, *work, out);
  return std::move(out.ids);
}

RaggedIds Tokenizer::encode_ids(std::span<const TextInput> inputs, const EncodeOptions& options) const {
  const State::Lease work(*state_);
  RaggedIds out;
  out.row_starts.reserve(inputs.size() + 1);
  for (const TextInput& input : inputs) state_->encode_ids(input, options, *work, out);
  return out;
}

std::string Tokenizer::decode(std::span<const std::int32_t> ids, bool skip_special_tokens) const {
  std::vector<std::string> tokens;
  tokens.reserve(ids.size());
  for (const std::int32_t id : ids) {
    auto token = state_->token_text(id);
    if (!token || (skip_special_tokens && state_->added.is_special(*token))) continue;
    tokens.push_back(std::move(*token));
  }
  const bool decodes = state_->parts.decoder != nullptr;
  if (decodes) tokens = state_->parts.decoder->decode(std::move(tokens));
  std::string out;
  for (std::size_t i = 0; i < tokens.size(); ++i) {
    if (i > 0 && !decodes) out += ' ';
    out += tokens[i];
  }
  return out;
}

std::string Tokenizer::bytes_of(std::int32_t id, bool first) const {
  auto token = state_->token_text(id);
  if (!token) return {};
  if (state_->parts.decoder == nullptr) return first ? *token : " " + *token;
  TokenPlace place{.first = first};
  return state_->parts.decoder->bytes(std::move(*token), place);
}

std::optional<std::int32_t> Tokenizer::token_to_id(std::string_view token) const {
  std::int32_t id = state_->added.id_of(token);
  if (id < 0) id = state_->parts.model->vocabulary().find(token);
  return id < 0 ? std::nullopt : std::optional(id);
}

std::optional<std::string> Tokenizer::id_to_token(std::int32_t id) const { return state_->token_text(id); }

std::size_t Tokenizer::vocab_size(bool with_added_tokens) const {
  return state_->parts.model->size() + (with_added_tokens ? state_->added.beyond_model() : 0);
}

std::span<const AddedToken> Tokenizer::added_tokens() const { return state_->added.tokens(); }

const SpecialTokens& Tokenizer::special_tokens() const { return state_->settings.special; }

bool Tokenizer::is_special(std::int32_t id) const {
  const auto token = state_->token_text(id);
  return token && state_->added.is_special(*token);
}

std::size_t Tokenizer::added_by_template(bool pair) const {
  return state_->parts.post_processor ? state_->parts.post_processor->added_tokens(pair) : 0;
}

std::optional<std::size_t> Tokenizer::model_max_length() const { return state_->settings.model_max_length; }
Side Tokenizer::padding_side() const { return state_->settings.padding_side; }
Side Tokenizer::truncation_side() const { return state_->settings.truncation_side; }
std::int32_t Tokenizer::pad_type_id() const { return state_->settings.pad_type_id; }
std::span<const std::string> Tokenizer::model_input_names() const { return state_->settings.input_names; }
std::string_view Tokenizer::model_type() const { return state_->parts.model->type(); }

}  // namespace accelerate::text
