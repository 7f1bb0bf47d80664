// Checks that every shape rule makes, and the words for what an operation found.
#pragma once

#include <cstdio>
#include <string>

#include "graph/graph.hpp"

namespace accelerate::ops {

[[noreturn]] inline void fail(const Operation& op, const std::string& what) {
  throw Error(ErrorKind::invalid_input, what, std::string(op.name()));
}

inline void expect(bool holds, const Operation& op, const std::string& what) {
  if (!holds) fail(op, what);
}

inline const Type& operand(Operands operands, std::size_t index, const Operation& op, const char* role) {
  expect(index < operands.size() && operands[index] != nullptr, op, std::string("operand ") + role + " is missing");
  return *operands[index];
}

// A weight of one number a feature: [size].
inline void expect_vector(Operands operands, std::size_t index, const Dim& size, const Operation& op,
                          const char* role) {
  if (index >= operands.size() || operands[index] == nullptr) return;
  expect(
      operands[index]->shape == Shape{size}, op,
      std::string(role) + " has shape " + operands[index]->shape.to_string() + ", expected [" + size.to_string() + "]");
}

// "1e-12": the shortest decimal that reads back as the same number.
inline std::string text(double value) {
  char buffer[32];
  for (int digits = 1; digits <= 17; ++digits) {
    std::snprintf(buffer, sizeof buffer, "%.*g", digits, value);
    if (std::stod(buffer) == value) break;
  }
  return buffer;
}

// 4 bytes for every element of every operand and of the result.
inline Dim bytes_of(Operands operands, const Type& result) {
  Dim sum = Dim(4) * result.shape.elements();
  for (const Type* type : operands) {
    if (type != nullptr) sum += Dim(4) * type->shape.elements();
  }
  return sum;
}

}  // namespace accelerate::ops
