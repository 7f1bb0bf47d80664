// Files that results of `run` are written to while they come.
#pragma once

#include <memory>
#include <string>

#include "cli/run_task.hpp"

namespace accelerate::cli {

// Nothing is left behind unless commit() is reached.
class ResultFile {
 public:
  virtual ~ResultFile() = default;
  virtual void append(const TaskResults& results) = 0;
  virtual void commit() = 0;
};

// By the ending of `path`: .json (an array of rows), .jsonl, .csv; for vectors also .npy and .safetensors.
// Throws UsageError for another ending, or one that cannot hold what the task gives; Error{invalid_input} when the file
// cannot be written.
std::unique_ptr<ResultFile> create_result_file(const std::string& path, const std::string& task);

// `row` with its vector as "embedding", where there are vectors.
Json row_with_vector(const TaskResults& results, std::size_t row);

}  // namespace accelerate::cli
