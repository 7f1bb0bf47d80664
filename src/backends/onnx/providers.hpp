// ONNX Runtime's execution providers as devices of ours.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "backends/backend.hpp"
#include "backends/onnx/library.hpp"
#include "lowering/onnx.hpp"

namespace accelerate::onnx {

struct Provider {
  std::string_view device;       // "cuda"
  std::string_view name;         // in the list of providers: "CUDAExecutionProvider"
  std::string_view short_name;   // as it is appended by name; empty: by a function of its own
  const char* memory = nullptr;  // ONNX Runtime's name of the memory it computes in; null: the host's, or unknown
  bool numbered = false;         // "cuda:0", "cuda:1", ...
  bool halves = false;           // computes in f16 where it is asked to
  lowering::ContribOperators contrib = {};  // those of ONNX Runtime's own that are used there
  bool only_logs = false;  // where it cannot start, it logs an error and leaves everything to the processor
  std::string_view description;
};

// All that there are names for, the processor first.
std::span<const Provider> providers();

// A device's provider and its number: "cuda:1".
struct Placement {
  const Provider* provider = nullptr;
  int number = 0;
  std::string name() const;
};

// Whether there is a provider for a device of that name, in this library or in another one.
bool is_device(std::string_view device);
// That of such a device; empty is the processor, null there is none.
const Provider* provider_named(std::string_view device);
// Empty is the processor. Error{not_found} listing the names there are; Error{unavailable} where this library has no
// such provider.
Placement placement_of(std::string_view device, const Library& library);
// Devices whose providers this library has, the first of each: nothing has run on them yet.
std::vector<Placement> listed_devices(const Library& library);
// Tells session options where to run and to compute in the precision asked for, no lower.
void append_provider(const Placement& placement, const CompileOptions& options, const LibraryPtr& library,
                     ort::SessionOptions* session_options);

}  // namespace accelerate::onnx
