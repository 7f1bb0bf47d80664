// Weights from the checkpoint's layout into panels.
#include <algorithm>
#include <string>

#include "backends/cpu/kernels/tables.hpp"

namespace accelerate::cpu {
namespace {

using detail::divide_up;

struct PanelShape {
  std::int64_t columns, halves, out_features;
  PanelShape(std::int64_t out, Level level, bool gated)
      : columns(detail::table_of(level).panel_columns), halves(gated ? 2 : 1), out_features(out) {}
  std::int64_t per_half() const { return out_features / halves; }
  std::int64_t panels() const { return divide_up(per_half(), columns) * halves; }
  // Where the weight's row lies: which panel, which of its columns.
  std::int64_t panel_of(std::int64_t row) const { return row % per_half() / columns * halves + row / per_half(); }
  std::int64_t column_of(std::int64_t row) const { return row % per_half() % columns; }
  // Rows from `row` on that share its panel.
  std::int64_t run_from(std::int64_t row) const {
    return std::min(columns - column_of(row), per_half() - row % per_half());
  }
};

void check_sources(std::int64_t in_features, std::span<const WeightSource> sources, bool gated) {
  std::int64_t out_features = 0;
  for (const WeightSource& source : sources) {
    if (in_features < 1 || source.out_features < 1) {
      throw Error(ErrorKind::invalid_input,
                  "a weight of shape " + to_string(Dims{source.out_features, in_features}) + " cannot be packed");
    }
    detail::stored_as(source.dtype, "packed weight");
    out_features += source.out_features;
  }
  if (out_features == 0) throw Error(ErrorKind::invalid_input, "a packed weight needs at least one source");
  if (gated && out_features % 2 != 0) {
    throw Error(ErrorKind::invalid_input,
                "a gated weight has " + std::to_string(out_features) + " rows, expected an even number");
  }
}

std::int64_t stride_of(const WeightSource& source, std::int64_t in_features) {
  if (source.stride != 0) return source.stride;
  return source.transposed ? source.out_features : in_features;
}

// Rows [begin, end) of one source, whose row 0 is row `first` of the whole weight.
void pack_rows(const detail::ProductTable& product, const PanelShape& shape, const WeightSource& source,
               std::int64_t first, std::int64_t begin, std::int64_t end, std::int64_t in_features, std::byte* panels) {
  const std::int64_t panel_bytes = product.panel_bytes(in_features);
  const std::int64_t stride = stride_of(source, in_features);
  for (std::int64_t row = begin; row < end;) {
    const std::int64_t run = std::min(shape.run_from(first + row), end - row);
    const std::int64_t offset = source.transposed ? row : row * stride;
    product.pack({.source = static_cast<const std::byte*>(source.data) +
                            static_cast<std::size_t>(offset) * size_of(source.dtype),
                  .stored = detail::stored_as(source.dtype, "packed weight"),
                  .transposed = source.transposed,
                  .stride = stride,
                  .rows = run,
                  .first_column = shape.column_of(first + row),
                  .in_features = in_features,
                  .panel = panels + shape.panel_of(first + row) * panel_bytes});
    row += run;
  }
}

void pack_source(ThreadPool& pool, const detail::ProductTable& product, const PanelShape& shape,
                 const WeightSource& source, std::int64_t first, std::int64_t in_features, const PackOptions& options,
                 std::byte* panels) {
  const std::int64_t stride = stride_of(source, in_features);
  const auto* bytes = static_cast<const std::byte*>(source.data);
  // Blocks of about a megabyte: what is read and not yet released stays small beside the weight.
  const auto row_bytes = static_cast<std::int64_t>(size_of(source.dtype)) * in_features;
  const std::int64_t block = std::clamp<std::int64_t>((1 << 20) / row_bytes, 16, 4096) / 16 * 16;
  const std::int64_t blocks = divide_up(source.out_features, block);
  pool.parallel_for(blocks, [&](std::int64_t task, int) {
    const std::int64_t begin = task * block, end = std::min(begin + block, source.out_features);
    pack_rows(product, shape, source, first, begin, end, in_features, panels);
    if (options.done && !source.transposed) {
      const auto at = [&](std::int64_t row) { return static_cast<std::size_t>(row * stride) * size_of(source.dtype); };
      const std::size_t last = at(end - 1) + static_cast<std::size_t>(row_bytes);
      options.done({bytes + at(begin), last - at(begin)});
    }
  });
  // Columns of a transposed source are read by several blocks: it can only be released whole.
  if (options.done && source.transposed) {
    const std::int64_t elements = (in_features - 1) * stride + source.out_features;
    options.done({bytes, static_cast<std::size_t>(elements) * size_of(source.dtype)});
  }
}

}  // namespace

std::size_t packed_bytes(std::int64_t out_features, std::int64_t in_features, Level level, bool gated,
                         Precision precision) {
  const PanelShape shape(out_features, level, gated);
  const detail::ProductTable& product = detail::product_of(detail::table_of(level), precision);
  return static_cast<std::size_t>(shape.panels() * product.panel_bytes(in_features));
}

PackedMatrix PackedMatrix::pack(ThreadPool& pool, Level level, std::int64_t in_features,
                                std::span<const WeightSource> sources, const PackOptions& options) {
  check_sources(in_features, sources, options.gated);
  kernels(level);  // packing runs that level's code
  PackedMatrix packed;
  packed.level_ = level;
  packed.precision_ = options.precision;
  packed.gated_ = options.gated;
  packed.in_features_ = in_features;
  for (const WeightSource& source : sources) packed.out_features_ += source.out_features;
  const PanelShape shape(packed.out_features_, level, options.gated);
  packed.panel_columns_ = shape.columns;
  packed.buffer_ = HostBuffer(packed_bytes(packed.out_features_, in_features, level, options.gated, options.precision));
  const detail::ProductTable& product = detail::product_of(detail::table_of(level), options.precision);
  std::int64_t first = 0;
  for (const WeightSource& source : sources) {
    pack_source(pool, product, shape, source, first, in_features, options, packed.buffer_.data());
    first += source.out_features;
  }
  return packed;
}

std::int64_t PackedMatrix::panels() const { return PanelShape(out_features_, level_, gated_).panels(); }

void PackedMatrix::read_row(std::int64_t row, float* out, bool add) const {
  if (row < 0 || row >= out_features_) {
    throw Error(ErrorKind::invalid_input,
                "row " + std::to_string(row) + " of a packed weight of " + std::to_string(out_features_) + " rows");
  }
  const PanelShape shape(out_features_, level_, gated_);
  const detail::ProductTable& product = detail::product_of(detail::table_of(level_), precision_);
  const std::byte* panel = data() + shape.panel_of(row) * product.panel_bytes(in_features_);
  std::vector<float> values(add ? static_cast<std::size_t>(in_features_) : 0);
  product.unpack(panel, in_features_, shape.column_of(row), add ? values.data() : out);
  for (std::size_t k = 0; k < values.size(); ++k) out[k] += values[k];
}

namespace detail {

const LevelTable& table_of(Level level) {
#if defined(__x86_64__)
  if (level == Level::avx2) return kAvx2Table;
  if (level == Level::avx512) return kAvx512Table;
  if (level == Level::avx512_vnni) return kAvx512VnniTable;
  if (level == Level::avx512_bf16) return kAvx512Bf16Table;
#elif defined(__aarch64__)
  if (level == Level::neon) return kNeonTable;
#endif
  return kPortableTable;
}

const ProductTable& product_of(const LevelTable& table, Precision precision) {
  switch (precision) {
    case Precision::f32: return table.f32;
    case Precision::bf16: return table.bf16;
    case Precision::int8: return table.int8;
    default:
      throw Error(ErrorKind::unsupported,
                  "precision " + std::string(name_of(precision)) + " has no products here, only f32, bf16 and int8",
                  "backend cpu");
  }
}

Stored stored_as(DType dtype, std::string_view where) {
  switch (dtype) {
    case DType::f32: return Stored::f32;
    case DType::f16: return Stored::f16;
    case DType::bf16: return Stored::bf16;
    default:
      throw Error(ErrorKind::invalid_input, "found " + std::string(name_of(dtype)) + ", expected f32, f16 or bf16",
                  std::string(where));
  }
}

}  // namespace detail
}  // namespace accelerate::cpu
