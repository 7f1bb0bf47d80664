// Weights and inputs in 8 bits. Groups of input features share a scale: of a column's weights (symmetric), found when
// they are packed, and of a row's inputs (with a shift), found anew for every product:
//   w = scale_w q_w,  x = scale_x q_x + shift_x,
//   x w summed = scale_x scale_w sum(q_x q_w) + shift_x scale_w sum(q_w)
// Before that, whole groups of both are rotated alike, which leaves their products as they are and shares large numbers
// out: mix().
// Vectors multiply unsigned bytes with signed ones: weights are kept as q_w + 128, and sums start at -128 sum(q_x). The
// matrix unit multiplies signed ones.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

constexpr float kInputLevels = (1 << kInputBits) - 1, kLeastInput = -(1 << (kInputBits - 1));
constexpr float kWeightLevels = 127;
constexpr float kSmallestScale = 1e-30F;  // what has an inverse
constexpr int kWeightShift = kWordStep == 1 ? 128 : 0;

constexpr int64_t kInt8SmallestTask = kWordStep > 1 ? 3000000 : 3 * kSmallestTask;

// How many input features are a group: what leaves the fewest behind the last whole one, and of such the most, for
// every group costs each sum a scale. Fewer bits of the inputs are made up for by shorter groups.
constexpr int64_t kMostGroup = kInputBits == 8 ? 256 : 64;
inline int64_t int8_group(int64_t in_features) {
  if constexpr (kInputBits < 8) return kMostGroup;
  const int64_t group = in_features % 192 <= in_features % 128 ? 192 : 128;
  return in_features % 256 <= in_features % group ? 256 : group;
}
// Calls body(size) with the group's size as a type.
template <int kSize>
struct Size {
  static constexpr int value = kSize;
};
template <typename Body>
inline void with_group(int64_t group, const Body& body) {
  if constexpr (kInputBits < 8) {
    body(Size<kMostGroup>{});
  } else {
    switch (group) {
      case 128: return body(Size<128>{});
      case 192: return body(Size<192>{});
      default: return body(Size<kMostGroup>{});
    }
  }
}

inline int64_t int8_words(int64_t in_features) { return round_up((in_features + 3) / 4, kWordStep); }
inline int64_t int8_groups(int64_t in_features) {
  const int64_t group = int8_group(in_features);
  return (in_features + group - 1) / group;
}

// A panel is its groups one after the other: the words [words][kPanel], scales [kPanel], scale times sum(q_w) [kPanel].
inline int64_t group_bytes(int64_t group) { return (group / 4 + 2) * kPanel * 4; }
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

// From each of four numbers that lie kNear and 2 kNear apart half of their sum is taken: a rotation that shares one
// large number out among four, keeps four equal ones as they are but for their sign, and undoes itself.
template <int kNear, int kVectors>
ACCELERATE_INLINE void mix_fours(Vec (&v)[kVectors]) {
  constexpr int kFirst = kNear / kLanes, kSecond = 2 * kNear / kLanes;  // vectors apart; 0: in the same one
  const auto is_first = [](int i, int apart) ACCELERATE_INLINE_LAMBDA { return apart == 0 || i / apart % 2 == 0; };
  ACCELERATE_UNROLL for (int i = 0; i < kVectors; ++i) {
    if (!is_first(i, kFirst) || !is_first(i, kSecond)) continue;
    const auto others = [&](auto body) ACCELERATE_INLINE_LAMBDA {
      if constexpr (kSecond > 0) body(v[i + kSecond]);
      if constexpr (kFirst > 0) body(v[i + kFirst]);
      if constexpr (kFirst > 0) body(v[i + kFirst + kSecond]);
    };
    Vec sum = v[i];
    others([&](Vec other) ACCELERATE_INLINE_LAMBDA { sum = sum + other; });
    if constexpr (kSecond == 0) sum = sum + lanes_apart<2 * kNear>(sum);
    if constexpr (kFirst == 0) sum = sum + lanes_apart<kNear>(sum);
    v[i] = fma(sum, set1(-0.5F), v[i]);
    others([&](Vec& other) ACCELERATE_INLINE_LAMBDA { other = fma(sum, set1(-0.5F), other); });
  }
}

// 64 numbers of a group share what is large among them (as rotations by Hadamard matrices do in QuaRot, Ashkboos et al.
// 2024): they lie as evenly in it as fours allow, for vectors are mixed faster than what is in them.
template <int kVectors>
ACCELERATE_INLINE void mix(Vec (&v)[kVectors]) {
  constexpr int kGroup = kVectors * kLanes;
  constexpr bool kEvenly = (kGroup & (kGroup - 1)) == 0;
  mix_fours<kGroup / 4>(v);
  mix_fours<kEvenly ? kGroup / 16 : 4>(v);
  mix_fours<kEvenly ? kGroup / 64 : 1>(v);
}
template <int kGroup>
inline void mix(float* values) {
  Vec v[kGroup / kLanes];
  for (int i = 0; i < kGroup / kLanes; ++i) v[i] = load(values + i * kLanes);
  mix(v);
  for (int i = 0; i < kGroup / kLanes; ++i) store(values + i * kLanes, v[i]);
}

inline float largest_absolute(const float* x, int64_t count) {
  Vec most = set1(0.0F);
  for_vectors(count, [&](int64_t i, auto read, auto) { most = maximum(most, absolute(read(x + i))); });
  return reduce_max(most);
}

inline Int ones() { return set1_int(0x01010101U); }
// The sum of whole words of bytes.
inline int32_t sum_bytes(const int8_t* bytes, int64_t words) {
  Int sums = zero_int();
  int64_t word = 0;
  for (; word + kLanes <= words; word += kLanes) sums = dot(sums, ones(), load_int(bytes + 4 * word));
  auto total = static_cast<int32_t>(reduce_add(to_float(sums)));
  for (int64_t i = 4 * word; i < 4 * words; ++i) total += bytes[i];
  return total;
}

// How the numbers of a group become bytes: byte = inverse x + start.
struct Steps {
  float scale, shift, inverse, start;
};
ACCELERATE_INLINE Steps steps_of(Vec low, Vec high) {
  const float least = -reduce_max(set1(0.0F) - low), most = reduce_max(high);
  const float scale = (most - least) * (1.0F / kInputLevels);
  const float inverse = scale > kSmallestScale ? 1.0F / scale : 0.0F;
  return {scale, least - kLeastInput * scale, inverse, kLeastInput - least * inverse};
}

// Groups are encoded several at a time: the range of a group and the sum of its bytes are chains of steps that wait for
// one another, and those of several groups do so beside each other.
template <int kGroup>
class GroupEncoder {
  static constexpr int kVectors = kGroup / kLanes;

 public:
  ~GroupEncoder() { finish(); }

  // A whole group, multiplied with its factors where they are balanced.
  template <bool kBalanced>
  ACCELERATE_INLINE void add(const float* x, const float* factors, InputGroup* to, int8_t* out) {
    Vec v[kVectors];
    ACCELERATE_UNROLL for (int i = 0; i < kVectors; ++i) {
      v[i] = load(x + i * kLanes);
      if constexpr (kBalanced) v[i] = v[i] * load(factors + i * kLanes);
    }
    mix(v);
    Waiting& w = waiting_[count_++];
    w.low = w.high = v[0];
    ACCELERATE_UNROLL for (int i = 0; i < kVectors; ++i) {
      store(w.mixed + i * kLanes, v[i]);
      w.low = minimum(w.low, v[i]);
      w.high = maximum(w.high, v[i]);
    }
    w.to = to;
    w.out = out;
    if (count_ == kTogether) finish();
  }

 private:
  static constexpr int kTogether = 8;
  struct Waiting {
    float mixed[kGroup];
    Vec low, high;
    Steps steps;
    Int sums;
    InputGroup* to;
    int8_t* out;
  };

  ACCELERATE_INLINE void finish() {
    for (int g = 0; g < count_; ++g) waiting_[g].steps = steps_of(waiting_[g].low, waiting_[g].high);
    for (int g = 0; g < count_; ++g) write_bytes(waiting_[g]);
    for (int g = 0; g < count_; ++g) {
      const Waiting& w = waiting_[g];
      const auto sum = kWeightShift == 0 ? 0 : static_cast<int32_t>(reduce_add(to_float(w.sums)));
      *w.to = {w.steps.scale, w.steps.shift, -kWeightShift * sum};
    }
    count_ = 0;
  }

  ACCELERATE_INLINE static void write_bytes(Waiting& w) {
    const Vec inverse = set1(w.steps.inverse), start = set1(w.steps.start);
    const auto number = [&](int i) { return fma(load(w.mixed + i * kLanes), inverse, start); };
    w.sums = zero_int();
    ACCELERATE_UNROLL for (int i = 0; i < kVectors; i += 4) {
      const Int bytes = to_bytes(number(i), number(i + 1), number(i + 2), number(i + 3));
      __builtin_memcpy(w.out + i * kLanes, &bytes, sizeof bytes);
      if constexpr (kWeightShift != 0) w.sums = dot(w.sums, ones(), bytes);
    }
  }

  Waiting waiting_[kTogether];
  int count_ = 0;
};

// The last `count` inputs of a row, which are fewer than a group and are not mixed; it may write past them, up to the
// end of a line. Their range always includes 0, which fills the last vector: where all are on one side of it steps are
// coarser than they need be, yet half as long as symmetric ones.
inline InputGroup encode_rest(const float* x, const float* factors, int64_t count, int8_t* out) {
  float values[kMostGroup] = {};
  for (int64_t i = 0; i < count; ++i) values[i] = factors == nullptr ? x[i] : x[i] * factors[i];
  Vec low = set1(0.0F), high = low;
  for (int64_t i = 0; i < count; i += kLanes) {
    low = minimum(low, load(values + i));
    high = maximum(high, load(values + i));
  }
  const Steps steps = steps_of(low, high);
  const auto number = [&](int64_t i) { return fma(load(values + i), set1(steps.inverse), set1(steps.start)); };
  for (int64_t i = 0; i < count; i += 4 * kLanes) {
    const Int bytes = to_bytes(number(i), number(i + kLanes), number(i + 2 * kLanes), number(i + 3 * kLanes));
    __builtin_memcpy(out + i, &bytes, sizeof bytes);
  }
  const int32_t sum = kWeightShift == 0 ? 0 : sum_bytes(out, int8_words(count));
  return {steps.scale, steps.shift, -kWeightShift * sum};
}

template <int kGroup, bool kBalanced>
void encode_rows(const EncodeRows& e) {
  GroupEncoder<kGroup> encoder;
  for (int64_t r = 0; r < e.rows; ++r) {
    uint8_t* to = e.out + r * e.out_stride;
    auto* groups = reinterpret_cast<InputGroup*>(to);
    auto* bytes = reinterpret_cast<int8_t*>(to + int8_header(e.width));
    const float* x = e.x + r * e.x_stride;
    int64_t k = 0;
    for (; k + kGroup <= e.width; k += kGroup) {
      encoder.template add<kBalanced>(x + k, kBalanced ? e.factors + k : nullptr, groups++, bytes + k);
    }
    if (k < e.width) *groups = encode_rest(x + k, kBalanced ? e.factors + k : nullptr, e.width - k, bytes + k);
  }
}

void int8_encode(const EncodeRows& e) {
  with_group(int8_group(e.width), [&](auto group) {
    constexpr int kGroup = decltype(group)::value;
    if (e.factors == nullptr) {
      encode_rows<kGroup, false>(e);
    } else {
      encode_rows<kGroup, true>(e);
    }
  });
}

// The rotation of a group of that size, undone by itself.
inline void mix(float* values, int64_t size) {
  with_group(size, [&](auto group) { mix<decltype(group)::value>(values); });
}

// One group of one column.
inline void pack_group(const float* values, int64_t count, uint8_t* group, int64_t column) {
  const float scale = largest_absolute(values, count) * (1.0F / kWeightLevels),
              inverse = scale > 0.0F ? 1.0F / scale : 0.0F;
  int32_t steps[kMostGroup], total = 0;
  uint8_t bytes[kMostGroup];
  for (int64_t i = 0; i < count; ++i) steps[i] = static_cast<int32_t>(__builtin_rintf(values[i] * inverse));
  for (int64_t i = 0; i < count; ++i) total += steps[i];
  for (int64_t i = 0; i < kMostGroup; ++i) bytes[i] = static_cast<uint8_t>(kWeightShift + (i < count ? steps[i] : 0));
  const int64_t words = int8_words(count);
  for (int64_t i = 0; i < words; ++i) {
    __builtin_memcpy(group + (i * kPanel + column) * 4, bytes + 4 * i, 4);
  }
  auto* scales = reinterpret_cast<float*>(group + words * kPanel * 4);
  scales[column] = scale;
  scales[kPanel + column] = scale * static_cast<float>(total);
}

void int8_pack(const PackPanel& p) {
  static_assert(kMostGroup <= kMostRun);
  auto* panel = static_cast<uint8_t*>(p.panel);
  const int64_t group = int8_group(p.in_features);
  for (int64_t k = 0; k < p.in_features; k += group) {
    const int64_t count = p.in_features - k < group ? p.in_features - k : group;
    for_source_rows(p, k, count, [&](int64_t column, float* values) {
      for (int64_t i = 0; i < count && p.factors != nullptr; ++i) values[i] *= p.factors[k + i];
      if (count == group) mix(values, group);
      pack_group(values, count, panel + k / group * group_bytes(group), column);
    });
  }
}

void int8_unpack(const void* panel, int64_t in_features, int64_t column, float* out) {
  const int64_t group = int8_group(in_features);
  for (int64_t k = 0; k < in_features; k += group) {
    const int64_t count = in_features - k < group ? in_features - k : group;
    const uint8_t* words = static_cast<const uint8_t*>(panel) + k / group * group_bytes(group);
    const float scale = reinterpret_cast<const float*>(words + int8_words(count) * kPanel * 4)[column];
    for (int64_t i = 0; i < count; ++i) {
      const auto step = static_cast<int8_t>(words[(i / 4 * kPanel + column) * 4 + i % 4] - kWeightShift);
      out[k + i] = scale * static_cast<float>(step);
    }
    if (count == group) mix(out + k, group);
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
