// Which of the devices that were asked for a model runs on.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "backends/place.hpp"

namespace accelerate::runtime {

// The names in OpenOptions::device, in order, each once; "auto" stands for the default order. Error{invalid_input} for
// an empty one; Error{not_found} listing the devices there are for one of a backend that there is none of, as that is
// misspelt rather than missing.
std::vector<std::string> devices_asked(std::string_view list);

// Tries the devices in order, until `open` does not throw; a failure that is not the device's own (a damaged weight, a
// wrong option, interruption) is final. What became of each, in order; exactly one is taken. Where none is: the error
// of the one device that was tried, or one that names all with their reasons, of the first one's kind.
using OpenOn = std::function<void(const Place&)>;
std::vector<DeviceCandidate> choose_device(const std::vector<std::string>& names, bool fallback, const OpenOn& open);

// Whether an error says that a device cannot be used at all: it is not there, nor its library, or it failed. Where
// several are compared the others still can.
bool is_unusable(const Error& error);

// What records and tables call the place where a model ran: its device, "onnx:cpu+cpu" where graphs were split.
std::string computed_on(const ModelInfo& info);

}  // namespace accelerate::runtime
