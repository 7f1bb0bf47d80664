#include "graph/ops/attention.hpp"

#include "graph/ops/elementwise.hpp"
#include "graph/ops/expect.hpp"
#include "graph/primitives.hpp"

namespace accelerate::ops {
namespace {

// [batch, tokens, heads * d] to [batch, heads, tokens, d]
Value split_heads(Primitives& p, Value x, std::int64_t heads) {
  const Shape shape = p.shape(x);
  const Dim head_dim = shape.last().number() / heads;
  return p.transpose(p.reshape(x, {shape.dims[0], shape.dims[1], heads, head_dim}), {0, 2, 1, 3});
}

// Every key head stands for `group` query heads.
Value repeat_heads(Primitives& p, Value x, std::int64_t group) {
  if (group == 1) return x;
  const std::vector<Dim> d = p.shape(x).dims;
  const Value spread = p.broadcast(p.reshape(x, {d[0], d[1], 1, d[2], d[3]}), {d[0], d[1], group, d[2], d[3]});
  return p.reshape(spread, {d[0], d[1] * Dim(group), d[2], d[3]});
}

// [batch, heads, tokens, d] to [batch, tokens, heads * d]
Value joined(Primitives& p, Value x) {
  const std::vector<Dim> d = p.shape(x).dims;
  return p.reshape(p.transpose(x, {0, 2, 1, 3}), {d[0], d[2], d[1] * d[3]});
}

std::vector<Dim> with_rank_4(const Shape& shape) {
  std::vector<Dim> dims(4 - shape.rank(), Dim(1));
  dims.insert(dims.end(), shape.dims.begin(), shape.dims.end());
  return dims;
}

Value softmax_last(Primitives& p, Value x) {
  const Value raised = p.exp(p.subtract(x, p.max(x, -1)));
  return p.divide(raised, p.sum(raised, -1));
}

}  // namespace

Attributes Attention::attributes() const {
  Attributes result{{"heads", std::to_string(heads)}, {"scale", text(scale)}};
  if (kv_heads != heads) result.emplace_back("kv_heads", std::to_string(kv_heads));
  if (softcap > 0) result.emplace_back("softcap", text(softcap));
  if (causal) result.emplace_back("causal", "true");
  if (window >= 0) result.emplace_back("window", std::to_string(window));
  if (interleaved_rotary) result.emplace_back("interleaved_rotary", "true");
  return result;
}

Type Attention::infer(Operands operands) const {
  const Type& q = operand(operands, kQuery, *this, "query");
  const Type& k = operand(operands, kKey, *this, "key");
  const Type& v = operand(operands, kValue, *this, "value");
  expect(q.shape.rank() == 3 && heads > 0 && kv_heads > 0 && heads % kv_heads == 0, *this,
         "query has shape " + q.shape.to_string() + " and " + std::to_string(heads) + " heads over " +
             std::to_string(kv_heads) + " key heads");
  const std::int64_t width = q.shape.last().number();
  expect(width % heads == 0, *this,
         "query of width " + std::to_string(width) + " does not divide into " + std::to_string(heads) + " heads");
  Shape keys = q.shape.with_last(width / heads * kv_heads);
  if (k.shape.rank() == 3) keys.dims[1] = k.shape.dims[1];
  expect(k.shape == keys, *this, "key has shape " + k.shape.to_string() + ", expected " + keys.to_string());
  expect(v.shape == keys, *this, "value has shape " + v.shape.to_string() + ", expected " + keys.to_string());
  const Dim& tokens = q.shape.dims[1];
  const bool keeps_past = operands.size() > kPastKey;
  if (!(keys.dims[1] == tokens)) expect_across(operands);
  if (operands[kRelativeBias] != nullptr) {
    const Shape expected{Dim(2) * (keeps_past ? kPositions : tokens) - Dim(1), heads};
    expect(
        operands[kRelativeBias]->shape == expected, *this,
        "relative bias has shape " + operands[kRelativeBias]->shape.to_string() + ", expected " + expected.to_string());
  }
  if (operands[kCos] != nullptr) {
    const Shape& cos = operands[kCos]->shape;
    expect(operands[kSin] != nullptr && operands[kSin]->shape == cos && cos == q.shape.with_last(cos.last()) &&
               2 * cos.last().number() <= width / heads,
           *this, "rotary factors have shape " + cos.to_string());
  }
  if (keeps_past) expect_past(operands, keys);
  return q;
}

void Attention::expect_past(Operands operands, const Shape& keys) const {
  const std::int64_t width = keys.last().number();
  for (const std::size_t which : {kPastKey, kPastValue}) {
    const Type& past = operand(operands, which, *this, which == kPastKey ? "past_key" : "past_value");
    expect(past.shape.rank() == 3 && past.shape.last() == Dim(width), *this,
           "the past has shape " + past.shape.to_string() + ", expected a width of " + std::to_string(width));
  }
  expect(causal, *this, "only causal attention keeps its past");
}

void Attention::expect_across(Operands operands) const {
  const bool plain = !causal && window < 0 && operands[kRelativeBias] == nullptr && operands[kCos] == nullptr &&
                     operands.size() <= kPastKey;
  expect(plain, *this, "keys of other tokens have no distance from the queries: no order, window, bias or rotation");
}

Value Attention::rotate(Primitives& p, Value x, Value cos_of_rows, Value sin_of_rows) const {
  const std::vector<Dim> rows = p.shape(cos_of_rows).dims;
  const Dim& half = rows.back();
  const Value cos = p.reshape(cos_of_rows, {rows[0], 1, rows[1], half});
  const Value sin = p.reshape(sin_of_rows, {rows[0], 1, rows[1], half});
  const Dim head_dim = p.shape(x).last();
  const std::vector<Dim> d = p.shape(x).dims;
  const Value turned = p.slice(x, -1, 0, half * Dim(2));
  Value first, second;
  if (interleaved_rotary) {
    const Value pairs = p.reshape(turned, {d[0], d[1], d[2], half, 2});
    first = p.reshape(p.slice(pairs, -1, 0, 1), {d[0], d[1], d[2], half});
    second = p.reshape(p.slice(pairs, -1, 1, 2), {d[0], d[1], d[2], half});
  } else {
    first = p.slice(turned, -1, 0, half);
    second = p.slice(turned, -1, half, half * Dim(2));
  }
  Value a = p.subtract(p.multiply(first, cos), p.multiply(second, sin));
  Value b = p.add(p.multiply(second, cos), p.multiply(first, sin));
  Value result;
  if (interleaved_rotary) {
    const Value parts[] = {p.reshape(a, {d[0], d[1], d[2], half, 1}), p.reshape(b, {d[0], d[1], d[2], half, 1})};
    result = p.reshape(p.concat(parts, -1), {d[0], d[1], d[2], half * Dim(2)});
  } else {
    const Value parts[] = {a, b};
    result = p.concat(parts, -1);
  }
  if (half * Dim(2) == head_dim) return result;
  const Value parts[] = {result, p.slice(x, -1, half * Dim(2), head_dim)};
  return p.concat(parts, -1);
}

Value Attention::visible_now(Primitives& p, const Dim& tokens, const std::string& symbol) const {
  Value seen = symbol.empty() ? Value{} : p.reshape(p.mask(symbol), {kBatch, 1, 1, tokens});
  const Value query = p.iota(0, {tokens, 1});
  const Value key = p.iota(1, {1, tokens});
  const auto also = [&](Value condition) { seen = seen ? p.multiply(seen, condition) : condition; };
  if (causal) also(p.less(key, p.add(query, p.constant(0.5))));
  if (window >= 0) {
    also(p.less(p.abs(p.subtract(query, key)), p.constant(static_cast<double>(window) + 0.5)));
  }
  return seen;
}

// All of the past comes before any query.
Value Attention::visible_past(Primitives& p, const Dim& tokens, const Past& past) const {
  const Dim keys = Dim::symbol(past.symbol);
  const Value there = p.reshape(p.mask(past.symbol), {kBatch, 1, 1, keys});
  if (window < 0) return there;
  const Value distance = p.reshape(distances_of_past(p, tokens, past), {kBatch, 1, tokens, keys});
  return p.multiply(there, p.less(p.constant(-static_cast<double>(window) - 0.5), distance));
}

// Places of the past from each query, negative: [batch, tokens, past].
Value Attention::distances_of_past(Primitives& p, const Dim& tokens, const Past& past) {
  const Dim keys = Dim::symbol(past.symbol);
  const Value before =
      past.padded_before_rows ? p.size(keys) : p.reshape(p.sum(p.mask(past.symbol), -1), {kBatch, 1, 1});
  const Value query = p.add(before, p.reshape(p.iota(0, {tokens, 1}), {1, tokens, 1}));
  const Value distance = p.subtract(p.reshape(p.iota(1, {1, keys}), {1, 1, keys}), query);
  return past.padded_before_rows ? p.broadcast(distance, {kBatch, tokens, keys}) : distance;
}

Value Attention::visible(Primitives& p, const Dim& tokens, const std::string& symbol, const Past& past) const {
  const Value now = visible_now(p, tokens, symbol);
  if (past.symbol.empty()) return now;
  const auto for_all_queries = [&](Value seen, const Dim& keys) {
    return p.broadcast(p.reshape(seen, with_rank_4(p.shape(seen))), {kBatch, 1, tokens, keys});
  };
  const Value parts[] = {for_all_queries(visible_past(p, tokens, past), Dim::symbol(past.symbol)),
                         for_all_queries(now, tokens)};
  return p.concat(parts, -1);
}

Value Attention::bias_of_pairs(Primitives& p, Value relative_bias, const Dim& tokens, const Past& past) const {
  Value distance = p.subtract(p.iota(1, {1, tokens}), p.iota(0, {tokens, 1}));
  Dim longest = tokens;
  if (!past.symbol.empty()) {
    const Value parts[] = {distances_of_past(p, tokens, past),
                           p.broadcast(p.reshape(distance, {1, tokens, tokens}), {kBatch, tokens, tokens})};
    distance = p.concat(parts, -1);
    longest = kPositions;
  }
  // Rows of padding may be farther away than any that is there.
  const Value row = p.maximum(p.add(distance, p.size(longest - Dim(1))), p.constant(0));
  const Value bias = p.gather(relative_bias, row);
  return past.symbol.empty() ? p.transpose(bias, {2, 0, 1}) : p.transpose(bias, {0, 3, 1, 2});
}

Value Attention::visible_across(Primitives& p, const Dim& keys) const {
  return p.reshape(p.mask(std::string(keys.symbol_name())), {kBatch, 1, 1, keys});
}

Value Attention::decompose(Primitives& p, std::span<const Value> operands) const {
  const Dim tokens = p.shape(operands[kQuery]).dims[1];
  Value q = split_heads(p, operands[kQuery], heads);
  Value k = split_heads(p, operands[kKey], kv_heads);
  Value v = split_heads(p, operands[kValue], kv_heads);
  if (operands[kCos]) {
    q = rotate(p, q, operands[kCos], operands[kSin]);
    k = rotate(p, k, operands[kCos], operands[kSin]);
  }
  Past past;
  if (operands.size() > kPastKey) {
    past.symbol = p.shape(operands[kPastKey]).dims[1].symbol_name();
    const auto after_past = [&](std::size_t which, Value now) {
      p.append_to(operands[which], joined(p, now));
      const Value parts[] = {split_heads(p, operands[which], kv_heads), now};
      return p.concat(parts, 2);
    };
    k = after_past(kPastKey, k);
    v = after_past(kPastValue, v);
  }
  k = repeat_heads(p, k, heads / kv_heads);
  v = repeat_heads(p, v, heads / kv_heads);
  Value scores = p.multiply(p.matmul(q, p.transpose_last(k)), p.constant(scale));
  if (softcap > 0) scores = Softcap::apply(p, softcap, scores);
  if (operands[kRelativeBias]) scores = p.add(scores, bias_of_pairs(p, operands[kRelativeBias], tokens, past));
  // A number far below any score rather than -inf: rows of padding, which nobody reads, must not become NaN.
  const Dim keys = p.shape(operands[kKey]).dims[1];
  const Value seen =
      keys == tokens ? visible(p, tokens, std::string(tokens.symbol_name()), past) : visible_across(p, keys);
  if (seen) scores = p.select(seen, scores, p.constant(-1e30));
  return joined(p, p.matmul(softmax_last(p, scores), v));
}

Cost Attention::cost(Operands operands, const Type& result) const {
  const Shape& shape = operands[kQuery]->shape;
  Dim pairs =
      shape.ragged ? Dim::symbol(shape.ragged_symbol() + ".squares") : shape.dims[0] * shape.dims[1] * shape.dims[1];
  const Dim& keys = operands[kKey]->shape.dims[1];
  if (!(keys == shape.dims[1])) pairs = shape.rows() * keys;
  // Each of a run's queries sees all of its item's past: with one query an item, exactly the rows of it.
  if (operands.size() > kPastKey) pairs += operands[kPastKey]->shape.rows();
  // Two products of head_dim a pair, and about 5 operations a score for the softmax.
  return {.flops = pairs * (Dim(4) * shape.last() + Dim(5 * heads)), .bytes = bytes_of(operands, result)};
}

}  // namespace accelerate::ops
