// The token that follows, chosen from a model's logits by the settings of a call.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "decoding/sampler_chain.hpp"
#include "runtime/generate.hpp"

namespace accelerate::runtime {

class NextToken {
 public:
  explicit NextToken(const GenerationCall& call);

  // After `tokens`, prompt included, in the `number`-th text of the call: random numbers depend on place and text
  // alone. Nothing where the settings leave no token. Of wider or narrower logits those of the call's vocabulary count.
  std::optional<std::int32_t> operator()(std::span<const float> logits, std::span<const std::int32_t> tokens,
                                         std::size_t prompt_length, std::size_t number);

 private:
  const GenerationCall& call_;
  decoding::SamplerChain chain_;
  std::vector<float> scores_;
};

}  // namespace accelerate::runtime
