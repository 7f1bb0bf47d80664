#include "backends/cpu/session.hpp"

#include <algorithm>

#include "backends/cpu/kernels/tables.hpp"
#include "backends/cpu/parts.hpp"
#include "core/lent_memory.hpp"
#include "graph/tables.hpp"

namespace accelerate::cpu {
namespace {

using Steps = std::vector<std::unique_ptr<Step>>;

// What one part needs.
struct Needs {
  std::vector<Stretch> by_rows;
  ArenaLayout arena;
  std::size_t workspace = 0, rows_workspace = 0;  // scratch memory of the thread that runs all steps; of each other one

  Needs() = default;
  Needs(const Steps& steps, const Placement& placement, const std::vector<Stretch>& stretches, const Extents& extents,
        int threads)
      : by_rows(shared_by_rows(stretches, extents, threads)), arena(placement, extents, by_rows) {
    for (const auto& step : steps) workspace = std::max(workspace, step->workspace_bytes(extents, threads));
    for (const Stretch& stretch : by_rows) {
      const std::int64_t rows = detail::divide_up(stretch.rows.evaluate(extents), threads);
      for (std::size_t i = stretch.begin; i < stretch.end; ++i) {
        rows_workspace = std::max(rows_workspace, steps[i]->rows_workspace_bytes(rows));
      }
    }
  }
};

std::vector<Part> parts_of(const std::string& symbol, const Extents& extents, int threads) {
  if (symbol.empty()) return {{}};
  return cut(extents, symbol, threads);
}

// Looks at what the threads of a pool do, where somebody wants to know.
class Watched {
 public:
  Watched(ThreadPool& pool, PoolWork* work) : pool_(work == nullptr ? nullptr : &pool) {
    if (pool_ != nullptr) pool_->watch(work);
  }
  Watched(const Watched&) = delete;
  Watched& operator=(const Watched&) = delete;
  ~Watched() {
    if (pool_ != nullptr) pool_->watch(nullptr);
  }

 private:
  ThreadPool* pool_;
};

// Where everything lies while one part runs; values in the arena by their offset from its start.
struct Layout {
  Part part;
  Extents extents;
  std::vector<Location> values;
  struct Placed {
    std::size_t value, at;  // at: offset in the arena, or number of the output
  };
  std::vector<Placed> in_arena, in_outputs;
  Needs needs;
};

bool counts_positions(const Dim& dim) {
  const auto has_it = [](const auto& term) { return std::ranges::find(term.first, "positions") != term.first.end(); };
  return std::ranges::any_of(dim.terms(), has_it);
}

// Memory that only grows; given back first, so that the old and the new are never held together.
void grow(HostBuffer& buffer, std::size_t bytes) {
  if (buffer.size() >= bytes) return;
  buffer = HostBuffer();
  buffer = HostBuffer(bytes);
}

class CpuSession final : public Session {
 public:
  explicit CpuSession(std::shared_ptr<const Compiled> compiled)
      : c_(std::move(compiled)), cache_(c_->cache), output_memory_(c_->graph.outputs().size()) {
    for (const Node& node : c_->graph.nodes()) {
      exact_positions_ |= std::ranges::find(node.table_of, kPositions) != node.table_of.end();
      counts_positions_ |= exact_positions_ || std::ranges::any_of(node.type.shape.dims, counts_positions);
    }
  }

  StateSlots* slots() override { return c_->cache.empty() ? nullptr : &cache_; }

  Outputs run(const Feeds& feeds) override {
    check_feeds(c_->graph, feeds);
    const std::int64_t positions = positions_of(feeds);
    if (layouts_.empty() || positions != positions_ || !(feeds.extents == given_)) lay_out(feeds.extents, positions);
    if (!c_->cache.empty()) make_room(feeds);
    Outputs outputs;
    const std::vector<float*> numbers = make_outputs(outputs);
    const Watched watched(*c_->pool, feeds.pool_work);
    if (layouts_.size() == 1) {
      run_part(layouts_[0], lanes_[0], *c_->pool, feeds, feeds.step_times, numbers);
    } else {
      run_parts(feeds, numbers);
    }
    for (std::size_t i = 0; i < feeds.slots.size(); ++i) cache_.grow(feeds.slots[i], lengths_of(feeds)[i]);
    return outputs;
  }

 private:
  // What one thread works in.
  struct Lane {
    HostBuffer arena, workspace;
    std::vector<Location> values;
  };

  static const std::vector<std::int64_t>& lengths_of(const Feeds& feeds) { return feeds.extents.lengths("tokens"); }

  // For which a run is laid out: 0 where nothing depends on how long the past is, or the feeds say it.
  std::int64_t positions_of(const Feeds& feeds) const {
    if (c_->cache.empty()) return 0;
    const std::int64_t positions = longest_with_past(feeds, cache_);
    if (!counts_positions_ || feeds.extents.has("positions")) return 0;
    // Values that are as long as the past are laid out anew with each token, unless they may be somewhat longer.
    constexpr std::int64_t kStep = 64;
    return exact_positions_ ? positions : (positions + kStep - 1) / kStep * kStep;
  }

  void make_room(const Feeds& feeds) {
    for (std::size_t i = 0; i < feeds.slots.size(); ++i) cache_.extend(feeds.slots[i], lengths_of(feeds)[i]);
  }

  void lay_out(const Extents& given, std::int64_t positions) {
    layouts_.clear();
    given_ = extents_ = given;
    positions_ = positions;
    if (positions > 0) extents_.set("positions", positions);
    const Extents& extents = extents_;
    tables_.trim();
    std::vector<Layout> layouts;
    const std::vector<Part> parts = parts_of(c_->symbol, extents, c_->pool->threads());
    const int threads = parts.size() > 1 ? 1 : c_->pool->threads();
    std::size_t arena = 0, workspace = 0, rows_workspace = 0;
    for (const Part& part : parts) {
      Extents own = parts.size() > 1 ? cpu::extents_of(extents, c_->symbol, part) : extents;
      if (counts_positions_) own.set("positions", extents.at("positions"));
      const bool same = !layouts.empty() && layouts.back().extents == own;
      layouts.push_back(same ? layouts.back() : layout_of(std::move(own), threads));
      layouts.back().part = part;
      const Needs& needs = layouts.back().needs;
      arena = std::max(arena, needs.arena.bytes);
      workspace = std::max(workspace, needs.workspace);
      rows_workspace = std::max(rows_workspace, needs.rows_workspace);
    }
    const std::size_t whole = std::min(parts.size(), pool_threads());
    lanes_.resize(layouts[0].needs.by_rows.empty() ? std::max(lanes_.size(), whole) : pool_threads());
    for (std::size_t i = 0; i < lanes_.size(); ++i) {
      grow(lanes_[i].arena, i < whole ? arena : 0);
      grow(lanes_[i].workspace, i < whole ? workspace : rows_workspace);
    }
    layouts_ = std::move(layouts);
  }

  std::size_t pool_threads() const { return static_cast<std::size_t>(c_->pool->threads()); }

  Layout layout_of(Extents extents, int threads) {
    Layout layout;
    layout.needs = Needs(c_->steps, *c_->placement, c_->stretches, extents, threads);
    layout.values.resize(c_->graph.nodes().size());
    for (std::size_t i = 0; i < layout.values.size(); ++i) {
      const Node& node = c_->graph.nodes()[i];
      if (node.source == Node::Source::weight || node.source == Node::Source::state) continue;
      Location& value = layout.values[i];
      value.rows = row_count(node.type.shape).evaluate(extents);
      value.width = value.stride = row_width(node.type.shape);
      if (node.source == Node::Source::table) locate(tables_.get(node, extents), node, 0, value);
      const Placement::Place& place = c_->placement->place(i);
      if (place.buffer < 0) continue;
      const auto buffer = static_cast<std::size_t>(place.buffer);
      value.stride = c_->placement->buffers()[buffer].stride();
      const int output = c_->placement->buffers()[buffer].output;
      if (output < 0) {
        const std::size_t column = static_cast<std::size_t>(place.column) * sizeof(float);
        layout.in_arena.push_back({i, layout.needs.arena.offsets[buffer] + column});
      } else {
        layout.in_outputs.push_back({i, static_cast<std::size_t>(output)});
      }
    }
    layout.extents = std::move(extents);
    return layout;
  }

  static void locate(const Tensor& tensor, const Node& node, std::int64_t first, Location& location) {
    if (node.type.element == Element::index) {
      location.index = tensor.as<std::int64_t>().data() + first;
    } else {
      location.data = const_cast<float*>(tensor.as<float>().data()) + first;
    }
  }

  void run_parts(const Feeds& feeds, const std::vector<float*>& outputs) {
    const auto begin = StepTimes::value_type::clock::now();
    std::vector<StepTimes> times(feeds.step_times == nullptr ? 0 : layouts_.size());
    c_->pool->parallel_for(static_cast<std::int64_t>(layouts_.size()), [&](std::int64_t task, int worker) {
      const auto index = static_cast<std::size_t>(task);
      run_part(layouts_[index], lanes_[static_cast<std::size_t>(worker)], alone(), feeds,
               times.empty() ? nullptr : &times[index], outputs);
    });
    if (feeds.step_times != nullptr) add_times(begin, times, *feeds.step_times);
  }

  static ThreadPool& alone() {
    static ThreadPool pool(1);
    return pool;
  }

  void run_part(const Layout& layout, Lane& lane, ThreadPool& pool, const Feeds& feeds, StepTimes* times,
                const std::vector<float*>& outputs) {
    bind(layout, lane, feeds, outputs);
    std::span<const Slot> slots = feeds.slots;
    if (layouts_.size() > 1 && !slots.empty()) {
      slots =
          slots.subspan(static_cast<std::size_t>(layout.part.first_item), static_cast<std::size_t>(layout.part.items));
    }
    const Run run{kernels(c_->level), pool, layout.extents, lane.values, &cache_, slots, lane.workspace.data()};
    std::size_t next = 0;
    for (const Stretch& stretch : layout.needs.by_rows) {
      run_steps(next, stretch.begin, run, feeds.cancellation, times);
      run_by_rows(stretch, run, feeds.cancellation, times);
      next = stretch.end;
    }
    run_steps(next, c_->steps.size(), run, feeds.cancellation, times);
    mark(times);
    for (std::size_t i = 0; i < outputs.size(); ++i) copy_output(i, layout.part, lane, pool, outputs[i]);
  }

  void run_steps(std::size_t begin, std::size_t end, const Run& run, const Cancellation& cancellation,
                 StepTimes* times) const {
    for (std::size_t i = begin; i < end; ++i) {
      cancellation.check();
      mark(times);
      run.pool.reads_next(c_->reads_next[i]);
      c_->steps[i]->run(run);
    }
  }

  // Steps are shown as long as they take the thread that has the first rows.
  void run_by_rows(const Stretch& stretch, const Run& whole, const Cancellation& cancellation, StepTimes* times) {
    const std::int64_t rows = stretch.rows.evaluate(whole.extents), threads = whole.pool.threads();
    whole.pool.reads_next(c_->reads_next[stretch.end - 1]);
    whole.pool.parallel_for(threads, [&](std::int64_t task, int worker) {
      Run run{whole.kernels,
              alone(),
              whole.extents,
              whole.values,
              whole.cache,
              whole.slots,
              lanes_[static_cast<std::size_t>(worker)].workspace.data()};
      run.first_row = rows * task / threads;
      run.rows = rows * (task + 1) / threads - run.first_row;
      run_steps(stretch.begin, stretch.end, run, cancellation, task == 0 ? times : nullptr);
    });
  }

  void bind(const Layout& layout, Lane& lane, const Feeds& feeds, const std::vector<float*>& outputs) const {
    lane.values = layout.values;
    for (const Graph::Input& input : c_->graph.inputs()) {
      const Node& node = c_->graph.node(input.value);
      locate(feeds.tensors.find(node.name)->second, node, first_number(node, layout.part),
             lane.values[static_cast<std::size_t>(input.value.id)]);
    }
    for (const auto& [value, offset] : layout.in_arena) {
      lane.values[value].data = reinterpret_cast<float*>(lane.arena.data() + offset);
    }
    for (const auto& [value, output] : layout.in_outputs) {
      const Node& given = c_->graph.node(c_->graph.outputs()[output].value);
      lane.values[value].data = outputs[output] + first_number(given, layout.part);
    }
  }

  // Of a part, in a tensor of the whole batch.
  static std::int64_t first_number(const Node& node, const Part& part) {
    const Shape& shape = node.type.shape;
    std::int64_t numbers = shape.ragged ? part.first_row : part.first_item;
    if (numbers == 0) return 0;
    for (std::size_t axis = shape.ragged ? 2 : 1; axis < shape.rank(); ++axis) numbers *= shape.dims[axis].number();
    return numbers;
  }

  static void mark(StepTimes* times) {
    if (times != nullptr) times->push_back(StepTimes::value_type::clock::now());
  }

  // Parts run their steps at the same time: each step is shown as long as it took in all of them, by the share that the
  // run as a whole took of that.
  static void add_times(StepTimes::value_type begin, const std::vector<StepTimes>& parts, StepTimes& times) {
    using Duration = StepTimes::value_type::duration;
    std::vector<Duration> took(parts[0].size() - 1, Duration::zero());
    Duration sum = Duration::zero();
    for (const StepTimes& part : parts) {
      for (std::size_t step = 0; step < took.size(); ++step) took[step] += part[step + 1] - part[step];
      sum += part.back() - part.front();
    }
    const auto whole = StepTimes::value_type::clock::now() - begin;
    const double share =
        static_cast<double>(whole.count()) / static_cast<double>(std::max<std::int64_t>(1, sum.count()));
    Duration so_far = Duration::zero();
    times.push_back(begin);
    for (const Duration each : took) {
      so_far += each;
      times.push_back(begin + Duration(static_cast<std::int64_t>(static_cast<double>(so_far.count()) * share)));
    }
  }

  // Tensors for all of the batch, and where their numbers are, in the order of the graph's outputs.
  std::vector<float*> make_outputs(Outputs& outputs) {
    std::vector<float*> numbers;
    for (std::size_t i = 0; i < output_memory_.size(); ++i) {
      const Graph::Output& output = c_->graph.outputs()[i];
      Dims dims = c_->graph.node(output.value).type.shape.stored(extents_);
      numbers.push_back(make_output(std::move(dims), output_memory_[i], outputs[output.name]));
    }
    return numbers;
  }

  // Memory that is new to the process costs more than writing it: the logits of a large vocabulary a hundredth of a
  // token's time, what an encoder gives of a long text a twentieth of its own.
  float* make_output(Dims dims, LentMemory& memory, Tensor& tensor) const {
    if (!c_->keeps_outputs) {
      tensor = Tensor(DType::f32, std::move(dims));
      return tensor.as<float>().data();
    }
    const std::size_t bytes = static_cast<std::size_t>(element_count(dims)) * sizeof(float);
    const std::shared_ptr<HostBuffer> lent = memory.lend(std::max<std::size_t>(bytes, 1));
    tensor = Tensor::view(DType::f32, std::move(dims), lent->bytes().first(bytes), lent);
    return reinterpret_cast<float*>(lent->data());
  }

  // One that was computed elsewhere. Large ones by all threads: memory that is new to the process costs more than the
  // copying.
  void copy_output(std::size_t index, const Part& part, const Lane& lane, ThreadPool& pool, float* out) const {
    constexpr std::int64_t kTaskNumbers = 16 << 10;
    const Value output = c_->graph.outputs()[index].value;
    const Location& value = lane.values[static_cast<std::size_t>(output.id)];
    out += first_number(c_->graph.node(output), part);
    if (value.data == out) return;
    const std::int64_t together = std::max<std::int64_t>(1, kTaskNumbers / std::max<std::int64_t>(1, value.width));
    pool.parallel_for((value.rows + together - 1) / together, [&](std::int64_t task, int) {
      const std::int64_t end = std::min(value.rows, (task + 1) * together);
      for (std::int64_t row = task * together; row < end; ++row) {
        std::copy_n(value.data + row * value.stride, value.width, out + row * value.width);
      }
    });
  }

  std::shared_ptr<const Compiled> c_;
  Cache cache_;
  // Something depends on how long the past is; a table's numbers do, and not only how many they are.
  bool counts_positions_ = false, exact_positions_ = false;
  Extents given_, extents_;  // what the last run was laid out for: of its feeds; with `positions_` where it is not 0
  std::int64_t positions_ = 0;
  std::vector<Layout> layouts_;
  std::vector<Lane> lanes_;
  Tables tables_;
  std::vector<LentMemory> output_memory_;
};

}  // namespace

std::unique_ptr<Session> make_session(std::shared_ptr<const Compiled> compiled) {
  return std::make_unique<CpuSession>(std::move(compiled));
}

SessionBytes session_bytes(const Graph& graph, const std::vector<std::unique_ptr<Step>>& steps, const Extents& extents,
                           int threads) {
  const std::string symbol = ragged_symbol_of(graph);
  const std::vector<Part> parts = parts_of(symbol, extents, threads);
  const Placement placement(graph, steps);
  const std::vector<Stretch> stretches = stretches_of(graph, steps);
  const auto lanes = static_cast<std::int64_t>(std::min<std::size_t>(parts.size(), static_cast<std::size_t>(threads)));
  SessionBytes most;
  std::int64_t rows_workspaces = 0;
  Extents last;
  for (const Part& part : parts) {
    Extents own = parts.size() > 1 ? extents_of(extents, symbol, part) : extents;
    if (&part != &parts.front() && own == last) continue;  // a large batch is many parts, and most of them are alike
    const Needs needs(steps, placement, stretches, own, parts.size() > 1 ? 1 : threads);
    most.arenas = std::max(most.arenas, static_cast<std::int64_t>(needs.arena.bytes));
    most.workspaces = std::max(most.workspaces, static_cast<std::int64_t>(needs.workspace));
    rows_workspaces = (threads - 1) * static_cast<std::int64_t>(needs.rows_workspace);
    last = std::move(own);
  }
  return {lanes * most.arenas, lanes * most.workspaces + rows_workspaces};
}

}  // namespace accelerate::cpu
