// From the logits of one position to the scores that the next token is chosen by: a list of steps, as Transformers 5.23
// orders them (generation/utils.py, _get_logits_processor; the steps are those of generation/logits_process.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "decoding/settings.hpp"

namespace accelerate::decoding {

// Says which tokens may come next: the place where grammars and schemas constrain a text.
class TokenFilter {
 public:
  virtual ~TokenFilter() = default;
  // Sets in `allowed` the bit of each token that may follow `tokens` (prompt included, of `prompt_length`): token i is
  // bit i % 64 of word i / 64; all bits are 0 before. A forced first token counts as the prompt's. False, with nothing
  // read from `allowed`, when any token may.
  virtual bool allow(std::span<const std::int32_t> tokens, std::size_t prompt_length,
                     std::span<std::uint64_t> allowed) const = 0;
  // For SamplerChain::describe().
  virtual std::string_view name() const = 0;
};

// Each step changes scores as its Transformers class does; a score of -inf means "never".
struct RepetitionPenalty {  // RepetitionPenaltyLogitsProcessor
  float penalty = 1;
};
struct CountPenalty {  // presence and frequency of generated tokens: OpenAI's and vLLM's, not in Transformers
  float presence = 0, frequency = 0;
};
struct NoRepeatNgrams {  // NoRepeatNGramLogitsProcessor
  std::size_t size = 0;
};
struct BadWords {  // NoBadWordsLogitsProcessor
  std::vector<std::vector<std::int32_t>> words;
};
struct MinLength {  // MinLengthLogitsProcessor, MinNewTokensLengthLogitsProcessor: whichever asks for more
  std::size_t total = 0, new_tokens = 0;
  std::vector<std::int32_t> eos;
};
struct Filter {  // PrefixConstrainedLogitsProcessor
  std::shared_ptr<const TokenFilter> filter;
  bool after_forced = false;  // behind a prompt of one token comes a forced one, of which the filter knows nothing
};
struct ForceFirst {  // ForcedBOSTokenLogitsProcessor
  std::int32_t token = 0;
};
struct ForceLast {  // ForcedEOSTokenLogitsProcessor
  std::vector<std::int32_t> tokens;
  GenerationSettings lengths;  // only what length_limit() reads
  std::size_t max_positions = 0;
};
struct RemoveInvalid {};  // InfNanRemoveLogitsProcessor
struct Suppress {         // SuppressTokensLogitsProcessor
  std::vector<std::int32_t> tokens;
};
struct SuppressFirst {  // SuppressTokensAtBeginLogitsProcessor
  std::vector<std::int32_t> tokens;
  bool after_forced = false;  // a prompt of one token is followed by a forced one: "first" is the one behind it
};
struct Temperature {  // TemperatureLogitsWarper
  float value = 1;
};
struct TopK {  // TopKLogitsWarper; equal scores at the border all stay
  std::size_t count = 0;
};
struct TopP {  // TopPLogitsWarper; of equal scores at the border, lower ids stay (any may there)
  double mass = 1;
  std::size_t keep = 1;  // at least so many tokens
};
struct MinP {  // MinPLogitsWarper
  double share = 0;
  std::size_t keep = 1;
};
struct Renormalize {};  // LogitNormalization

using SamplerStep =
    std::variant<RepetitionPenalty, CountPenalty, NoRepeatNgrams, BadWords, MinLength, Filter, ForceFirst, ForceLast,
                 RemoveInvalid, Suppress, SuppressFirst, Temperature, TopK, TopP, MinP, Renormalize>;

// Immutable; apply() may be called from several threads.
class SamplerChain {
 public:
  // The steps that `settings` ask for; `filter` may be null. Error{invalid_input} as check(settings) throws it.
  explicit SamplerChain(const GenerationSettings& settings, std::shared_ptr<const TokenFilter> filter = nullptr,
                        std::size_t max_positions = 0);
  explicit SamplerChain(std::vector<SamplerStep> steps) : steps_(std::move(steps)) {}

  std::span<const SamplerStep> steps() const { return steps_; }

  // `scores` [vocabulary] are changed in place. `tokens` are prompt and new tokens so far, the first `prompt_length` of
  // them the prompt (of the decoder, where there is an encoder); without padding. Tokens beyond the vocabulary are no
  // one's to score and are skipped. Error{invalid_input} when a bad word has a token beyond the vocabulary.
  void apply(std::span<float> scores, std::span<const std::int32_t> tokens, std::size_t prompt_length) const;

  // One line a step, in their order: "repetition_penalty 1.2", "top_k 50", ...
  std::string describe() const;

 private:
  std::vector<SamplerStep> steps_;
};

}  // namespace accelerate::decoding
