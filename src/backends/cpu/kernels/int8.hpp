// Weights and inputs in 8 bits. Runs of kGroup input features share a scale: of a column's weights (symmetric), found
// when they are packed, and of a row's inputs (with a zero point), found anew for every product:
//   w = scale_w q_w,  x = scale_x (q_x - zero),
//   x w summed = scale_x scale_w sum(q_x q_w) - scale_x zero scale_w sum(q_w)
// Vectors multiply unsigned bytes with signed ones: weights are kept as q_w + 128, and sums start at -128 sum(q_x). The
// matrix unit multiplies signed ones.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

// Fewer bits of the inputs are made up for by shorter groups.
constexpr int64_t kGroup = kInputBits == 8 ? 128 : 64;
constexpr float kInputLevels = (1 << kInputBits) - 1, kLeastInput = -(1 << (kInputBits - 1));
constexpr float kWeightLevels = 127;
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
  float shift;    // -scale zero
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

struct Range {
  float least, most;
};
inline Range range_of(const float* x, int64_t count) {
  Vec least = set1(0.0F), most = set1(0.0F);
  for_vectors(count, [&](int64_t i, auto read, auto) {
    const Vec value = read(x + i);
    least = minimum(least, value);
    most = maximum(most, value);
  });
  return {-reduce_max(set1(0.0F) - least), reduce_max(most)};
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

// The bytes of one group; its last vector may write past `count`, within the row's stride.
inline InputGroup encode_group(const float* x, int64_t count, int8_t* out) {
  const Range range = range_of(x, count);
  const float scale = (range.most - range.least) * (1.0F / kInputLevels);
  const float inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
  // Zero is a whole number of steps, so that what is 0 stays 0.
  const float zero = __builtin_rintf(kLeastInput - range.least * inverse);
  for_vectors(count, [&](int64_t i, auto read, auto) {
    const Vec steps = fma(read(x + i), set1(inverse), set1(zero));
    store_bytes(out + i, minimum(maximum(steps, set1(kLeastInput)), set1(kLeastInput + kInputLevels)));
  });
  if constexpr (kWeightShift == 0) return {scale, -zero * scale, 0};
  return {scale, -zero * scale, -kWeightShift * sum_bytes(out, int8_words(count))};
}

void int8_encode(const EncodeRows& e) {
  for (int64_t r = 0; r < e.rows; ++r) {
    uint8_t* to = e.out + r * e.out_stride;
    auto* groups = reinterpret_cast<InputGroup*>(to);
    auto* bytes = reinterpret_cast<int8_t*>(to + int8_header(e.width));
    for (int64_t k = 0; k < e.width; k += kGroup) {
      const int64_t count = e.width - k < kGroup ? e.width - k : kGroup;
      const float* from = e.x + r * e.x_stride + k;
      alignas(64) float balanced[kGroup];
      if (e.factors != nullptr) {
        for_vectors(count, [&](int64_t i, auto read, auto write) {
          write(balanced + i, read(from + i) * read(e.factors + k + i));
        });
        from = balanced;
      }
      groups[k / kGroup] = encode_group(from, count, bytes + k);
    }
  }
}

// One group of one column.
inline void pack_group(const float* values, int64_t count, uint8_t* group, int64_t column) {
  const Range range = range_of(values, count);
  const float most = range.most > -range.least ? range.most : -range.least;
  const float scale = most * (1.0F / kWeightLevels), inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
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
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
