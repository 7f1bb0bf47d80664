// Row-wise kernels over the threads.
#include <algorithm>
#include <chrono>
#include <string>

#include "backends/cpu/kernels/tables.hpp"

namespace accelerate::cpu {
namespace {

using detail::for_row_pieces;

// Rows of `width` floats that are worth another thread where handing over costs 2.5 us, some 2 us of work at `cost`
// operations a float: as a rule it has written them.
double least_rows(std::int64_t width, std::int64_t cost) {
  return 24576 / static_cast<double>(std::max<std::int64_t>(1, width * cost));
}

// body(row, count, times): whole rows one by one, or many at once where they touch.
template <typename Body>
void for_elements(ThreadPool& pool, std::int64_t rows, std::int64_t width, bool dense, std::int64_t cost,
                  const Body& body) {
  for_row_pieces(pool, rows, least_rows(width, cost), [&](std::int64_t begin, std::int64_t end) {
    if (dense) return body(begin, (end - begin) * width);
    for (std::int64_t row = begin; row < end; ++row) body(row, width);
  });
}

void check_ids(const Embedding& e) {
  for (const EmbeddingTable& table : e.tables) {
    const std::int64_t rows = table.packed != nullptr ? table.packed->out_features() : table.rows;
    for (std::int64_t r = 0; r < e.rows; ++r) {
      const std::int64_t id = table.ids == nullptr ? 0 : table.ids[r];
      if (id >= 0 && id < rows) continue;
      throw Error(ErrorKind::invalid_input,
                  "id " + std::to_string(id) + " at row " + std::to_string(e.first_row + r) + ", expected 0 to " +
                      std::to_string(rows - 1),
                  std::string(table.name));
    }
  }
}

}  // namespace

void detail::norm_rows(const LevelTable& table, const Norm& norm, ConstRows input, Rows output, std::int64_t begin,
                       std::int64_t end, std::int64_t width) {
  if (norm.kind == Norm::Kind::none) return;
  (norm.kind == Norm::Kind::rms ? table.rms_norm : table.layer_norm)({.input = input.data + begin * input.stride,
                                                                      .input_stride = input.stride,
                                                                      .output = output.data + begin * output.stride,
                                                                      .output_stride = output.stride,
                                                                      .rows = end - begin,
                                                                      .width = width,
                                                                      .weight = norm.weight,
                                                                      .bias = norm.bias,
                                                                      .epsilon = norm.epsilon,
                                                                      .weight_offset = norm.weight_offset});
}

void Kernels::rotary(ThreadPool& pool, const Rotary& a) const {
  for_row_pieces(pool, a.rows, least_rows(a.heads * a.rotary_dim, 1), [&](std::int64_t begin, std::int64_t end) {
    const std::int64_t first_factor = a.positions == nullptr ? begin * a.rotary_dim / 2 : 0;
    table_->rotary({.x = a.x.data + begin * a.x.stride,
                    .stride = a.x.stride,
                    .rows = end - begin,
                    .heads = a.heads,
                    .head_dim = a.head_dim,
                    .rotary_dim = a.rotary_dim,
                    .interleaved = a.interleaved,
                    .cosine = a.cosine + first_factor,
                    .sine = a.sine + first_factor,
                    .positions = a.positions == nullptr ? nullptr : a.positions + begin});
  });
}

void Kernels::norm(ThreadPool& pool, const NormedRows& a) const {
  for_row_pieces(pool, a.rows, least_rows(a.width * a.groups, 2), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t group = 0; group < a.groups; ++group) {
      const std::int64_t column = group * a.width;
      detail::norm_rows(*table_, a.norm, {a.input.data + column, a.input.stride},
                        {a.output.data + column, a.output.stride}, begin, end, a.width);
    }
  });
}

void Kernels::embedding(ThreadPool& pool, const Embedding& e) const {
  check_ids(e);
  for_row_pieces(pool, e.rows, least_rows(e.width, 4), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t r = begin; r < end; ++r) {
      float* y = e.output.data + r * e.output.stride;
      bool first = true;
      for (const EmbeddingTable& table : e.tables) {
        const std::int64_t id = table.ids == nullptr ? 0 : table.ids[r];
        if (table.packed != nullptr) {
          table.packed->read_row(id, y, !first);
        } else {
          const std::size_t offset = static_cast<std::size_t>(id * e.width) * size_of(table.dtype);
          table_->accumulate(static_cast<const std::byte*>(table.data) + offset,
                             detail::stored_as(table.dtype, table.name), y, e.width, first);
        }
        first = false;
      }
      if (e.scale != 1.0F) table_->affine(e.scale, 0.0F, y, y, e.width);
    }
    detail::norm_rows(*table_, e.norm, e.output, e.output, begin, end, e.width);
  });
}

void Kernels::pooling(ThreadPool& pool, const Pool& p) const {
  const auto batch = static_cast<std::int64_t>(p.offsets.size()) - 1;
  if (batch <= 0) return;
  const std::int64_t rows = (p.offsets.back() - p.offsets.front()) / batch;
  for_row_pieces(pool, batch, least_rows(p.width, rows + 1), [&](std::int64_t begin, std::int64_t end) {
    for (std::int64_t s = begin; s < end; ++s) {
      const std::int64_t first = p.offsets[static_cast<std::size_t>(s)];
      table_->pool({.input = p.input.data + first * p.input.stride,
                    .stride = p.input.stride,
                    .rows = p.offsets[static_cast<std::size_t>(s) + 1] - first,
                    .width = p.width,
                    .mask = p.row_mask == nullptr ? nullptr : p.row_mask + first,
                    .kind = static_cast<std::uint8_t>(p.kind),
                    .output = p.output.data + s * p.output.stride});
    }
  });
}

void Kernels::softmax(ThreadPool& pool, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const {
  for_row_pieces(pool, rows, least_rows(width, 8), [&](std::int64_t begin, std::int64_t end) {
    table_->softmax(x.data + begin * x.stride, x.stride, y.data + begin * y.stride, y.stride, end - begin, width,
                    false);
  });
}

void Kernels::log_softmax(ThreadPool& pool, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const {
  for_row_pieces(pool, rows, least_rows(width, 8), [&](std::int64_t begin, std::int64_t end) {
    table_->softmax(x.data + begin * x.stride, x.stride, y.data + begin * y.stride, y.stride, end - begin, width, true);
  });
}

void Kernels::l2_normalize(ThreadPool& pool, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const {
  for_row_pieces(pool, rows, least_rows(width, 2), [&](std::int64_t begin, std::int64_t end) {
    table_->l2_normalize(x.data + begin * x.stride, x.stride, y.data + begin * y.stride, y.stride, end - begin, width);
  });
}

void Kernels::activate(ThreadPool& pool, Activation kind, std::int64_t rows, std::int64_t width, ConstRows x,
                       Rows y) const {
  for_elements(pool, rows, width, x.stride == width && y.stride == width, 6, [&](std::int64_t row, std::int64_t count) {
    table_->activate(static_cast<std::uint8_t>(kind), x.data + row * x.stride, y.data + row * y.stride, count);
  });
}

void Kernels::binary(ThreadPool& pool, Binary kind, std::int64_t rows, std::int64_t width, ConstRows a, ConstRows b,
                     Rows y) const {
  const bool dense = a.stride == width && b.stride == width && y.stride == width;
  for_elements(pool, rows, width, dense, 1, [&](std::int64_t row, std::int64_t count) {
    table_->binary(static_cast<std::uint8_t>(kind), a.data + row * a.stride, b.data + row * b.stride,
                   y.data + row * y.stride, count);
  });
}

void Kernels::softcap(ThreadPool& pool, float cap, std::int64_t rows, std::int64_t width, ConstRows x, Rows y) const {
  for_elements(pool, rows, width, x.stride == width && y.stride == width, 8, [&](std::int64_t row, std::int64_t count) {
    table_->softcap(cap, x.data + row * x.stride, y.data + row * y.stride, count);
  });
}

void Kernels::affine(ThreadPool& pool, float scale, float shift, std::int64_t rows, std::int64_t width, ConstRows x,
                     Rows y) const {
  for_elements(pool, rows, width, x.stride == width && y.stride == width, 1, [&](std::int64_t row, std::int64_t count) {
    table_->affine(scale, shift, x.data + row * x.stride, y.data + row * y.stride, count);
  });
}

double Kernels::measure_peak_gflops(double milliseconds, Precision precision) const {
  using Clock = std::chrono::steady_clock;
  const auto until = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  const auto peak_loop = detail::product_of(*table_, packing_of(precision)).peak_loop;
  peak_loop(20000);
  // The best of short pieces: what other processes take away is not the machine's.
  double best = 0;
  do {
    const auto start = Clock::now();
    const auto operations = static_cast<double>(peak_loop(20000));
    const std::chrono::duration<double, std::nano> took = Clock::now() - start;
    best = std::max(best, operations / took.count());
  } while (Clock::now() < until);
  return best;
}

double Kernels::measure_read_bytes_per_second(std::span<const std::byte> bytes, double milliseconds) const {
  using Clock = std::chrono::steady_clock;
  const auto* data = reinterpret_cast<const float*>(bytes.data());
  const auto count = static_cast<std::int64_t>(bytes.size() / sizeof(float));
  const auto until = Clock::now() + std::chrono::duration<double, std::milli>(milliseconds);
  volatile float sink = 0;
  double best = 0;
  do {
    const auto start = Clock::now();
    sink = table_->read(data, count);
    const std::chrono::duration<double> took = Clock::now() - start;
    best = std::max(best, static_cast<double>(bytes.size()) / took.count());
  } while (Clock::now() < until);
  static_cast<void>(sink);
  return best;
}

}  // namespace accelerate::cpu
