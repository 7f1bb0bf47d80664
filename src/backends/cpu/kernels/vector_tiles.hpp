// Tiles of encoded products by vectors: each input word is broadcast and multiplied with a panel's words of its
// features.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

// sums[u][r][v] += x[r][word + u] * w[word + u][v]. As in multiply_add, few rows use kSteps > 1. Streamed weights are
// asked for from Format::kLeastAsked rows on.
template <typename Format, int kRows, int kSteps>
ACCELERATE_INLINE void add_words(const uint8_t* x, int64_t x_stride, const uint8_t* w, int64_t words,
                                 const Ahead& ahead, typename Format::Sum (&sums)[kSteps][kRows][kPanelVectors]) {
  constexpr int64_t kWordRow = kPanel * 4;
  const auto step = [&](int64_t word, auto& to) ACCELERATE_INLINE_LAMBDA {
    typename Format::Weights weights[kPanelVectors];
    ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
      weights[v] = Format::weights(w + word * kWordRow + v * kLanes * 4);
    }
    ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
      const auto input = Format::input(x + r * x_stride, word);
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) to[r][v] = Format::add(to[r][v], input, weights[v]);
    }
  };
  int64_t word = 0;
  for (; kRows <= kMostStreamed && ahead.streams && word + kSteps <= words; word += kSteps) {
    if constexpr (kRows >= Format::kLeastAsked) ask_for_bytes<kRows>(w + word * kWordRow, kSteps * kWordRow);
    ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) step(word + u, sums[u]);
  }
  for (; word + kSteps <= words; word += kSteps) {
    ahead.ask(word);
    ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) step(word + u, sums[u]);
  }
  if constexpr (kSteps > 1) {
    for (; word < words; ++word) step(word, sums[0]);
  }
}

// Sums of kSteps chains into the first.
template <typename Format, int kRows, int kSteps>
ACCELERATE_INLINE void join_steps(typename Format::Sum (&sums)[kSteps][kRows][kPanelVectors]) {
  ACCELERATE_UNROLL for (int u = 1; u < kSteps; ++u) {
    ACCELERATE_UNROLL for (int r = 0; r < kRows; ++r) {
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
        sums[0][r][v] = Format::join(sums[0][r][v], sums[u][r][v]);
      }
    }
  }
}

using EncodedProduct = void (*)(const EncodedTile&);
struct EncodedProducts {
  EncodedProduct by_rows[kTileRows + 1];
};

template <typename Format, int kRows>
constexpr void fill_products(EncodedProducts& products) {
  products.by_rows[kRows] = Format::template tile<kRows>;
  if constexpr (kRows > 1) fill_products<Format, kRows - 1>(products);
}
template <typename Format>
constexpr EncodedProducts make_products() {
  EncodedProducts products{};
  fill_products<Format, kTileRows>(products);
  return products;
}
template <typename Format>
constexpr EncodedProducts kProducts = make_products<Format>();

#if defined(ACCELERATE_HAS_BF16_DOT)
struct Bf16Inputs {
  static constexpr int kLeastAsked = 1;
  using Input = Int;
  using Weights = Int;
  static int64_t words(int64_t in_features) { return bf16_words(in_features); }
  static Weights weights(const uint8_t* w) { return load_int(w); }
  static Input input(const uint8_t* row, int64_t word) {
    return set1_int(reinterpret_cast<const uint32_t*>(row)[word]);
  }
  static Vec add(Vec sum, Input x, Weights w) { return dot_bf16(sum, x, w); }
};
#endif

template <Stored kStored>
struct WidenedInputs {
  static constexpr int kLeastAsked = 2;  // of one row asking costs more than it brings
  struct Pair {
    Vec low, high;
  };
  using Input = Pair;
  using Weights = Pair;
  static int64_t words(int64_t in_features) { return widened_words(in_features); }
  static Weights weights(const uint8_t* w) {
    if constexpr (kStored == Stored::f16) {
      const auto* numbers = reinterpret_cast<const uint16_t*>(w);
      return {load_f16(numbers), load_f16(numbers + kLanes)};
    } else {
      const Int words = load_int(w);
      return {widen_low(words), widen_high(words)};
    }
  }
  static Input input(const uint8_t* row, int64_t word) {
    const float* x = reinterpret_cast<const float*>(row) + 2 * word;
    return {set1(x[0]), set1(x[1])};
  }
  static Vec add(Vec sum, Input x, Weights w) { return fma(x.high, w.high, fma(x.low, w.low, sum)); }
};

// Words of two numbers of 16 bits.
template <typename Inputs>
struct TwoNumbers : Inputs {
  using Sum = Vec;
  struct Unit {};
  static constexpr int64_t kRows = kTileRows, kPadding = 1;
  static Sum join(Sum a, Sum b) { return a + b; }
  static int64_t panel_bytes(int64_t in_features) { return Inputs::words(in_features) * kPanel * 4; }
  static void multiply(const EncodedTile& t, int64_t rows) { kProducts<TwoNumbers>.by_rows[rows](t); }

  template <int kCount>
  static void tile(const EncodedTile& t) {
    constexpr int kSteps = steps_for(kCount, kPanelVectors);
    Vec sums[kSteps][kCount][kPanelVectors];
    ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) {
      ACCELERATE_UNROLL for (int r = 0; r < kCount; ++r) {
        ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
          sums[u][r][v] = u == 0 && t.start != nullptr ? load(t.start + v * kLanes) : set1(0.0F);
        }
      }
    }
    add_words<TwoNumbers, kCount, kSteps>(t.x, t.x_stride, t.panel, Inputs::words(t.in_features), t.ahead, sums);
    join_steps<TwoNumbers, kCount, kSteps>(sums);
    ACCELERATE_UNROLL for (int r = 0; r < kCount; ++r) {
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
        store(t.out + r * t.out_stride + v * kLanes, sums[0][r][v]);
      }
    }
  }
};

template <Stored kStored>
using Widened = TwoNumbers<WidenedInputs<kStored>>;

// Panels of f16 that several tiles are multiplied with: widened once for all of them, part by part. (Those of bf16 are
// not, whose widening is two cheap instructions: measured 0.92 to 1.03 times as fast.)
struct F16Panels {
  static constexpr int64_t kShallow = 1024, kDepthChunk = kShallow;
  static constexpr int64_t kFew = 0;
  static constexpr bool kCopiesInputs = false;  // the encoded ones do not collide
  static constexpr int64_t kNumberBytes = 2;
  struct alignas(64) Space {
    float halves[2][kShallow * kPanel];
  };
  static int64_t panel_bytes(int64_t in_features) { return widened_panel_bytes(in_features); }
  static const float* floats(const uint8_t* weights, int64_t depth, int64_t half, Space& space) {
    float* out = space.halves[half];
    for (int64_t k = 0; k < depth; k += 2) {
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
        const auto pair = WidenedInputs<Stored::f16>::weights(weights + (k * kPanel + 2 * v * kLanes) * kNumberBytes);
        store(out + k * kPanel + v * kLanes, pair.low);
        store(out + (k + 1) * kPanel + v * kLanes, pair.high);
      }
    }
    return out;
  }
};

void linear_f16(const LinearBlock& b) {
  constexpr int64_t kFewTiles = 2;
  if (b.row_end - b.row_begin <= kFewTiles * kTileRows) return linear_encoded<Widened<Stored::f16>, true>(b);
  LinearBlock wide = b;
  if (b.encoded != nullptr) {
    wide.x = reinterpret_cast<const float*>(b.encoded);
    wide.x_stride = b.encoded_stride / static_cast<int64_t>(sizeof(float));
  }
  multiply_panels<F16Panels>(wide);
}

#if !defined(ACCELERATE_HAS_MATRIX_UNIT)
#if defined(ACCELERATE_HAS_BF16_DOT)
using Bf16 = TwoNumbers<Bf16Inputs>;
#else
using Bf16 = Widened<Stored::bf16>;
#endif

struct Int8 {
  struct Unit {};
  static constexpr int64_t kRows = kTileRows, kPadding = 1;
  static constexpr int kLeastAsked = 1;
  using Sum = Int;
  using Input = Int;
  using Weights = Int;
  static Weights weights(const uint8_t* w) { return load_int(w); }
  static Input input(const uint8_t* row, int64_t word) {
    return set1_int(reinterpret_cast<const uint32_t*>(row)[word]);
  }
  static Sum add(Sum sum, Input x, Weights w) { return dot(sum, w, x); }
  static Sum join(Sum a, Sum b) { return add_int(a, b); }
  static int64_t panel_bytes(int64_t in_features) { return int8_panel_bytes(in_features); }
  static void multiply(const EncodedTile& t, int64_t rows) { kProducts<Int8>.by_rows[rows](t); }

  template <int kCount>
  static void tile(const EncodedTile& t) {
    constexpr int kSteps = steps_for(kCount, kPanelVectors);
    const uint8_t* bytes = t.x + int8_header(t.in_features);
    const int64_t size = int8_group(t.in_features);
    for (int64_t k = 0, group = 0; k < t.in_features; k += size, ++group) {
      const int64_t words = int8_words(t.in_features - k < size ? t.in_features - k : size);
      const uint8_t* w = t.panel + group * group_bytes(size);
      Int sums[kSteps][kCount][kPanelVectors];
      ACCELERATE_UNROLL for (int u = 0; u < kSteps; ++u) {
        ACCELERATE_UNROLL for (int r = 0; r < kCount; ++r) {
          const Int start = u == 0 ? set1_int(static_cast<uint32_t>(input_group(t, r, group).start)) : zero_int();
          ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) sums[u][r][v] = start;
        }
      }
      add_words<Int8, kCount, kSteps>(bytes + k, t.x_stride, w, words, t.ahead.from(k / 4), sums);
      join_steps<Int8, kCount, kSteps>(sums);
      finish_group<kCount>(t, group, reinterpret_cast<const float*>(w + words * kPanel * 4), sums[0]);
    }
  }

  // out (+)= a group's share, in floats.
  template <int kCount>
  ACCELERATE_INLINE static void finish_group(const EncodedTile& t, int64_t group, const float* scales,
                                             Int (&sums)[kCount][kPanelVectors]) {
    Vec scale[kPanelVectors], total[kPanelVectors];
    ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
      scale[v] = load(scales + v * kLanes);
      total[v] = load(scales + kPanel + v * kLanes);
    }
    ACCELERATE_UNROLL for (int r = 0; r < kCount; ++r) {
      const InputGroup& input = input_group(t, r, group);
      float* out = t.out + r * t.out_stride;
      const float* before = group > 0 ? out : t.start;
      ACCELERATE_UNROLL for (int v = 0; v < kPanelVectors; ++v) {
        add_group(input, sums[r][v], scale[v], total[v], before == nullptr ? before : before + v * kLanes,
                  out + v * kLanes);
      }
    }
  }
};
#endif

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
