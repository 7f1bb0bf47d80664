#include "verify/figures.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

namespace accelerate::verify {
namespace {

struct Row {
  Precision precision;
  double cosine, kl_divergence, top1;
};

constexpr std::array kBounds = {Row{Precision::f32, 0.999999, 1e-6, 0.999}, Row{Precision::bf16, 0.9998, 1e-3, 0.99},
                                Row{Precision::int8, 0.999, 1e-2, 0.97}};

double dot(std::span<const double> a, std::span<const double> b) {
  return std::inner_product(a.begin(), a.end(), b.begin(), 0.0);
}

// Of vectors with these products; two zeros are equal.
double cosine_of(double product, double a_squared, double b_squared) {
  if (a_squared == 0 && b_squared == 0) return 1;
  const double norms = std::sqrt(a_squared) * std::sqrt(b_squared);
  const double cosine = norms == 0 ? 0 : product / norms;
  return std::isfinite(cosine) ? std::clamp(cosine, -1.0, 1.0) : -1;
}

// log of the sum of exponentials.
double log_sum(std::span<const double> logits) {
  const double most = *std::ranges::max_element(logits);
  double sum = 0;
  for (const double x : logits) sum += std::exp(x - most);
  return most + std::log(sum);
}

bool all_finite(std::span<const double> values) {
  return std::ranges::all_of(values, [](double value) { return std::isfinite(value); });
}

}  // namespace

records::Bound bound_of(Precision precision) {
  for (const Row& row : kBounds) {
    if (row.precision == precision) {
      return {.cosine = row.cosine, .kl_divergence = row.kl_divergence, .top1 = row.top1};
    }
  }
  return {};
}

records::Bound with_room(records::Bound bound) {
  constexpr double kShare = 0.8;
  if (bound.cosine) bound.cosine = 1 - kShare * (1 - *bound.cosine);
  if (bound.kl_divergence) bound.kl_divergence = kShare * *bound.kl_divergence;
  if (bound.top1) bound.top1 = 1 - kShare * (1 - *bound.top1);
  return bound;
}

bool is_within(const Figures& figures, const records::Bound& bound) {
  if (bound.cosine && figures.worst_cosine < *bound.cosine) return false;
  if (bound.kl_divergence && figures.mean_kl_divergence.value_or(0) > *bound.kl_divergence) return false;
  return !bound.top1 || figures.top1.value_or(1) >= *bound.top1;
}

void FigureMeter::add(const Tensor& expected, const Tensor& found, const RowMask& mask, bool logits) {
  if (expected.dims() != found.dims()) {
    throw Error(ErrorKind::invalid_input,
                "has shape " + to_string(found.dims()) + ", expected " + to_string(expected.dims()));
  }
  if (expected.rank() == 0 || expected.elements() == 0) return;
  const std::span<const float> a = expected.as<float>(), b = found.as<float>();
  const auto width = static_cast<std::size_t>(expected.dims().back());
  const std::size_t per_entry = mask.empty() ? a.size() : std::max<std::size_t>(1, a.size() / mask.size());
  std::vector<double> row_a, row_b;
  for (std::size_t begin = 0; begin < a.size(); begin += width) {
    row_a.clear();
    row_b.clear();
    for (std::size_t i = begin; i < begin + width; ++i) {
      if (!mask.empty() && mask[i / per_entry] == 0) continue;
      row_a.push_back(static_cast<double>(a[i]));
      row_b.push_back(static_cast<double>(b[i]));
    }
    if (row_a.empty()) continue;
    ++worst_.rows;
    if (logits && width == 1) {
      add_score(row_a.front(), row_b.front());
    } else {
      add_row(row_a, row_b, logits);
    }
  }
}

void FigureMeter::add_row(std::span<const double> expected, std::span<const double> found, bool logits) {
  add_cosine(all_finite(found) ? cosine_of(dot(expected, found), dot(expected, expected), dot(found, found)) : -1);
  if (logits) add_choice(expected, found);
}

void FigureMeter::add_score(double expected, double found) {
  ++scores_;
  expected_squared_ += expected * expected;
  found_squared_ += found * found;
  product_ += expected * found;
  add_choice(std::array{expected, 0.0}, std::array{found, 0.0});
}

void FigureMeter::add_cosine(double cosine) {
  ++cosines_;
  sum_of_cosines_ += cosine;
  worst_.worst_cosine = std::min(worst_.worst_cosine, cosine);
}

void FigureMeter::add_choice(std::span<const double> expected, std::span<const double> found) {
  ++choices_;
  if (!all_finite(found) || !all_finite(expected)) return;
  const double of_expected = log_sum(expected), of_found = log_sum(found);
  double kl = 0;
  for (std::size_t i = 0; i < expected.size(); ++i) {
    const double log_p = expected[i] - of_expected, log_q = found[i] - of_found;
    kl += std::exp(log_p) * (log_p - log_q);
  }
  kl = std::max(kl, 0.0);  // below zero by rounding only
  sum_of_kl_ += kl;
  worst_.worst_kl_divergence = std::max(worst_.worst_kl_divergence.value_or(0), kl);
  const auto best = [](std::span<const double> row) { return std::ranges::max_element(row) - row.begin(); };
  equal_ += best(expected) == best(found) ? 1 : 0;
}

Figures FigureMeter::figures() const {
  FigureMeter all = *this;
  if (scores_ > 0) all.add_cosine(cosine_of(product_, expected_squared_, found_squared_));
  Figures figures = all.worst_;
  if (all.cosines_ > 0) figures.mean_cosine = all.sum_of_cosines_ / static_cast<double>(all.cosines_);
  if (choices_ == 0) return figures;
  figures.top1 = static_cast<double>(equal_) / static_cast<double>(choices_);
  if (figures.worst_kl_divergence) figures.mean_kl_divergence = sum_of_kl_ / static_cast<double>(choices_);
  return figures;
}

}  // namespace accelerate::verify
