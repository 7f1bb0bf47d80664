#include "accelerate/tensor.hpp"

#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <type_traits>
#include <utility>

#include "core/float16.hpp"
#include "core/memory.hpp"

namespace accelerate {
namespace {

struct DTypeRow {
  std::string_view name;
  std::size_t size;
};

// In the order of DType.
constexpr DTypeRow kDTypes[] = {{"f64", 8}, {"f32", 4}, {"f16", 2}, {"bf16", 2}, {"i64", 8}, {"i32", 4},    {"i16", 2},
                                {"i8", 1},  {"u64", 8}, {"u32", 4}, {"u16", 2},  {"u8", 1},  {"boolean", 1}};

struct Half {
  std::uint16_t bits;
  explicit operator double() const { return f16_to_f32(bits); }
};
struct Brain {
  std::uint16_t bits;
  explicit operator double() const { return bf16_to_f32(bits); }
};

// A file may hold any byte for a truth; whatever is not zero is true.
struct Truth {
  std::uint8_t bits;
  explicit operator double() const { return bits != 0 ? 1.0 : 0.0; }
};

template <typename Function>
void with_type(DType dtype, Function&& function) {
  switch (dtype) {
    case DType::f64: return function(double{});
    case DType::f32: return function(float{});
    case DType::f16: return function(Half{});
    case DType::bf16: return function(Brain{});
    case DType::i64: return function(std::int64_t{});
    case DType::i32: return function(std::int32_t{});
    case DType::i16: return function(std::int16_t{});
    case DType::i8: return function(std::int8_t{});
    case DType::u64: return function(std::uint64_t{});
    case DType::u32: return function(std::uint32_t{});
    case DType::u16: return function(std::uint16_t{});
    case DType::u8: return function(std::uint8_t{});
    case DType::boolean: return function(Truth{});
  }
}

// Rounded towards zero, the last bit set where anything was lost ("to odd"): rounding that to a half-width float gives
// what rounding the double at once would give.
float narrow_to_odd(double value) {
  const auto nearest = static_cast<float>(value);
  if (std::isnan(value) || static_cast<double>(nearest) == value) return nearest;
  auto bits = std::bit_cast<std::uint32_t>(nearest);
  if (std::abs(static_cast<double>(nearest)) > std::abs(value)) --bits;
  return std::bit_cast<float>(bits | 1U);
}

// Floats beyond an integer's range become its nearest value, NaN becomes 0.
template <typename To>
To to_integer(double value) {
  if (std::isnan(value)) return 0;
  // Both bounds are powers of two or zero, so that they are exact.
  constexpr double kBeyond = static_cast<double>(std::numeric_limits<To>::max() / 2 + 1) * 2.0;
  if (value >= kBeyond) return std::numeric_limits<To>::max();
  if (value <= static_cast<double>(std::numeric_limits<To>::min())) return std::numeric_limits<To>::min();
  return static_cast<To>(value);
}

template <typename From, typename To>
To convert(From value) {
  constexpr bool kFromInteger = std::is_integral_v<From>;
  if constexpr (std::is_same_v<To, Truth>) {
    return {static_cast<std::uint8_t>(static_cast<double>(value) != 0.0)};
  } else if constexpr (std::is_same_v<To, Half>) {
    return {f32_to_f16(narrow_to_odd(static_cast<double>(value)))};
  } else if constexpr (std::is_same_v<To, Brain>) {
    return {f32_to_bf16(narrow_to_odd(static_cast<double>(value)))};
  } else if constexpr (std::is_integral_v<To> && !kFromInteger) {
    return to_integer<To>(static_cast<double>(value));
  } else if constexpr (kFromInteger) {
    return static_cast<To>(value);
  } else {
    return static_cast<To>(static_cast<double>(value));
  }
}

}  // namespace

std::string_view name_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)].name; }

std::size_t size_of(DType dtype) { return kDTypes[static_cast<std::size_t>(dtype)].size; }

std::int64_t element_count(std::span<const std::int64_t> dims) {
  std::int64_t count = 1;
  for (const std::int64_t dim : dims) {
    if (dim < 0) throw Error(ErrorKind::invalid_input, "negative dimension in shape " + to_string(dims));
    if (dim == 0) count = 0;
  }
  for (const std::int64_t dim : dims) {
    if (__builtin_mul_overflow(count, dim, &count)) {
      throw Error(ErrorKind::invalid_input, "shape " + to_string(dims) + " has more elements than memory can hold");
    }
  }
  return count;
}

std::string to_string(std::span<const std::int64_t> dims) {
  std::string text = "[";
  for (std::size_t i = 0; i < dims.size(); ++i) text += (i > 0 ? ", " : "") + std::to_string(dims[i]);
  return text + "]";
}

Tensor::Tensor(DType dtype, Dims dims) : dtype_(dtype), dims_(std::move(dims)), elements_(element_count(dims_)) {
  std::int64_t bytes = 0;
  if (__builtin_mul_overflow(elements_, static_cast<std::int64_t>(size_of(dtype)), &bytes)) {
    throw Error(ErrorKind::out_of_memory, "a tensor of shape " + to_string(dims_) + " does not fit into memory");
  }
  // One byte at least, so that a tensor without elements still differs from an empty one.
  auto buffer = std::make_shared<HostBuffer>(std::max<std::size_t>(1, static_cast<std::size_t>(bytes)));
  data_ = buffer->data();
  owner_ = std::move(buffer);
}

Tensor Tensor::view(DType dtype, Dims dims, std::span<const std::byte> bytes, std::shared_ptr<const void> keep_alive) {
  Tensor tensor;
  tensor.dtype_ = dtype;
  tensor.dims_ = std::move(dims);
  tensor.elements_ = element_count(tensor.dims_);
  // Compared by division: the product may overflow.
  if (bytes.size() % size_of(dtype) != 0 ||
      bytes.size() / size_of(dtype) != static_cast<std::size_t>(tensor.elements_)) {
    throw Error(ErrorKind::invalid_input, std::to_string(bytes.size()) + " bytes given for a tensor of shape " +
                                              to_string(tensor.dims_) + " and type " + std::string(name_of(dtype)));
  }
  static std::byte nothing{};
  tensor.data_ = bytes.empty() ? &nothing : const_cast<std::byte*>(bytes.data());
  tensor.owner_ = std::move(keep_alive);
  return tensor;
}

Tensor Tensor::reshaped(Dims dims) const {
  if (element_count(dims) != elements_) {
    throw Error(ErrorKind::invalid_input, "cannot reshape " + to_string(dims_) + " to " + to_string(dims));
  }
  Tensor tensor = *this;
  tensor.dims_ = std::move(dims);
  return tensor;
}

Tensor Tensor::to(DType dtype) const {
  if (dtype == dtype_) return *this;
  Tensor result(dtype, dims_);
  with_type(dtype_, [&](auto from) {
    with_type(dtype, [&](auto to) {
      using From = decltype(from);
      using To = decltype(to);
      const std::byte* source = data_;
      std::byte* target = result.data_;
      for (std::int64_t i = 0; i < elements_; ++i, source += sizeof(From), target += sizeof(To)) {
        From value;
        std::memcpy(&value, source, sizeof value);  // views of files need not be aligned
        const To converted = convert<From, To>(value);
        std::memcpy(target, &converted, sizeof converted);
      }
    });
  });
  return result;
}

void Tensor::require(DType wanted) const {
  if (wanted != dtype_) {
    throw Error(ErrorKind::internal,
                "tensor of type " + std::string(name_of(dtype_)) + " read as " + std::string(name_of(wanted)));
  }
}

}  // namespace accelerate
