// Steps that look at scores: temperature, top-k, top-p, min-p. They go through a large vocabulary few times, and sort
// nothing but the tokens in question.
#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "decoding/sampler_steps.hpp"

namespace accelerate::decoding {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr float kLowest = std::numeric_limits<float>::lowest();

bool larger(const Scored& a, const Scored& b) { return a.value != b.value ? a.value > b.value : a.index < b.index; }
bool by_id(const Scored& a, const Scored& b) { return a.index < b.index; }

void keep_sorted(Scores& scores, std::vector<Scored> best, std::size_t count) {
  best.resize(std::min(count, best.size()));
  std::sort(best.begin(), best.end(), by_id);
  scores.keep(std::move(best));
}

struct Reached {
  std::size_t count = 0;
  bool known = false;  // else even all of the candidates have too little
};
// How many of the candidates, largest first, there are until their mass and `above` reach `wanted`.
Reached reach(std::span<const Scored> sorted, float shift, double above, double wanted) {
  for (std::size_t i = 0; i < sorted.size(); ++i) {
    if (above >= wanted) return {i, true};
    above += static_cast<double>(exp_of_negative(sorted[i].value - shift));
  }
  return {sorted.size(), above >= wanted};
}

// A score that is not above the border of the tokens that hold `wanted`, and the mass of those with larger scores: by a
// histogram, so that of a flat distribution only one bin has to be sorted.
struct Border {
  float least = kLowest;  // of the bin that the border is in
  float most = std::numeric_limits<float>::infinity();
  double above = 0;
};
Border border_of(std::span<const float> scores, float shift, double wanted) {
  constexpr float kBinsAUnit = 32;
  std::array<double, 87 * 32> bins{};
  const auto bin_of = [&](float score) { return static_cast<std::size_t>((shift - score) * kBinsAUnit); };
  for (const float score : scores) {
    if (score - shift > -86) bins[bin_of(score)] += static_cast<double>(exp_of_negative(score - shift));
  }
  Border border;
  std::size_t bin = 0;
  while (bin + 1 < bins.size() && border.above + bins[bin] < wanted) border.above += bins[bin++];
  // The bins' edges in terms of scores: what bin_of says, not what its inverse would.
  float least = std::numeric_limits<float>::infinity(), most = kNever;
  for (const float score : scores) {
    if (!(score - shift > -86) || bin_of(score) != bin) continue;
    least = std::min(least, score);
    most = std::max(most, score);
  }
  return most > kNever ? Border{least, most, border.above} : Border{};  // else beyond the bins: sort all
}

}  // namespace

std::span<float> Scores::dense() {
  // In blocks of a fixed count, which the compiler turns into vectors at -O2.
  std::size_t i = 0;
  if (is_few_) {
    for (; i + kBlock <= all_.size(); i += kBlock) std::fill_n(all_.data() + i, kBlock, kNever);
    std::fill(all_.begin() + static_cast<std::ptrdiff_t>(i), all_.end(), kNever);
    for (const Scored& each : few_) all_[static_cast<std::size_t>(each.index)] = each.value;
  } else if (divisor_ != 1) {
    for (; i + kBlock <= all_.size(); i += kBlock) {
      float* const block = all_.data() + i;
      for (std::size_t j = 0; j < kBlock; ++j) block[j] /= divisor_;
    }
    for (; i < all_.size(); ++i) all_[i] /= divisor_;
  }
  is_few_ = false;
  divisor_ = 1;
  return all_;
}

void Scores::keep(std::vector<Scored> few) {
  few_ = std::move(few);
  is_few_ = true;
  divisor_ = 1;
}

void Scores::divide_by(float temperature) {
  if (divisor_ != 1) dense();
  if (!is_few_) divisor_ = temperature;
  for (Scored& each : few_) each.value /= temperature;
}

void Scores::keep_largest(std::size_t count) {
  if (is_few_) {
    if (few_.size() <= count) return;
    std::vector<float> values;
    for (const Scored& each : few_) values.push_back(each.value);
    const float least = kth_largest(values, count);
    std::erase_if(few_, [&](const Scored& each) { return each.value < least; });
    return;
  }
  // Division rounds: a score slightly below the border may become equal to it.
  auto [raw, found] = largest_few(all_, count);
  const float least = raw / divisor_;
  for (Scored& each : found) each.value /= divisor_;
  std::erase_if(found, [&](const Scored& each) { return each.value < least; });
  keep(std::move(found));
}

void apply_step(const Temperature& step, Scores& scores, const TokensSoFar&) { scores.divide_by(step.value); }

void apply_step(const TopK& step, Scores& scores, const TokensSoFar&) {
  const std::size_t count = scores.few() != nullptr ? scores.few()->size() : scores.size();
  if (step.count > 0 && step.count < count) scores.keep_largest(step.count);
}

void apply_step(const TopP& step, Scores& scores, const TokensSoFar&) {
  if (scores.few() != nullptr) {
    std::vector<Scored> sorted = *scores.few();
    if (sorted.empty()) return;
    std::sort(sorted.begin(), sorted.end(), larger);
    double whole = 0;
    for (const Scored& each : sorted) whole += static_cast<double>(exp_of_negative(each.value - sorted.front().value));
    const Reached found = reach(sorted, sorted.front().value, 0, step.mass * whole);
    return keep_sorted(scores, std::move(sorted), std::max(found.count, step.keep));
  }
  const std::span<float> all = scores.dense();
  const float shift = largest(all);
  if (!std::isfinite(shift)) return;
  const double wanted = step.mass * exp_sum(all, shift);
  // Mostly few tokens have it.
  const std::size_t few = std::min<std::size_t>(std::max<std::size_t>(64, step.keep), all.size());
  std::vector<Scored> sorted = largest_few(all, few).found;
  std::sort(sorted.begin(), sorted.end(), larger);
  Reached found = reach(sorted, shift, 0, wanted);
  if (found.known || sorted.size() < few) {
    return keep_sorted(scores, std::move(sorted), std::max(found.count, step.keep));
  }
  const Border border = border_of(all, shift, wanted);
  std::vector<Scored> kept, in_question;
  for (const Scored& each : at_least(all, border.least)) {
    (each.value > border.most ? kept : in_question).push_back(each);
  }
  std::sort(in_question.begin(), in_question.end(), larger);
  found = reach(in_question, shift, border.above, wanted);
  kept.insert(kept.end(), in_question.begin(), in_question.begin() + static_cast<std::ptrdiff_t>(found.count));
  keep_sorted(scores, std::move(kept), all.size());
}

void apply_step(const MinP& step, Scores& scores, const TokensSoFar&) {
  std::vector<Scored> found;
  if (scores.few() != nullptr) {
    found = *scores.few();
  } else {
    const std::span<float> all = scores.dense();
    const float shift = largest(all);
    if (!std::isfinite(shift)) return;
    // Somewhat below the border, and what must stay in any case.
    const float border = shift + static_cast<float>(std::log(step.share)) - 1e-3f * (1 + std::abs(shift));
    const float kth = kth_largest(all, std::min(step.keep, all.size()));
    found = at_least(all, std::max(kLowest, std::min(border, kth)));
  }
  std::sort(found.begin(), found.end(), larger);
  std::size_t kept = 0;
  while (kept < found.size() && std::exp(static_cast<double>(found[kept].value - found.front().value)) >= step.share) {
    ++kept;
  }
  keep_sorted(scores, std::move(found), std::max(kept, step.keep));
}

void apply_step(const Renormalize&, Scores& scores, const TokensSoFar&) { log_softmax(scores.dense()); }

}  // namespace accelerate::decoding
