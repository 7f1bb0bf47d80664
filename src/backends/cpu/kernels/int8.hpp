// Weights and inputs in 8 bits. Runs of kGroup input features share a scale: of a column's weights (symmetric), found
// when they are packed, and of a row's inputs (with a shift), found anew for every product:
//   w = scale_w q_w,  x = scale_x q_x + shift_x,
//   x w summed = scale_x scale_w sum(q_x q_w) + shift_x scale_w sum(q_w)
// Before that, whole groups of both are rotated alike, which leaves their products as they are and shares large numbers
// out: mix().
// Vectors multiply unsigned bytes with signed ones: weights are kept as q_w + 128, and sums start at -128 sum(q_x). The
// matrix unit multiplies signed ones.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

// Fewer bits of the inputs are made up for by shorter groups.
constexpr int64_t kGroup = kInputBits == 8 ? 128 : 64;
constexpr float kInputLevels = (1 << kInputBits) - 1, kLeastInput = -(1 << (kInputBits - 1));
constexpr float kWeightLevels = 127;
constexpr float kSmallestScale = 1e-30F;  // what has an inverse
constexpr int kWeightShift = kWordStep == 1 ? 128 : 0;

constexpr int64_t kInt8SmallestTask = kWordStep > 1 ? 3000000 : 3 * kSmallestTask;

inline int64_t int8_words(int64_t in_features) { return round_up((in_features + 3) / 4, kWordStep); }
inline int64_t int8_groups(int64_t in_features) { return (in_features + kGroup - 1) / kGroup; }

// A panel is its groups one after the other: the words [words][kPanel], scales [kPanel], scale times sum(q_w) [kPanel].
constexpr int64_t kGroupBytes = (kGroup / 4 + 2) * kPanel * 4;
int64_t int8_panel_bytes(int64_t in_features) {
  return (int8_words(in_features) + 2 * int8_groups(in_features)) * kPanel * 4;
}

// An encoded row: one of these for each group, then the bytes.
struct InputGroup {
  float scale;
  float shift;    // what a byte of 0 stands for
  int32_t start;  // -kWeightShift sum(q_x), the bytes that fill the last word included
};
inline int64_t int8_header(int64_t in_features) {
  return (int8_groups(in_features) * static_cast<int64_t>(sizeof(InputGroup)) + kLineBytes - 1) / kLineBytes *
         kLineBytes;
}
int64_t int8_encoded_bytes(int64_t in_features) {
  return encoded_stride(int8_header(in_features) + int8_words(in_features) * 4);
}

inline const InputGroup& input_group(const EncodedTile& t, int64_t row, int64_t group) {
  return reinterpret_cast<const InputGroup*>(t.x + row * t.x_stride)[group];
}

// out = a group's share of some columns, from the sums of its bytes and the columns' scales and totals, added to what
// is at `before` unless that is null.
ACCELERATE_INLINE void add_group(const InputGroup& input, Int sums, Vec scale, Vec total, const float* before,
                                 float* out) {
  const Vec sum = fma(set1(input.shift), total, before == nullptr ? set1(0.0F) : load(before));
  store(out, fma(to_float(sums) * set1(input.scale), scale, sum));
}

// A group's numbers.
constexpr int kGroupVectors = static_cast<int>(kGroup) / kLanes;
using Group = Vec[kGroupVectors];

// From each of four numbers that lie kNear and 2 kNear apart half of their sum is taken: a rotation that shares one
// large number out among four, keeps four equal ones as they are but for their sign, and undoes itself.
template <int kNear>
ACCELERATE_INLINE void mix_fours(Group& v) {
  constexpr int kFirst = kNear / kLanes, kSecond = 2 * kNear / kLanes;  // vectors apart; 0: in the same one
  for (int i = 0; i < kGroupVectors; ++i) {
    if ((i & (kFirst | kSecond)) != 0) continue;
    const auto others = [&](auto body) {
      if constexpr (kSecond > 0) body(v[i + kSecond]);
      if constexpr (kFirst > 0) body(v[i + kFirst]);
      if constexpr (kFirst > 0) body(v[i + kFirst + kSecond]);
    };
    Vec sum = v[i];
    others([&](Vec other) { sum = sum + other; });
    if constexpr (kSecond == 0) sum = sum + lanes_apart<2 * kNear>(sum);
    if constexpr (kFirst == 0) sum = sum + lanes_apart<kNear>(sum);
    v[i] = fma(sum, set1(-0.5F), v[i]);
    others([&](Vec& other) { other = fma(sum, set1(-0.5F), other); });
  }
}

// 64 numbers that lie evenly in a group share what is large among them (as rotations by Hadamard matrices do in QuaRot,
// Ashkboos et al. 2024).
ACCELERATE_INLINE void mix(Group& v) {
  mix_fours<kGroup / 4>(v);
  mix_fours<kGroup / 16>(v);
  mix_fours<kGroup / 64>(v);
}
inline void mix(float* values) {
  Group v;
  for (int i = 0; i < kGroupVectors; ++i) v[i] = load(values + i * kLanes);
  mix(v);
  for (int i = 0; i < kGroupVectors; ++i) store(values + i * kLanes, v[i]);
}

inline float largest_absolute(const float* x, int64_t count) {
  Vec most = set1(0.0F);
  for_vectors(count, [&](int64_t i, auto read, auto) { most = maximum(most, absolute(read(x + i))); });
  return reduce_max(most);
}

// The sum of whole words of bytes.
inline int32_t sum_bytes(const int8_t* bytes, int64_t words) {
  const Int ones = set1_int(0x01010101U);
  Int sums = zero_int();
  int64_t word = 0;
  for (; word + kLanes <= words; word += kLanes) sums = dot(sums, ones, load_int(bytes + 4 * word));
  auto total = static_cast<int32_t>(reduce_add(to_float(sums)));
  for (int64_t i = 4 * word; i < 4 * words; ++i) total += bytes[i];
  return total;
}

// The least and the largest of a group.
struct Range {
  float least, most;
};
ACCELERATE_INLINE Range range_of(const Group& v, int vectors) {
  Vec low = v[0], high = v[0];
  for (int i = 1; i < vectors; ++i) {
    low = minimum(low, v[i]);
    high = maximum(high, v[i]);
  }
  return {-reduce_max(set1(0.0F) - low), reduce_max(high)};
}

// The bytes of one group of `count` inputs, multiplied with their factors where they are balanced; its last vector may
// write past `count`, within the row's stride.
template <bool kWhole, bool kBalanced>
inline InputGroup encode_group(const float* x, const float* factors, int64_t count, int8_t* out) {
  Group v;
  const int vectors = kWhole ? kGroupVectors : static_cast<int>((count + kLanes - 1) / kLanes);
  for (int i = 0; i < vectors; ++i) {
    const int64_t at = i * kLanes;
    const auto read = [&](const float* from) {
      return kWhole || count - at >= kLanes ? load(from + at) : load_partial(from + at, count - at);
    };
    v[i] = kBalanced ? read(x) * read(factors) : read(x);
  }
  if constexpr (kWhole) mix(v);
  const Range range = range_of(v, vectors);
  const float scale = (range.most - range.least) * (1.0F / kInputLevels);
  const float inverse = scale > kSmallestScale ? 1.0F / scale : 0.0F;
  const Vec start = set1(kLeastInput - range.least * inverse);
  for (int i = 0; i < vectors; ++i) store_bytes(out + i * kLanes, fma(v[i], set1(inverse), start));
  const float shift = range.least - kLeastInput * scale;
  if constexpr (kWeightShift == 0) return {scale, shift, 0};
  return {scale, shift, -kWeightShift * sum_bytes(out, int8_words(count))};
}

template <bool kBalanced>
void encode_row(const float* x, const float* factors, int64_t width, InputGroup* groups, int8_t* out) {
  int64_t k = 0;
  for (; k + kGroup <= width; k += kGroup) {
    *groups++ = encode_group<true, kBalanced>(x + k, factors + k, kGroup, out + k);
  }
  if (k < width) *groups = encode_group<false, kBalanced>(x + k, factors + k, width - k, out + k);
}

void int8_encode(const EncodeRows& e) {
  for (int64_t r = 0; r < e.rows; ++r) {
    uint8_t* to = e.out + r * e.out_stride;
    auto* groups = reinterpret_cast<InputGroup*>(to);
    auto* bytes = reinterpret_cast<int8_t*>(to + int8_header(e.width));
    const float* x = e.x + r * e.x_stride;
    if (e.factors == nullptr) {
      encode_row<false>(x, x, e.width, groups, bytes);
    } else {
      encode_row<true>(x, e.factors, e.width, groups, bytes);
    }
  }
}

// One group of one column.
inline void pack_group(const float* values, int64_t count, uint8_t* group, int64_t column) {
  const float scale = largest_absolute(values, count) * (1.0F / kWeightLevels),
              inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
  int32_t steps[kGroup], total = 0;
  uint8_t bytes[kGroup];
  for (int64_t i = 0; i < count; ++i) steps[i] = static_cast<int32_t>(__builtin_rintf(values[i] * inverse));
  for (int64_t i = 0; i < count; ++i) total += steps[i];
  for (int64_t i = 0; i < kGroup; ++i) bytes[i] = static_cast<uint8_t>(kWeightShift + (i < count ? steps[i] : 0));
  const int64_t words = int8_words(count);
  for (int64_t i = 0; i < words; ++i) {
    __builtin_memcpy(group + (i * kPanel + column) * 4, bytes + 4 * i, 4);
  }
  auto* scales = reinterpret_cast<float*>(group + words * kPanel * 4);
  scales[column] = scale;
  scales[kPanel + column] = scale * static_cast<float>(total);
}

void int8_pack(const PackPanel& p) {
  auto* panel = static_cast<uint8_t*>(p.panel);
  for (int64_t k = 0; k < p.in_features; k += kGroup) {
    const int64_t count = p.in_features - k < kGroup ? p.in_features - k : kGroup;
    for (int64_t j = 0; j < p.rows; ++j) {
      float values[kGroup];
      read_source(p, j, k, count, values);
      for (int64_t i = 0; i < count && p.factors != nullptr; ++i) values[i] *= p.factors[k + i];
      if (count == kGroup) mix(values);
      pack_group(values, count, panel + k / kGroup * kGroupBytes, p.first_column + j);
    }
  }
}

void int8_unpack(const void* panel, int64_t in_features, int64_t column, float* out) {
  for (int64_t k = 0; k < in_features; k += kGroup) {
    const int64_t count = in_features - k < kGroup ? in_features - k : kGroup;
    const uint8_t* group = static_cast<const uint8_t*>(panel) + k / kGroup * kGroupBytes;
    const float scale = reinterpret_cast<const float*>(group + int8_words(count) * kPanel * 4)[column];
    for (int64_t i = 0; i < count; ++i) {
      const auto step = static_cast<int8_t>(group[(i / 4 * kPanel + column) * 4 + i % 4] - kWeightShift);
      out[k + i] = scale * static_cast<float>(step);
    }
    if (count == kGroup) mix(out + k);
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
