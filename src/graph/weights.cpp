#include "graph/weights.hpp"

#include <algorithm>

namespace accelerate {
namespace {

Weight weight_of(Parameter parameter, std::string name) {
  Weight weight;
  weight.where = parameter.where();
  weight.name = std::move(name);
  weight.dims = std::move(parameter.dims);
  weight.encoding = parameter.encoding;
  weight.transposed = parameter.transposed;
  weight.stride = parameter.stride;
  weight.run = parameter.run;
  weight.bytes = parameter.bytes;
  weight.owner = parameter.file;
  weight.file = std::move(parameter.file);
  return weight;
}

// As they are stored, without what lies between rows.
Tensor gathered(const Weight& weight, Dims stored) {
  Tensor copy(weight.encoding.dtype, std::move(stored));
  const std::span<std::byte> to = copy.bytes();
  const auto runs = static_cast<std::size_t>(copy.dim(0) / weight.run);
  const std::size_t run_bytes = to.size() / std::max<std::size_t>(runs, 1);
  const std::size_t apart = static_cast<std::size_t>(weight.stride) * size_of(weight.encoding.dtype);
  for (std::size_t run = 0; run < runs; ++run) {
    std::ranges::copy(weight.bytes.subspan(run * apart, run_bytes), to.subspan(run * run_bytes).begin());
  }
  return copy.to(DType::f32);
}

}  // namespace

bool Weight::is_plain(DType dtype) const { return encoding.alternating_heads == 0 && has_rows_of(dtype); }

bool Weight::has_rows_of(DType dtype) const {
  return encoding.blocks == nullptr && encoding.added == 0 && encoding.dtype == dtype &&
         reinterpret_cast<std::uintptr_t>(bytes.data()) % size_of(dtype) == 0;
}

std::vector<RowRun> Weight::row_runs() const {
  const std::int64_t rows = dims.front(), width = elements() / std::max<std::int64_t>(rows, 1);
  std::vector<RowRun> runs;
  if (encoding.alternating_heads != 0) {
    const std::int64_t half = rows / encoding.alternating_heads / 2;
    for (std::int64_t i = 0; i < 2 * encoding.alternating_heads; ++i) {
      runs.push_back({(i / 2 * 2 * half + i % 2) * width, half, 2 * width});
    }
  } else if (run > 1) {
    for (std::int64_t i = 0; i < rows / run; ++i) runs.push_back({i * stride, run, 0});
  } else {
    runs.push_back({0, rows, stride});
  }
  return runs;
}

Tensor Weight::to_f32() const {
  Dims stored = dims;
  if (transposed) std::reverse(stored.begin(), stored.end());
  const Tensor values = stride == 0 ? widened(encoding, stored, bytes, owner) : gathered(*this, std::move(stored));
  return transposed ? transposed_copy(values) : values;
}

void Weight::release_rows(std::int64_t begin, std::int64_t end) const {
  if (file == nullptr || dims.empty()) return;
  const std::int64_t rows = transposed ? dims.back() : dims.front();
  if (rows == 0) return;
  const std::size_t row_bytes = bytes.size() / static_cast<std::size_t>(rows);
  const auto first = static_cast<std::size_t>(std::clamp<std::int64_t>(begin, 0, rows)) * row_bytes;
  const auto last = static_cast<std::size_t>(std::clamp<std::int64_t>(end, 0, rows)) * row_bytes;
  if (first < last) file->release(bytes.subspan(first, last - first));
}

void Weights::mount(std::string prefix, Checkpoint checkpoint, NameMap names) {
  mounts_.push_back({std::move(prefix), std::move(checkpoint), std::move(names)});
}

void Weights::add(std::string name, Tensor values) {
  auto weight = std::make_unique<Weight>();
  weight->name = weight->where = name;
  weight->dims = values.dims();
  weight->encoding = Encoding::plain(values.dtype());
  weight->bytes = std::as_const(values).bytes();
  weight->owner = std::make_shared<Tensor>(std::move(values));
  const std::lock_guard lock(mutex_);
  found_[std::move(name)] = std::move(weight);
}

const Weight* Weights::find(std::string_view name) const {
  const std::lock_guard lock(mutex_);
  const auto known = found_.find(name);
  if (known != found_.end()) return known->second.get();
  for (const Mount& mount : mounts_) {
    if (!name.starts_with(mount.prefix)) continue;
    if (auto parameter = mount.names.find(mount.checkpoint, name.substr(mount.prefix.size()))) {
      auto weight = std::make_unique<Weight>(weight_of(*std::move(parameter), std::string(name)));
      if (weight->file && std::ranges::find(files_, weight->file) == files_.end()) files_.push_back(weight->file);
      return (found_[std::string(name)] = std::move(weight)).get();
    }
  }
  return nullptr;
}

const Weight& Weights::at(std::string_view name) const {
  if (const Weight* found = find(name)) return *found;
  // The mount whose prefix fits best says what it tried and what it has.
  const Mount* best = nullptr;
  for (const Mount& mount : mounts_) {
    const bool fits = name.starts_with(mount.prefix);
    if (fits && (best == nullptr || mount.prefix.size() > best->prefix.size())) best = &mount;
  }
  if (best != nullptr) best->names.at(best->checkpoint, name.substr(best->prefix.size()));
  throw Error(ErrorKind::not_found, "parameter \"" + std::string(name) + "\" is missing");
}

void Weights::expect_unchanged() const {
  const std::lock_guard lock(mutex_);
  for (const auto& file : files_) file->expect_unchanged();
}

std::shared_ptr<const void> Weights::prepared(const std::string& key,
                                              const std::function<std::shared_ptr<const void>()>& make) const {
  // Held while making: two plans that want the same copy must not both pack it. Makers never ask for another key.
  const std::lock_guard one_maker(making_);
  {
    const std::lock_guard lock(mutex_);
    if (auto ready = prepared_[key].lock()) return ready;
  }
  std::shared_ptr<const void> made = make();
  const std::lock_guard lock(mutex_);
  prepared_[key] = made;
  return made;
}

}  // namespace accelerate
