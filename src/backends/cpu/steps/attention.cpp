#include "graph/ops/attention.hpp"

#include <algorithm>
#include <optional>

#include "backends/cpu/steps/make.hpp"

namespace accelerate::cpu {
namespace {

class AttentionStep final : public Step {
 public:
  explicit AttentionStep(const Context& c)
      : op_(c.as<ops::Attention>()),
        level_(c.level),
        precision_(c.precisions.of(c.node().name)),
        rows_(c.operand(0).type.shape.rows()),
        queries_(c.operand(0).type.shape) {
    const Shape &queries = c.operand(0).type.shape, &keys = c.operand(1).type.shape;
    if (!(keys.dims[1] == queries.dims[1])) keys_.emplace(keys);
    using Index = ops::Attention::Index;
    const std::vector<Value>& operands = c.node().operands;
    inputs.assign(operands.begin(), operands.begin() + 3);
    bias_ = operands[Index::kRelativeBias];
    cos_ = operands[Index::kCos];
    sin_ = operands[Index::kSin];
    for (const Value extra : {bias_, cos_, sin_}) {
      if (extra) inputs.push_back(extra);
    }
    if (operands.size() > Index::kPastKey) past_ = CacheLayout(c.graph).place(c.operand(Index::kPastKey).name);
    head_dim_ = queries.last().number() / op_.heads;
    // Rotating in place would change what others read: other operations, or whoever fed the graph.
    for (std::size_t i = 0; i < 2; ++i) {
      const bool own = c.operand(i).source == Node::Source::operation;
      copied_[i] = cos_ && (!own || c.uses[static_cast<std::size_t>(operands[i].id)] > 1);
    }
  }

  std::size_t workspace_bytes(const Extents& extents, int threads) const override {
    const auto rows = static_cast<std::size_t>(rows_.evaluate(extents));
    std::size_t bytes = scratch_bytes(threads);
    for (std::size_t i = 0; i < 2; ++i) {
      if (copied_[i]) bytes += aligned(rows * static_cast<std::size_t>(width(i)) * sizeof(float));
    }
    return bytes;
  }

  void run(const Run& run) const override {
    std::vector<std::int64_t> uniform;
    const std::span<const std::int64_t> offsets = queries_.offsets(run.extents, uniform);
    std::byte* free = run.workspace;
    Attention args{.query = run.at(inputs[0]),
                   .key = run.at(inputs[1]),
                   .value = run.at(inputs[2]),
                   .output = run.at(outputs[0]),
                   .heads = op_.heads,
                   .kv_heads = op_.kv_heads,
                   .head_dim = head_dim_,
                   .query_offsets = offsets,
                   .scale = static_cast<float>(op_.scale),
                   .softcap = static_cast<float>(op_.softcap),
                   .causal = op_.causal,
                   .precision = precision_};
    std::vector<std::int64_t> uniform_keys;
    if (keys_) args.key_offsets = keys_->offsets(run.extents, uniform_keys);
    if (op_.window >= 0) args.window = op_.window;
    const std::span<const std::uint8_t> seen = queries_.seen(run.extents);
    if (!seen.empty()) args.key_mask = seen.data();
    if (bias_) {
      args.relative_bias = run.at(bias_).data;
      args.bias_tokens = (run.at(bias_).rows + 1) / 2;
    }
    args.scratch = reinterpret_cast<float*>(free);
    free += scratch_bytes(run.pool.threads());
    if (cos_) rotate(run, offsets.back(), args, free);
    std::vector<PagedSequence> pages;
    if (past_) find_pages(run, args, pages);
    run.kernels.attention(run.pool, args);
  }

 private:
  static std::size_t aligned(std::size_t bytes) { return (bytes + 63) / 64 * 64; }
  std::size_t scratch_bytes(int threads) const {
    return aligned(kernels(level_).attention_scratch_floats(head_dim_, threads) * sizeof(float));
  }
  std::int64_t width(std::size_t operand) const { return (operand == 0 ? op_.heads : op_.kv_heads) * head_dim_; }

  // This run's keys and values go behind the past, and are read from there with it.
  void find_pages(const Run& run, Attention& args, std::vector<PagedSequence>& pages) const {
    for (std::size_t i = 0; i < run.slots.size(); ++i) {
      const std::int64_t tokens = args.query_offsets[i + 1] - args.query_offsets[i];
      pages.push_back(run.cache->sequence(run.slots[i], past_->group, tokens));
    }
    args.pages = pages;
    args.part = past_->part;
    args.part.stored = run.cache->layout().stored();
    args.appends = true;
  }

  void rotate(const Run& run, std::int64_t rows, Attention& args, std::byte* free) const {
    ConstRows* rotated[] = {&args.query, &args.key};
    for (std::size_t i = 0; i < 2; ++i) {
      Rows x = run.at(inputs[i]);
      if (copied_[i]) x = copy(*rotated[i], rows, width(i), free);
      run.kernels.rotary(run.pool, {.x = x,
                                    .rows = rows,
                                    .heads = width(i) / head_dim_,
                                    .head_dim = head_dim_,
                                    .rotary_dim = 2 * run.at(cos_).width,
                                    .interleaved = op_.interleaved_rotary,
                                    .cosine = run.at(cos_).data,
                                    .sine = run.at(sin_).data});
      *rotated[i] = x;
    }
  }

  static Rows copy(ConstRows from, std::int64_t rows, std::int64_t width, std::byte*& free) {
    const Rows to{reinterpret_cast<float*>(free), width};
    for (std::int64_t row = 0; row < rows; ++row) {
      std::copy_n(from.data + row * from.stride, width, to.data + row * width);
    }
    free += aligned(static_cast<std::size_t>(rows * width) * sizeof(float));
    return to;
  }

  const ops::Attention& op_;
  Level level_;
  Precision precision_;
  Dim rows_;  // of queries
  ItemRows queries_;
  std::optional<ItemRows> keys_;  // where they are other rows
  std::int64_t head_dim_ = 0;
  Value bias_, cos_, sin_;
  std::optional<CacheLayout::Place> past_;
  bool copied_[2] = {false, false};
};

}  // namespace

std::unique_ptr<Step> make_attention(const Context& c) { return std::make_unique<AttentionStep>(c); }

}  // namespace accelerate::cpu
