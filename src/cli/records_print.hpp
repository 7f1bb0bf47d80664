// Records as people read them.
#pragma once

#include <span>

#include "cli/output.hpp"
#include "records/compare.hpp"
#include "records/records.hpp"

namespace accelerate::cli {

// One a line, the newest first.
void print_list(std::span<const records::Record> found, Output& out);
// All fields of one.
void print_record(const records::Record& record, Output& out);
void print_comparison(const records::Comparison& comparison, Output& out);
Json json_of(const records::Comparison& comparison);

}  // namespace accelerate::cli
