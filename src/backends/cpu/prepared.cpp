#include "backends/cpu/prepared.hpp"

#include <algorithm>

namespace accelerate::cpu {
namespace {

// What kernels read as it lies in the file.
bool is_float(DType dtype) { return dtype == DType::f32 || dtype == DType::f16 || dtype == DType::bf16; }

// What all of them are as they lie in the file, else f32.
DType common_type(std::span<const Weight* const> parts) {
  for (const DType type : {DType::bf16, DType::f16}) {
    if (std::ranges::all_of(parts, [&](const Weight* part) { return part->has_rows_of(type); })) return type;
  }
  return DType::f32;
}

std::int64_t f32_bytes(std::int64_t elements) { return elements * static_cast<std::int64_t>(sizeof(float)); }

}  // namespace

MatrixWeight::MatrixWeight(const Weights& weights, std::vector<std::string> names, Level level, Options options)
    : level_(level),
      options_(std::move(options)),
      key_("cpu " + std::string(name_of(level)) + " " + std::string(name_of(options_.precision)) +
           (options_.gated ? " gated" : "") + (balanced() ? " after " + options_.input.weight : "")) {
  for (const std::string& name : names) {
    const Weight& part = weights.at(name);
    in_ = part.dims[1];
    sizes_.push_back(part.dims[0]);
    parts_.push_back(&part);
    key_ += " " + name;
  }
  packing_ = packing_of(options_.precision, common_type(parts_));
}

WeightBytes MatrixWeight::bytes() const {
  return {.allocated =
              static_cast<std::int64_t>(packed_bytes(sizes_, in_, level_, packing_, options_.gated, balanced()))};
}

void MatrixWeight::prepare(const Weights& weights, ThreadPool& pool) {
  const auto make = [&]() -> std::shared_ptr<const void> {
    std::vector<WeightSource> sources;
    std::vector<Tensor> converted;  // kinds of numbers that packing does not read
    for (const Weight* part : parts_) {
      const DType type = part->encoding.dtype;
      const std::vector<RowRun> runs =
          is_float(type) && part->has_rows_of(type) ? part->row_runs() : std::vector<RowRun>{};
      // Factors are balanced for each source by itself, so that a part must be one.
      if (runs.empty() || (balanced() && runs.size() > 1)) {
        converted.push_back(part->to_f32());
        sources.push_back({.data = std::as_const(converted.back()).bytes().data(), .out_features = part->dims[0]});
        continue;
      }
      for (const RowRun& run : runs) {
        sources.push_back({.data = part->bytes.data() + static_cast<std::size_t>(run.first) * size_of(type),
                           .dtype = type,
                           .out_features = run.rows,
                           .transposed = part->transposed,
                           .stride = run.stride});
      }
    }
    const auto release = [&](std::span<const std::byte> done) {
      for (const Weight* part : parts_) {
        const bool inside = done.data() >= part->bytes.data() && done.data() < part->bytes.data() + part->bytes.size();
        if (inside && part->file != nullptr) part->file->release(done);
      }
    };
    const std::vector<float> sizes = balanced() ? magnitudes(weights, options_.input) : std::vector<float>{};
    auto packed = PackedMatrix::pack(
        pool, level_, in_, sources,
        {.precision = options_.precision, .magnitudes = sizes, .gated = options_.gated, .done = release});
    for (const Weight* part : parts_) part->release();
    return std::make_shared<const PackedMatrix>(std::move(packed));
  };
  packed_ = std::static_pointer_cast<const PackedMatrix>(weights.prepared(key_, make));
}

VectorWeight::VectorWeight(const Weights& weights, std::vector<Part> parts) : parts_(std::move(parts)) {
  for (const Part& part : parts_) size_ += part.size;
  in_place_ = in_place(weights);
}

bool VectorWeight::in_place(const Weights& weights) const {
  if (parts_.size() != 1 || parts_[0].name.empty()) return false;
  const Weight& weight = weights.at(parts_[0].name);
  return weight.is_plain(DType::f32) && weight.stride == 0;
}

WeightBytes VectorWeight::bytes() const {
  return in_place_ ? WeightBytes{.mapped = f32_bytes(size_)} : WeightBytes{.allocated = f32_bytes(size_)};
}

void VectorWeight::prepare(const Weights& weights) {
  if (parts_.empty()) return;
  if (in_place_) {
    values_ = weights.at(parts_[0].name).to_f32();
    return;
  }
  values_ = Tensor(DType::f32, {size_});
  float* out = values_.as<float>().data();
  for (const Part& part : parts_) {
    if (!part.name.empty()) {
      const Tensor values = weights.at(part.name).to_f32();
      const auto from = std::as_const(values).as<float>();
      std::copy(from.begin(), from.end(), out);
    }
    out += part.size;
  }
}

TableWeight::TableWeight(const Weights& weights, std::string name, Level level, const std::string& multiplied)
    : weight_(&weights.at(name)),
      in_place_(is_float(weight_->encoding.dtype) && weight_->is_plain(weight_->encoding.dtype) &&
                !weight_->transposed) {
  if (in_place_ || multiplied.empty()) return;
  packed_.emplace(weights, std::vector<std::string>{multiplied}, level, MatrixWeight::Options{});
}

WeightBytes TableWeight::bytes(std::set<std::string>& counted) const {
  if (in_place_) return {.mapped = static_cast<std::int64_t>(weight_->bytes.size())};
  if (packed_) return counted.insert(packed_->key()).second ? packed_->bytes() : WeightBytes{};
  return {.allocated = f32_bytes(weight_->elements())};
}

void TableWeight::prepare(const Weights& weights, ThreadPool& pool) {
  if (packed_) return packed_->prepare(weights, pool);
  if (!in_place_) copy_ = weight_->to_f32();
}

EmbeddingTable TableWeight::table(const std::int64_t* ids) const {
  EmbeddingTable table{.rows = weight_->dims[0], .ids = ids, .name = weight_->name};
  if (packed_) {
    table.packed = &packed_->packed();
    return table;
  }
  table.data = in_place_ ? weight_->bytes.data() : copy_.bytes().data();
  table.dtype = in_place_ ? weight_->encoding.dtype : DType::f32;
  return table;
}

}  // namespace accelerate::cpu
