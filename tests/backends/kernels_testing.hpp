// What the kernel tests share: memory that ends at a forbidden page, random values, and comparison with a bound for
// each element that names the worst one.
#pragma once

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <functional>
#include <random>
#include <span>
#include <sstream>
#include <stdexcept>
#include <string>
#include <vector>

#include "backends/cpu/kernels.hpp"
#include "checkpoint/temporary_folder.hpp"

namespace accelerate::cpu::testing {

constexpr double kEpsilon = 0x1p-24;  // half a unit in the last place of 1.0F
constexpr Activation kLastActivation = Activation::laplace;
constexpr float kUntouched = -12345.0F;

// Values whose last byte is the last before a page that may not be read: a vector that reaches too far crashes.
template <typename T>
class Guarded {
 public:
  explicit Guarded(std::size_t count, T value = {}) : count_(count) {
    const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
    const std::size_t used = (count * sizeof(T) + page - 1) / page * page + page;
    mapped_ = used + page;
    base_ = static_cast<std::byte*>(mmap(nullptr, mapped_, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    if (base_ == MAP_FAILED || mprotect(base_ + used, page, PROT_NONE) != 0) throw std::runtime_error("mmap");
    data_ = reinterpret_cast<T*>(base_ + used) - count;
    for (T& element : *this) element = value;
  }
  Guarded(const Guarded& other) : Guarded(other.count_) { std::copy(other.begin(), other.end(), data_); }
  Guarded& operator=(const Guarded&) = delete;
  ~Guarded() { munmap(base_, mapped_); }
  T* data() { return data_; }
  const T* data() const { return data_; }
  std::size_t size() const { return count_; }
  T* begin() { return data_; }
  T* end() { return data_ + count_; }
  const T* begin() const { return data_; }
  const T* end() const { return data_ + count_; }
  T& operator[](std::int64_t i) { return data_[i]; }
  const T& operator[](std::int64_t i) const { return data_[i]; }

 private:
  std::size_t count_, mapped_;
  std::byte* base_;
  T* data_;
};

// A matrix whose rows lie `stride` apart, ending with the last row's last element.
struct Matrix {
  Matrix(std::int64_t row_count, std::int64_t column_count, std::int64_t gap = 0, float value = kUntouched)
      : rows(row_count),
        width(column_count),
        stride(column_count + gap),
        values(static_cast<std::size_t>(row_count == 0 ? 0 : (row_count - 1) * stride + width), value) {}
  static Matrix random(std::int64_t rows, std::int64_t width, unsigned seed, std::int64_t gap = 0, float scale = 1.0F) {
    Matrix m(rows, width, gap);
    std::mt19937 generator(seed);
    std::normal_distribution<float> normal(0.0F, scale);
    for (float& value : m.values) value = normal(generator);
    return m;
  }
  float at(std::int64_t r, std::int64_t c) const { return values[r * stride + c]; }
  float& at(std::int64_t r, std::int64_t c) { return values[r * stride + c]; }
  operator Rows() { return {values.data(), stride}; }
  operator ConstRows() const { return {values.data(), stride}; }
  std::int64_t rows, width, stride;
  Guarded<float> values;
};

struct Expected {
  double value, bound;
};

// Every element within its bound, and nothing written between the rows.
inline ::testing::AssertionResult agrees(const Matrix& got,
                                         const std::function<Expected(std::int64_t, std::int64_t)>& expected) {
  double worst = 0;
  std::ostringstream place;
  for (std::int64_t r = 0; r < got.rows; ++r) {
    for (std::int64_t c = 0; c < got.width; ++c) {
      const Expected want = expected(r, c);
      const double off = std::abs(static_cast<double>(got.at(r, c)) - want.value);
      const double share = std::isnan(off) ? HUGE_VAL : off / (want.bound + 1e-300);
      if (share <= worst) continue;
      worst = share;
      place.str({});
      place << "[" << r << ", " << c << "] of [" << got.rows << ", " << got.width << "]: found " << got.at(r, c)
            << ", expected " << want.value << " within " << want.bound;
    }
    for (std::int64_t c = got.width; c < got.stride && r + 1 < got.rows; ++c) {
      if (got.values[r * got.stride + c] != kUntouched) {
        return ::testing::AssertionFailure() << "row " << r << " was written past its end, at column " << c;
      }
    }
  }
  if (worst <= 1) return ::testing::AssertionSuccess();
  return ::testing::AssertionFailure() << "worst element is " << worst << " times its bound, at " << place.str();
}

inline double reference_activation(Activation kind, double x) {
  switch (kind) {
    case Activation::none: return x;
    case Activation::relu: return x > 0 ? x : 0;
    case Activation::gelu_erf: return 0.5 * x * std::erfc(-x / std::sqrt(2.0));
    case Activation::gelu_tanh: return 0.5 * x * (1 + std::tanh(std::sqrt(2 / M_PI) * (x + 0.044715 * x * x * x)));
    case Activation::quick_gelu: return x / (1 + std::exp(-1.702 * x));
    case Activation::silu: return x / (1 + std::exp(-x));
    case Activation::tanh: return std::tanh(x);
    case Activation::sigmoid: return 1 / (1 + std::exp(-x));
    case Activation::relu_squared: return x > 0 ? x * x : 0;
    case Activation::relu6: return std::clamp(x, 0.0, 6.0);
    case Activation::leaky_relu: return x > 0 ? x : 0.01 * x;
    case Activation::gelu_10: return std::min(10.0, 0.5 * x * std::erfc(-x / std::sqrt(2.0)));
    case Activation::hard_swish: return x * std::clamp(x + 3, 0.0, 6.0) / 6;
    case Activation::mish: return x * std::tanh(x > 20 ? x : std::log1p(std::exp(x)));
    case Activation::laplace: return 0.5 * std::erfc((0.707107 - x) / (0.282095 * std::sqrt(2.0)));
  }
  return 0;
}

// Absolute error of the activation itself at x: 2e-7 for the fitted part, a few roundings of the result and of x.
inline double activation_bound(Activation kind, double x) {
  if (kind == Activation::none || kind == Activation::relu) return 0;
  return 3e-7 + 6 * kEpsilon * (std::abs(reference_activation(kind, x)) + std::abs(x));
}

// All that this machine has; under sanitizers, which take ten times as long, the lowest and the highest stand for them.
inline std::vector<Level> tested_levels() {
  std::vector<Level> levels = supported_levels();
  if (kSanitized && levels.size() > 2) levels = {levels.front(), levels.back()};
  return levels;
}

// The name of the level in each failure.
class EveryLevel : public ::testing::TestWithParam<Level> {
 protected:
  const Kernels& kernels() const { return accelerate::cpu::kernels(GetParam()); }
};

inline std::string level_name(const ::testing::TestParamInfo<Level>& info) { return std::string(name_of(info.param)); }

}  // namespace accelerate::cpu::testing
