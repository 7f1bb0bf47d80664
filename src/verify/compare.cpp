#include "verify/compare.hpp"

#include <algorithm>
#include <cmath>
#include <limits>

namespace accelerate::verify {
namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

Dims place_of(std::int64_t index, const Dims& dims) {
  Dims place(dims.size());
  for (std::size_t axis = dims.size(); axis-- > 0;) {
    place[axis] = index % dims[axis];
    index /= dims[axis];
  }
  return place;
}

// Sums over the numbers that count.
class Comparison {
 public:
  explicit Comparison(const Tolerance& tolerance) : tolerance_(tolerance) {}

  void add(std::int64_t index, double expected, double found) {
    double error = std::abs(found - expected);
    if (expected == found) error = 0;          // equal infinities
    if (std::isnan(error)) error = kInfinity;  // a NaN on one side, or opposite infinities
    if (error > result_.worst_absolute || result_.compared == 0) {
      result_.worst_absolute = error;
      result_.expected = expected;
      result_.found = found;
      worst_ = index;
    }
    ++result_.compared;
    if (tolerance_.l2 == 0) {
      const double bound = tolerance_.absolute + tolerance_.relative * std::abs(expected);
      const double share = error == 0 ? 0 : std::isfinite(error) ? error / bound : kInfinity;
      result_.share_of_bound = std::max(result_.share_of_bound, share);
    }
    if (!std::isfinite(expected) && error == 0) return;
    squared_error_ += error * error;
    squared_expected_ += expected * expected;
    squared_found_ += found * found;
    product_ += expected * found;
  }

  Difference finish(const Dims& dims) {
    if (result_.compared > 0) result_.place = place_of(worst_, dims);
    if (squared_error_ > 0) result_.relative_l2 = std::sqrt(squared_error_ / squared_expected_);
    const double norms = std::sqrt(squared_expected_) * std::sqrt(squared_found_);
    result_.cosine = norms > 0 ? product_ / norms : squared_error_ > 0 ? 0 : 1;
    if (std::isnan(result_.relative_l2)) result_.relative_l2 = kInfinity;
    if (std::isnan(result_.cosine)) result_.cosine = 0;
    if (tolerance_.l2 > 0) result_.share_of_bound = result_.relative_l2 / tolerance_.l2;
    return result_;
  }

 private:
  Tolerance tolerance_;
  Difference result_;
  std::int64_t worst_ = 0;
  double squared_error_ = 0, squared_expected_ = 0, squared_found_ = 0, product_ = 0;
};

// Whether a number counts: a mask has an entry for every `per_entry` numbers in a row.
bool counts(const RowMask& mask, std::int64_t index, std::int64_t per_entry) {
  return mask.empty() || mask[static_cast<std::size_t>(index / per_entry)] != 0;
}

double top1_agreement(std::span<const float> expected, std::span<const float> found, std::int64_t width,
                      const RowMask& mask, std::int64_t per_entry) {
  std::int64_t rows = 0, equal = 0;
  for (std::int64_t begin = 0; begin < static_cast<std::int64_t>(expected.size()); begin += width) {
    std::int64_t best_expected = -1, best_found = -1;
    for (std::int64_t i = begin; i < begin + width; ++i) {
      if (!counts(mask, i, per_entry)) continue;
      const auto at = [](std::span<const float> values, std::int64_t k) { return values[static_cast<std::size_t>(k)]; };
      if (best_expected < 0 || at(expected, i) > at(expected, best_expected)) best_expected = i;
      if (best_found < 0 || at(found, i) > at(found, best_found)) best_found = i;
    }
    if (best_expected < 0) continue;
    ++rows;
    equal += best_expected == best_found ? 1 : 0;
  }
  return rows == 0 ? 1.0 : static_cast<double>(equal) / static_cast<double>(rows);
}

}  // namespace

Difference compare(const Tensor& expected, const Tensor& found, const Tolerance& tolerance, const RowMask& mask,
                   bool top1) {
  if (expected.dims() != found.dims()) {
    throw Error(ErrorKind::invalid_input,
                "has shape " + to_string(found.dims()) + ", expected " + to_string(expected.dims()));
  }
  const std::span<const float> a = expected.as<float>(), b = found.as<float>();
  const std::int64_t per_entry =
      mask.empty() ? 1 : std::max<std::int64_t>(1, expected.elements() / static_cast<std::int64_t>(mask.size()));
  Comparison comparison(tolerance);
  for (std::int64_t i = 0; i < expected.elements(); ++i) {
    if (!counts(mask, i, per_entry)) continue;
    comparison.add(i, a[static_cast<std::size_t>(i)], b[static_cast<std::size_t>(i)]);
  }
  Difference difference = comparison.finish(expected.dims());
  if (top1 && expected.rank() > 0 && expected.elements() > 0) {
    difference.top1 = top1_agreement(a, b, expected.dims().back(), mask, per_entry);
  }
  return difference;
}

Difference compare(std::span<const double> expected, std::span<const double> found, const Tolerance& tolerance) {
  if (expected.size() != found.size()) {
    throw Error(ErrorKind::invalid_input,
                "has " + std::to_string(found.size()) + " numbers, expected " + std::to_string(expected.size()));
  }
  Comparison comparison(tolerance);
  for (std::size_t i = 0; i < expected.size(); ++i) {
    comparison.add(static_cast<std::int64_t>(i), expected[i], found[i]);
  }
  return comparison.finish({static_cast<std::int64_t>(expected.size())});
}

std::string first_difference(const Tensor& expected, const Tensor& found) {
  if (expected.dims() != found.dims()) {
    return "has shape " + to_string(found.dims()) + ", expected " + to_string(expected.dims());
  }
  const Tensor wanted = expected.to(DType::i64), got = found.to(DType::i64);
  const auto a = wanted.as<std::int64_t>(), b = got.as<std::int64_t>();
  for (std::size_t i = 0; i < a.size(); ++i) {
    if (a[i] == b[i]) continue;
    return "at " + to_string(place_of(static_cast<std::int64_t>(i), expected.dims())) + ": found " +
           std::to_string(b[i]) + ", expected " + std::to_string(a[i]);
  }
  return {};
}

}  // namespace accelerate::verify
