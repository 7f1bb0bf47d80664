// What devices, drivers and models failed at on this machine, as a document.
#pragma once

#include <span>
#include <string>

#include "core/json.hpp"
#include "records/compatibility.hpp"

namespace accelerate::report {

// A Markdown table, a row an error, in the order given; a sentence where there is none.
std::string compatibility_markdown(std::span<const records::CompatibilityError> errors);

// {"errors": [{"hardware", "kind", "severity", "component", "model", "message", "advice", "first", "last", "times",
//  "machine", "version"}]}; times as records have them, "2026-11-23T18:02:08.123Z".
Json compatibility_json(std::span<const records::CompatibilityError> errors);

}  // namespace accelerate::report
