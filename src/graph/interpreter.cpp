#include "graph/interpreter.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "graph/primitives.hpp"

namespace accelerate {
namespace {

struct Array {
  Dims dims;
  std::vector<double> values;
};

std::int64_t size_of_dims(const Dims& dims) { return element_count(dims); }

Dims strides_of(const Dims& dims) {
  Dims strides(dims.size(), 1);
  for (std::size_t i = dims.size(); i-- > 1;) strides[i - 1] = strides[i] * dims[i];
  return strides;
}

// Strides that read `from` as if it had the shape `to`: 0 along broadcast axes.
Dims broadcast_strides(const Dims& from, const Dims& to) {
  const Dims own = strides_of(from);
  Dims strides(to.size(), 0);
  for (std::size_t i = 0; i < from.size(); ++i) {
    if (from[i] != 1) strides[to.size() - from.size() + i] = own[i];
  }
  return strides;
}

// Calls visit(index) for every index of `dims`, in row-major order.
template <typename Visit>
void for_each_index(const Dims& dims, Visit&& visit) {
  const std::int64_t count = size_of_dims(dims);
  Dims index(dims.size(), 0);
  for (std::int64_t n = 0; n < count; ++n) {
    visit(index);
    for (std::size_t axis = dims.size(); axis-- > 0;) {
      if (++index[axis] < dims[axis]) break;
      index[axis] = 0;
    }
  }
}

std::size_t offset_of(const Dims& index, const Dims& strides) {
  return static_cast<std::size_t>(std::inner_product(index.begin(), index.end(), strides.begin(), std::int64_t{0}));
}

class Evaluation {
 public:
  Evaluation(const Extents& extents, Rounding rounding) : extents_(extents), rounding_(rounding) {}

  Array run(const Primitive& op, const std::vector<const Array*>& in, const Type& type) const {
    Array out;
    for (const Dim& dim : type.shape.dims) out.dims.push_back(dim.evaluate(extents_));
    out.values.resize(static_cast<std::size_t>(size_of_dims(out.dims)));
    compute(op, in, out);
    if (rounding_ == Rounding::f32) {
      for (double& value : out.values) value = static_cast<float>(value);
    }
    return out;
  }

 private:
  double rounded(double value) const { return rounding_ == Rounding::f32 ? static_cast<float>(value) : value; }

  template <typename Function>
  static void map(const Array& x, Array& out, Function&& function) {
    std::transform(x.values.begin(), x.values.end(), out.values.begin(), function);
  }

  template <typename Function>
  static void zip(const Array& a, const Array& b, Array& out, Function&& function) {
    const Dims left = broadcast_strides(a.dims, out.dims), right = broadcast_strides(b.dims, out.dims);
    std::size_t n = 0;
    for_each_index(out.dims, [&](const Dims& index) {
      out.values[n++] = function(a.values[offset_of(index, left)], b.values[offset_of(index, right)]);
    });
  }

  static void select(const std::vector<const Array*>& in, Array& out) {
    const Dims s0 = broadcast_strides(in[0]->dims, out.dims), s1 = broadcast_strides(in[1]->dims, out.dims),
               s2 = broadcast_strides(in[2]->dims, out.dims);
    std::size_t n = 0;
    for_each_index(out.dims, [&](const Dims& index) {
      out.values[n++] = in[0]->values[offset_of(index, s0)] != 0 ? in[1]->values[offset_of(index, s1)]
                                                                 : in[2]->values[offset_of(index, s2)];
    });
  }

  template <typename Function>
  static void reduce(const Array& x, std::size_t axis, double start, Array& out, Function&& function) {
    const Dims strides = strides_of(x.dims);
    std::size_t n = 0;
    for_each_index(out.dims, [&](const Dims& index) {
      double value = start;
      std::size_t at = offset_of(index, strides);
      for (std::int64_t i = 0; i < x.dims[axis]; ++i, at += static_cast<std::size_t>(strides[axis])) {
        value = function(value, x.values[at]);
      }
      out.values[n++] = value;
    });
  }

  void matmul(const Array& a, const Array& b, Array& out) const {
    const std::size_t rank = out.dims.size();
    const std::int64_t depth = a.dims.back();
    Dims left = broadcast_strides(a.dims, [&] {
      Dims d = out.dims;
      d[rank - 1] = depth;
      return d;
    }());
    Dims right = broadcast_strides(b.dims, [&] {
      Dims d = out.dims;
      d[rank - 2] = depth;
      return d;
    }());
    const auto step_a = static_cast<std::size_t>(left[rank - 1]), step_b = static_cast<std::size_t>(right[rank - 2]);
    left[rank - 1] = 0;
    right[rank - 2] = 0;
    std::size_t n = 0;
    for_each_index(out.dims, [&](const Dims& index) {
      const std::size_t from_a = offset_of(index, left), from_b = offset_of(index, right);
      double sum = 0;
      for (std::size_t k = 0; k < static_cast<std::size_t>(depth); ++k) {
        sum = rounded(sum + rounded(a.values[from_a + k * step_a] * b.values[from_b + k * step_b]));
      }
      out.values[n++] = sum;
    });
  }

  static void transpose(const Primitive& op, const Array& x, Array& out) {
    const Dims own = strides_of(x.dims);
    Dims strides;
    for (const std::int64_t axis : op.numbers) strides.push_back(own[static_cast<std::size_t>(axis)]);
    std::size_t n = 0;
    for_each_index(out.dims, [&](const Dims& index) { out.values[n++] = x.values[offset_of(index, strides)]; });
  }

  static void concat(const Primitive& op, const std::vector<const Array*>& in, Array& out) {
    const auto axis = static_cast<std::size_t>(op.numbers[0]);
    const Dims strides = strides_of(out.dims);
    std::int64_t begin = 0;
    for (const Array* part : in) {
      std::size_t n = 0;
      for_each_index(part->dims, [&](Dims index) {
        index[axis] += begin;
        out.values[offset_of(index, strides)] = part->values[n++];
      });
      begin += part->dims[axis];
    }
  }

  void slice(const Primitive& op, const Array& x, Array& out) const {
    const auto axis = static_cast<std::size_t>(op.numbers[0]);
    const std::int64_t begin = op.sizes[0].evaluate(extents_);
    const Dims strides = strides_of(x.dims);
    std::size_t n = 0;
    for_each_index(out.dims, [&](Dims index) {
      index[axis] += begin;
      out.values[n++] = x.values[offset_of(index, strides)];
    });
  }

  static void gather(const Array& table, const Array& index, Array& out) {
    const auto width = static_cast<std::size_t>(table.dims[0] == 0 ? 0 : size_of_dims(table.dims) / table.dims[0]);
    for (std::size_t i = 0; i < index.values.size(); ++i) {
      const auto row = static_cast<std::int64_t>(index.values[i]);
      if (row < 0 || row >= table.dims[0]) {
        throw Error(ErrorKind::invalid_input,
                    "index " + std::to_string(row) + " into a table of " + std::to_string(table.dims[0]) + " rows");
      }
      std::copy_n(table.values.begin() + row * static_cast<std::int64_t>(width), width,
                  out.values.begin() + static_cast<std::int64_t>(i * width));
    }
  }

  void compute(const Primitive& op, const std::vector<const Array*>& in, Array& out) const {
    using Kind = PrimitiveKind;
    switch (op.kind) {
      case Kind::constant: out.values[0] = op.value; break;
      case Kind::size: out.values[0] = static_cast<double>(op.sizes[0].evaluate(extents_)); break;
      case Kind::iota: {
        std::size_t n = 0;
        const auto axis = static_cast<std::size_t>(op.numbers[0]);
        for_each_index(out.dims, [&](const Dims& index) { out.values[n++] = static_cast<double>(index[axis]); });
        break;
      }
      case Kind::add: zip(*in[0], *in[1], out, [](double a, double b) { return a + b; }); break;
      case Kind::subtract: zip(*in[0], *in[1], out, [](double a, double b) { return a - b; }); break;
      case Kind::multiply: zip(*in[0], *in[1], out, [](double a, double b) { return a * b; }); break;
      case Kind::divide: zip(*in[0], *in[1], out, [](double a, double b) { return a / b; }); break;
      case Kind::maximum: zip(*in[0], *in[1], out, [](double a, double b) { return std::max(a, b); }); break;
      case Kind::minimum: zip(*in[0], *in[1], out, [](double a, double b) { return std::min(a, b); }); break;
      case Kind::less: zip(*in[0], *in[1], out, [](double a, double b) { return a < b ? 1.0 : 0.0; }); break;
      case Kind::equal: zip(*in[0], *in[1], out, [](double a, double b) { return a == b ? 1.0 : 0.0; }); break;
      case Kind::exp: map(*in[0], out, [](double x) { return std::exp(x); }); break;
      case Kind::log: map(*in[0], out, [](double x) { return std::log(x); }); break;
      case Kind::sqrt: map(*in[0], out, [](double x) { return std::sqrt(x); }); break;
      case Kind::tanh: map(*in[0], out, [](double x) { return std::tanh(x); }); break;
      case Kind::erf: map(*in[0], out, [](double x) { return std::erf(x); }); break;
      case Kind::sin: map(*in[0], out, [](double x) { return std::sin(x); }); break;
      case Kind::cos: map(*in[0], out, [](double x) { return std::cos(x); }); break;
      case Kind::abs: map(*in[0], out, [](double x) { return std::abs(x); }); break;
      case Kind::select: select(in, out); break;
      case Kind::sum:
        reduce(*in[0], static_cast<std::size_t>(op.numbers[0]), 0, out,
               [this](double a, double b) { return rounded(a + b); });
        break;
      case Kind::max:
        reduce(*in[0], static_cast<std::size_t>(op.numbers[0]), -HUGE_VAL, out,
               [](double a, double b) { return std::max(a, b); });
        break;
      case Kind::matmul: matmul(*in[0], *in[1], out); break;
      case Kind::transpose: transpose(op, *in[0], out); break;
      case Kind::reshape: out.values = in[0]->values; break;
      case Kind::broadcast: zip(*in[0], Array{{1}, {0}}, out, [](double a, double) { return a; }); break;
      case Kind::concat: concat(op, in, out); break;
      case Kind::slice: slice(op, *in[0], out); break;
      case Kind::gather: gather(*in[0], *in[1], out); break;
    }
  }

  const Extents& extents_;
  Rounding rounding_;
};

Array array_of(const Tensor& tensor) {
  const Tensor wide = tensor.to(DType::f64);
  const auto values = wide.as<double>();
  return {tensor.dims(), {values.begin(), values.end()}};
}

// Calls copy(padded row, stored row) for every row that is there.
template <typename Copy>
void for_each_row(const Shape& shape, const Extents& extents, Copy&& copy) {
  const auto& offsets = extents.offsets(shape.ragged_symbol());
  const std::int64_t longest = extents.at(shape.ragged_symbol());
  for (std::size_t item = 0; item + 1 < offsets.size(); ++item) {
    for (std::int64_t row = offsets[item]; row < offsets[item + 1]; ++row) {
      copy(static_cast<std::int64_t>(item) * longest + row - offsets[item], row);
    }
  }
}

Dims padded_dims(const Shape& shape, const Extents& extents) {
  Dims dims;
  for (const Dim& dim : shape.dims) dims.push_back(dim.evaluate(extents));
  return dims;
}

Array padded(const Array& rows, const Shape& shape, const Extents& extents) {
  if (!shape.ragged) return rows;
  Array result{padded_dims(shape, extents), {}};
  const std::int64_t count = result.dims[0] * result.dims[1];
  const std::int64_t width = count == 0 ? 0 : size_of_dims(result.dims) / count;
  result.values.assign(static_cast<std::size_t>(count * width), 0.0);
  for_each_row(shape, extents, [&](std::int64_t to, std::int64_t from) {
    std::copy_n(rows.values.begin() + from * width, width, result.values.begin() + to * width);
  });
  return result;
}

Tensor unpadded(const Array& array, const Shape& shape, const Extents& extents) {
  Tensor result(DType::f64, shape.stored(extents));
  const std::span<double> out = result.as<double>();
  if (!shape.ragged) {
    std::copy(array.values.begin(), array.values.end(), out.begin());
    return result;
  }
  const std::int64_t rows = result.dim(0);
  const std::int64_t width = rows == 0 ? 0 : result.elements() / rows;
  for_each_row(shape, extents, [&](std::int64_t from, std::int64_t to) {
    std::copy_n(array.values.begin() + from * width, width, out.begin() + to * width);
  });
  return result;
}

Array mask_of(const std::string& name, const Type& type, const Extents& extents) {
  const std::string symbol = name.substr(0, name.size() - std::string(".mask").size());
  Array mask{padded_dims(type.shape, extents), {}};
  mask.values.assign(static_cast<std::size_t>(size_of_dims(mask.dims)), 0.0);
  const std::span<const std::uint8_t> seen = extents.seen(symbol);
  for_each_row(Shape({kBatch, Dim::symbol(symbol)}, true), extents, [&](std::int64_t row, std::int64_t stored) {
    mask.values[static_cast<std::size_t>(row)] = seen.empty() || seen[static_cast<std::size_t>(stored)] != 0 ? 1 : 0;
  });
  return mask;
}

Array source_value(const Node& node, const Graph& graph, const Weights& weights, const Feeds& feeds) {
  switch (node.source) {
    case Node::Source::weight: return array_of(weights.at(node.name).to_f32());
    case Node::Source::table: return array_of(node.table(feeds.extents));
    default: break;
  }
  const auto given = feeds.tensors.find(node.name);
  if (given == feeds.tensors.end()) return mask_of(node.name, node.type, feeds.extents);
  const auto in_graph = std::ranges::find(graph.nodes(), node.name, &Node::name);
  return padded(array_of(given->second), in_graph->type.shape, feeds.extents);
}

}  // namespace

Outputs interpret(const Graph& graph, const Weights& weights, const Feeds& feeds, Rounding rounding) {
  check_feeds(graph, feeds);
  const Graph primitives = decompose(graph);
  const Evaluation evaluation(feeds.extents, rounding);
  const std::vector<std::size_t> last = primitives.last_uses();
  std::vector<Array> values;
  values.reserve(primitives.nodes().size());
  for (std::size_t i = 0; i < primitives.nodes().size(); ++i) {
    const Node& node = primitives.nodes()[i];
    if (node.source != Node::Source::operation) {
      values.push_back(source_value(node, graph, weights, feeds));
      continue;
    }
    std::vector<const Array*> operands;
    for (const Value operand : node.operands) operands.push_back(&values[static_cast<std::size_t>(operand.id)]);
    values.push_back(evaluation.run(static_cast<const Primitive&>(*node.operation), operands, node.type));
    for (const Value operand : node.operands) {
      const auto used = static_cast<std::size_t>(operand.id);
      if (last[used] == i) values[used] = {};
    }
  }
  Outputs outputs;
  for (std::size_t i = 0; i < graph.outputs().size(); ++i) {
    const Shape& shape = graph.node(graph.outputs()[i].value).type.shape;
    const auto value = static_cast<std::size_t>(primitives.outputs()[i].value.id);
    outputs[graph.outputs()[i].name] = unpadded(values[value], shape, feeds.extents);
  }
  for (std::size_t i = graph.outputs().size(); i < primitives.outputs().size(); ++i) {
    const Graph::Output& added = primitives.outputs()[i];
    const Shape rows(primitives.node(added.value).type.shape.dims, /*is_ragged=*/true);
    outputs[added.name] = unpadded(values[static_cast<std::size_t>(added.value.id)], rows, feeds.extents);
  }
  return outputs;
}

}  // namespace accelerate
