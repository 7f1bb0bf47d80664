// How a product's rows and columns are shared out.
#include <algorithm>
#include <string>

#include "backends/cpu/kernels/tables.hpp"

namespace accelerate::cpu {
namespace {

using detail::divide_up;
using detail::kLeastOwnRows;

// A grid of row blocks times groups of panels. Where there are enough rows each thread has `own_blocks` of them to
// itself, which it wrote before and reads later; then it goes through its blocks group by group, and a group's weights
// stay in its cache. Few rows are shared: then neighbouring tasks, of the same thread, are of one group.
struct Grid {
  std::int64_t tiles, row_blocks, groups, own_blocks;
  struct Task {
    std::int64_t block, group;
  };
  Task task(std::int64_t index) const {
    const std::int64_t share = own_blocks * groups, within = index % share;
    return {index / share * own_blocks + within % own_blocks, within / own_blocks};
  }
};

// Few rows wait for the weights to come from memory, not for sums.
constexpr std::int64_t kFewRows = 8;

// Many tasks then, for memory is rarely equally fast for all threads, and equally long ones; of little work one a
// thread, which keeps its part in its own caches. So many bytes are worth one where handing over costs 2.5 us.
std::int64_t groups_of_few_rows(ThreadPool& pool, std::int64_t panels, std::size_t weight_bytes) {
  constexpr double kLeast = 128 << 10;
  const double threads = pool.threads();
  const double affordable = static_cast<double>(weight_bytes) / detail::worth_sharing(pool, kLeast);
  const double wanted = affordable < 16 * threads ? threads : 32 * threads;
  const auto tasks = static_cast<std::int64_t>(std::max(1.0, std::min(wanted, affordable)));
  return divide_up(panels, divide_up(panels, tasks));
}

// About four tasks a thread, so that one that is interrupted does not hold up the rest, of little work one; and of the
// numbers from there on the one whose rounds of tasks end soonest.
std::int64_t groups_of(ThreadPool& pool, std::int64_t row_blocks, std::int64_t panels, double flops,
                       double least_task) {
  const std::int64_t threads = pool.threads();
  const auto affordable = static_cast<std::int64_t>(flops / detail::worth_sharing(pool, least_task));
  const bool is_little = affordable < 16 * threads;
  const std::int64_t wanted =
      std::clamp<std::int64_t>(is_little ? threads : 4 * threads, 1, std::max<std::int64_t>(affordable, 1));
  const std::int64_t least = std::clamp<std::int64_t>(divide_up(wanted, row_blocks), 1, panels);
  const std::int64_t most =
      std::clamp<std::int64_t>(affordable / row_blocks, least, is_little ? least : std::min(panels, 3 * least));
  const auto rounds = [&](std::int64_t groups) {
    return divide_up(groups * row_blocks, threads) * divide_up(panels, groups);
  };
  std::int64_t best = least;
  for (std::int64_t groups = least + 1; groups <= most; ++groups) {
    if (rounds(groups) < rounds(best)) best = groups;
  }
  return best;
}

Grid grid_of(const detail::ProductTable& product, std::int64_t row_block, ThreadPool& pool, std::int64_t rows,
             std::int64_t panels, double flops, std::size_t weight_bytes) {
  const int threads = pool.threads();
  Grid grid{};
  grid.tiles = divide_up(rows, product.tile_rows);
  grid.row_blocks = divide_up(grid.tiles, row_block / product.tile_rows);
  if (threads > 1 && rows >= threads * kLeastOwnRows) grid.row_blocks = divide_up(grid.row_blocks, threads) * threads;
  grid.own_blocks = grid.row_blocks % threads == 0 ? grid.row_blocks / threads : grid.row_blocks;
  grid.groups = 1;
  if (threads == 1) return grid;
  const auto least_task = static_cast<double>(product.smallest_task);
  grid.groups = rows <= kFewRows ? groups_of_few_rows(pool, panels, weight_bytes)
                                 : groups_of(pool, grid.row_blocks, panels, flops, least_task);
  return grid;
}

// Where rows lie that are normed and then encoded: the first rounded up to whole lines.
struct InputScratch {
  std::size_t encoded = 0, bytes = 0;  // where the encoded ones begin; of all

  InputScratch(const detail::LevelTable& table, const detail::ProductTable& product, std::int64_t rows,
               std::int64_t in_features, std::int64_t sets, bool normed) {
    const auto lines = [](std::int64_t size) { return static_cast<std::size_t>(divide_up(size, 64) * 64); };
    if (normed) encoded = lines(rows * row_stride(in_features) * static_cast<std::int64_t>(sizeof(float)));
    // Each set begins right behind the rows of the one before, and its last tile reads as many as are read together.
    const std::int64_t padded = divide_up(rows, table.row_padding) * table.row_padding;
    bytes = encoded + lines(((sets - 1) * rows + padded) * product.encoded_bytes(in_features));
  }
};

// X as a product reads it: normed, and then encoded, once for every set of factors.
class Inputs {
 public:
  Inputs(const detail::LevelTable& table, const detail::ProductTable& product, ThreadPool& pool, std::int64_t rows,
         ConstRows x, const PackedMatrix& weight, const Norm& norm, std::byte* scratch)
      : table_(table),
        product_(product),
        rows_(rows),
        x_(x),
        weight_(weight),
        norm_(norm),
        scratch_(scratch),
        parts_(table, product, rows, weight.in_features(), weight.input_sets(), normed()),
        row_bytes_(product.encoded_bytes(weight.in_features())) {
    if (!normed() && row_bytes_ == 0) return;
    constexpr double kLeast = 12288;  // numbers that are worth another thread where handing over costs 2.5 us
    detail::for_row_pieces(pool, rows, kLeast / static_cast<double>(weight.in_features() * weight.input_sets()),
                           [&](std::int64_t begin, std::int64_t end) { prepare(begin, end); });
  }

  std::int64_t row_bytes() const { return row_bytes_; }
  ConstRows rows() const { return normed() ? normed_rows() : x_; }
  // Of the first set; that of the next lies behind its rows. Null where rows are multiplied as they are.
  std::uint8_t* encoded() const {
    return row_bytes_ == 0 ? nullptr : reinterpret_cast<std::uint8_t*>(scratch_ + parts_.encoded);
  }

 private:
  bool normed() const { return norm_.kind != Norm::Kind::none; }
  Rows normed_rows() const { return {reinterpret_cast<float*>(scratch_), row_stride(weight_.in_features())}; }

  void prepare(std::int64_t begin, std::int64_t end) const {
    detail::norm_rows(table_, norm_, x_, normed_rows(), begin, end, weight_.in_features());
    if (row_bytes_ == 0) return;
    const ConstRows from = rows();
    const std::int64_t width = weight_.in_features();
    for (std::int64_t set = 0; set < weight_.input_sets(); ++set) {
      const float* factors = weight_.input_factors();
      product_.encode({.x = from.data + begin * from.stride,
                       .x_stride = from.stride,
                       .rows = end - begin,
                       .width = width,
                       .factors = factors == nullptr ? nullptr : factors + set * width,
                       .out = encoded() + (set * rows_ + begin) * row_bytes_,
                       .out_stride = row_bytes_});
    }
  }

  const detail::LevelTable& table_;
  const detail::ProductTable& product_;
  std::int64_t rows_;
  ConstRows x_;
  const PackedMatrix& weight_;
  const Norm& norm_;
  std::byte* scratch_;
  InputScratch parts_;
  std::int64_t row_bytes_;
};

// What the threads do of a product. All that each task needs lies in here, side by side: another thread reads it from
// the caller's cache.
class Multiplication {
 public:
  Multiplication(const detail::LinearBlock& whole, const Grid& grid, const detail::LevelTable& table,
                 const detail::ProductTable& product, const PackedMatrix& weight, std::span<const Columns> y)
      : whole_(whole),
        grid_(grid),
        multiply_(product.linear),
        panel_columns_(table.panel_columns),
        // Nearly equal blocks, for threads wait for the largest; or whole tiles where rows are read together.
        tile_rows_(table.row_padding > 1 && product.tile_rows % table.row_padding == 0 ? product.tile_rows : 0),
        sets_(weight.input_sets()),
        weight_(weight),
        y_(y) {}

  std::int64_t tasks() const { return grid_.row_blocks * grid_.groups; }

  void operator()(std::int64_t task, int) const {
    const auto [block, group] = grid_.task(task);
    detail::LinearBlock part = whole_;
    part.row_begin = row_of_block(block);
    part.row_end = row_of_block(block + 1);
    const std::int64_t panels = whole_.panel_end;
    const std::int64_t begin = panels * group / grid_.groups, end = panels * (group + 1) / grid_.groups;
    if (sets_ == 1) return multiply(part, begin, end);
    for (std::int64_t set = 0; set < sets_; ++set) {
      if (part.encoded != nullptr) part.encoded = whole_.encoded + set * whole_.row_end * whole_.encoded_stride;
      multiply(part, std::max(begin, weight_.set_begin(set)), std::min(end, weight_.set_begin(set + 1)));
    }
  }

 private:
  std::int64_t row_of_block(std::int64_t block) const {
    const std::int64_t rows = whole_.row_end;
    if (tile_rows_ == 0) return rows * block / grid_.row_blocks;
    return std::min(rows, grid_.tiles * block / grid_.row_blocks * tile_rows_);
  }

  // Panels [begin, end) of a part: those of each stretch of Y.
  void multiply(detail::LinearBlock& part, std::int64_t begin, std::int64_t end) const {
    for (std::size_t i = 0; i < y_.size(); ++i) {
      part.y = y_[i].rows.data;
      part.y_stride = y_[i].rows.stride;
      part.y_column = y_[i].begin;
      part.panel_begin = std::max(begin, y_[i].begin / panel_columns_);
      part.panel_end = i + 1 < y_.size() ? std::min(end, y_[i + 1].begin / panel_columns_) : end;
      if (part.panel_begin < part.panel_end) multiply_(part);
    }
  }

  detail::LinearBlock whole_;
  Grid grid_;
  void (*multiply_)(const detail::LinearBlock&);
  std::int64_t panel_columns_, tile_rows_, sets_;
  const PackedMatrix& weight_;
  std::span<const Columns> y_;
};

}  // namespace

std::size_t Kernels::linear_scratch_bytes(std::int64_t rows, std::int64_t in_features, Packing packing,
                                          std::int64_t sets, bool normed) const {
  return InputScratch(*table_, detail::product_of(*table_, packing), rows, in_features, sets, normed).bytes;
}

std::int64_t Kernels::panel_columns() const { return table_->panel_columns; }

void Kernels::linear(ThreadPool& pool, std::int64_t rows, ConstRows x, const PackedMatrix& weight,
                     const Epilogue& epilogue, std::span<const Columns> y, std::byte* scratch, const Norm& norm) const {
  if (rows <= 0) return;
  if (weight.level() != level_ || weight.empty()) {
    throw Error(ErrorKind::internal, "the weight is packed for " + std::string(name_of(weight.level())) +
                                         ", the kernel is " + std::string(name_of(level_)));
  }
  const detail::ProductTable& product = detail::product_of(*table_, weight.packing());
  const Inputs inputs(*table_, product, pool, rows, x, weight, norm, scratch);
  const std::int64_t panels = weight.panels() / (weight.gated() ? 2 : 1);
  const double flops = 2.0 * static_cast<double>(rows) * static_cast<double>(weight.in_features()) *
                       static_cast<double>(weight.out_features());
  const Grid grid = grid_of(product, table_->row_block, pool, rows, panels, flops, weight.bytes());
  const detail::LinearBlock whole{.x = inputs.rows().data,
                                  .x_stride = inputs.rows().stride,
                                  .encoded = inputs.encoded(),
                                  .encoded_stride = inputs.row_bytes(),
                                  .row_begin = 0,
                                  .row_end = rows,
                                  .weight = weight.panel_bytes().data(),
                                  .in_features = weight.in_features(),
                                  .panel_begin = 0,
                                  .panel_end = panels,
                                  .columns = weight.columns(),
                                  .gated = weight.gated(),
                                  .activation = static_cast<std::uint8_t>(epilogue.activation),
                                  .bias = epilogue.bias,
                                  .residual = epilogue.residual.data,
                                  .residual_stride = epilogue.residual.stride,
                                  .y = nullptr,
                                  .y_stride = 0,
                                  .y_column = 0};
  const Multiplication multiplication(whole, grid, *table_, product, weight, y);
  pool.parallel_for(multiplication.tasks(), multiplication);
}

}  // namespace accelerate::cpu
