// How close one precision comes to another, in three figures, and the one table of what is enough.
#pragma once

#include <cstdint>
#include <optional>

#include "accelerate/tensor.hpp"
#include "backends/precision.hpp"
#include "records/record.hpp"
#include "verify/compare.hpp"

namespace accelerate::verify {

// Of rows: one vector, or the scores of one choice, each.
struct Figures {
  std::int64_t rows = 0;
  double worst_cosine = 1, mean_cosine = 1;
  // Of logits: KL divergence of what was found from the reference (nats), and the share of rows whose largest number is
  // in the same place.
  std::optional<double> worst_kl_divergence, mean_kl_divergence, top1;
};

// The same for every model. Cosine is of the worst row; KL divergence is the mean, as single rows that are nearly flat
// scatter widely; top-1 is a share by nature.
//   f32   0.999999  1e-6  0.999   the order of sums, 1e-5 of the norm at most, gives a cosine of 1 - 1e-10; what is
//   left
//                                 is for models of hundreds of layers
//   bf16  0.9998    1e-3  0.99    8 bits of mantissa: each rounding is off by up to 2^-9 of the value, 0.2 %, and some
//                                 dozens of them in a row, as independent, by 1 to 2 %: cosine 1 - 2e-4
//   int8  0.999     1e-2  0.97    what a search by cosine does not notice: neighbours keep their order where they are
//                                 0.001 apart
// Precisions that are not in the table have no bound and are not judged.
records::Bound bound_of(Precision precision);

// A bound with a fifth of its distance from equality to spare: what holds it on some texts holds the bound itself
// on others too.
records::Bound with_room(records::Bound bound);
// Whether every figure that was taken is within its bound.
bool is_within(const Figures& figures, const records::Bound& bound);

// Collects figures over tensors.
class FigureMeter {
 public:
  // Rows are along the last dimension, f32 both; rows and numbers that `mask` calls padding are left out, as compare()
  // does it. Of logits with one number a row (a score, a regression) all rows together are one vector, and the number x
  // stands for the choice between two classes with logits x and 0. A row with a number that is not finite has cosine
  // -1. Error{invalid_input} giving both shapes where they differ.
  void add(const Tensor& expected, const Tensor& found, const RowMask& mask, bool logits);
  Figures figures() const;

 private:
  void add_row(std::span<const double> expected, std::span<const double> found, bool logits);
  void add_score(double expected, double found);
  void add_cosine(double cosine);
  void add_choice(std::span<const double> expected, std::span<const double> found);

  Figures worst_;
  std::int64_t cosines_ = 0, choices_ = 0, equal_ = 0;
  double sum_of_cosines_ = 0, sum_of_kl_ = 0;
  // Of scores, one a row.
  std::int64_t scores_ = 0;
  double expected_squared_ = 0, found_squared_ = 0, product_ = 0;
};

}  // namespace accelerate::verify
