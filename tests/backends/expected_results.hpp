// What every operation case must come to on any backend: the interpreter's numbers, and how far one may be from them.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "backends/operation_cases.hpp"
#include "backends/precision.hpp"

namespace accelerate::test {

struct ExpectedResult {
  OperationCase test;
  Tensor exact;                        // f64
  std::map<Precision, double> bounds;  // of an element's absolute error, for each precision that has backends

  std::string operation() const;
};

// Of all files under tests/operations, evaluated once.
const std::vector<ExpectedResult>& expected_results();

// Empty where every element of `got` is within the bound, else the worst of them.
std::string disagreement(const ExpectedResult& expected, const Tensor& got, Precision precision);

// The same of what a backend's first device computes; an error it throws is told too, and a write to its feeds.
std::string disagreement_of_backend(const ExpectedResult& expected, const std::string& backend, Precision precision);

}  // namespace accelerate::test
