#include "runtime/next_token.hpp"

#include <algorithm>
#include <limits>

#include "decoding/choice.hpp"
#include "decoding/random.hpp"

namespace accelerate::runtime {

namespace {
constexpr float kNever = -std::numeric_limits<float>::infinity();
}

NextToken::NextToken(const GenerationCall& call)
    : call_(call), chain_(call.settings, call.filter, call.max_positions) {}

std::optional<std::int32_t> NextToken::operator()(std::span<const float> logits, std::span<const std::int32_t> tokens,
                                                  std::size_t prompt_length, std::size_t number) {
  scores_.assign(logits.begin(), logits.end());
  scores_.resize(call_.vocabulary, kNever);
  chain_.apply(scores_, tokens, prompt_length);
  if (std::ranges::none_of(scores_, [](float score) { return score > kNever; })) return std::nullopt;
  if (!call_.settings.do_sample) return decoding::likeliest(scores_);
  const auto place = static_cast<std::uint32_t>(tokens.size() - prompt_length);
  return decoding::sampled(scores_, decoding::uniform(call_.settings.seed, number, place));
}

}  // namespace accelerate::runtime
