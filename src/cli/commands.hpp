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
  std::string precision = "f32", cache_precision = "f32";
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
  std::string cache_precision = "f32";
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

// Options of commands that generate text; what is not given is what the model's generation_config.json says.
struct GenerationOptions {
  std::optional<std::int64_t> max_new_tokens, min_new_tokens, no_repeat_ngram, beams, returned, seed, log_probabilities;
  std::optional<double> temperature, top_p, min_p, repetition_penalty, presence_penalty, frequency_penalty,
      length_penalty;
  std::optional<std::string> early_stopping, regex, json_schema;
  std::optional<std::string> draft, draft_precision;
  std::optional<std::int64_t> draft_tokens, prompt_lookup;
  std::vector<std::string> stop, bad_words;
  bool greedy = false, sample = false, ignore_eos = false, truncate = false;
};

struct ChatCommand {
  CommonOptions common;
  ExecutionOptions execution;
  GenerationOptions generation;
  std::string model;
  std::optional<std::string> system, chat_template, save;
  std::optional<std::int64_t> top_k;
  bool stats = false;
};

struct RunCommand {
  CommonOptions common;
  ExecutionOptions execution;
  GenerationOptions generation;
  std::string model;
  std::vector<std::string> texts;
  std::optional<std::string> task, input, output, prompt, question, context, inputs, save_tensors, aggregation;
  std::optional<std::string> batch;  // "auto" or "default"
  std::optional<std::string> chat;   // a file of messages, instead of texts
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
  std::vector<std::int64_t> batch, tokens;  // empty: a useful choice
  bool find_batch = false;                  // --batch auto
  std::vector<std::string> phases;          // empty: both; of text-generation
  std::vector<std::string> precisions;      // empty: f32
  std::string cache_precision = "f32";
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
  bool past = false;
  std::string operators = "standard";
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

using Command =
    std::variant<DevicesCommand, DoctorCommand, InspectCommand, TokenizeCommand, RunCommand, ChatCommand, VerifyCommand,
                 BenchCommand, ExportCommand, RecordsCommand, ReportCommand, CompletionCommand>;

}  // namespace accelerate::cli
