// Weights of 16 bits whose numbers are widened while they are multiplied, so that inputs stay as they are: those that
// are bf16 or f16 in the file, in f32. A word has two neighbouring input features of a column: in bf16 side by side
// (bf16.hpp), in f16 a vector of the first, then one of the second, for those are widened by vectors.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

inline int64_t widened_words(int64_t in_features) { return (in_features + 1) / 2; }
int64_t widened_panel_bytes(int64_t in_features) { return widened_words(in_features) * kPanel * 4; }

// Rows are read where they are, unless their last word would reach past their end, or as many as a tile has compete for
// the same few places of the first-level cache.
int64_t widened_encoded_bytes(int64_t in_features) {
  const bool in_place = in_features % 2 == 0 && in_features % 1024 != 0;
  return in_place ? 0 : encoded_stride(widened_words(in_features) * 8);
}
void widened_encode(const EncodeRows& e) {
  for (int64_t r = 0; r < e.rows; ++r) {
    const float* from = e.x + r * e.x_stride;
    auto* to = reinterpret_cast<float*>(e.out + r * e.out_stride);
    for_vectors(e.width, [&](int64_t i, auto read, auto write) { write(to + i, read(from + i)); });
    if (e.width % 2 != 0) to[e.width] = 0.0F;
  }
}

// Where a number of a column lies in a panel of f16.
inline int64_t f16_place(int64_t k, int64_t column) {
  return k / 2 * 2 * kPanel + column / kLanes * 2 * kLanes + k % 2 * kLanes + column % kLanes;
}

// Sources are f16: their bits are kept.
void f16_pack(const PackPanel& p) {
  const int64_t row_step = p.transposed ? 1 : p.stride, step = p.transposed ? p.stride : 1;
  for (int64_t k = 0; k < p.in_features; k += kMostRun) {
    const int64_t count = p.in_features - k < kMostRun ? p.in_features - k : kMostRun;
    for (int64_t j = 0; j < p.rows; ++j) {
      const auto* from = static_cast<const uint16_t*>(p.source) + j * row_step + k * step;
      auto* to = static_cast<uint16_t*>(p.panel) + f16_place(k, p.first_column + j);
      for (int64_t i = 0; i + 1 < count; i += 2, to += 2 * kPanel) {
        to[0] = from[i * step];
        to[kLanes] = from[(i + 1) * step];
      }
      if (count % 2 != 0) to[0] = from[(count - 1) * step];
    }
  }
}

void f16_unpack(const void* panel, int64_t in_features, int64_t column, float* out) {
  const auto* numbers = static_cast<const uint16_t*>(panel) + f16_place(0, column) - column % kLanes;
  for (int64_t k = 0; k < in_features; ++k) {
    alignas(64) float row[kLanes];
    store(row, load_f16(numbers + f16_place(k, 0)));
    out[k] = row[column % kLanes];
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
