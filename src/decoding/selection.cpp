#include "decoding/selection.hpp"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <functional>
#include <limits>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace accelerate::decoding {
namespace {

constexpr float kInfinity = std::numeric_limits<float>::infinity();
constexpr float kLowest = std::numeric_limits<float>::lowest();
constexpr float kLeastExponent = -87.0f;

// Vectors as gcc and clang know them on every machine: left to itself, gcc does the exponential one by one at -O2.
constexpr std::size_t kLanes = 4;
using Floats = float __attribute__((vector_size(sizeof(float) * kLanes)));
using Integers = std::int32_t __attribute__((vector_size(sizeof(std::int32_t) * kLanes)));

[[gnu::always_inline]] inline Floats load(const float* from) {
  Floats values;
  std::memcpy(&values, from, sizeof values);
  return values;
}

template <typename To, typename From>
[[gnu::always_inline]] inline To bits_as(From from) {
  To to;
  static_assert(sizeof to == sizeof from);
  std::memcpy(&to, &from, sizeof to);
  return to;
}

// Lanes of `values` for which `kept` is all ones, 0 in the others.
[[gnu::always_inline]] inline Floats where(Integers kept, Floats values) {
  return bits_as<Floats>(bits_as<Integers>(values) & kept);
}

// 2^n * 2^f with |f| <= 1/2, the second by a polynomial close to it (Moshier, Cephes, expf).
[[gnu::always_inline]] inline Floats exp_of_negative(Floats x) {
  const Integers counts = x > kLeastExponent;
  const Floats bounded = where(counts, x);
  const Floats scaled = bounded * 1.44269504f;
  constexpr float kRounder = 12582912.0f;  // 1.5 * 2^23: adding it leaves no fraction
  const Floats whole = (scaled + kRounder) - kRounder;
  // ln 2 in two parts, so that the difference keeps its digits.
  const Floats rest = (bounded - whole * 0.693359375f) - whole * -2.12194440e-4f;
  Floats sum = rest * 1.9875691500e-4f + 1.3981999507e-3f;
  sum = sum * rest + 8.3334519073e-3f;
  sum = sum * rest + 4.1665795894e-2f;
  sum = sum * rest + 1.6666665459e-1f;
  sum = sum * rest + 5.0000001201e-1f;
  sum = sum * rest * rest + rest + 1.0f;
  const Integers power = (__builtin_convertvector(whole, Integers) + 127) << 23;
  return where(counts, sum * bits_as<Floats>(power));
}

// The larger of two lanes; NaN in `a` never counts.
[[gnu::always_inline]] inline Floats larger_of(Floats a, Floats b) {
#ifdef __SSE2__
  return _mm_max_ps(a, b);  // one instruction, of which the compiler does not know that NaN may fall so
#else
  const Integers first = a > b;
  return bits_as<Floats>((bits_as<Integers>(a) & first) | (bits_as<Integers>(b) & ~first));
#endif
}

float largest_of_block(const float* values) {
  // Several at a time: each comparison waits for the one before it.
  constexpr std::size_t kChains = 4;
  Floats most[kChains];
  for (Floats& each : most) each = Floats{} - kInfinity;
  for (std::size_t i = 0; i < kBlock; i += kChains * kLanes) {
    for (std::size_t j = 0; j < kChains; ++j) most[j] = larger_of(load(values + i + j * kLanes), most[j]);
  }
  const Floats all = larger_of(larger_of(most[0], most[1]), larger_of(most[2], most[3]));
  return std::max(std::max(all[0], all[1]), std::max(all[2], all[3]));
}

// Slightly below a border: what division by a temperature may round up to it.
float just_below(float border) { return std::max(kLowest, border - std::abs(border) * 1e-6f); }

// Goes through the values with the k largest so far in a heap, and returns the k-th largest of all. Calls visit(index,
// enters) for the first k and for each later one that is not below just_below(the k-th largest of those before it);
// `enters` when it is above that. Blocks without any are passed over.
template <typename Visit>
float scan_for_largest(std::span<const float> values, std::size_t k, Visit&& visit) {
  std::vector<float> best(k);
  for (std::size_t i = 0; i < k; ++i) {
    best[i] = std::isnan(values[i]) ? -kInfinity : values[i];
    visit(i, true);
  }
  std::make_heap(best.begin(), best.end(), std::greater<>());
  const auto offer = [&](std::size_t i) {
    const bool enters = values[i] > best.front();
    if (!enters && !(values[i] >= just_below(best.front()))) return;
    visit(i, enters);
    if (!enters) return;
    std::pop_heap(best.begin(), best.end(), std::greater<>());
    best.back() = values[i];
    std::push_heap(best.begin(), best.end(), std::greater<>());
  };
  std::size_t i = k;
  for (; i + kBlock <= values.size(); i += kBlock) {
    if (largest_of_block(values.data() + i) < just_below(best.front())) continue;
    for (std::size_t j = 0; j < kBlock; ++j) offer(i + j);
  }
  for (; i < values.size(); ++i) offer(i);
  return best.front();
}

// Few enough for a heap.
bool are_few(std::size_t k, std::size_t of) { return k * 16 <= of; }

Scored scored(std::span<const float> values, std::size_t i) { return {values[i], static_cast<std::int64_t>(i)}; }

}  // namespace

std::vector<Scored> top_k(std::span<const float> values, std::size_t k) {
  k = std::min(k, values.size());
  if (k == 0) return {};
  const auto before = [](const Scored& a, const Scored& b) {
    return (std::isnan(a.value) && !std::isnan(b.value)) || a.value > b.value;
  };
  std::vector<Scored> queue;
  if (k * 64 <= values.size()) {
    // Only those that enter its heap change what the sort does, also to equal values.
    scan_for_largest(values, k, [&](std::size_t i, bool enters) {
      if (enters) queue.push_back(scored(values, i));
    });
    std::partial_sort(queue.begin(), queue.begin() + static_cast<std::ptrdiff_t>(k), queue.end(), before);
  } else {
    for (std::size_t i = 0; i < values.size(); ++i) queue.push_back(scored(values, i));
    const auto last = queue.begin() + static_cast<std::ptrdiff_t>(k - 1);
    std::nth_element(queue.begin(), last, queue.end(), before);
    std::sort(queue.begin(), last, before);
  }
  queue.resize(k);
  return queue;
}

Largest largest_few(std::span<const float> values, std::size_t k) {
  Largest largest;
  if (are_few(k, values.size())) {
    largest.kth = scan_for_largest(values, k, [&](std::size_t i, bool) { largest.found.push_back(scored(values, i)); });
    const float least = just_below(largest.kth);
    std::erase_if(largest.found, [&](const Scored& each) { return !(each.value >= least); });
  } else {
    largest.kth = kth_largest(values, k);
    largest.found = at_least(values, just_below(largest.kth));
  }
  return largest;
}

float kth_largest(std::span<const float> values, std::size_t k) {
  if (are_few(k, values.size())) return scan_for_largest(values, k, [](std::size_t, bool) {});
  std::vector<float> all(values.size());
  std::transform(values.begin(), values.end(), all.begin(),
                 [](float value) { return std::isnan(value) ? -kInfinity : value; });
  const auto kth = all.begin() + static_cast<std::ptrdiff_t>(k - 1);
  std::nth_element(all.begin(), kth, all.end(), std::greater<>());
  return *kth;
}

std::vector<Scored> at_least(std::span<const float> values, float least) {
  std::vector<Scored> found;
  for (std::size_t i = 0; i < values.size(); i += kBlock) {
    const std::size_t end = std::min(i + kBlock, values.size());
    if (end - i == kBlock && largest_of_block(values.data() + i) < least) continue;
    for (std::size_t j = i; j < end; ++j) {
      if (values[j] >= least) found.push_back({values[j], static_cast<std::int64_t>(j)});
    }
  }
  return found;
}

std::vector<float> largest_of_blocks(std::span<const float> values) {
  std::vector<float> all;
  all.reserve(values.size() / kBlock + 1);
  std::size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) all.push_back(largest_of_block(values.data() + i));
  if (i < values.size()) all.push_back(largest(values.subspan(i)));
  return all;
}

float largest(std::span<const float> values) { return first_largest(values).value; }

Scored first_largest(std::span<const float> values) {
  float most = -kInfinity;
  std::size_t block = values.size(), i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    const float here = largest_of_block(values.data() + i);
    if (here > most) most = here, block = i;
  }
  for (std::size_t j = i; j < values.size(); ++j) {
    if (values[j] > most) most = values[j], block = i;
  }
  const auto first = std::find(values.begin() + static_cast<std::ptrdiff_t>(block), values.end(), most);
  return {most, first - values.begin()};
}

float exp_of_negative(float x) { return exp_of_negative(Floats{x})[0]; }

double exp_sum(std::span<const float> values, float shift) {
  double sum = 0;
  std::size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    // Behind top-k nearly all are -inf.
    if (!(largest_of_block(values.data() + i) - shift > kLeastExponent)) continue;
    Floats parts{};
    for (std::size_t j = 0; j < kBlock; j += kLanes) parts += exp_of_negative(load(values.data() + i + j) - shift);
    for (std::size_t lane = 0; lane < kLanes; ++lane) sum += static_cast<double>(parts[lane]);
  }
  for (; i < values.size(); ++i) sum += static_cast<double>(exp_of_negative(values[i] - shift));
  return sum;
}

void log_softmax(std::span<float> values) {
  const float shift = largest(values);
  if (!std::isfinite(shift)) return;
  const auto log_sum = static_cast<float>(std::log(exp_sum(values, shift)));
  std::size_t i = 0;
  for (; i + kBlock <= values.size(); i += kBlock) {
    for (std::size_t j = 0; j < kBlock; ++j) values[i + j] = values[i + j] - shift - log_sum;
  }
  for (; i < values.size(); ++i) values[i] = values[i] - shift - log_sum;
}

}  // namespace accelerate::decoding
