// What each step of a sampler chain does to the scores [vocabulary] of one sequence.
#pragma once

#include "decoding/sampler_chain.hpp"
#include "decoding/selection.hpp"

namespace accelerate::decoding {

struct TokensSoFar {
  std::span<const std::int32_t> all;  // prompt and generated
  std::size_t prompt_length = 0;

  std::span<const std::int32_t> generated() const { return all.subspan(prompt_length); }
};

// The scores, part of them still to be worked out: a temperature waits until something needs it, and when top-k has
// left few tokens the steps after it look at these alone.
class Scores {
 public:
  explicit Scores(std::span<float> all) : all_(all) {}

  std::size_t size() const { return all_.size(); }
  // All of them, worked out.
  std::span<float> dense();
  // The tokens that are left when all others are -inf, in the order of their ids; null when there is no such list.
  std::vector<Scored>* few() { return is_few_ ? &few_ : nullptr; }
  void keep(std::vector<Scored> few);  // in the order of ids

  void divide_by(float temperature);
  // The `count` largest of all, after division, and those that equal the last of them.
  void keep_largest(std::size_t count);

 private:
  std::span<float> all_;
  std::vector<Scored> few_;
  bool is_few_ = false;
  float divisor_ = 1;
};

void apply_step(const RepetitionPenalty& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const CountPenalty& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const NoRepeatNgrams& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const BadWords& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const MinLength& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const Filter& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const ForceFirst& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const ForceLast& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const RemoveInvalid& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const Suppress& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const SuppressFirst& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const Temperature& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const TopK& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const TopP& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const MinP& step, Scores& scores, const TokensSoFar& tokens);
void apply_step(const Renormalize& step, Scores& scores, const TokensSoFar& tokens);

}  // namespace accelerate::decoding
