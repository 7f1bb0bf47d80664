// What a folder holds as JSON, for programs: the fields of the public structs under their names.
#pragma once

#include "accelerate/accelerate.hpp"
#include "core/json.hpp"

namespace accelerate::runtime {

Json to_json(const DeviceCandidate& device);
Json to_json(const ModelInfo& info);
// {"info": {...}, "memory": [{...}], "missing": [...]}
Json to_json(const Inspection& inspection);

}  // namespace accelerate::runtime
