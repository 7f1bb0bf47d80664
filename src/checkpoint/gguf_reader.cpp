#include "checkpoint/gguf_reader.hpp"

#include <array>
#include <limits>

namespace accelerate {
namespace {

constexpr int kDeepest = 4;
constexpr std::string_view kValue = "a metadata value";

// Bytes of a value of fixed size; 0 for strings and arrays.
std::size_t fixed_size(GgufKind kind) {
  constexpr std::size_t kSizes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};
  return kSizes[static_cast<std::size_t>(kind)];
}

GgufKind kind_of(GgufReader& reader, std::uint32_t number, const std::string& field) {
  if (number > static_cast<std::uint32_t>(GgufKind::f64)) {
    reader.fail(field + " has values of kind " + std::to_string(number) + ", expected 0 to 12");
  }
  return static_cast<GgufKind>(number);
}

void skip(GgufReader& reader, GgufKind kind, const std::string& field, int depth);

void skip_array(GgufReader& reader, const std::string& field, int depth) {
  if (depth == kDeepest) reader.fail(field + " has lists in lists, more than " + std::to_string(kDeepest) + " deep");
  const GgufKind kind = kind_of(reader, reader.number<std::uint32_t>(field), field);
  const auto count = reader.number<std::uint64_t>(field);
  const std::size_t size = fixed_size(kind);
  // The shortest string is its length, the shortest list its kind and length.
  const std::size_t least = size != 0 ? size : kind == GgufKind::string ? 8 : 12;
  if (count > reader.remaining() / least) {
    reader.fail(field + " is a list of " + std::to_string(count) + " values, but only " +
                std::to_string(reader.remaining()) + " bytes follow");
  }
  if (size != 0 && kind != GgufKind::boolean) {
    reader.take(count * size, field);
    return;
  }
  for (std::uint64_t i = 0; i < count; ++i) skip(reader, kind, field, depth + 1);
}

void skip(GgufReader& reader, GgufKind kind, const std::string& field, int depth) {
  switch (kind) {
    case GgufKind::string: reader.string(field); return;
    case GgufKind::array: return skip_array(reader, field, depth);
    case GgufKind::boolean:
      if (const auto value = reader.number<std::uint8_t>(field); value > 1) {
        reader.fail(field + " has the truth value " + std::to_string(value) + ", expected 0 or 1");
      }
      return;
    default: reader.take(fixed_size(kind), field);
  }
}

Json read_array(GgufReader& reader) {
  const auto kind = reader.number<std::uint32_t>(kValue);
  const auto count = reader.number<std::uint64_t>(kValue);
  Json::Array items;
  items.reserve(static_cast<std::size_t>(count));
  for (std::uint64_t i = 0; i < count; ++i) items.push_back(read_value(reader, kind));
  return items;
}

template <typename T>
Json integer(GgufReader& reader) {
  return static_cast<std::int64_t>(reader.number<T>(kValue));
}

Json unsigned_integer(GgufReader& reader) {
  const auto value = reader.number<std::uint64_t>(kValue);
  if (value > static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) return static_cast<double>(value);
  return static_cast<std::int64_t>(value);
}

}  // namespace

std::span<const std::byte> GgufReader::take(std::uint64_t count, std::string_view what) {
  if (count > remaining()) {
    fail(std::string(what) + " takes " + std::to_string(count) + " bytes at byte " + std::to_string(position_) +
         ", but only " + std::to_string(remaining()) + " follow: the file is truncated");
  }
  const auto taken = bytes_.subspan(position_, static_cast<std::size_t>(count));
  position_ += taken.size();
  return taken;
}

std::string_view GgufReader::string(std::string_view what) {
  const auto length = number<std::uint64_t>(what);
  const std::span<const std::byte> text = take(length, what);
  return {reinterpret_cast<const char*>(text.data()), text.size()};
}

void skip_value(GgufReader& reader, std::uint32_t kind, std::string_view key) {
  const std::string field = "field \"" + std::string(key) + "\"";
  skip(reader, kind_of(reader, kind, field), field, 0);
}

Json read_value(GgufReader& reader, std::uint32_t kind) {
  switch (static_cast<GgufKind>(kind)) {
    case GgufKind::u8: return integer<std::uint8_t>(reader);
    case GgufKind::i8: return integer<std::int8_t>(reader);
    case GgufKind::u16: return integer<std::uint16_t>(reader);
    case GgufKind::i16: return integer<std::int16_t>(reader);
    case GgufKind::u32: return integer<std::uint32_t>(reader);
    case GgufKind::i32: return integer<std::int32_t>(reader);
    case GgufKind::i64: return integer<std::int64_t>(reader);
    case GgufKind::u64: return unsigned_integer(reader);
    case GgufKind::f32: return static_cast<double>(reader.number<float>(kValue));
    case GgufKind::f64: return reader.number<double>(kValue);
    case GgufKind::boolean: return reader.number<std::uint8_t>(kValue) != 0;
    case GgufKind::string: return reader.string(kValue);
    case GgufKind::array: return read_array(reader);
  }
  reader.fail("a metadata value of unknown kind", ErrorKind::internal);
}

}  // namespace accelerate
