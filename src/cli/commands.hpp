// What each command was asked to do, as parsed; names as on the command line.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

namespace accelerate::cli {

// Options that every command takes.
struct CommonOptions {
  bool json = false;
  bool quiet = false;    // no notes, no progress
  bool verbose = false;  // what was opened and how long each step took, on stderr
};

// What a model may take and keep.
struct ResourceOptions {
  std::int64_t memory_limit = 0;  // bytes; 0: no limit
  std::string cache_folder;       // of what runtimes compile; empty: nowhere
};

// Options of commands that compute.
struct ExecutionOptions {
  std::string device = "auto";  // names in order, with commas
  bool no_fallback = false, split = false, explain = false;
  std::string precision = "f32";
  int threads = 0;  // 0: as many as this process may use
  ResourceOptions resources;
};

struct DevicesCommand {
  CommonOptions common;
  int threads = 0;
  bool refresh = false;
  std::optional<double> timeout;  // seconds
};

struct InspectCommand {
  CommonOptions common;
  std::string model, device = "auto";
  std::vector<std::string> precisions;  // empty: all that the device has
  bool split = false;
  int threads = 0;
  std::vector<std::int64_t> batch, tokens;  // empty: a useful choice
  std::string graph;                        // "text" or "dot"; empty: no graph
};

struct TokenizeCommand {
  CommonOptions common;
  std::string model;
  std::vector<std::string> texts;
  std::optional<std::string> chat, chat_template;  // a file of messages; which of several templates
  bool no_special_tokens = false, continue_final = false, no_generation_prompt = false;
};

struct RunCommand {
  CommonOptions common;
  ExecutionOptions execution;
  std::string model;
  std::vector<std::string> texts;
  std::optional<std::string> task, input, output, prompt, question, context, inputs, save_tensors, aggregation;
  std::optional<std::string> batch;  // "auto" or "default"
  std::vector<std::string> tensors;  // outputs of a run on tensors; empty: all
  std::optional<std::int64_t> top_k, repeat;
  bool pair = false, strict = false, layers = false, stats = false;
};

struct VerifyCommand {
  CommonOptions common;
  std::string model;
  std::vector<std::string> devices = {"auto"};  // each in turn
  std::vector<std::string> precisions;          // empty: f32
  bool split = false;
  std::optional<std::string> golden, test_case;
  int threads = 0;
  ResourceOptions resources;
  bool no_record = false;
};

struct BenchCommand {
  CommonOptions common;
  std::string model;
  std::vector<std::string> devices = {"auto"};  // each in turn
  bool split = false;
  std::vector<std::int64_t> batch, tokens;          // empty: a useful choice
  bool find_batch = false;                          // --batch auto
  std::vector<std::string> precisions;              // empty: f32
  std::optional<std::string> task, input, profile;  // profile: the trace's file; empty: none
  std::optional<double> seconds, max_latency;       // latency in milliseconds
  std::optional<std::int64_t> max_memory;           // bytes
  int threads = 0;
  ResourceOptions resources;
  bool no_record = false;
};

struct ExportCommand {
  CommonOptions common;
  std::string model, folder;
  std::string to = "onnx";
  std::int64_t opset = 0;
  std::string precision = "f32";
  std::optional<std::string> task;
  std::vector<std::string> outputs;  // empty: the task's
  bool force = false;
};

struct RecordsCommand {
  CommonOptions common;
  std::string action = "list";       // "list", "show", "compare", "export" or "import"
  std::vector<std::string> objects;  // ids, versions, precisions; a file
  std::string model, device, precision;
  std::optional<std::string> kind, since;
  std::optional<std::int64_t> limit;
};

struct DoctorCommand {
  CommonOptions common;
  bool refresh = false;
};

struct ReportCommand {
  CommonOptions common;
  std::string what;           // "compatibility"
  std::string format = "md";  // or "json"
};

struct CompletionCommand {
  std::string shell;  // "bash", "zsh" or "fish"
};

using Command = std::variant<DevicesCommand, DoctorCommand, InspectCommand, TokenizeCommand, RunCommand, VerifyCommand,
                             BenchCommand, ExportCommand, RecordsCommand, ReportCommand, CompletionCommand>;

}  // namespace accelerate::cli
