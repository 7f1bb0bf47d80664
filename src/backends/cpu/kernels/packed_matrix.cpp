// Weights from the checkpoint's layout into panels.
#include <algorithm>
#include <cmath>
#include <numeric>
#include <string>

#include "backends/cpu/kernels/tables.hpp"
#include "graph/balance.hpp"

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
               std::int64_t first, std::int64_t begin, std::int64_t end, std::int64_t in_features, const float* factors,
               std::byte* panels) {
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
                  .factors = factors,
                  .panel = panels + shape.panel_of(first + row) * panel_bytes});
    row += run;
  }
}

// Rows [begin, end) of a source whose row 0 is row `first` of the whole weight.
struct PackTask {
  const WeightSource* source;
  std::int64_t first, begin, end;
  const float* factors;
};

// Blocks of about a megabyte: what is read and not yet released stays small beside the weight.
void add_tasks(const WeightSource& source, std::int64_t first, std::int64_t in_features, const float* factors,
               std::vector<PackTask>& tasks) {
  const auto row_bytes = static_cast<std::int64_t>(size_of(source.dtype)) * in_features;
  const std::int64_t block = std::clamp<std::int64_t>((1 << 20) / row_bytes, 16, 4096) / 16 * 16;
  for (std::int64_t begin = 0; begin < source.out_features; begin += block) {
    tasks.push_back({&source, first, begin, std::min(begin + block, source.out_features), factors});
  }
}

std::span<const std::byte> bytes_of(const WeightSource& source, std::int64_t first, std::int64_t numbers) {
  const std::size_t size = size_of(source.dtype);
  const auto* bytes = static_cast<const std::byte*>(source.data) + static_cast<std::size_t>(first) * size;
  return {bytes, static_cast<std::size_t>(numbers) * size};
}

void pack_tasks(ThreadPool& pool, const detail::ProductTable& product, const PanelShape& shape,
                std::span<const PackTask> tasks, std::int64_t in_features, const PackOptions& options,
                std::byte* panels) {
  pool.parallel_for(std::ssize(tasks), [&](std::int64_t index, int) {
    const PackTask& task = tasks[static_cast<std::size_t>(index)];
    const WeightSource& source = *task.source;
    pack_rows(product, shape, source, task.first, task.begin, task.end, in_features, task.factors, panels);
    if (!options.done || source.transposed) return;
    const std::int64_t stride = stride_of(source, in_features);
    options.done(bytes_of(source, task.begin * stride, (task.end - task.begin - 1) * stride + in_features));
  });
}

// The square root of the sum of each input feature's squared weights: mixing makes numbers of a group alike in size, so
// that their squares count and not the largest.
std::vector<float> column_sizes(const detail::LevelTable& table, std::span<const WeightSource> sources,
                                std::int64_t in_features) {
  std::vector<float> sizes(static_cast<std::size_t>(in_features)), row;
  for (const WeightSource& source : sources) {
    const detail::Stored stored = detail::stored_as(source.dtype, "packed weight");
    const std::int64_t rows = source.transposed ? in_features : source.out_features;
    const std::int64_t width = source.transposed ? source.out_features : in_features;
    row.resize(static_cast<std::size_t>(width));
    for (std::int64_t r = 0; r < rows; ++r) {
      const auto offset = static_cast<std::size_t>(r * stride_of(source, in_features)) * size_of(source.dtype);
      table.accumulate(static_cast<const std::byte*>(source.data) + offset, stored, row.data(), width, true);
      for (std::size_t i = 0; i < row.size(); ++i) {
        sizes[source.transposed ? static_cast<std::size_t>(r) : i] += row[i] * row[i];
      }
    }
  }
  for (float& size : sizes) size = std::sqrt(size);
  return sizes;
}

std::vector<std::int64_t> sizes_of(std::span<const WeightSource> sources) {
  std::vector<std::int64_t> sizes;
  for (const WeightSource& source : sources) sizes.push_back(source.out_features);
  return sizes;
}

}  // namespace

std::int64_t input_sets(std::span<const std::int64_t> sources, Level level, bool gated) {
  const std::int64_t columns = detail::table_of(level).panel_columns;
  const bool apart = !gated && std::ranges::all_of(sources, [&](std::int64_t size) { return size % columns == 0; });
  return apart ? static_cast<std::int64_t>(sources.size()) : 1;
}

Packing packing_of(Precision precision, DType stored) {
  switch (precision) {
    case Precision::f32:
      if (stored == DType::bf16) return Packing::f32_of_bf16;
      return stored == DType::f16 ? Packing::f32_of_f16 : Packing::f32;
    case Precision::bf16: return Packing::bf16;
    case Precision::int8: return Packing::int8;
    default:
      throw Error(ErrorKind::unsupported,
                  "precision " + std::string(name_of(precision)) + " has no products here, only f32, bf16 and int8",
                  "backend cpu");
  }
}

std::size_t packed_bytes(std::span<const std::int64_t> sources, std::int64_t in_features, Level level, Packing packing,
                         bool gated, bool balanced) {
  const PanelShape shape(std::accumulate(sources.begin(), sources.end(), std::int64_t{0}), level, gated);
  const detail::ProductTable& product = detail::product_of(detail::table_of(level), packing);
  const std::int64_t factors = balanced ? input_sets(sources, level, gated) * in_features : 0;
  return static_cast<std::size_t>(shape.panels() * product.panel_bytes(in_features)) +
         static_cast<std::size_t>(factors) * sizeof(float);
}

PackedMatrix PackedMatrix::pack(ThreadPool& pool, Level level, std::int64_t in_features,
                                std::span<const WeightSource> sources, const PackOptions& options) {
  check_sources(in_features, sources, options.gated);
  if (!options.magnitudes.empty() &&
      (options.precision != Precision::int8 || static_cast<std::int64_t>(options.magnitudes.size()) != in_features)) {
    throw Error(ErrorKind::invalid_input, "magnitudes of " + std::to_string(options.magnitudes.size()) +
                                              " inputs for a weight of " + std::to_string(in_features) + " in " +
                                              std::string(name_of(options.precision)));
  }
  kernels(level);  // packing runs that level's code
  PackedMatrix packed;
  packed.level_ = level;
  const DType first_type = sources.front().dtype;
  const bool alike = std::ranges::all_of(sources, [&](const auto& each) { return each.dtype == first_type; });
  packed.packing_ = packing_of(options.precision, alike ? first_type : DType::f32);
  packed.gated_ = options.gated;
  packed.in_features_ = in_features;
  for (const WeightSource& source : sources) packed.out_features_ += source.out_features;
  const PanelShape shape(packed.out_features_, level, options.gated);
  packed.panel_columns_ = shape.columns;
  const std::vector<std::int64_t> sizes = sizes_of(sources);
  packed.buffer_ = HostBuffer(packed_bytes(sizes, in_features, level, packed.packing_, options.gated));
  const bool balanced = !options.magnitudes.empty();
  const std::int64_t sets = balanced ? cpu::input_sets(sizes, level, options.gated) : 1;
  if (balanced) packed.factors_ = HostBuffer(static_cast<std::size_t>(sets * in_features) * sizeof(float));
  const detail::ProductTable& product = detail::product_of(detail::table_of(level), packed.packing_);
  std::vector<std::vector<float>> factors;  // of each set
  std::vector<PackTask> tasks;
  std::int64_t first = 0;
  for (std::size_t i = 0; i < sources.size(); ++i) {
    if (i == 0 || sets > 1) packed.set_panels_.push_back(first / shape.columns);
    if (balanced && (i == 0 || sets > 1)) {
      const auto own = sets > 1 ? sources.subspan(i, 1) : sources;
      factors.push_back(balance(options.magnitudes, column_sizes(detail::table_of(level), own, in_features)));
      auto* inverse = reinterpret_cast<float*>(packed.factors_.data()) + static_cast<std::int64_t>(i) * in_features;
      for (std::size_t k = 0; k < factors.back().size(); ++k) inverse[k] = 1.0F / factors.back()[k];
    }
    add_tasks(sources[i], first, in_features, balanced ? factors.back().data() : nullptr, tasks);
    first += sources[i].out_features;
  }
  pack_tasks(pool, product, shape, tasks, in_features, options, packed.buffer_.data());
  // Columns of a transposed source are read by several tasks: it can only be released whole.
  for (const WeightSource& source : sources) {
    if (!options.done || !source.transposed) continue;
    options.done(bytes_of(source, 0, (in_features - 1) * stride_of(source, in_features) + source.out_features));
  }
  packed.set_panels_.push_back(shape.panels() / shape.halves);
  return packed;
}

std::int64_t PackedMatrix::panels() const { return PanelShape(out_features_, level_, gated_).panels(); }

void PackedMatrix::read_row(std::int64_t row, float* out, bool add) const {
  if (row < 0 || row >= out_features_) {
    throw Error(ErrorKind::invalid_input,
                "row " + std::to_string(row) + " of a packed weight of " + std::to_string(out_features_) + " rows");
  }
  const PanelShape shape(out_features_, level_, gated_);
  const detail::ProductTable& product = detail::product_of(detail::table_of(level_), packing_);
  const std::byte* panel = buffer_.data() + shape.panel_of(row) * product.panel_bytes(in_features_);
  std::vector<float> values(static_cast<std::size_t>(in_features_));
  product.unpack(panel, in_features_, shape.column_of(row), values.data());
  const float* factors = input_factors();
  for (std::int64_t set = 1; factors != nullptr && set < input_sets(); ++set) {
    if (row / panel_columns_ >= set_begin(set)) factors += in_features_;
  }
  for (std::size_t k = 0; k < values.size(); ++k) {
    out[k] = values[k] * (factors == nullptr ? 1.0F : factors[k]) + (add ? out[k] : 0.0F);
  }
}

namespace detail {

const LevelTable& table_of(Level level) {
#if defined(__x86_64__)
  if (level == Level::avx2) return kAvx2Table;
  if (level == Level::avx512) return kAvx512Table;
  if (level == Level::avx512_vnni) return kAvx512VnniTable;
  if (level == Level::avx512_bf16) return kAvx512Bf16Table;
  if (level == Level::amx) return kAmxTable;
#elif defined(__aarch64__)
  if (level == Level::neon) return kNeonTable;
#endif
  return kPortableTable;
}

const ProductTable& product_of(const LevelTable& table, Packing packing) {
  switch (packing) {
    case Packing::f32: return table.f32;
    case Packing::f32_of_bf16: return table.f32_of_bf16;
    case Packing::f32_of_f16: return table.f32_of_f16;
    case Packing::bf16: return table.bf16;
    case Packing::int8: return table.int8;
  }
  return table.f32;
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
