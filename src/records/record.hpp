// What a record says: who computed what, under which conditions, and what was measured, compared or decided.
//
// A figure that was not taken is an empty optional and is shown as such, never as 0. All of it must be finite; add()
// refuses a record that contradicts itself (validate() below says what holds).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "accelerate/error.hpp"

namespace accelerate::records {

struct Machine {
  std::string id;   // the same for every start of this machine, tells nothing about it: 16 hex digits
  std::string cpu;  // as the processor calls itself
  int physical_cores = 0, logical_cpus = 0;
  std::int64_t memory_bytes = 0;
  std::string kernel;  // "Linux 6.1.0 x86_64"
};
// The machine this runs on; read once a process.
const Machine& this_machine();

struct Device {
  std::string name;   // "cpu", "onnx:cuda:0"
  std::string level;  // of its instructions: "avx512_bf16"; empty where a device has none
};

struct ModelIdentity {
  std::string content_hash;  // records/content_hash.hpp: 64 hex digits
  std::string model_type;    // "bert"
  std::int64_t parameters = 0;
  std::string path;  // where it was last seen, absolute
};

struct Code {
  std::string version;  // accelerate::version()
  std::string build;    // accelerate::build_description(): names the commit
};
// The code this runs.
Code this_code();

// One workload, measured.
struct Measurement {
  // Conditions.
  std::string workload;  // "random tokens", "texts", "prefill" or "decode": what batch and tokens do not say
  std::int64_t batch = 0;
  std::int64_t tokens = 0;  // longest length of an item; `rows` is how many positions there were in all
  std::int64_t rows = 0;
  int threads = 0;
  std::optional<double> load_average;     // of the last minute, when the measurement began
  std::optional<double> other_cpus_busy;  // CPUs' worth of time that other processes used meanwhile (OtherWork)

  // Measured. Times in milliseconds of one run of the whole batch.
  std::optional<double> load_ms;   // opening and compiling, the files in the page cache
  std::optional<double> first_ms;  // the first run after loading
  std::int64_t samples = 0;        // runs that the figures below are taken from
  std::optional<double> p50_ms, p90_ms, p99_ms;
  std::optional<double> spread;            // half the distance from the 10th to the 90th percentile, over the median
  std::optional<double> throughput_per_s;  // items (texts, images, of prefill and decode tokens) a second
  std::optional<std::int64_t> peak_bytes;  // most that our allocators held at once
  std::optional<std::int64_t> predicted_bytes;  // what was predicted for it before loading
  std::optional<std::int64_t> resident_bytes;   // most that the process had resident
  std::optional<std::int64_t> flops;            // of one run of the batch, from the graph
  std::optional<double> share_of_limit;         // 0 to 1 (a little above where the limit was measured low)
  // The limit that the share refers to, measured on this machine with the same threads and precision.
  std::optional<double> limit_gflops;  // 1e9 operations a second
  std::optional<double> limit_gbytes;  // 1e9 bytes a second
};

// How close a precision comes to its reference.
struct Bound {
  std::optional<double> cosine;         // at least
  std::optional<double> kl_divergence;  // at most, nats
  std::optional<double> top1;           // at least, 0 to 1
};

struct Agreement {
  std::string reference;  // "Transformers golden", "own f32"
  std::string weights;    // "random" or "trained"
  std::string inputs;     // what was run: "8 sentences", "golden cases"
  std::int64_t cases = 0;
  std::optional<double> worst_cosine, mean_cosine;
  std::optional<double> worst_kl_divergence, mean_kl_divergence;  // nats
  std::optional<double> top1;                                     // share of equal best choices, 0 to 1
  Bound bound;
  bool within_bound = false;
  // The LayerChoice record in force when it was measured; empty: every layer in the precision.
  std::string layer_choice;
};

// Which layers keep a higher precision, found once for a model by sensitivity.
struct LayerChoice {
  struct Layer {
    std::string path;        // "encoder.layer.3.output.dense"
    double sensitivity = 0;  // what `measure` gave for it
  };
  std::string measure;        // what the figures are: "1 - cosine of the output with this layer alone in int8"
  std::string kept_in;        // the higher precision: "f32", "bf16"
  std::vector<Layer> layers;  // the kept ones, most sensitive first; none: the precision holds everywhere
  std::int64_t examined = 0;  // layers that were tried
};

// The batch with the best throughput under a bound, found by measuring.
struct BatchChoice {
  std::int64_t tokens = 0;
  int threads = 0;
  std::string bound;       // "none", "latency_ms" or "memory_bytes"
  double bound_value = 0;  // 0 for "none"
  std::int64_t batch = 0;
  double throughput_per_s = 0;
  std::optional<double> p50_ms;
  std::optional<std::int64_t> peak_bytes;
};

using Content = std::variant<Measurement, Agreement, LayerChoice, BatchChoice>;

// In the order of Content's alternatives.
enum class Kind : std::uint8_t { measurement, agreement, layer_choice, batch_choice };
// "measurement", "agreement", "layer_choice", "batch_choice"
std::string_view name_of(Kind kind);
// Error{invalid_input} listing the names there are.
Kind kind_named(std::string_view name);

// What is empty or 0 of id, time_ms, machine and code is filled in by add(): a new id, now, this machine, this code.
struct Record {
  std::string id;            // UUID, "3f0c9a52-..."
  std::int64_t time_ms = 0;  // milliseconds since 1970, UTC
  Machine machine;
  Code code;
  ModelIdentity model;
  Device device;
  std::string precision;  // "f32", "bf16", "int8"
  Content content;

  Kind kind() const { return static_cast<Kind>(content.index()); }
};

// Error{invalid_input} naming the field: a content hash that is no SHA-256, a figure that is not finite, or negative
// where it cannot be, a cosine beyond [-1, 1], top1 beyond [0, 1], percentiles out of order, no batch, an unknown word
// for `weights` or `bound`, a text that is missing, longer than 4096 bytes or holds a zero byte. Rounding of 1e-6 is
// let pass. What add() fills in may be empty.
void validate(const Record& record);

}  // namespace accelerate::records
