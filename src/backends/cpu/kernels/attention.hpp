// Attention of a block of queries of one head, for every level: blocks of keys with an online softmax (Milakov &
// Gimelshein 2018; Dao et al. 2022), so that scores never leave the first-level cache.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::AttentionBlock;

constexpr int64_t kKeyBlock = 256;  // the scores of a tile: 12 KiB, 32 of the matrix unit
constexpr int64_t kQueryRows = kTileRows > kEncodedTileRows ? kTileRows : kEncodedTileRows;  // of a tile, at most
constexpr int64_t kQueryBlock = (128 + kTileRows - 1) / kTileRows * kTileRows;  // 128 tokens pack their keys once

inline int64_t smaller(int64_t a, int64_t b) { return a < b ? a : b; }
inline int64_t larger(int64_t a, int64_t b) { return a > b ? a : b; }
inline float minus_infinity() { return -__builtin_inff(); }

// One thread's scratch, carved into parts.
struct AttentionScratch {
  float *keys, *values, *scores, *sums, *bias, *maximum, *total;
  static int64_t floats(int64_t head_dim) {
    const int64_t wide = round_up(head_dim, kLanes);
    return kKeyBlock * head_dim + kKeyBlock * wide + kQueryRows * kKeyBlock + (kQueryBlock + kRowPadding) * wide +
           round_up(kKeyBlock + kQueryBlock, 16) + 2 * round_up(kQueryBlock, 16) + 16 * 6;
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
    values = take(kKeyBlock * wide);
    scores = take(kQueryRows * kKeyBlock);
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
  if (a.one_position) first = last = 0;
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

inline void pack_key_block(const AttentionBlock& a, int64_t first, int64_t count, float* out) {
  for (int64_t j = 0; j < count; j += kPanel) {
    pack_rows<Stored::f32>(a.key + (first + j) * a.key_stride, a.key_stride, smaller(kPanel, count - j), a.head_dim,
                           key_scale(a), out + j * a.head_dim);
  }
}

constexpr int64_t kPagePositions = 64;
static_assert(kPagePositions % kPanel == 0, "a panel of keys lies in one page");

template <typename Number>
const Number* page_of(const AttentionBlock& a, int64_t position) {
  return static_cast<const Number*>(a.pages[(position - a.first_position) / kPagePositions]);
}

// Pages that are multiplied as they lie; narrower ones are widened into the scratch first.
inline bool in_pages(const AttentionBlock& a) { return a.pages != nullptr && a.stored == Stored::f32; }

// Keys and values [first, first + count) of narrow pages, as pack_key_block and value_block would lay them out.
template <Stored kStored>
void widen_as(const AttentionBlock& a, int64_t first, int64_t count, float* keys, float* values) {
  for (int64_t j = 0; j < count; j += kPanel) {
    const uint16_t* from = page_of<uint16_t>(a, first + j) + a.key_place + (first + j) % kPagePositions * a.head_dim;
    for (int64_t i = 0; i < kPanel * a.head_dim; i += kLanes) {
      store(keys + j * a.head_dim + i, load_stored<kStored>(from, i, kLanes));
    }
  }
  const int64_t wide = round_up(a.head_dim, kLanes), stride = round_up(a.head_dim, 16);
  for (int64_t j = 0; j < count; ++j) {
    const uint16_t* from = page_of<uint16_t>(a, first + j) + a.value_place + (first + j) % kPagePositions * stride;
    for (int64_t i = 0; i < wide; i += kLanes) store(values + j * wide + i, load_stored<kStored>(from, i, kLanes));
  }
}

inline void widen_pages(const AttentionBlock& a, int64_t first, int64_t count, float* keys, float* values) {
  if (a.stored == Stored::f16) return widen_as<Stored::f16>(a, first, count, keys, values);
  widen_as<Stored::bf16>(a, first, count, keys, values);
}

// The panel of keys that begins with key `first`, a multiple of kPanel.
inline const float* key_panel(const AttentionBlock& a, const AttentionScratch& s, int64_t block, int64_t first) {
  if (!in_pages(a)) return s.keys + (first - block) * a.head_dim;
  return page_of<float>(a, first) + a.key_place + first % kPagePositions * a.head_dim;
}

// Values are read where they lie unless a row's last vector would reach beyond the head.
struct Values {
  const float* data;
  int64_t stride;
};
inline Values value_block(const AttentionBlock& a, int64_t first, int64_t count, float* packed) {
  if (a.head_dim % kLanes == 0) return {a.value + first * a.value_stride, a.value_stride};
  const int64_t wide = round_up(a.head_dim, kLanes);
  for (int64_t j = 0; j < count; ++j) {
    const float* from = a.value + (first + j) * a.value_stride;
    for (int64_t d = 0; d < a.head_dim; d += kLanes) {
      const int64_t lanes = smaller(kLanes, a.head_dim - d);
      store(packed + j * wide + d, lanes == kLanes ? load(from + d) : load_partial(from + d, lanes));
    }
  }
  return {packed, wide};
}

// out[rows][width] = start + x w in pieces of at most a panel; width is a multiple of kLanes.
inline void product(const float* x, int64_t x_stride, int64_t rows, const float* w, int64_t w_stride, int64_t depth,
                    int64_t width, const float* start, float* out, int64_t out_stride) {
  for (int64_t c = 0; c < width; c += kPanel) {
    const int64_t vectors = smaller(kPanel, width - c) / kLanes;
    kTiles.by_size[rows][vectors](x, x_stride, w + c, w_stride, depth, start == nullptr ? nullptr : start + c,
                                  out_stride, out + c, out_stride, {w, 0});
  }
}

#if defined(ACCELERATE_HAS_BF16_DOT)
// Products over bf16 need whole panels of a head; few keys do not pay for their packing.
inline bool in_bf16(const AttentionBlock& a) {
  return a.bf16 && a.pages == nullptr && a.head_dim % kPanel == 0 && a.keys >= kPanel;
}

// Keys as panels of words of two neighbouring dimensions; a word has the place of a float.
inline void narrow_keys(const AttentionBlock& a, int64_t first, int64_t count, float* packed) {
  const Vec scale = set1(key_scale(a));
  for (int64_t j = 0; j < count; j += kLanes) {
    float* panel = packed + j / kPanel * kPanel * a.head_dim / 2 + j % kPanel;
    for (int64_t d = 0; d < a.head_dim; d += 2 * kLanes) {
      Vec block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) {
        const float* row = a.key + (first + smaller(j + i, count - 1)) * a.key_stride + d;
        block[i] = neighbours_in_bf16(load(row) * scale, load(row + kLanes) * scale);
      }
      transpose(block);
      for (int64_t i = 0; i < kLanes; ++i) store(panel + (d / 2 + i) * kPanel, block[i]);
    }
  }
}

// Values as panels of words of two neighbouring keys, kKeyBlock / 2 words apart.
inline void narrow_values(const AttentionBlock& a, int64_t first, int64_t count, float* packed) {
  alignas(64) float zeros[kPanel] = {};
  for (int64_t d = 0; d < a.head_dim; d += kPanel, packed += kKeyBlock / 2 * kPanel) {
    for (int64_t j = 0; j < round_up(count, 2 * kWordStep); j += 2) {
      const float* row = a.value + (first + j) * a.value_stride + d;
      const float *one = j < count ? row : zeros, *next = j + 1 < count ? row + a.value_stride : zeros;
      for (int64_t i = 0; i < kPanel; i += kLanes) {
        store(packed + j / 2 * kPanel + i, pairs_in_bf16(load(one + i), load(next + i)));
      }
    }
  }
}

// As the products of attend_tile. Keys and values are from `offset` on in their block.
inline void narrow_scores(const AttentionBlock& a, const AttentionScratch& s, int64_t query, int64_t rows,
                          int64_t offset, int64_t width) {
  alignas(64) uint16_t queries[kQueryRows * 512];
  for (int64_t r = 0; r < rows; ++r) {
    const float* from = a.query + (query + r) * a.query_stride;
    for (int64_t d = 0; d < a.head_dim; d += kLanes) store_bf16(queries + r * a.head_dim + d, load(from + d));
  }
  const auto* keys = reinterpret_cast<const uint8_t*>(s.keys);
  for (int64_t j = 0; j < width; j += kPanel) {
    Bf16::multiply({.x = reinterpret_cast<const uint8_t*>(queries),
                    .x_stride = a.head_dim * 2,
                    .panel = keys + (offset + j) * a.head_dim * 2,
                    .in_features = a.head_dim,
                    .start = nullptr,
                    .out = s.scores + j,
                    .out_stride = kKeyBlock,
                    .ahead = nothing_ahead<Bf16>(keys)},
                   rows);
  }
}

inline void narrow_sums(const AttentionBlock& a, const AttentionScratch& s, int64_t rows, int64_t offset, int64_t count,
                        bool first_block, float* sums) {
  for (int64_t r = 0; r < rows; ++r) {
    float* row = s.scores + r * kKeyBlock;
    auto* weights = reinterpret_cast<uint16_t*>(row);
    for (int64_t j = 0; j < count; j += kLanes) store_bf16(weights + j, load(row + j));
    for (int64_t j = round_up(count, kLanes); j < round_up(count, 2 * kWordStep); j += kLanes) {
      store_bf16(weights + j, set1(0.0F));
    }
  }
  alignas(64) float added[kQueryRows * kPanel];
  const auto* values = reinterpret_cast<const uint8_t*>(s.values) + offset / 2 * kPanel * 4;
  for (int64_t d = 0; d < a.head_dim; d += kPanel, values += kKeyBlock / 2 * kPanel * 4) {
    Bf16::multiply({.x = reinterpret_cast<const uint8_t*>(s.scores),
                    .x_stride = kKeyBlock * static_cast<int64_t>(sizeof(float)),
                    .panel = values,
                    .in_features = count,
                    .start = nullptr,
                    .out = first_block ? sums + d : added,
                    .out_stride = first_block ? a.head_dim : kPanel,
                    .ahead = nothing_ahead<Bf16>(values)},
                   rows);
    for (int64_t r = 0; r < rows && !first_block; ++r) {
      for (int64_t i = 0; i < kPanel; i += kLanes) {
        float* sum = sums + r * a.head_dim + d + i;
        store(sum, load(sum) + load(added + r * kPanel + i));
      }
    }
  }
}
#else
inline bool in_bf16(const AttentionBlock&) { return false; }
inline void narrow_keys(const AttentionBlock&, int64_t, int64_t, float*) {}
inline void narrow_values(const AttentionBlock&, int64_t, int64_t, float*) {}
inline void narrow_scores(const AttentionBlock&, const AttentionScratch&, int64_t, int64_t, int64_t, int64_t) {}
inline void narrow_sums(const AttentionBlock&, const AttentionScratch&, int64_t, int64_t, int64_t, bool, float*) {}
#endif

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

// The second product over values in pages.
inline void paged_sums(const AttentionBlock& a, const AttentionScratch& s, int64_t rows, int64_t first, int64_t count,
                       bool first_block, float* sums) {
  const int64_t wide = round_up(a.head_dim, kLanes), stride = round_up(a.head_dim, 16);
  for (int64_t j = first; j < first + count;) {
    const int64_t within = j % kPagePositions;
    const int64_t together = smaller(kPagePositions - within, first + count - j);
    product(s.scores + (j - first), kKeyBlock, rows, page_of<float>(a, j) + a.value_place + within * stride, stride,
            together, wide, first_block && j == first ? nullptr : sums, sums, wide);
    j += together;
  }
}

// One tile of queries against one block of keys.
inline void attend_tile(const AttentionBlock& a, const AttentionScratch& s, const Values& values, int64_t query,
                        int64_t rows, int64_t block, int64_t block_end, bool first_block) {
  const KeyRange seen = visible(a, query, query + rows - 1);
  const int64_t first = larger(block, block + (seen.begin - block) / kPanel * kPanel);
  const int64_t count = smaller(block_end, seen.end) - first;
  const int64_t slot = query - a.query_begin;
  const int64_t wide = round_up(a.head_dim, kLanes);
  float* sums = s.sums + slot * wide;
  if (count <= 0) {
    if (!first_block) return;
    for (int64_t i = 0; i < rows * wide; ++i) sums[i] = 0.0F;
    for (int64_t r = 0; r < rows; ++r) s.maximum[slot + r] = minus_infinity(), s.total[slot + r] = 0.0F;
    return;
  }
  const int64_t width = round_up(count, kLanes);
  if (in_bf16(a)) narrow_scores(a, s, query, rows, first - block, width);
  for (int64_t j = 0; j < width && !in_bf16(a); j += kPanel) {
    const int64_t vectors = smaller(kPanel, width - j) / kLanes;
    kTiles.by_size[rows][vectors](a.query + query * a.query_stride, a.query_stride, key_panel(a, s, block, first + j),
                                  kPanel, a.head_dim, nullptr, 0, s.scores + j, kKeyBlock, {s.scores, 0});
  }
  for (int64_t r = 0; r < rows; ++r) {
    float* row = s.scores + r * kKeyBlock;
    // bias[0] belongs to key `block` and the last query of the block.
    const float* bias = a.bias == nullptr ? nullptr : s.bias + (first - block) + (a.query_end - 1 - query - r);
    mask_scores(a, query + r, first, count, bias, row);
    const float before = first_block ? minus_infinity() : s.maximum[slot + r];
    const float seen_most = row_maximum(row, width);
    const float most = seen_most > before ? seen_most : before;
    const float shift = most == minus_infinity() ? 0.0F : most;
    const float total = exponentiate(row, width, shift);
    s.maximum[slot + r] = most;
    if (first_block) {
      s.total[slot + r] = total;
    } else if (most != before) {
      float factor[kLanes];
      store(factor, exp2(set1(before - shift)));
      s.total[slot + r] = s.total[slot + r] * factor[0] + total;
      scale_row(sums + r * wide, factor[0], sums + r * wide, wide);
    } else {
      s.total[slot + r] += total;
    }
  }
  if (in_bf16(a)) return narrow_sums(a, s, rows, first - block, count, first_block, sums);
  if (in_pages(a)) return paged_sums(a, s, rows, first, count, first_block, sums);
  product(s.scores, kKeyBlock, rows, values.data + (first - block) * values.stride, values.stride, count, wide,
          first_block ? nullptr : sums, sums, wide);
}

inline void write_outputs(const AttentionBlock& a, const AttentionScratch& s) {
  const int64_t wide = round_up(a.head_dim, kLanes);
  for (int64_t query = a.query_begin; query < a.query_end; ++query) {
    const int64_t slot = query - a.query_begin;
    const float total = s.total[slot];
    scale_row(s.sums + slot * wide, total > 0.0F ? 1.0F / total : 0.0F, a.output + query * a.output_stride, a.head_dim);
  }
}

// s.bias[d] = bias of key (block + d) for the last query of the block; other queries read further on.
inline void load_bias(const AttentionBlock& a, int64_t block, int64_t count, float* out) {
  const int64_t nearest = block - (a.query_end - 1 + a.shift);
  const int64_t distances = count + (a.query_end - 1 - a.query_begin);
  for (int64_t d = 0; d < distances; ++d) out[d] = a.bias[(nearest + d) * a.bias_stride] * kLog2E;
}

// A block's values in rows; nothing where they are read otherwise. Keys and values of narrow pages are widened
// together.
inline Values values_of(const AttentionBlock& a, const AttentionScratch& s, int64_t block, int64_t count) {
  if (in_bf16(a) || in_pages(a)) return {nullptr, 0};
  if (a.pages == nullptr) return value_block(a, block, count, s.values);
  widen_pages(a, block, count, s.keys, s.values);
  return {s.values, round_up(a.head_dim, kLanes)};
}

int64_t attention_scratch(int64_t head_dim) { return AttentionScratch::floats(head_dim); }

inline void attend(const AttentionBlock& a, const RowTiles& tiles) {
  const AttentionScratch s(a.scratch, a.head_dim);
  const int64_t queries = a.query_end - a.query_begin;
  const KeyRange seen = visible(a, a.query_begin, a.query_end - 1);
  const int64_t begin = seen.begin / kPanel * kPanel;
  ask_for(a.query + a.query_begin * a.query_stride, a.query_stride, queries, a.head_dim);
  for (int64_t block = begin; block < seen.end || block == begin; block += kKeyBlock) {
    const int64_t block_end = larger(block, smaller(block + kKeyBlock, seen.end));
    if (a.pages == nullptr) {
      ask_for(a.value + block * a.value_stride, a.value_stride, block_end - block, a.head_dim);
      if (!in_bf16(a)) pack_key_block(a, block, block_end - block, s.keys);
    }
    if (in_bf16(a)) {
      narrow_keys(a, block, block_end - block, s.keys);
      narrow_values(a, block, block_end - block, s.values);
    }
    const Values values = values_of(a, s, block, block_end - block);
    if (a.bias != nullptr) load_bias(a, block, block_end - block, s.bias);
    for (int64_t t = 0; t < tiles.tiles; ++t) {
      const int64_t query = tiles.start_of(t);
      attend_tile(a, s, values, query, tiles.start_of(t + 1) - query, block, block_end, block == begin);
    }
  }
  write_outputs(a, s);
}

void attention(const AttentionBlock& a) {
  const int64_t queries = a.query_end - a.query_begin;
  if (!in_bf16(a)) return attend(a, {a.query_begin, queries, (queries + kTileRows - 1) / kTileRows});
  [[maybe_unused]] const Bf16::Unit unit;
  attend(a, encoded_row_tiles<Bf16>(a.query_begin, a.query_end));
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
