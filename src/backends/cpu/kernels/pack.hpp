// Weights and keys into panels, for every level: kLanes x kLanes transposes.

namespace accelerate::cpu::ACCELERATE_LEVEL {
namespace {

using detail::PackPanel;
using detail::Stored;

// Up to kLanes stored values as floats, zeros after `count`.
template <Stored kStored>
inline Vec load_stored(const void* data, int64_t index, int64_t count) {
  if constexpr (kStored == Stored::f32) {
    const float* p = static_cast<const float*>(data) + index;
    return count >= kLanes ? load(p) : load_partial(p, count);
  } else {
    const uint16_t* p = static_cast<const uint16_t*>(data) + index;
    uint16_t padded[kLanes];
    if (count < kLanes) {
      for (int64_t i = 0; i < kLanes; ++i) padded[i] = i < count ? p[i] : static_cast<uint16_t>(0);
      p = padded;
    }
    return kStored == Stored::f16 ? load_f16(p) : load_bf16(p);
  }
}

inline void store_up_to(float* p, Vec v, int64_t count) {
  if (count >= kLanes) {
    store(p, v);
  } else {
    store_partial(p, v, count);
  }
}

// out[k * kPanel + j] = scale * source[j * stride + k], j < rows.
template <Stored kStored>
inline void pack_rows(const void* source, int64_t stride, int64_t rows, int64_t depth, float scale, float* out) {
  for (int64_t j = 0; j < rows; j += kLanes) {
    const int64_t lanes = rows - j < kLanes ? rows - j : kLanes;
    for (int64_t k = 0; k < depth; k += kLanes) {
      const int64_t deep = depth - k < kLanes ? depth - k : kLanes;
      Vec block[kLanes];
      for (int64_t i = 0; i < kLanes; ++i) {
        block[i] = i < lanes ? load_stored<kStored>(source, (j + i) * stride + k, deep) * set1(scale) : set1(0.0F);
      }
      transpose(block);
      for (int64_t i = 0; i < deep; ++i) store_up_to(out + (k + i) * kPanel + j, block[i], lanes);
    }
  }
}

template <Stored kStored>
inline void pack_columns(const void* source, int64_t stride, int64_t rows, int64_t depth, float* out) {
  for (int64_t k = 0; k < depth; ++k) {
    for (int64_t j = 0; j < rows; j += kLanes) {
      const int64_t lanes = rows - j < kLanes ? rows - j : kLanes;
      store_up_to(out + k * kPanel + j, load_stored<kStored>(source, k * stride + j, lanes), lanes);
    }
  }
}

template <Stored kStored>
inline void pack_as(const PackPanel& p) {
  float* out = static_cast<float*>(p.panel) + p.first_column;
  if (p.transposed) return pack_columns<kStored>(p.source, p.stride, p.rows, p.in_features, out);
  pack_rows<kStored>(p.source, p.stride, p.rows, p.in_features, 1.0F, out);
}

void pack(const PackPanel& p) {
  switch (p.stored) {
    case Stored::f16: return pack_as<Stored::f16>(p);
    case Stored::bf16: return pack_as<Stored::bf16>(p);
    default: return pack_as<Stored::f32>(p);
  }
}

void unpack(const void* panel, int64_t in_features, int64_t column, float* out) {
  const float* from = static_cast<const float*>(panel) + column;
  for (int64_t k = 0; k < in_features; ++k) out[k] = from[k * kPanel];
}

int64_t not_encoded(int64_t) { return 0; }

template <Stored kStored>
inline void accumulate_as(const void* row, float* y, int64_t count, bool set) {
  for (int64_t i = 0; i < count; i += kLanes) {
    const int64_t lanes = count - i < kLanes ? count - i : kLanes;
    Vec value = load_stored<kStored>(row, i, lanes);
    if (!set) value = value + load_stored<Stored::f32>(y, i, lanes);
    store_up_to(y + i, value, lanes);
  }
}

void accumulate(const void* row, Stored stored, float* y, int64_t count, bool set) {
  switch (stored) {
    case Stored::f16: return accumulate_as<Stored::f16>(row, y, count, set);
    case Stored::bf16: return accumulate_as<Stored::bf16>(row, y, count, set);
    default: return accumulate_as<Stored::f32>(row, y, count, set);
  }
}

}  // namespace
}  // namespace accelerate::cpu::ACCELERATE_LEVEL
