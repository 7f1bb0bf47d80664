// What `bench` shows people.
#pragma once

#include <string>

#include "bench/bench.hpp"
#include "cli/output.hpp"

namespace accelerate::cli {

// "f32, 8 x 128, random tokens"
std::string title_of(const bench::Row& row);
// One row as a line: "f32, 8 x 128, random tokens: 5.31 ms, 1507 texts/s, 91 % of the limit".
std::string line_of(const bench::Row& row);
// The table, what was noted about its rows, and their profiles.
void print_report(const bench::Report& report, const std::string& model, Output& out);

}  // namespace accelerate::cli
