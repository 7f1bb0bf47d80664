// Norms, softmax, rotary embedding, pooling and element-wise work over rows, for every level.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::NormRows;
using detail::PoolRows;
using detail::RotaryRows;

// The sum of term(load, i) over a row, in four sums that hide the addition's latency; missing lanes read as 0.
template <typename Term>
inline float sum_over(int64_t count, Term term) {
  Vec sums[4] = {set1(0.0F), set1(0.0F), set1(0.0F), set1(0.0F)};
  const auto whole = [](const float* p) { return load(p); };
  int64_t i = 0;
  for (; i + 4 * kLanes <= count; i += 4 * kLanes) {
    for (int u = 0; u < 4; ++u) sums[u] = sums[u] + term(i + u * kLanes, whole);
  }
  for (; i + kLanes <= count; i += kLanes) sums[0] = sums[0] + term(i, whole);
  if (i < count) {
    const int64_t rest = count - i;
    sums[1] = sums[1] + term(i, [rest](const float* p) { return load_partial(p, rest); });
  }
  return reduce_add((sums[0] + sums[1]) + (sums[2] + sums[3]));
}

// Sum of (x - center)^2.
inline float squares_around(const float* x, float center, int64_t count) {
  const int64_t whole = count / kLanes * kLanes;
  const float sum = sum_over(whole, [&](int64_t i, auto read) {
    const Vec d = read(x + i) - set1(center);
    return d * d;
  });
  float rest = 0.0F;  // apart: a missing lane's 0 is not at the center
  for (int64_t i = whole; i < count; ++i) rest += (x[i] - center) * (x[i] - center);
  return sum + rest;
}

// Weights lie in memory after a step of other layers: asked for while the first row is read.
inline void ask_for_norm(const NormRows& n) {
  const int64_t bytes = n.width * static_cast<int64_t>(sizeof(float));
  ask_for_lines(n.input, bytes);
  if (n.weight != nullptr) ask_for_lines(n.weight, bytes);
  if (n.bias != nullptr) ask_for_lines(n.bias, bytes);
}

void layer_norm(const NormRows& n) {
  ask_for_norm(n);
  const float width = static_cast<float>(n.width);
  for (int64_t r = 0; r < n.rows; ++r) {
    const float* x = n.input + r * n.input_stride;
    float* y = n.output + r * n.output_stride;
    const float mean = sum_over(n.width, [&](int64_t i, auto read) { return read(x + i); }) / width;
    const float variance = squares_around(x, mean, n.width) / width;
    const float factor = 1.0F / __builtin_sqrtf(variance + n.epsilon);
    for_vectors(n.width, [&](int64_t i, auto read, auto write) {
      Vec value = (read(x + i) - set1(mean)) * set1(factor);
      if (n.weight != nullptr) value = value * read(n.weight + i);
      if (n.bias != nullptr) value = value + read(n.bias + i);
      write(y + i, value);
    });
  }
}

void rms_norm(const NormRows& n) {
  ask_for_norm(n);
  const float width = static_cast<float>(n.width);
  for (int64_t r = 0; r < n.rows; ++r) {
    const float* x = n.input + r * n.input_stride;
    float* y = n.output + r * n.output_stride;
    const float squares = sum_over(n.width, [&](int64_t i, auto read) {
      const Vec value = read(x + i);
      return value * value;
    });
    const float factor = 1.0F / __builtin_sqrtf(squares / width + n.epsilon);
    for_vectors(n.width, [&](int64_t i, auto read, auto write) {
      Vec value = read(x + i) * set1(factor);
      if (n.weight != nullptr) value = value * (read(n.weight + i) + set1(n.weight_offset));
      write(y + i, value);
    });
  }
}

inline float maximum_of(const float* x, int64_t count) {
  float most = x[0];
  Vec best = set1(most);
  int64_t i = 0;
  for (; i + kLanes <= count; i += kLanes) best = maximum(best, load(x + i));
  most = reduce_max(best);
  for (; i < count; ++i) most = x[i] > most ? x[i] : most;
  return most;
}

inline float natural_log(float x) { return __builtin_logf(x); }

void softmax(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t width, bool log) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    const float most = maximum_of(x, width);
    const Vec shift = set1(most == minus_infinity() ? 0.0F : most);
    // The tail goes through a padded vector, because a missing lane must count as -inf and not as 0.
    const int64_t whole = width / kLanes * kLanes;
    float tail[kLanes];
    for (int64_t i = 0; i < kLanes; ++i) tail[i] = whole + i < width ? x[whole + i] : minus_infinity();
    const Vec last = exp(load(tail) - shift);
    float last_sum[kLanes];
    store(last_sum, last);
    float total = sum_over(whole, [&](int64_t i, auto read) { return exp(read(x + i) - shift); });
    for (int64_t i = 0; i < width - whole; ++i) total += last_sum[i];
    if (log) {
      const Vec down = set1(natural_log(total));
      for_vectors(width, [&](int64_t i, auto read, auto write) { write(y + i, (read(x + i) - shift) - down); });
    } else {
      const Vec factor = set1(1.0F / total);
      for_vectors(width, [&](int64_t i, auto read, auto write) { write(y + i, exp(read(x + i) - shift) * factor); });
    }
  }
}

void l2_normalize(const float* x, int64_t x_stride, float* y, int64_t y_stride, int64_t rows, int64_t width) {
  for (int64_t r = 0; r < rows; ++r, x += x_stride, y += y_stride) {
    const float norm = __builtin_sqrtf(squares_around(x, 0.0F, width));
    scale_row(x, 1.0F / (norm > 1e-12F ? norm : 1e-12F), y, width);
  }
}

inline void rotate_halves(float* head, const float* cosine, const float* sine, int64_t half) {
  for_vectors(half, [&](int64_t i, auto read, auto write) {
    const Vec a = read(head + i), b = read(head + half + i);
    const Vec c = read(cosine + i), s = read(sine + i);
    write(head + i, a * c - b * s);
    write(head + half + i, b * c + a * s);
  });
}

inline void rotate_pairs(float* head, const float* cosine, const float* sine, int64_t half) {
  for (int64_t i = 0; i < half; ++i) {
    const float a = head[2 * i], b = head[2 * i + 1];
    head[2 * i] = a * cosine[i] - b * sine[i];
    head[2 * i + 1] = b * cosine[i] + a * sine[i];
  }
}

void rotary(const RotaryRows& p) {
  const int64_t half = p.rotary_dim / 2;
  for (int64_t r = 0; r < p.rows; ++r) {
    const int64_t place = p.positions == nullptr ? r : p.positions[r];
    const float *cosine = p.cosine + place * half, *sine = p.sine + place * half;
    for (int64_t h = 0; h < p.heads; ++h) {
      float* head = p.x + r * p.stride + h * p.head_dim;
      if (p.interleaved) {
        rotate_pairs(head, cosine, sine, half);
      } else {
        rotate_halves(head, cosine, sine, half);
      }
    }
  }
}

// In the order of cpu::Pooling.
enum { kMean, kMax, kFirst, kLast, kMeanSqrtLength, kWeightedMean };

inline void copy_row(const float* x, float* y, int64_t count) {
  for_vectors(count, [&](int64_t i, auto read, auto write) { write(y + i, read(x + i)); });
}

inline void fill_row(float* y, float value, int64_t count) {
  for_vectors(count, [&](int64_t i, auto, auto write) { write(y + i, set1(value)); });
}

void pool(const PoolRows& p) {
  fill_row(p.output, 0.0F, p.width);
  if (p.rows == 0) return;
  if (p.kind == kFirst) return copy_row(p.input, p.output, p.width);
  if (p.kind == kLast) return copy_row(p.input + (p.rows - 1) * p.stride, p.output, p.width);
  float weights = 0.0F;
  for (int64_t r = 0; r < p.rows; ++r) {
    if (p.mask != nullptr && p.mask[r] == 0) continue;
    const float* x = p.input + r * p.stride;
    const float weight = p.kind == kWeightedMean ? static_cast<float>(r + 1) : 1.0F;
    if (p.kind == kMax) {
      if (weights == 0.0F) copy_row(x, p.output, p.width);
      for_vectors(p.width, [&](int64_t i, auto read, auto write) {
        write(p.output + i, maximum(read(p.output + i), read(x + i)));
      });
    } else {
      for_vectors(p.width, [&](int64_t i, auto read, auto write) {
        write(p.output + i, fma(read(x + i), set1(weight), read(p.output + i)));
      });
    }
    weights += weight;
  }
  if (p.kind == kMax || weights == 0.0F) return;
  scale_row(p.output, 1.0F / (p.kind == kMeanSqrtLength ? __builtin_sqrtf(weights) : weights), p.output, p.width);
}

void activate(uint8_t kind, const float* x, float* y, int64_t count) {
  with_activation(kind, [&](auto k) {
    for_vectors(count,
                [&](int64_t i, auto read, auto write) { write(y + i, activation<decltype(k)::value>(read(x + i))); });
  });
}

// In the order of cpu::Binary.
enum { kAdd, kSubtract, kMultiply, kDivide, kMinimum, kMaximum };

template <typename Operation>
inline void combine(const float* a, const float* b, float* y, int64_t count, Operation operation) {
  for_vectors(count, [&](int64_t i, auto read, auto write) { write(y + i, operation(read(a + i), read(b + i))); });
}

void binary(uint8_t kind, const float* a, const float* b, float* y, int64_t count) {
  switch (kind) {
    case kAdd: return combine(a, b, y, count, [](Vec u, Vec v) { return u + v; });
    case kSubtract: return combine(a, b, y, count, [](Vec u, Vec v) { return u - v; });
    case kMultiply: return combine(a, b, y, count, [](Vec u, Vec v) { return u * v; });
    case kDivide: return combine(a, b, y, count, [](Vec u, Vec v) { return u / v; });
    case kMinimum: return combine(a, b, y, count, [](Vec u, Vec v) { return minimum(u, v); });
    default: return combine(a, b, y, count, [](Vec u, Vec v) { return maximum(u, v); });
  }
}

void softcap(float cap, const float* x, float* y, int64_t count) {
  for_vectors(
      count, [&](int64_t i, auto read, auto write) { write(y + i, tanh(read(x + i) * set1(1.0F / cap)) * set1(cap)); });
}

void affine(float scale, float shift, const float* x, float* y, int64_t count) {
  for_vectors(count,
              [&](int64_t i, auto read, auto write) { write(y + i, fma(read(x + i), set1(scale), set1(shift))); });
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
