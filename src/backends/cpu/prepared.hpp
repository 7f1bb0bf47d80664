// Weights as the kernels want them. Each knows its bytes before it is prepared, so that memory is predicted by the
// same code that later uses it.
#pragma once

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "backends/cpu/kernels.hpp"
#include "graph/balance.hpp"
#include "graph/weights.hpp"

namespace accelerate::cpu {

struct WeightBytes {
  std::int64_t allocated = 0;  // in copies of our own
  std::int64_t mapped = 0;     // read in place from the checkpoint
  WeightBytes& operator+=(const WeightBytes& other) {
    allocated += other.allocated;
    mapped += other.mapped;
    return *this;
  }
};

// Matrices [out, in] of the same `in`, stacked and packed into panels. All plans of a model share the packed copy.
class MatrixWeight {
 public:
  struct Options {
    Precision precision = Precision::f32;
    bool gated = false;
    InputNorm input;  // looked at in int8
  };
  MatrixWeight(const Weights& weights, std::vector<std::string> names, Level level, Options options);
  WeightBytes bytes() const;
  void prepare(const Weights& weights, ThreadPool& pool);
  const PackedMatrix& packed() const { return *packed_; }
  // Names the packed copy: plans with the same key share one.
  const std::string& key() const { return key_; }
  std::int64_t in_features() const { return in_; }
  Packing packing() const { return packing_; }
  // How often one run encodes its inputs, PackedMatrix::input_sets.
  std::int64_t input_sets() const { return balanced() ? cpu::input_sets(sizes_, level_, options_.gated) : 1; }

 private:
  bool balanced() const { return options_.precision == Precision::int8 && !options_.input.weight.empty(); }

  std::vector<const Weight*> parts_;
  Level level_;
  Options options_;
  Packing packing_;
  std::int64_t in_ = 0;
  std::vector<std::int64_t> sizes_;  // out_features of the parts
  std::string key_;
  std::shared_ptr<const PackedMatrix> packed_;
};

// Vectors, one after the other; an empty name stands for zeros. One f32 vector is read in place.
class VectorWeight {
 public:
  VectorWeight() = default;  // absent: data() is null
  struct Part {
    std::string name;
    std::int64_t size = 0;
  };
  VectorWeight(const Weights& weights, std::vector<Part> parts);
  WeightBytes bytes() const;
  void prepare(const Weights& weights);
  const float* data() const { return values_.empty() ? nullptr : values_.as<float>().data(); }

 private:
  bool in_place(const Weights& weights) const;
  std::vector<Part> parts_;
  std::int64_t size_ = 0;
  bool in_place_ = false;
  Tensor values_;
};

// Rows to look up, read in place from the checkpoint where their encoding allows; else from the packed copy of a
// product that multiplies with the same rows in f32 (a tied head), where there is one.
class TableWeight {
 public:
  // `multiplied`: the name by which such a product knows the rows; empty: there is none.
  TableWeight(const Weights& weights, std::string name, Level level, const std::string& multiplied);
  // As Step::weight_bytes.
  WeightBytes bytes(std::set<std::string>& counted) const;
  void prepare(const Weights& weights, ThreadPool& pool);
  EmbeddingTable table(const std::int64_t* ids) const;

 private:
  const Weight* weight_;
  bool in_place_;
  std::optional<MatrixWeight> packed_;
  Tensor copy_;
};

}  // namespace accelerate::cpu
