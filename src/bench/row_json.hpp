// Rows for programs: `bench --json`.
#pragma once

#include "bench/bench.hpp"
#include "core/json.hpp"

namespace accelerate::bench {

// {"model", "model_type", "content_hash", "code", "build", "threads", "interrupted", "rows": [...]}. Every row names
// its model, device and conditions itself; figures that were not measured are null.
Json to_json(const Report& report, const std::string& model);
Json to_json(const Profile& profile);

}  // namespace accelerate::bench
