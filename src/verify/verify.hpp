// Is a model right: its answers beside those that Transformers gave, case by case.
#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "verify/compare.hpp"

namespace accelerate::verify {

enum class State {
  passed,
  failed,
  unsupported,  // the model or device lacks what the case needs
  untested,     // nothing was compared, or the golden holds something that is not known here
};
// "passed", "failed", ...
std::string_view name_of(State state);

// Where the input of a check came from: the processor is tested too, or the model alone.
enum class Source { text, tensors };
std::string_view name_of(Source source);

// One thing compared: a tensor, or an entry of `expected`.
struct Check {
  Source from = Source::text;
  std::string what;  // "last_hidden_state", "inputs.input_ids", "expected.scores"
  State state = State::untested;
  std::optional<Difference> difference;  // of numbers; none for what is equal or not
  std::string reason;                    // why it did not pass
};

struct CaseReport {
  std::string name, task;
  std::string device;  // that it was computed on
  std::vector<Check> checks;
  // Failed when any check failed; passed when there are checks and all passed.
  State state = State::untested;
  // Of the checks of one source; untested where there are none (a case without raw input).
  State state_of(Source source) const;
  // Tensors of the golden that were not compared, and why: those without a position that is no padding.
  std::vector<std::string> left_out;
  // On failure: the first hidden state out of bound, or why that is not known. Else empty.
  std::string first_layer;
};

struct Report {
  std::string golden;  // the folder
  std::string note;    // what the folder says about itself
  std::vector<CaseReport> cases;
  double seconds = 0;
  // Passed when every case did.
  State state() const;
  std::int64_t count(State state) const;
};

struct Options {
  std::string test_case;  // only this one; empty: all
  Progress progress;      // after every case
  Cancellation cancellation;
};

// Runs every case of the golden folder (cases.json and safetensors, as docs/goldens.md describes) from its raw input
// and from its given tensors, and compares whatever the folder holds: inputs, outputs at positions that are no padding,
// and `expected`; an entry of it that could not be compared (scores of a case without text) is an untested check.
// A case that cannot run is reported as failed or unsupported, never left out.
// Error{not_found}: no such folder or case (lists them); Error{corrupted}: cases.json contradicts its format;
// Error{interrupted}.
Report verify(const Model& model, const std::filesystem::path& golden, const Options& options = {});

}  // namespace accelerate::verify
