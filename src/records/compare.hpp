// Two selections of measurements side by side: what became faster, what slower, and what is only noise.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "records/records.hpp"

namespace accelerate::records {

// What a pair of records may differ in; everything else of its conditions is equal.
enum class Difference : std::uint8_t {
  code,       // same model, device, level, precision, workload, batch, tokens, threads, machine
  precision,  // also the same machine; the newest of each
  anything,   // two records that a person named
};

struct Compared {
  std::string what;  // "p50_ms", "throughput_per_s", "peak_bytes", "load_ms", "worst_cosine", ...
  double before = 0, after = 0;
  double ratio = 0;  // after / before
  bool higher_is_better = false;
  // How much of a ratio may be noise: the spreads of both, at least 2 %. 0 for figures without noise (bytes, cosines).
  double noise = 0;
  bool better() const;  // beyond the noise
  bool worse() const;
};

struct Pair {
  Record before, after;
  std::vector<Compared> figures;  // those that both have
};

struct Comparison {
  std::vector<Pair> pairs;
  std::size_t without_partner = 0;  // records of either side that the other has none for
  std::size_t regressions() const;  // figures that are worse beyond the noise
};

// The newest record of every condition against the newest of the same condition on the other side. Error{invalid_input}
// when two records that were named are of different kinds.
Comparison compare(const std::vector<Record>& before, const std::vector<Record>& after, Difference difference);

// The newest record of every condition against the one before it.
Comparison newest_against_previous(const std::vector<Record>& records);

// What a word on the command line selects: a record's id, a code version or commit, or a precision that records have.
struct Selection {
  std::vector<Record> records;
  Difference difference = Difference::anything;
};
// Error{not_found} listing what there is.
Selection select(const Records& records, std::string_view word, const Filter& filter);

}  // namespace accelerate::records
