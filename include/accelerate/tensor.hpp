// Dense, row-major tensors: the values that go into a model and come out of it.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/error.hpp"
#include "accelerate/export.hpp"

namespace accelerate {

enum class DType : std::uint8_t { f64, f32, f16, bf16, i64, i32, i16, i8, u64, u32, u16, u8, boolean };

// "f32", "i64", ...
ACCELERATE_API std::string_view name_of(DType dtype);
// Bytes of one element.
ACCELERATE_API std::size_t size_of(DType dtype);

template <typename T>
constexpr DType dtype_of();
template <>
constexpr DType dtype_of<double>() {
  return DType::f64;
}
template <>
constexpr DType dtype_of<float>() {
  return DType::f32;
}
template <>
constexpr DType dtype_of<std::int64_t>() {
  return DType::i64;
}
template <>
constexpr DType dtype_of<std::int32_t>() {
  return DType::i32;
}
template <>
constexpr DType dtype_of<std::int8_t>() {
  return DType::i8;
}
template <>
constexpr DType dtype_of<std::uint8_t>() {
  return DType::u8;
}
template <>
constexpr DType dtype_of<bool>() {
  return DType::boolean;
}

using Dims = std::vector<std::int64_t>;

// Product of the dimensions; Error{invalid_input} on a negative one or on overflow.
ACCELERATE_API std::int64_t element_count(std::span<const std::int64_t> dims);
// "[2, 128, 384]"
ACCELERATE_API std::string to_string(std::span<const std::int64_t> dims);

// Memory that a tensor lies in, on whichever device owns it.
class ACCELERATE_API Buffer {
 public:
  virtual ~Buffer() = default;
  // Null where the host cannot address it.
  virtual std::byte* host_data() = 0;
  virtual std::size_t size() const = 0;
  virtual std::string_view device() const = 0;  // "cpu", "cuda:0", ...
};

// Copies share the buffer. A default-constructed tensor is empty: no dimensions, no data.
class ACCELERATE_API Tensor {
 public:
  Tensor() = default;
  // Zeroed host memory, aligned to 64 bytes and counted (core/memory.hpp).
  Tensor(DType dtype, Dims dims);
  // Values copied in; Error{invalid_input} unless values.size() equals the product of dims.
  template <typename T>
  static Tensor of(Dims dims, std::span<const T> values);
  template <typename T>
  static Tensor of(Dims dims, const std::vector<T>& values) {
    return of(std::move(dims), std::span<const T>(values));
  }
  // A view of bytes that `keep_alive` owns; never written through.
  static Tensor view(DType dtype, Dims dims, std::span<const std::byte> bytes, std::shared_ptr<const void> keep_alive);

  bool empty() const { return data_ == nullptr; }
  DType dtype() const { return dtype_; }
  const Dims& dims() const { return dims_; }
  std::int64_t dim(std::size_t axis) const { return dims_.at(axis); }
  std::size_t rank() const { return dims_.size(); }
  std::int64_t elements() const { return elements_; }
  std::string_view device() const { return "cpu"; }

  std::span<const std::byte> bytes() const { return {data_, byte_count()}; }
  std::span<std::byte> bytes() { return {data_, byte_count()}; }
  // Error{internal} when T is not the tensor's dtype.
  template <typename T>
  std::span<const T> as() const;
  template <typename T>
  std::span<T> as();

  // Same buffer, other dimensions; Error{invalid_input} when the element counts differ.
  Tensor reshaped(Dims dims) const;
  // Values converted to another dtype. Floats round to nearest even; floats become integers by dropping the fraction,
  // those out of range the nearest, NaN 0; integers too wide lose their upper bits; what is not zero is true.
  Tensor to(DType dtype) const;

 private:
  std::size_t byte_count() const { return static_cast<std::size_t>(elements_) * size_of(dtype_); }
  void require(DType wanted) const;

  DType dtype_ = DType::f32;
  Dims dims_;
  std::int64_t elements_ = 0;
  std::byte* data_ = nullptr;
  std::shared_ptr<const void> owner_;
};

template <typename T>
Tensor Tensor::of(Dims dims, std::span<const T> values) {
  if (element_count(dims) != static_cast<std::int64_t>(values.size())) {
    throw Error(ErrorKind::invalid_input,
                std::to_string(values.size()) + " values given for a tensor of shape " + to_string(dims));
  }
  Tensor tensor(dtype_of<T>(), std::move(dims));
  std::copy(values.begin(), values.end(), tensor.as<T>().begin());
  return tensor;
}

template <typename T>
std::span<const T> Tensor::as() const {
  require(dtype_of<T>());
  return {reinterpret_cast<const T*>(data_), static_cast<std::size_t>(elements_)};
}

template <typename T>
std::span<T> Tensor::as() {
  require(dtype_of<T>());
  return {reinterpret_cast<T*>(data_), static_cast<std::size_t>(elements_)};
}

}  // namespace accelerate
