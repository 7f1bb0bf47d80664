// Bytes of a GGUF file read one after the other, and its metadata values.
#pragma once

#include <algorithm>
#include <array>
#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "accelerate/error.hpp"
#include "core/json.hpp"

namespace accelerate {

// `what` is named in errors: "the key of field 3".
class GgufReader {
 public:
  GgufReader(std::span<const std::byte> bytes, std::string_view where) : bytes_(bytes), where_(where) {}

  std::size_t position() const { return position_; }
  std::size_t remaining() const { return bytes_.size() - position_; }
  std::span<const std::byte> since(std::size_t begin) const { return bytes_.subspan(begin, position_ - begin); }

  // Error{corrupted} with the place unless so many bytes follow.
  std::span<const std::byte> take(std::uint64_t count, std::string_view what);
  template <typename T>
  T number(std::string_view what);
  // A length of 64 bits, and so many bytes.
  std::string_view string(std::string_view what);

  [[noreturn]] void fail(const std::string& message, ErrorKind kind = ErrorKind::corrupted) const {
    throw Error(kind, message, std::string(where_));
  }

 private:
  std::span<const std::byte> bytes_;
  std::string_view where_;
  std::size_t position_ = 0;
};

template <typename T>
T GgufReader::number(std::string_view what) {
  T value;
  std::array<std::byte, sizeof(T)> raw;
  std::ranges::copy(take(sizeof(T), what), raw.begin());
  if constexpr (std::endian::native == std::endian::big) std::ranges::reverse(raw);
  std::memcpy(&value, raw.data(), sizeof value);
  return value;
}

// Kinds of metadata values, by the numbers of the format.
enum class GgufKind : std::uint32_t { u8, i8, u16, i16, u32, i32, f32, boolean, string, array, u64, i64, f64 };

// Goes past a value and checks it. Error{corrupted} naming the field `key`: an unknown kind, a length or count beyond
// the file, a boolean that is neither 0 nor 1, lists nested deeper than 4.
void skip_value(GgufReader& reader, std::uint32_t kind, std::string_view key);
// A value that skip_value() has passed. Integers beyond 63 bits become doubles.
Json read_value(GgufReader& reader, std::uint32_t kind);

}  // namespace accelerate
