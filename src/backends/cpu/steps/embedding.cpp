#include "graph/ops/embedding.hpp"

#include "backends/cpu/steps/norm.hpp"

namespace accelerate::cpu {
namespace {

class EmbeddingStep final : public Step {
 public:
  // Alone, or behind a layer norm that leads the group and normalises the sum.
  explicit EmbeddingStep(const Context& c) {
    const std::size_t lookup = c.group.size() - 1;
    const Node& node = c.node(lookup);
    for (std::size_t i = 0; i < node.operands.size(); i += 2) {
      tables_.emplace_back(c.weights, c.weight_name(i, lookup), c.level, multiplied_as(c, c.weight_name(i, lookup)));
      inputs.push_back(node.operands[i + 1]);
    }
    by_rows = true;
    scale_ = static_cast<float>(c.as<ops::Embedding>(lookup).scale);
    if (lookup != 0) norm_ = NormWeights(c, c.node());
  }

  WeightBytes weight_bytes(std::set<std::string>& counted) const override {
    WeightBytes sum = norm_.bytes();
    for (const TableWeight& table : tables_) sum += table.bytes(counted);
    return sum;
  }

  void prepare(const Weights& weights, ThreadPool& pool) override {
    for (TableWeight& table : tables_) table.prepare(weights, pool);
    norm_.prepare(weights);
  }

  void run(const Run& run) const override {
    const Location& out = run.at(outputs[0]);
    std::vector<EmbeddingTable> tables;
    for (std::size_t i = 0; i < tables_.size(); ++i) tables.push_back(tables_[i].table(run.at(inputs[i]).index));
    run.kernels.embedding(run.pool, {.tables = tables,
                                     .output = out,
                                     .rows = out.rows,
                                     .width = out.width,
                                     .first_row = run.first_row,
                                     .scale = scale_,
                                     .norm = norm_.norm()});
  }

 private:
  // The weight of a product in f32 that is the same rows, under whatever name; empty where there is none.
  static std::string multiplied_as(const Context& c, const std::string& table) {
    const Weight& rows = c.weights.at(table);
    for (const Node& node : c.graph.nodes()) {
      if (node.source != Node::Source::operation || node.operation->name() != "linear") continue;
      const Node& matrix = c.graph.node(node.operands[1]);
      if (matrix.source != Node::Source::weight || c.precisions.of(node.name) != Precision::f32) continue;
      const Weight& other = c.weights.at(matrix.name);
      if (other.bytes.data() == rows.bytes.data() && other.dims == rows.dims && !other.transposed) return matrix.name;
    }
    return {};
  }

  std::vector<TableWeight> tables_;
  NormWeights norm_;
  float scale_ = 1;
};

}  // namespace

std::unique_ptr<Step> make_embedding(const Context& c) { return std::make_unique<EmbeddingStep>(c); }

}  // namespace accelerate::cpu
