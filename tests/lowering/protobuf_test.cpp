// The wire format's own examples (protobuf.dev, "Encoding").
#include "lowering/protobuf.hpp"

#include <gtest/gtest.h>

#include <array>

namespace accelerate::lowering {
namespace {

using namespace std::string_literals;

TEST(Message, WritesNumbersInGroupsOfSevenBits) {
  EXPECT_EQ(Message().number(1, 150).bytes(), "\x08\x96\x01"s);
  EXPECT_EQ(Message().number(1, 0).bytes(), "\x08\x00"s);
}

TEST(Message, WritesNegativeNumbersInTenBytes) {
  EXPECT_EQ(Message().number(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
}

TEST(Message, WritesTextsAndMessagesWithTheirLength) {
  EXPECT_EQ(Message().text(2, "testing").bytes(), "\x12\x07testing"s);
  EXPECT_EQ(Message().message(3, Message().number(1, 150)).bytes(), "\x1a\x03\x08\x96\x01"s);
}

TEST(Message, PacksRepeatedNumbers) {
  EXPECT_EQ(Message().numbers(6, std::array<std::int64_t, 3>{3, 270, 86942}).bytes(),
            "\x32\x06\x03\x8e\x02\x9e\xa7\x05"s);
}

TEST(Message, WritesFloatsLittleEndian) { EXPECT_EQ(Message().real(2, 1.0F).bytes(), "\x15\x00\x00\x80\x3f"s); }

TEST(Message, WritesFieldNumbersAboveFifteenInTwoBytes) { EXPECT_EQ(Message().number(20, 1).bytes(), "\xa0\x01\x01"s); }

}  // namespace
}  // namespace accelerate::lowering
