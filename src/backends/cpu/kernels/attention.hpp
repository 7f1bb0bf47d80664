// Attention of a block of queries of one head, for every level: blocks of keys with an online softmax (Milakov &
// Gimelshein 2018; Dao et al. 2022), so that scores never leave the first-level cache.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

inline void pack_key_block(const AttentionBlock& a, int64_t first, int64_t count, float* out) {
  for (int64_t j = 0; j < count; j += kPanel) {
    pack_rows<Stored::f32>(a.key + (first + j) * a.key_stride, a.key_stride, smaller(kPanel, count - j), a.head_dim,
                           key_scale(a), out + j * a.head_dim);
  }
}

// One query reads each key once: no time to pack them.
inline bool is_alone(const AttentionBlock& a) { return a.pages == nullptr && a.query_end - a.query_begin == 1; }

// Scores of keys [first, first + count) for one query, rounded up to whole vectors. Meanwhile their values are asked
// for.
inline void lone_scores(const AttentionBlock& a, int64_t query, int64_t first, int64_t count, float* scores) {
  const float* q = a.query + query * a.query_stride;
  for (int64_t j = 0; j < count; j += kLanes) {
    const int64_t here = first + j, next = first + smaller(j + kLanes, count);
    ask_for(a.value + here * a.value_stride, a.value_stride, next - here, a.head_dim);
    ask_for(a.key + next * a.key_stride, a.key_stride, first + smaller(j + 2 * kLanes, count) - next, a.head_dim);
    Vec sums[kLanes];
    for (int64_t i = 0; i < kLanes; ++i) {
      const float* key = a.key + (first + smaller(j + i, count - 1)) * a.key_stride;
      sums[i] = set1(0.0F);
      int64_t d = 0;
      for (; d + kLanes <= a.head_dim; d += kLanes) sums[i] = fma(load(q + d), load(key + d), sums[i]);
      const int64_t rest = a.head_dim - d;
      if (rest > 0) sums[i] = fma(load_partial(q + d, rest), load_partial(key + d, rest), sums[i]);
    }
    transpose(sums);
    for (int64_t apart = kLanes / 2; apart > 0; apart /= 2) {
      for (int64_t i = 0; i < apart; ++i) sums[i] = sums[i] + sums[i + apart];
    }
    store(scores + j, sums[0] * set1(key_scale(a)));
  }
}

// The panel of keys that begins with key `first`, a multiple of kPanel.
inline const float* key_panel(const AttentionBlock& a, const AttentionScratch& s, int64_t block, int64_t first) {
  if (!in_pages(a)) return s.keys + (first - block) * a.head_dim;
  return page_keys(a, first, 0, 0, nullptr) + first % kPagePositions * a.head_dim;
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
  return a.bf16 && a.pages == nullptr && a.head_dim % kPanel == 0 && a.keys >= kPanel && !is_alone(a);
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

// The second product over values in pages, or in what narrow ones of the block were widened to.
inline void paged_sums(const AttentionBlock& a, const AttentionScratch& s, int64_t rows, int64_t block, int64_t first,
                       int64_t count, bool first_block, float* sums) {
  for_pages(first, first + count, [&](int64_t from, int64_t to) {
    const int64_t within = from % kPagePositions;
    const float* values = in_pages(a) ? page_values(a, from, 0, to - from, nullptr)
                                      : s.values + (from - within - block) * round_up(a.head_dim, 16);
    add_page(a, false, s.scores + from - first, rows, values, within, to - from, first_block && from == first, sums);
  });
}

// Scores of a tile of queries and keys [first, first + count) of a block, rounded up to whole vectors.
inline void score_tile(const AttentionBlock& a, const AttentionScratch& s, int64_t query, int64_t rows, int64_t block,
                       int64_t first, int64_t count) {
  const int64_t width = round_up(count, kLanes);
  if (is_alone(a)) return lone_scores(a, query, first, count, s.scores);
  if (in_bf16(a)) return narrow_scores(a, s, query, rows, first - block, width);
  for (int64_t j = 0; j < width; j += kPanel) {
    const int64_t vectors = smaller(kPanel, width - j) / kLanes;
    kTiles.by_size[rows][vectors](a.query + query * a.query_stride, a.query_stride, key_panel(a, s, block, first + j),
                                  kPanel, a.head_dim, nullptr, 0, s.scores + j, kKeyBlock, {s.scores, 0});
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
  score_tile(a, s, query, rows, block, first, count);
  for (int64_t r = 0; r < rows; ++r) {
    float* row = s.scores + r * kKeyBlock;
    // bias[0] belongs to key `block` and the last query of the block.
    const float* bias = a.bias == nullptr ? nullptr : s.bias + (first - block) + (a.query_end - 1 - query - r);
    take_scores(a, s, query + r, slot + r, first, count, bias, first_block, row, sums + r * wide);
  }
  if (in_bf16(a)) return narrow_sums(a, s, rows, first - block, count, first_block, sums);
  if (a.pages != nullptr) return paged_sums(a, s, rows, block, first, count, first_block, sums);
  product(s.scores, kKeyBlock, rows, values.data + (first - block) * values.stride, values.stride, count, wide,
          first_block ? nullptr : sums, sums, wide);
}

// s.bias[d] = bias of key (block + d) for the last query of the block; other queries read further on.
inline void load_bias(const AttentionBlock& a, int64_t block, int64_t count, float* out) {
  const int64_t nearest = block - (a.query_end - 1 + a.shift);
  const int64_t distances = count + (a.query_end - 1 - a.query_begin);
  for (int64_t d = 0; d < distances; ++d) out[d] = a.bias[(nearest + d) * a.bias_stride] * kLog2E;
}

// Keys and values [block, block_end) of narrow pages, as the pages have them.
inline void widen_block(const AttentionBlock& a, const AttentionScratch& s, int64_t block, int64_t block_end) {
  for_pages(block, block_end, [&](int64_t from, int64_t to) {
    page_keys(a, from, 0, to - from, s.keys + (from - block) * a.head_dim);
    page_values(a, from, 0, to - from, s.values + (from - block) * round_up(a.head_dim, 16));
  });
}

int64_t attention_scratch(int64_t head_dim) { return AttentionScratch::floats(head_dim); }

inline void attend(const AttentionBlock& a, const RowTiles& tiles) {
  const AttentionScratch s(a.scratch, a.head_dim);
  const int64_t queries = a.query_end - a.query_begin;
  const KeyRange seen = visible(a, a.query_begin, a.query_end - 1);
  const int64_t unit = a.pages == nullptr ? kPanel : kPagePositions, begin = seen.begin / unit * unit;
  ask_for(a.query + a.query_begin * a.query_stride, a.query_stride, queries, a.head_dim);
  // Blocks end where they would from key 0 on: so sums are the same whichever queries a thread has.
  for (int64_t block = begin, next = 0; block < seen.end || block == begin; block = next) {
    next = (block / kKeyBlock + 1) * kKeyBlock;
    const int64_t block_end = larger(block, smaller(next, seen.end));
    if (a.pages == nullptr) {
      if (!is_alone(a)) ask_for(a.value + block * a.value_stride, a.value_stride, block_end - block, a.head_dim);
      if (!in_bf16(a) && !is_alone(a)) pack_key_block(a, block, block_end - block, s.keys);
    }
    Values values{};
    if (in_bf16(a)) {
      narrow_keys(a, block, block_end - block, s.keys);
      narrow_values(a, block, block_end - block, s.values);
    } else if (a.pages == nullptr) {
      values = value_block(a, block, block_end - block, s.values);
    } else if (!in_pages(a)) {
      widen_block(a, s, block, block_end);
    }
    if (a.bias != nullptr) load_bias(a, block, block_end - block, s.bias);
    for (int64_t t = 0; t < tiles.tiles; ++t) {
      const int64_t query = tiles.start_of(t);
      attend_tile(a, s, values, query, tiles.start_of(t + 1) - query, block, block_end, block == begin);
    }
  }
  write_outputs(a, s);
}

void attention(const AttentionBlock& a) {
  if (a.key_heads > 0 && a.query_end / a.key_heads <= kTileRows) return attend_together(a);
  const int64_t queries = a.query_end - a.query_begin;
  if (!in_bf16(a)) return attend(a, {a.query_begin, queries, (queries + kTileRows - 1) / kTileRows});
  [[maybe_unused]] const Bf16::Unit unit;
  attend(a, encoded_row_tiles<Bf16>(a.query_begin, a.query_end));
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
