#include "verify/tolerance.hpp"

#include <array>
#include <cstdio>

namespace accelerate::verify {
namespace {

struct Row {
  Quantity quantity;
  WeightKind weights;
  Tolerance tolerance;
};

constexpr std::array kTable = {
    Row{Quantity::tensor, WeightKind::random, {.absolute = 5e-5, .relative = 1e-4}},
    Row{Quantity::steps, WeightKind::random, {.absolute = 3e-4, .relative = 3e-4}},
    Row{Quantity::rounded, WeightKind::random, {.absolute = 5e-5, .relative = 1e-4}},
    Row{Quantity::score, WeightKind::random, {.absolute = 1e-4}},
    Row{Quantity::tensor, WeightKind::trained, {.l2 = 1e-5}},
    Row{Quantity::steps, WeightKind::trained, {.l2 = 1e-5}},
    Row{Quantity::rounded, WeightKind::trained, {.absolute = 1e-6, .relative = 1e-5}},
    Row{Quantity::score, WeightKind::trained, {.absolute = 1e-5}},
};

}  // namespace

std::string Tolerance::to_string() const {
  std::array<char, 64> text{};
  if (l2 > 0) {
    std::snprintf(text.data(), text.size(), "%.0e of the norm", l2);
  } else if (relative > 0) {
    std::snprintf(text.data(), text.size(), "%.0e + %.0e of the value", absolute, relative);
  } else {
    std::snprintf(text.data(), text.size(), "%.0e", absolute);
  }
  return text.data();
}

Tolerance tolerance_of(Quantity quantity, WeightKind weights) {
  for (const Row& row : kTable) {
    if (row.quantity == quantity && row.weights == weights) return row.tolerance;
  }
  return {};
}

}  // namespace accelerate::verify
