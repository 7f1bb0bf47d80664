// The contract of everything that executes graphs.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/tensor.hpp"
#include "backends/precision.hpp"
#include "graph/feeds.hpp"
#include "graph/graph.hpp"
#include "graph/weights.hpp"

namespace accelerate {

// One place where a backend can run on this machine.
struct Device {
  std::string name;         // "cpu", "onnx:cuda:0"
  std::string description;  // "AMD EPYC, 2 cores, avx512"
};

struct Support {
  struct Missing {
    std::string operation, reason;
  };
  std::vector<Missing> missing;  // empty: the graph runs
  explicit operator bool() const { return missing.empty(); }
};

// Error{unsupported} naming the device and the operations that it lacks, where there are any.
void require(const Support& support, const std::string& device);

// Bytes, as the library's own allocators count them; of a runtime's, where `estimated`.
struct MemoryEstimate {
  std::int64_t weights = 0;      // packed or converted copies
  std::int64_t mapped = 0;       // used in place in the checkpoint's file: not allocated, may leave memory at any time
  std::int64_t activations = 0;  // the arena
  std::int64_t workspace = 0;    // scratch memory of kernels
  std::int64_t cache = 0;        // keys and values that stay, of the past and of the run
  std::int64_t cache_per_token = 0;  // what one more token of one sequence adds to it
  std::int64_t runtime = 0;          // a runtime's library in memory, and what it notes down of the model
  bool estimated = false;            // a runtime's allocator rounds as it likes: rather too much than too little
  std::int64_t total() const { return weights + activations + workspace + cache + runtime; }
};

// What a run of several sequences costs beside the tokens in them.
struct RunCost {
  bool padded = false;      // each is computed as long as the longest
  std::int64_t tokens = 0;  // as much as these: what one more run begins with
};

struct CompileOptions {
  std::string device;  // of the backend, without its name: "cuda:0"; empty: its first
  Precision precision = Precision::f32;
  std::map<std::string, Precision> overrides;  // by the path of an operation: "encoder.layer.3.output.dense"
  DType state = DType::f32;                    // what keys and values that stay are stored as: f32, f16 or bf16
  int threads = 0;                             // 0: as many as this process may use
  Cancellation cancellation;                   // looked at between weights: Error{interrupted}
  std::int64_t memory_limit = 0;               // bytes that plan and run may take, where a runtime can be told; 0: all
  std::string cache_folder;                    // where a runtime may keep what it compiled; empty: nowhere
  bool keeps_outputs = true;                   // a session may keep their memory for its next run, once all have let go
};

// A plan in use: its buffers and state. Not for two threads at once; start one session a thread.
class Session {
 public:
  virtual ~Session() = default;
  // Writes to none of the feeds. Error{invalid_input} naming an input that is missing or has another shape;
  // Error{interrupted} once cancelled; Error{device_failed} where the device is lost meanwhile.
  virtual Outputs run(const Feeds& feeds) = 0;
  // The sequences of a graph that keeps state, which runs are given by Feeds::slots; null for another graph. A run
  // that fails leaves its slots as long as they were.
  virtual StateSlots* slots() { return nullptr; }
};

// One thing that a plan does, in the order of its runs.
struct PlanStep {
  std::string operation;           // the name of the first of `nodes`, which tells most of its work
  std::string path;                // of the module in the model
  std::vector<std::size_t> nodes;  // operations of the graph that it computes
};

// A graph compiled for one device and precision. Sessions may outlive it.
class Plan {
 public:
  virtual ~Plan() = default;
  // What Feeds::step_times of a run belong to; empty where a backend does not tell its steps apart.
  virtual std::vector<PlanStep> steps() const { return {}; }
  virtual std::unique_ptr<Session> start() const = 0;
};

class Backend {
 public:
  virtual ~Backend() = default;
  virtual std::string_view name() const = 0;
  // What it may run on here, the one that is meant by the backend's name alone first. Asked at every opening: quick.
  virtual std::vector<Device> devices() const = 0;
  // Whether a device of that name (without the backend's) may be asked for although it is not listed: a further one of
  // those that a runtime cannot count, or one of which compile() can say better than a list why it is not here.
  virtual bool knows(std::string_view /*device*/) const { return false; }
  // Paths of the files it would load on this machine, found without loading them, and of those it looked for in vain:
  // what was found about its devices holds while they stay the same.
  virtual std::vector<std::string> files() const { return {}; }
  // The instructions it uses on this machine ("avx2"): what was found at one level says nothing about another. Empty
  // where there is no such thing.
  virtual std::string_view level() const { return {}; }
  // What it multiplies in on a device (CompileOptions::device), as a rule the fastest first.
  virtual std::vector<Precision> precisions(std::string_view /*device*/) const { return {Precision::f32}; }
  // How many sequences to run at once is decided by this.
  virtual RunCost run_cost(std::string_view /*device*/) const { return {}; }
  // Paths of the operations whose precision there may be overridden, in the order of the graph; where several are
  // computed as one, the path of the first. Where there are any, all others are computed in f32.
  virtual std::vector<std::string> lowered(const Graph&, std::string_view /*device*/) const { return {}; }
  // Which operations are missing, and why.
  virtual Support supports(const Graph& graph, const Device& device) const = 0;
  // What compile() and one run with these sizes will allocate. Reads no weight data.
  virtual MemoryEstimate memory(const Graph& graph, const Weights& weights, const Extents& extents,
                                const CompileOptions& options) const = 0;
  // Error{unsupported} naming the operation or precision that is missing; what else a device may fail with:
  // Error{unavailable}, {out_of_memory}, {device_failed}.
  virtual std::unique_ptr<Plan> compile(const Graph& graph, std::shared_ptr<const Weights> weights,
                                        const CompileOptions& options) const = 0;
};

// The backends of this build, the native CPU first. Those that ACCELERATE_DISABLE_OPERATIONS names
// ("onnx:attention,layer_norm openvino:pool") behave as if they lacked these operations (limited_backend.hpp).
const std::vector<std::unique_ptr<Backend>>& backends();
// By its name or that of a device of it. Error{not_found} listing the devices there are, the nearest name first.
const Backend& backend_named(std::string_view name);

// One more backend, for as long as this lives: how tests bring their own. It hides one of the same name that is there.
// Not while other threads open models.
class RegisteredBackend {
 public:
  explicit RegisteredBackend(std::unique_ptr<Backend> backend);
  RegisteredBackend(const RegisteredBackend&) = delete;
  RegisteredBackend& operator=(const RegisteredBackend&) = delete;
  ~RegisteredBackend();

 private:
  const Backend* backend_;
};

}  // namespace accelerate
