// The `expected` part of a golden case: what a user would be told, compared with what ours tells.
#pragma once

#include "verify/golden.hpp"
#include "verify/verify.hpp"

namespace accelerate::verify {

// Runs the case's task from its raw input and appends a check for every entry of `expected`; an entry that is not
// known here becomes an untested check.
void check_answers(const Model& model, const GoldenCase& golden, WeightKind weights, const BatchOptions& batch,
                   CaseReport& report);

// Whether `expected` has an entry that check_vectors compares.
bool expects_vectors(const GoldenCase& golden);
// The entries of `expected` about vectors (mean_pooled_head, embedding_head, cosine, norm, nearest), for vectors
// [texts, n] f32 that were computed from given tensors.
void check_vectors(const Tensor& vectors, const GoldenCase& golden, WeightKind weights, Source from,
                   CaseReport& report);

// Texts and pairs of a case that has pairs.
std::vector<TextPair> pairs_of(const GoldenCase& golden);

// Adds a check that passed or failed by its difference, its reason saying where.
void add_check(CaseReport& report, Source from, std::string what, const Difference& difference,
               const Tolerance& tolerance);
// One that is equal or not: `difference` says where it is not, empty when equal.
void add_check(CaseReport& report, Source from, std::string what, const std::string& difference);
// One that could not be made.
void add_check(CaseReport& report, Source from, std::string what, const Error& error);

}  // namespace accelerate::verify
