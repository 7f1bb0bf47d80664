// OpenVINO's devices by the names that users give them, and what they are told.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "backends/backend.hpp"
#include "backends/openvino/library.hpp"

namespace accelerate::openvino {

// "gpu:1" for OpenVINO's "GPU.1".
std::string user_name(std::string_view runtime_name);
// As OpenVINO names those that it finds here, the processor first, and last "AUTO": whichever it takes for the best.
std::vector<std::string> listed_devices(const Library& library);
// Whether OpenVINO has a plugin for a device of that name, found here or not: a GPU or NPU, with or without a number.
bool is_kind(std::string_view device);
// What OpenVINO calls a device; empty is the processor. Error{not_found} listing those there are; Error{unavailable}
// with OpenVINO's reason where it knows such devices but finds none here.
std::string runtime_name(std::string_view device, const Library& library);
// What a device multiplies in, the fastest first.
std::vector<Precision> precisions_of(const std::string& runtime_name, const Library& library);

// Keys and values as compilation takes them.
using Settings = std::vector<std::pair<std::string, std::string>>;

// One request at a time, threads, the cache, and computing in the precision asked for and no lower, as far as the
// device has such settings. Error{unsupported} where it has no such precision.
Settings settings_of(const std::string& runtime_name, const CompileOptions& options, const Library& library);

}  // namespace accelerate::openvino
