// How attention is shared out: by sequence, head and block of queries.
#include <algorithm>
#include <optional>

#include "backends/cpu/kernels/appending.hpp"
#include "backends/cpu/kernels/tables.hpp"

namespace accelerate::cpu {
namespace {

using detail::divide_up;
using detail::kLeastOwnRows;

std::size_t floats_per_thread(const detail::LevelTable& table, std::int64_t head_dim) {
  return static_cast<std::size_t>(divide_up(table.attention_scratch(head_dim), 16) * 16);
}

// Of distance 0 at a head; null where there is none.
const float* bias_of(const Attention& a, std::int64_t head) {
  return a.relative_bias == nullptr ? nullptr : a.relative_bias + (a.bias_tokens - 1) * a.heads + head;
}

// One query reads keys once for all heads that share them, unless each has a bias of its own or a block has no room for
// them.
bool goes_together(const Attention& a, std::int64_t queries, std::int64_t most) {
  return queries == 1 && a.relative_bias == nullptr && a.heads / a.kv_heads <= most;
}

detail::AttentionBlock block_of(const Attention& a, std::int64_t sequence, std::int64_t head, std::int64_t begin,
                                std::int64_t end) {
  const auto index = static_cast<std::size_t>(sequence);
  const std::span<const std::int64_t> key_offsets = a.key_offsets.empty() ? a.query_offsets : a.key_offsets;
  const std::int64_t first_query = a.query_offsets[index], first_key = key_offsets[index];
  const std::int64_t keys = key_offsets[index + 1] - first_key;
  const std::int64_t queries = a.query_offsets[index + 1] - first_query;
  const std::int64_t kv_head = head / (a.heads / a.kv_heads);
  const std::int64_t shift = a.causal ? keys - queries : 0;
  return {.query = a.query.data + first_query * a.query.stride + head * a.head_dim,
          .key = a.key.data + first_key * a.key.stride + kv_head * a.head_dim,
          .value = a.value.data + first_key * a.value.stride + kv_head * a.head_dim,
          .query_stride = a.query.stride,
          .key_stride = a.key.stride,
          .value_stride = a.value.stride,
          .output = a.output.data + first_query * a.output.stride + head * a.head_dim,
          .output_stride = a.output.stride,
          .query_begin = begin,
          .query_end = end,
          .keys = keys,
          .head_dim = a.head_dim,
          .scale = a.scale,
          .softcap = a.softcap,
          .shift = shift,
          .reach_back = a.window,
          .reach_ahead = a.causal ? 0 : a.window,
          .key_mask = a.key_mask == nullptr ? nullptr : a.key_mask + first_key,
          .bias = bias_of(a, head),
          .bias_stride = a.heads,
          .pages = nullptr,
          .stored = detail::Stored::f32,
          .first_position = 0,
          .key_place = 0,
          .value_place = 0,
          .key_heads = 0,
          .bf16 = a.precision != Precision::f32,
          .scratch = nullptr};
}

// Keys and values in pages. Of heads that go together, `key_heads` of those of keys from that of `head` on.
detail::AttentionBlock paged_block(const Attention& a, std::int64_t sequence, std::int64_t head, std::int64_t begin,
                                   std::int64_t end, std::int64_t key_heads) {
  const PagedSequence& pages = a.pages[static_cast<std::size_t>(sequence)];
  const std::int64_t group = a.heads / a.kv_heads, kv_head = head / group;
  const std::int64_t first_query = a.query_offsets[static_cast<std::size_t>(sequence)];
  const std::int64_t queries = a.query_offsets[static_cast<std::size_t>(sequence) + 1] - first_query;
  const bool together = key_heads > 0;
  const std::int64_t shift = pages.positions - queries;
  return {.query = a.query.data + first_query * a.query.stride + head * a.head_dim,
          .key = nullptr,
          .value = nullptr,
          .query_stride = together ? a.head_dim : a.query.stride,
          .key_stride = 0,
          .value_stride = 0,
          .output = a.output.data + first_query * a.output.stride + head * a.head_dim,
          .output_stride = together ? a.head_dim : a.output.stride,
          .query_begin = together ? 0 : begin,
          .query_end = together ? group * key_heads : end,
          .keys = pages.positions,
          .head_dim = a.head_dim,
          .scale = a.scale,
          .softcap = a.softcap,
          .shift = shift,
          .reach_back = a.window,
          .reach_ahead = 0,
          .key_mask = nullptr,
          .bias = bias_of(a, head),
          .bias_stride = a.heads,
          .pages = pages.pages.data(),
          .stored = detail::stored_as(a.part.stored, "attention"),
          .first_position = pages.first,
          .key_place = a.part.offset + kv_head * kPagePositions * a.head_dim,
          .value_place = a.part.offset + a.part.key_numbers() + kv_head * kPagePositions * a.part.value_stride(),
          .key_heads = key_heads,
          .bf16 = false,
          .scratch = nullptr};
}

// Of one query a sequence, as many heads as can be are one task, so that pages are read in long pieces; but a task is
// about half of a thread's part at most.
std::int64_t tasks_of_pages(const Attention& a, std::int64_t batch, int threads) {
  std::int64_t longest = 1, all = 1;
  for (const PagedSequence& each : a.pages) {
    longest = std::max(longest, each.positions);
    all += each.positions;
  }
  return a.pages.empty() ? batch * a.heads : batch * std::min(a.heads, divide_up(2 * threads * longest, all));
}

// Multiply-adds of all sequences, twice.
double operations_of(const Attention& a) {
  const std::span<const std::int64_t> key_offsets = a.key_offsets.empty() ? a.query_offsets : a.key_offsets;
  double pairs = 0;
  for (std::size_t i = 0; i + 1 < a.query_offsets.size(); ++i) {
    const std::int64_t keys = a.pages.empty() ? key_offsets[i + 1] - key_offsets[i] : a.pages[i].positions;
    pairs += static_cast<double>(a.query_offsets[i + 1] - a.query_offsets[i]) * static_cast<double>(keys);
  }
  return 4.0 * static_cast<double>(a.heads * a.head_dim) * pairs;
}

}  // namespace

std::size_t Kernels::attention_scratch_floats(std::int64_t head_dim, int threads) const {
  return floats_per_thread(*table_, head_dim) * static_cast<std::size_t>(threads);
}

void Kernels::attention(ThreadPool& pool, const Attention& a) const {
  const auto batch = static_cast<std::int64_t>(a.query_offsets.size()) - 1;
  const auto length = [&](std::int64_t sequence) {
    const auto index = static_cast<std::size_t>(sequence);
    return a.query_offsets[index + 1] - a.query_offsets[index];
  };
  std::int64_t longest = 0;
  for (std::int64_t sequence = 0; sequence < batch; ++sequence) longest = std::max(longest, length(sequence));
  if (longest == 0) return;
  // Each thread has the queries that the products before and after give it; smaller blocks only where heads and
  // sequences are too few for the threads: a block packs all its keys again.
  std::int64_t block = table_->query_block;
  if (batch == 1 && longest >= pool.threads() * kLeastOwnRows) {
    const std::int64_t own = divide_up(longest, pool.threads() * table_->query_rows) * table_->query_rows;
    block = divide_up(own, divide_up(own, block));
  }
  while (block > 2 * table_->query_rows && pool.threads() > 1 &&
         batch * a.heads * divide_up(longest, block) < 2 * pool.threads()) {
    block = divide_up(block / table_->query_rows, 2) * table_->query_rows;
  }
  const std::int64_t most_blocks = divide_up(longest, block);
  const std::size_t scratch = floats_per_thread(*table_, a.head_dim);
  const std::int64_t group = a.heads / a.kv_heads;
  const AppendKeys keys{.key = a.key,
                        .value = a.value,
                        .offsets = a.query_offsets,
                        .sequences = a.pages,
                        .part = a.part,
                        .scale = a.scale,
                        .softcap = a.softcap};
  // Who reads the keys of a head puts the new one there, if nobody else reads them.
  std::optional<detail::Appending> appending;
  if (a.appends && longest == 1 && (group == 1 || goes_together(a, 1, table_->query_block))) {
    appending.emplace(keys, panel_columns());
  } else if (a.appends) {
    append(pool, keys);
  }
  const std::int64_t most_together =
      group > table_->query_rows ? 1 : std::max<std::int64_t>(1, detail::kMostTogether / group);
  // Of these items those at the front that are done together; returns how many.
  const auto attend = [&](std::int64_t item, std::int64_t items, int worker) {
    const std::int64_t head = item % a.heads, index = item / a.heads % most_blocks;
    const std::int64_t sequence = item / (a.heads * most_blocks);
    const std::int64_t queries = length(sequence);
    const std::int64_t blocks = divide_up(queries, block);
    if (index >= blocks) return std::int64_t{1};
    const std::int64_t begin = queries * index / blocks, end = queries * (index + 1) / blocks;
    const bool together = !a.pages.empty() && goes_together(a, queries, table_->query_block);
    // A head of keys is with the first query head that reads it.
    if (together && head % group != 0) return std::int64_t{1};
    const std::int64_t key_heads =
        together ? std::min(divide_up(std::min(items, a.heads - head), group), most_together) : 0;
    if (appending) {
      const std::int64_t first = appending->first_item(sequence) + head / group;
      appending->put(first, first + std::max<std::int64_t>(key_heads, 1));
    }
    detail::AttentionBlock part = a.pages.empty() ? block_of(a, sequence, head, begin, end)
                                                  : paged_block(a, sequence, head, begin, end, key_heads);
    part.scratch = a.scratch + scratch * static_cast<std::size_t>(worker);
    table_->attention(part);
    return together ? key_heads * group : 1;
  };
  // Of short sequences several heads are one task: fewer operations than these are not worth another thread where
  // handing over costs 2.5 us. One query waits for keys and values to come from memory.
  const double smallest_task = longest == 1 ? 1.5e4 : 1.5e5;
  const std::int64_t items = batch * a.heads * most_blocks;
  const double affordable = operations_of(a) / detail::worth_sharing(pool, smallest_task);
  const std::int64_t most_tasks = longest == 1 ? tasks_of_pages(a, batch, pool.threads()) : items;
  // Chosen as a double: infinitely many are affordable where there is nobody to hand them over to.
  const auto tasks = static_cast<std::int64_t>(std::max(1.0, std::min(static_cast<double>(most_tasks), affordable)));
  pool.parallel_for(tasks, [&](std::int64_t task, int worker) {
    const std::int64_t end = items * (task + 1) / tasks;
    for (std::int64_t i = items * task / tasks; i < end;) i += attend(i, end - i, worker);
  });
}

}  // namespace accelerate::cpu
