// Beam search over a batch, as Transformers 5.23 does it (generation/utils.py, _beam_search): the same candidates, the
// same length penalty, the same end. With do_sample the candidates are drawn without replacement instead.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "decoding/sampler_chain.hpp"
#include "decoding/settings.hpp"

namespace accelerate::decoding {

// What each running beam continues, and the token to feed it: [batch * num_beams] each. Beam i takes over the past of
// beam parents[i], which is one of the same item.
struct BeamStep {
  std::vector<std::int32_t> parents, tokens;
};

struct BeamResult {
  std::vector<std::int32_t> ids;  // the new ones, with the eos that ended them
  float score = 0;                // sum of log-probabilities / length ^ length_penalty (sequences_scores)
};

struct BeamOptions {
  std::size_t max_positions = 0;                   // the model's, 0 for no limit (see length_limit)
  std::shared_ptr<const TokenFilter> filter = {};  // may be null
  // Ends sequences beside eos and stop ids and the length: stop strings, for one. Gets the new tokens. May be empty.
  std::function<bool(std::span<const std::int32_t>)> stops = {};
};

class BeamSearch {
 public:
  // `prompts`: the tokens of each item of the batch, of any lengths, without padding; for an encoder-decoder what its
  // decoder begins with. Lengths that count the prompt count the longest one, as if the others were padded to it.
  // Error{invalid_input} for settings that check() refuses, no prompts, an empty one, prompts as long as the maximum
  // length, and vocabularies with fewer than (number of eos ids + 1) tokens.
  BeamSearch(const GenerationSettings& settings, std::vector<std::vector<std::int32_t>> prompts, std::size_t vocabulary,
             BeamOptions options = {});

  std::size_t batch() const { return items_.size(); }
  std::size_t beams() const { return settings_.num_beams; }

  // `logits` [batch * num_beams, vocabulary] of the last token of each beam, as the model gives them; in the first step
  // also [batch, vocabulary], because the beams of an item are one then. Error{invalid_input} for another size, or when
  // the search is finished.
  BeamStep advance(std::span<const float> logits);

  // Nothing that follows could change the results: of all items, or of one. The logits of an item that is done are
  // not looked at; its beams stay as they are, and feed the pad token (else token 0).
  bool finished() const { return finished_; }
  bool done(std::size_t item) const;
  // Of some item no sequence has ended and none can go on: its steps leave no token.
  bool stuck() const;

  // [batch * num_return_sequences], best first for each item.
  std::vector<BeamResult> results() const;

 private:
  struct Running {
    std::vector<std::int32_t> tokens;  // with the prompt
    float score = 0;
  };
  struct Kept {
    std::vector<std::int32_t> ids;
    float score = 0;
    bool finished = false;
  };
  struct Item {
    std::size_t prompt_length = 0;
    std::vector<Running> running;
    std::vector<Kept> kept;
    bool improvable = true;
  };
  struct Candidate {
    std::size_t beam = 0;
    std::int32_t token = 0;
    float score = 0;
    bool ends = false;
  };

  bool all_kept_are_finished(const Item& item) const;
  std::vector<Candidate> candidates(std::size_t index, std::span<const float> logits) const;
  std::vector<float> scores(const Item& item, std::span<const float> logits) const;
  void mark_ends(const Item& item, std::vector<Candidate>& found) const;
  // Of an item that is not done.
  void keep_finished(Item& item, std::span<const Candidate> found) const;
  void go_on(Item& item, std::span<const Candidate> found, std::size_t first_beam, BeamStep& step) const;
  void judge(Item& item) const;

  GenerationSettings settings_;
  BeamOptions options_;
  SamplerChain chain_;
  std::vector<Item> items_;
  std::size_t vocabulary_ = 0, max_new_ = 0, generated_ = 0;
  bool finished_ = false;
};

}  // namespace accelerate::decoding
