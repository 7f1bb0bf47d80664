// One line of what `bench` finds: a workload in one precision, and what was measured of it.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/error.hpp"
#include "bench/conditions.hpp"
#include "bench/cost.hpp"
#include "bench/profile.hpp"
#include "bench/statistics.hpp"
#include "bench/workload.hpp"
#include "records/record.hpp"

namespace accelerate::bench {

enum class State {
  measured,
  unsupported,  // this device or build cannot, or the device is not there: `reason` says what is lacking
  refused,      // it would take more memory than there is, or than was allowed
  untested,     // asked for, but the bench was stopped before
};
// "measured", "unsupported", "refused", "untested"
std::string_view name_of(State state);

struct Row {
  // What was asked for.
  std::string device, level, precision, workload, task;  // a measured row's precision is never "auto"
  std::map<std::string, std::string> layer_precisions;   // of layers that keep another one, by their path
  Phase phase = Phase::whole;
  std::int64_t batch = 0, tokens = 0;  // `tokens` of decoding: how many each text has before
  std::int64_t rows = 0;               // tokens of all texts together; of decoding the new ones
  int threads = 0;

  State state = State::untested;
  std::string reason;                        // of every state but measured
  ErrorKind error = ErrorKind::interrupted;  // what kind of error that is
  std::vector<std::string> notes;            // what a reader should know and no other field says

  // Measured; times in milliseconds of one run of all the texts.
  double load_ms = 0;   // opening the folder and packing the weights, the files in the page cache
  double first_ms = 0;  // the first run after it
  Summary times;        // of the runs after the warm-up
  double throughput_per_s = 0,
         tokens_per_s = 0;           // texts (prefill and decode: tokens) and tokens a second, by the median
  std::int64_t peak_bytes = 0;       // most that our allocators held, from before loading on
  std::int64_t predicted_bytes = 0;  // what was predicted for the same sizes before loading
  std::int64_t resident_bytes = 0;   // most that the process had resident; 0: the system does not say
  Conditions conditions;

  // The limit: measured just before and just after, the faster of both counts.
  std::int64_t flops = 0, bytes = 0;  // operations; bytes of weights
  std::int64_t cache_bytes = 0;       // of keys and values of past and source
  double limit_gflops = 0, limit_gbytes = 0;
  double limit_drift = 0;  // how much slower the slower of both was, 0 to 1
  double limit_ms = 0;     // what the work takes at least
  bool limited_by_operations = false;
  double share_of_limit = 0;  // limit_ms over the median; 0: no limit is known for this device

  std::shared_ptr<const Profile> profile;  // null unless it was asked for
  std::string record;                      // its id in the records; empty: not recorded
  bool chosen = false;                     // the best of a search for a batch size
};

// The row's notes, and what its conditions and its median give reason to say.
std::vector<std::string> remarks_on(const Row& row);

// Error{internal} unless the row is measured.
records::Measurement measurement_of(const Row& row);

}  // namespace accelerate::bench
