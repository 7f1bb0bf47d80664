// What a Tokenizer holds, and how its parts are put together.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "text/added_tokens.hpp"
#include "text/components.hpp"
#include "text/encoding_ops.hpp"
#include "text/models.hpp"

namespace accelerate::text {

// The parts, however they were made (tokenizer.json or older files).
struct Parts {
  std::unique_ptr<Normalizer> normalizer;
  std::unique_ptr<PreTokenizer> pre_tokenizer;
  std::unique_ptr<Model> model;
  std::unique_ptr<PostProcessor> post_processor;
  std::unique_ptr<Decoder> decoder;
  std::vector<AddedToken> added_tokens;
  std::optional<Truncation> truncation;
  std::optional<Padding> padding;
};
// From tokenizer.json; errors without its name.
Parts read_parts(const Json& json);

// What the files beside tokenizer.json say.
struct Settings {
  SpecialTokens special;
  std::optional<std::size_t> model_max_length;
  Side padding_side = Side::right, truncation_side = Side::right;
  std::int32_t pad_type_id = 0;
  std::vector<std::string> input_names;
};

struct Tokenizer::State {
  explicit State(Parts parts);

  // Splits `text` into words and added tokens: work.text and work.splits. Checks that it is UTF-8.
  void split(std::string_view text, bool tracked, Workspace& work) const;
  // Tokens of all splits, and work.first_token; or, with `truncation`, at least one token more than it lets stay, from
  // the side that stays, and no first_token.
  void tokenize(const Truncation* truncation, Workspace& work) const;
  Encoding encode_text(std::string_view text, int sequence, Workspace& work) const;
  void encode_text_ids(std::string_view text, const Truncation* truncation, Workspace& work,
                       std::vector<std::int32_t>& ids) const;

  Encoding encode(const TextInput& input, const EncodeOptions& options, Workspace& work) const;
  void encode_ids(const TextInput& input, const EncodeOptions& options, Workspace& work, RaggedIds& out) const;
  void read_settings(const Json& config, const Json& special_tokens_map);

  std::optional<std::string> token_text(std::int32_t id) const;

  Parts parts;
  AddedTokens added;
  Settings settings;
  bool track_always = false;  // a pre-tokenizer asks where splits begin
  std::optional<std::vector<PostProcessor::Piece>> single_pieces, pair_pieces;

  // Workspaces are lent to one call each.
  class Lease;
  mutable std::mutex mutex;
  mutable std::vector<std::unique_ptr<Workspace>> idle;
};

class Tokenizer::State::Lease {
 public:
  explicit Lease(const State& state) : state_(state) {
    const std::lock_guard lock(state.mutex);
    if (!state.idle.empty()) {
      workspace_ = std::move(state.idle.back());
      state.idle.pop_back();
    }
    if (!workspace_) workspace_ = std::make_unique<Workspace>();
  }
  Lease(const Lease&) = delete;
  Lease& operator=(const Lease&) = delete;
  ~Lease() {
    const std::lock_guard lock(state_.mutex);
    state_.idle.push_back(std::move(workspace_));
  }
  Workspace& operator*() const { return *workspace_; }

 private:
  const State& state_;
  std::unique_ptr<Workspace> workspace_;
};

}  // namespace accelerate::text
