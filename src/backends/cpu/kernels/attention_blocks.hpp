// What attention over rows and over pages share: one thread's scratch, which keys are seen, and the online softmax.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::AttentionBlock;

constexpr int64_t kKeyBlock = 256;  // the scores of a tile: 12 KiB, 32 of the matrix unit
constexpr int64_t kQueryRows = kTileRows > kEncodedTileRows ? kTileRows : kEncodedTileRows;  // of a tile, at most
constexpr int64_t kScoreRows = kQueryRows > detail::kMostTogether ? kQueryRows : detail::kMostTogether;
constexpr int64_t kQueryBlock = (128 + kTileRows - 1) / kTileRows * kTileRows;  // 128 tokens pack their keys once

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline float minus_infinity() { return -__builtin_inff(); }

// One thread's scratch, carved into parts.
struct AttentionScratch {
  float *keys, *values, *scores, *sums, *bias, *maximum, *total;
  static int64_t floats(int64_t head_dim) {
    const int64_t wide = round_up(head_dim, kLanes);
    return kKeyBlock * head_dim + kKeyBlock * round_up(head_dim, 16) + kScoreRows * kKeyBlock +
           (kQueryBlock + kRowPadding) * wide + round_up(kKeyBlock + kQueryBlock, 16) + 2 * round_up(kQueryBlock, 16) +
           16 * 6;
  }
  AttentionScratch(float* memory, int64_t head_dim) {
    const int64_t wide = round_up(head_dim, kLanes);
    float* next = memory;
    const auto take = [&](int64_t count) {
      float* part = next;
      next += round_up(count, 16);
      return part;
    };
    keys = take(kKeyBlock * head_dim);
    values = take(kKeyBlock * round_up(head_dim, 16));
    scores = take(kScoreRows * kKeyBlock);
    sums = take((kQueryBlock + kRowPadding) * wide);
    bias = take(kKeyBlock + kQueryBlock);
    maximum = take(kQueryBlock);
    total = take(kQueryBlock);
  }
};

// Keys [begin, end) of the block that any query in [first, last] may see.
struct KeyRange {
  int64_t begin, end;
};
inline KeyRange visible(const AttentionBlock& a, int64_t first, int64_t last) {
  if (a.key_heads > 0) first = last = 0;
  // Saturating: an unlimited reach must not overflow.
  const int64_t from = a.reach_back > first + a.shift ? 0 : first + a.shift - a.reach_back;
  const int64_t until = a.reach_ahead >= a.keys ? a.keys : smaller(a.keys, last + a.shift + a.reach_ahead + 1);
  return {larger(from, 0), larger(until, 0)};
}

// A head's part of each row lies a whole row from the next, too far for the processor to foresee.
inline void ask_for(const float* rows, int64_t stride, int64_t count, int64_t width) {
  for (int64_t r = 0; r < count; ++r) {
    for (int64_t d = 0; d < width; d += kLineFloats) __builtin_prefetch(rows + r * stride + d);
  }
}

// What keys are multiplied with, so that scores are exponents of two, or what a cap's tanh takes.
inline float key_scale(const AttentionBlock& a) { return a.softcap > 0 ? a.scale / a.softcap : a.scale * kLog2E; }

// Cap, bias, key mask and reach on one query's scores of keys [first, first + count); unseen ones become -inf.
inline void mask_scores(const AttentionBlock& a, int64_t query, int64_t first, int64_t count, const float* bias,
                        float* scores) {
  const Vec hidden = set1(minus_infinity());
  if (a.softcap > 0) {  // keys were packed so that scores are what the cap's tanh takes
    for (int64_t j = 0; j < count; j += kLanes) store(scores + j, tanh(load(scores + j)) * set1(a.softcap * kLog2E));
  }
  if (bias != nullptr) {
    for (int64_t j = 0; j < count; j += kLanes) store(scores + j, load(scores + j) + load(bias + j));
  }
  if (a.key_mask != nullptr) {
    const uint8_t* mask = a.key_mask + first;
    int64_t j = 0;
    for (; j + 16 <= count; j += kLanes) store(scores + j, where_seen(mask + j, load(scores + j), hidden));
    for (; j < count; ++j) scores[j] = mask[j] != 0 ? scores[j] : minus_infinity();
  }
  const KeyRange seen = visible(a, query, query);
  for (int64_t j = 0; j < smaller(count, seen.begin - first); ++j) scores[j] = minus_infinity();
  for (int64_t j = larger(0, seen.end - first); j < round_up(count, kLanes); ++j) scores[j] = minus_infinity();
}

inline float row_maximum(const float* row, int64_t width) {
  Vec best = set1(minus_infinity());
  for (int64_t j = 0; j < width; j += kLanes) best = maximum(best, load(row + j));
  return reduce_max(best);
}

// row = 2^(row - most); returns the sum.
inline float exponentiate(float* row, int64_t width, float most) {
  Vec total = set1(0.0F);
  const Vec shift = set1(most);
  for (int64_t j = 0; j < width; j += kLanes) {
    const Vec p = exp2_below_zero(load(row + j) - shift);
    total = total + p;
    store(row + j, p);
  }
  return reduce_add(total);
}

inline void scale_row(const float* from, float factor, float* to, int64_t count) {
  for_vectors(count, [&](int64_t i, auto read, auto write) { write(to + i, read(from + i) * set1(factor)); });
}

// Scores of keys [first, first + count) become what their values are multiplied with; what was summed before them is
// scaled to the new maximum. `slot` is the query's place in maximum and total.
inline void take_scores(const AttentionBlock& a, const AttentionScratch& s, int64_t query, int64_t slot, int64_t first,
                        int64_t count, const float* bias, bool first_block, float* row, float* sums) {
  mask_scores(a, query, first, count, bias, row);
  const int64_t width = round_up(count, kLanes), wide = round_up(a.head_dim, kLanes);
  const float before = first_block ? minus_infinity() : s.maximum[slot];
  const float seen_most = row_maximum(row, width);
  const float most = seen_most > before ? seen_most : before;
  const float shift = most == minus_infinity() ? 0.0F : most;
  const float total = exponentiate(row, width, shift);
  s.maximum[slot] = most;
  if (first_block) {
    s.total[slot] = total;
  } else if (most != before) {
    float factor[kLanes];
    store(factor, exp2(set1(before - shift)));
    s.total[slot] = s.total[slot] * factor[0] + total;
    scale_row(sums, factor[0], sums, wide);
  } else {
    s.total[slot] += total;
  }
}

inline void write_outputs(const AttentionBlock& a, const AttentionScratch& s) {
  const int64_t wide = round_up(a.head_dim, kLanes);
  for (int64_t query = a.query_begin; query < a.query_end; ++query) {
    const int64_t slot = query - a.query_begin;
    const float total = s.total[slot];
    scale_row(s.sums + slot * wide, total > 0.0F ? 1.0F / total : 0.0F, a.output + query * a.output_stride, a.head_dim);
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
