// Two selections of records side by side: what became better, what worse, and what is only noise.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "records/records.hpp"

namespace accelerate::records {

enum class Verdict : std::uint8_t {
  same,  // within the noise
  better,
  worse,
  unjudged,  // a figure taken once, or one that is better neither higher nor lower
};
// "same", "better", "worse", "unjudged"
std::string_view name_of(Verdict verdict);

// One figure of two records.
struct Compared {
  std::string what;  // "p50_ms", "throughput_per_s", "peak_bytes", "worst_cosine", ...
  double before = 0, after = 0;
  double ratio = 0;  // after / before; 0 where before is 0
  // How far the ratio may be from 1 by chance (up to 1 + noise, down to its inverse): the spreads of both added, at
  // least 0.02; bytes 0.01. An agreement is judged by one thing: whether it is within its bound.
  double noise = 0;
  Verdict verdict = Verdict::unjudged;
};

struct Pair {
  Record before, after;
  std::vector<Compared> figures;  // those that both have
};

struct Comparison {
  std::vector<Pair> pairs;
  std::size_t without_partner = 0;  // conditions of one side that the other has no record of
  std::size_t count(Verdict verdict) const;
};

// What the two sides may differ in; everything else of a record's conditions (kind, model, device, level, machine,
// workload, batch, tokens, threads, precision) is equal within a pair.
enum class Differing : std::uint8_t { code, precision };

// The newest record of every condition of one side with the newest of the other.
Comparison compare(const std::vector<Record>& before, const std::vector<Record>& after, Differing differing);
// The newest record of every condition with the one before it.
Comparison newest_with_previous(const std::vector<Record>& records);
// Two records that a person chose. Error{invalid_input} when they are of different kinds.
Comparison compare(const Record& before, const Record& after);

// The same from words, as a command line has them: two ids (or beginnings of them), two versions or commits of the
// code, or two precisions; looked for in that order: precisions, code, ids. `filter` narrows what is compared.
// Error{not_found} for a word that is none of these; Error{invalid_input} for two words of different sorts.
Comparison compare(const Records& records, std::string_view before, std::string_view after, const Filter& filter);

}  // namespace accelerate::records
