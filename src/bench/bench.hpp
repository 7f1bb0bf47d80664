// Measures a model: how long it takes, how much memory, and what share of the machine's limit that is.
#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "accelerate/progress.hpp"
#include "bench/row.hpp"
#include "bench/workload.hpp"
#include "records/records.hpp"

namespace accelerate::bench {

// What a search for a batch size must keep to; at most one of the two is above 0.
struct SearchBound {
  double latency_ms = 0;          // the 90th percentile of a run stays below
  std::int64_t memory_bytes = 0;  // what is predicted, and what is allocated, stays below
};

struct Options {
  std::filesystem::path model;
  std::vector<std::int64_t> batches = {1};  // each 1 to 1048576
  // Empty: 128, of text-generation 32 and 512, or the longest input where that is shorter. Text-generation has a
  // row of each phase: a prompt of so many tokens, and one more token after so many.
  std::vector<std::int64_t> tokens = {};
  std::vector<Phase> phases = {Phase::prefill, Phase::decode};  // of text-generation; other tasks have none
  std::vector<std::string> precisions = {"f32"};                // as OpenOptions::precision, "auto" too
  std::string cache_precision = "f32";                          // as OpenOptions::cache_precision
  std::vector<std::string> devices = {"auto"};                  // each in turn, as OpenOptions::device names one
  bool split = false;                                           // as OpenOptions::split
  std::string task = {};                                        // empty: the folder's own
  int threads = 0;                // 0: as many as this process may use; more than that are limited to it, with a note
  std::int64_t memory_limit = 0;  // as OpenOptions::memory_limit
  std::filesystem::path cache_folder = {};  // as OpenOptions::cache_folder
  // Instead of random tokens; then `batches` and `tokens` are not looked at.
  std::shared_ptr<const std::vector<std::string>> texts = {};
  double seconds = 3;  // a row's runs stop here even where the median is not stable yet
  bool profile = false;
  std::optional<SearchBound> search = {};  // find the best batch size instead of measuring `batches`

  records::Recorder* recorder = nullptr;  // where each row goes as soon as it is measured
  std::function<void(const Row&)> finished = {};
  std::function<void(const std::string&)> note = {};  // what a person should know that belongs to no row
  Progress progress = {};                             // rows done, rows in all (0 in a search)
  Cancellation cancellation = {};
};

// How records spell the place of a folder: absolute, links followed.
std::string recorded_path(const std::filesystem::path& folder);

struct Report {
  records::ModelIdentity model;
  int threads = 0;
  std::vector<Row>
      rows;  // device by precision by phase by tokens by batch, in that order; those that were not reached are untested
  bool interrupted = false;
};

// Loads the folder afresh for every row. Where a device, a precision, an operation or the memory for a row is missing,
// the row says so. Errors as Model::open's; Error{invalid_input} naming an option that is out of range or longer than
// the model takes; of text-generation also `texts` and `search`. When it is cancelled, what was measured is returned.
Report bench(const Options& options);

}  // namespace accelerate::bench
