#include <algorithm>
#include <functional>

#include "backends/cpu/kernels/appending.hpp"
#include "backends/cpu/kernels/tables.hpp"
#include "core/float16.hpp"

namespace accelerate::cpu {
namespace detail {

template <typename Number>
struct Appending::Place {
  Number *keys, *values;     // of the first position
  std::int64_t within;       // its place in the page
  std::int64_t count;        // of positions
  const float *key, *value;  // of the first position
};

Appending::Appending(const AppendKeys& a, std::int64_t panel_columns) : a_(a), panel_(panel_columns) {
  for (std::size_t i = 0; i < a.sequences.size(); ++i) {
    const std::int64_t rows = a.offsets[i + 1] - a.offsets[i], last = a.sequences[i].positions - 1;
    const std::int64_t panels = rows == 0 ? 0 : last / panel_ - (last + 1 - rows) / panel_ + 1;
    first_item_.push_back(first_item_.back() + panels * a.part.kv_heads);
    longest_ = std::max(longest_, rows);
  }
}

double Appending::numbers() const {
  const std::int64_t line = 64 / static_cast<std::int64_t>(size_of(a_.part.stored));
  return static_cast<double>(std::clamp(longest_, line, std::max(line, panel_)) * a_.part.head_dim);
}

template <typename Number>
Appending::Place<Number> Appending::place_of(std::int64_t item) const {
  const auto after = std::ranges::upper_bound(first_item_, item);
  const auto i = static_cast<std::size_t>(after - first_item_.begin()) - 1;
  const PagedSequence& sequence = a_.sequences[i];
  const PagePart& part = a_.part;
  const std::int64_t rows = a_.offsets[i + 1] - a_.offsets[i], first = sequence.positions - rows;
  const std::int64_t head = (item - first_item_[i]) % part.kv_heads;
  const std::int64_t at = (first / panel_ + (item - first_item_[i]) / part.kv_heads) * panel_;
  const std::int64_t from = std::max(first, at), until = std::min(sequence.positions, at + panel_);
  const std::int64_t source = a_.offsets[i] + from - first, column = head * part.head_dim;
  const std::int64_t within = from % kPagePositions;
  void* start = sequence.pages[static_cast<std::size_t>((from - sequence.first) / kPagePositions)];
  Number* page = static_cast<Number*>(start) + part.offset;
  return {
      .keys = page + head * kPagePositions * part.head_dim + within / panel_ * panel_ * part.head_dim + within % panel_,
      .values = page + part.key_numbers() + head * kPagePositions * part.value_stride(),
      .within = within,
      .count = until - from,
      .key = a_.key.data + source * a_.key.stride + column,
      .value = a_.value.data + source * a_.value.stride + column};
}

// One position's keys lie in as many lines as a head has dimensions.
template <typename Number>
void Appending::ask(const Place<Number>& place) const {
  for (std::int64_t d = 0; d < a_.part.head_dim; ++d) __builtin_prefetch(place.keys + d * panel_, 1);
}

template <typename Number, typename Convert>
void Appending::put_at(const Place<Number>& place, Convert convert) const {
  constexpr float kLog2E = 1.44269504F;
  // As the unpaged keys are packed.
  const float scale = a_.softcap > 0 ? a_.scale / a_.softcap : a_.scale * kLog2E;
  const std::int64_t head_dim = a_.part.head_dim, stride = a_.part.value_stride();
  for (std::int64_t row = 0; row < place.count; ++row) {
    Number* keys = place.keys + row;
    const float* own = place.key + row * a_.key.stride;
    for (std::int64_t d = 0; d < head_dim; ++d) keys[d * panel_] = convert(own[d] * scale);
    own = place.value + row * a_.value.stride;
    for (std::int64_t c = 0; c < stride; c += panel_) {
      const std::int64_t columns = std::min(panel_, stride - c), there = std::min(columns, head_dim - c);
      Number* to = place.values + c * kPagePositions + (place.within + row) * columns;
      std::fill(std::transform(own + c, own + c + there, to, convert), to + columns, Number{0});
    }
  }
}

template <typename Number, typename Convert>
void Appending::put_as(std::int64_t begin, std::int64_t end, Convert convert) const {
  constexpr std::int64_t kAhead = 4;  // items of which lines are on their way at the same time
  for (std::int64_t item = begin; item < std::min(begin + kAhead, end); ++item) ask(place_of<Number>(item));
  for (std::int64_t item = begin; item < end; ++item) {
    if (item + kAhead < end) ask(place_of<Number>(item + kAhead));
    put_at(place_of<Number>(item), convert);
  }
}

void Appending::put(std::int64_t begin, std::int64_t end) const {
  switch (a_.part.stored) {
    case DType::bf16: return put_as<std::uint16_t>(begin, end, [](float x) { return f32_to_bf16(x); });
    case DType::f16: return put_as<std::uint16_t>(begin, end, [](float x) { return f32_to_f16(x); });
    default: return put_as<float>(begin, end, std::identity());
  }
}

}  // namespace detail

void Kernels::append(ThreadPool& pool, const AppendKeys& a) const {
  constexpr double kLeastNumbers = 8192;  // that are worth another thread where handing over costs 2.5 us
  const detail::Appending appending(a, table_->panel_columns);
  detail::for_row_pieces(pool, appending.items(), kLeastNumbers / appending.numbers(),
                         [&](std::int64_t begin, std::int64_t end) { appending.put(begin, end); });
}

}  // namespace accelerate::cpu
