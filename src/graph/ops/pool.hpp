// One vector an item from its tokens.
#pragma once

#include "graph/graph.hpp"

namespace accelerate::ops {

enum class PoolMode { mean, max, first, last, mean_sqrt_length, weighted_mean, first_row };

// "mean", "max", "first", "last", "mean_sqrt_length", "weighted_mean", "first_row"
std::string_view name_of(PoolMode mode);

// Operands: x [batch, tokens~, n], skip [batch] (indices) or absent: how many rows at the beginning of each item are
//   left out, such as a prompt's. Result: [batch, n]; rows of an item that is skipped whole are zero (first: its first
//   row; max: a number below all).
//   mean_sqrt_length divides the sum by sqrt(length); weighted_mean weighs token i with i + 1 (Muennighoff 2022), where
//   i counts skipped rows too.
//   Rows that Extents::set_seen() leaves out are no tokens. first_row alone takes an item's very first row, seen or
//   not, as the heads of Transformers do.
struct Pool final : Operation {
  PoolMode mode = PoolMode::mean;

  explicit Pool(PoolMode m) : mode(m) {}
  std::string_view name() const override { return "pool"; }
  Attributes attributes() const override;
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

// Chosen rows: row (item[i], position[i]) of x.
//
// Operands: x [batch, tokens~, n], item [selected] and position [selected] (indices). Result: [selected, n].
struct SelectRows final : Operation {
  std::string_view name() const override { return "select_rows"; }
  Type infer(Operands operands) const override;
  Value decompose(Primitives& p, std::span<const Value> operands) const override;
  Cost cost(Operands operands, const Type& result) const override;
};

}  // namespace accelerate::ops
