// What the level-independent halves of the kernels share.
#pragma once

#include <algorithm>

#include "backends/cpu/kernels.hpp"
#include "backends/cpu/kernels/level.hpp"

namespace accelerate::cpu::detail {

// The table of a level whether or not this machine can run it: shapes of packed weights are facts of the level.
const LevelTable& table_of(Level level);

const ProductTable& product_of(const LevelTable& table, Packing packing);

// Error{invalid_input} naming `where` unless the dtype is f32, f16 or bf16.
Stored stored_as(DType dtype, std::string_view where);

// Rows that a thread should at least have to itself: fewer slow it down by reading the weights, which it then does not
// share.
constexpr std::int64_t kLeastOwnRows = 48;
// Of tokens' rows that threads share out none has fewer: its tiles would be so small that they sum in another order.
constexpr std::int64_t kLeastShared = 8;

// What is worth another thread, from what is where handing work over costs the usual 2.5 us.
inline double worth_sharing(ThreadPool& pool, double there) {
  return there * pool.handoff_seconds() / ThreadPool::kUsualHandoff;
}

// Rows [begin, end); nothing for Norm::Kind::none.
void norm_rows(const LevelTable& table, const Norm& norm, ConstRows input, Rows output, std::int64_t begin,
               std::int64_t end, std::int64_t width);

inline std::int64_t divide_up(std::int64_t a, std::int64_t b) { return (a + b - 1) / b; }

// Calls body(begin, end) for pieces of [0, rows), equally many a thread where there are enough. A piece is at least
// `least` rows where handing it over costs 2.5 us.
template <typename Body>
void for_row_pieces(ThreadPool& pool, std::int64_t rows, double least, const Body& body) {
  const auto most = static_cast<std::int64_t>(static_cast<double>(rows) / std::max(worth_sharing(pool, least), 1.0));
  const std::int64_t threads = pool.threads();
  std::int64_t pieces = std::clamp<std::int64_t>(most, 1, threads == 1 ? 1 : 4 * threads);
  if (pieces > threads) pieces -= pieces % threads;
  if (rows <= 0) return;
  pool.parallel_for(pieces, [&](std::int64_t piece, int) { body(rows * piece / pieces, rows * (piece + 1) / pieces); });
}

}  // namespace accelerate::cpu::detail
