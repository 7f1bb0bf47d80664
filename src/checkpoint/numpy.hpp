// NumPy's .npy files (format 1.0, C order): rows appended as they are computed, and read back.
//
// Format: https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "accelerate/tensor.hpp"
#include "core/file.hpp"

namespace accelerate {

// Writes an array of shape [rows, ...row_dims] whose number of rows is known only at the end. Nothing is left behind
// unless commit() is reached.
class NpyWriter {
 public:
  // dtype f32 or i64, else Error{unsupported}. Error{invalid_input} when the target cannot be written.
  NpyWriter(std::filesystem::path path, DType dtype, Dims row_dims);
  // [n, ...row_dims] or one row of row_dims; converted when of another type. Error{invalid_input} on another shape.
  void append(const Tensor& rows);
  std::int64_t rows() const { return rows_; }
  void commit();

 private:
  std::string header() const;

  AtomicFile file_;
  DType dtype_;
  Dims row_dims_;
  std::int64_t rows_ = 0;
  std::string pending_;  // data held back where the target cannot be rewritten (a pipe)
};

// f32, f64, f16, integers and booleans, little-endian, C order. Error{corrupted}, Error{unsupported} for others.
Tensor read_npy(const std::filesystem::path& path);

}  // namespace accelerate
