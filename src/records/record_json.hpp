// A record as JSON: one object, the same in lists, in `show` and in exported lines.
//
//   {"schema": 1, "id": "...", "kind": "measurement", "time": "2026-11-23T18:02:08.123Z", "machine": {...},
//    "code": {...}, "model": {...}, "device": {...}, "precision": "int8", "content": {...}}
#pragma once

#include <string>
#include <string_view>

#include "core/json.hpp"
#include "records/record.hpp"

namespace accelerate::records {

// Figures that were not taken are left out.
Json to_json(const Record& record);

// Strict, because lines come from anywhere: Error{invalid_input} naming the field for one that is missing, unknown, of
// another type, or wrong by validate(); Error{unsupported} for a newer schema.
Record record_from(const Json& json);

// "2026-11-23T18:02:08.123Z", UTC.
std::string time_text(std::int64_t milliseconds);
// The same back; also a day alone, "2026-11-23". Error{invalid_input}.
std::int64_t time_from(std::string_view text);

}  // namespace accelerate::records
