// How `verify` shows what it compared case by case.
#pragma once

#include <string>

#include "cli/output.hpp"
#include "verify/verify.hpp"

namespace accelerate::cli {

// One table of the cases of all devices, and below it what did not pass; with --verbose every comparison.
void print_report(const verify::Report& report, Output& out);
Json report_json(const verify::Report& report, const std::string& model);

}  // namespace accelerate::cli
