// Operation tests as text: one operation with its operands, filled with seeded numbers.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "graph/feeds.hpp"
#include "graph/interpreter.hpp"
#include "graph/weights.hpp"

namespace accelerate::test {

struct OperationCase {
  std::string title;  // "linear activation=gelu (embedding_family.txt:24)"
  Graph graph;        // one operation, one output "y"
  std::shared_ptr<Weights> weights;
  Feeds feeds;
  std::vector<Feeds> earlier;  // runs before it over the same sequences, where the operation keeps state
};

// Outputs of the case's run after the earlier ones, by the interpreter.
Outputs interpret_case(const OperationCase& test, const Weights& weights, Rounding rounding = Rounding::f64);

// Throws std::runtime_error with file and line on anything it does not understand.
std::vector<OperationCase> read_operation_cases(const std::filesystem::path& file);

}  // namespace accelerate::test
