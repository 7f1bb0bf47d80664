// Results of `run` as tables for people.
#pragma once

#include "cli/output.hpp"
#include "cli/run_task.hpp"

namespace accelerate::cli {

// The first forty texts; says how many there are more.
void print_results(const TaskResults& results, const std::string& task, Output& out);

}  // namespace accelerate::cli
