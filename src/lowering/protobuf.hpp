// Protocol Buffers' wire format, as far as writing messages needs it.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace accelerate::lowering {

// The fields of one message, in the order in which they are added.
class Message {
 public:
  Message& number(int field, std::int64_t value);                     // int32, int64, enum
  Message& real(int field, float value);                              // float
  Message& text(int field, std::string_view value);                   // string, bytes
  Message& numbers(int field, std::span<const std::int64_t> values);  // repeated int64, packed
  Message& message(int field, const Message& value) { return text(field, value.bytes_); }

  const std::string& bytes() const { return bytes_; }

 private:
  void varint(std::uint64_t value);
  void tag(int field, unsigned wire_type);

  std::string bytes_;
};

}  // namespace accelerate::lowering
