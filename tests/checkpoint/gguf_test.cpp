#include "checkpoint/gguf.hpp"

#include <gtest/gtest.h>

#include "checkpoint/gguf_bytes.hpp"
#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

std::span<const std::byte> span_of(const std::string& bytes) { return std::as_bytes(std::span(bytes)); }

GgufFile parse(const std::string& bytes) { return GgufFile::parse(span_of(bytes), "model.gguf"); }

Error error_of_parsing(const std::string& bytes) {
  return error_of([&] { parse(bytes); });
}

void expect_lie(const GgufBytes& file, const std::vector<std::string>& parts, ErrorKind kind = ErrorKind::corrupted) {
  const Error error = error_of_parsing(file.bytes());
  EXPECT_EQ(error.kind(), kind) << error.what();
  EXPECT_EQ(error.where(), "model.gguf");
  for (const std::string& part : parts) EXPECT_TRUE(contains(error.message(), part)) << part << ": " << error.what();
}

TEST(Gguf, MetadataOfEveryKindIsRead) {
  const std::string list = little_endian(8U) + little_endian(std::uint64_t{2}) + gguf_string("a") + gguf_string("b c");
  const std::string bytes = GgufBytes{
      .fields = {GgufBytes::text("general.architecture", "llama"), GgufBytes::field("a.u8", 0, "\xff"),
                 GgufBytes::field("a.i8", 1, "\xff"), GgufBytes::field("a.i16", 3, "\xfe\xff"),
                 GgufBytes::number("a.u32", 4000000000U), GgufBytes::field("a.f32", 6, std::string("\0\0\x80\x3f", 4)),
                 GgufBytes::field("a.yes", 7, "\x01"), GgufBytes::field("a.u64", 10, std::string(8, '\xff')),
                 GgufBytes::field(
                     "a.list", 9,
                     list)}}.bytes();
  const GgufFile file = parse(bytes);
  EXPECT_EQ(file.version(), 3U);
  EXPECT_EQ(file.section("general").require<std::string>("architecture"), "llama");
  const Config section = file.section("a");
  EXPECT_EQ(section.size("u8"), 255);
  EXPECT_EQ(section.require<std::int64_t>("i8"), -1);
  EXPECT_EQ(section.require<std::int64_t>("i16"), -2);
  EXPECT_EQ(section.require<std::int64_t>("u32"), 4000000000);
  EXPECT_EQ(section.require<double>("f32"), 1.0);
  EXPECT_TRUE(section.require<bool>("yes"));
  EXPECT_EQ(section.require<double>("u64"), 0x1p64);
  EXPECT_EQ(section.require<std::vector<std::string>>("list"), (std::vector<std::string>{"a", "b c"}));
  EXPECT_EQ(error_of([&] { section.require<std::string>("u8"); }).where(), "model.gguf: a.u8");
}

TEST(Gguf, TensorsLieWhereTheFileSays) {
  std::string bytes = GgufBytes{.version = 2,
                                .fields = {GgufBytes::number("general.alignment", 8)},
                                .tensors = {{"w", {3, 2}, 0, 0}, {"k", {256}, 12, 24}, {"e", {0}, 0, 0}},
                                .data = 24 + 144,
                                .alignment = 8}
                          .bytes();
  bytes[bytes.size() - 144 - 2] = '\x80';
  bytes[bytes.size() - 144 - 1] = '\x3f';
  const GgufFile file = parse(bytes);
  ASSERT_EQ(file.tensors().size(), 3U);
  const StoredTensor& weight = *file.find("w");
  EXPECT_EQ(weight.dims, (Dims{2, 3}));
  EXPECT_EQ(weight.tensor().as<float>()[5], 1.0F);
  EXPECT_EQ(file.find("e")->tensor().elements(), 0);
  EXPECT_EQ(file.find("x"), nullptr);
  EXPECT_EQ(file.find("k")->bytes.size(), 144U);
}

TEST(Gguf, ATensorOfATypeThatIsNotReadIsNamedWhenItIsWanted) {
  const std::string bytes = GgufBytes{.tensors = {{"blk.0.ffn_up.weight", {256}, 12, 0}}, .data = 144}.bytes();
  const GgufFile file = parse(bytes);
  const Error error = error_of([&] { file.tensors().at(0).tensor(); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.what(), "tensor \"blk.0.ffn_up.weight\"")) << error.what();
  EXPECT_TRUE(contains(error.message(), "type Q4_K")) << error.what();
  EXPECT_TRUE(contains(error.hint(), "Q4_1")) << error.what();
}

TEST(Gguf, EveryTruncationIsAnError) {
  const std::string bytes = GgufBytes{.fields = {GgufBytes::text("general.name", "x"), GgufBytes::number("a.b", 1)},
                                      .tensors = {{"w", {3, 2}, 0, 0}},
                                      .data = 24}
                                .bytes();
  parse(bytes);
  for (std::size_t length = 0; length < bytes.size(); ++length) {
    EXPECT_EQ(error_of_parsing(bytes.substr(0, length)).kind(), ErrorKind::corrupted) << length;
  }
}

TEST(Gguf, OtherVersionsAndFilesAreRefused) {
  expect_lie({.magic = "GGML"}, {"no GGUF file"});
  expect_lie({.version = 1}, {"version 1, expected 2 or 3"}, ErrorKind::unsupported);
  expect_lie({.version = 4}, {"version 4"}, ErrorKind::unsupported);
  expect_lie({.version = 0x03000000}, {"big-endian"}, ErrorKind::unsupported);
}

TEST(Gguf, CountsAndLengthsBeyondTheFileAreNamed) {
  expect_lie({.more_fields = std::uint64_t{1} << 60}, {"metadata field 1", "truncated"});
  expect_lie({.more_tensors = std::uint64_t{1} << 60}, {"tensor 1", "truncated"});
  expect_lie({.fields = {little_endian(std::uint64_t{1} << 62) + "key"}}, {"4611686018427387904 bytes"});
  expect_lie({.fields = {GgufBytes::field("a.b", 8, little_endian(~std::uint64_t{0}))}}, {"field \"a.b\""});
  expect_lie({.fields = {GgufBytes::field("a.b", 9, little_endian(4U) + little_endian(std::uint64_t{1} << 61))}},
             {"field \"a.b\"", "2305843009213693952 values"});
  expect_lie({.fields = {GgufBytes::field("a.b", 13, "")}}, {"field \"a.b\"", "kind 13"});
  expect_lie({.fields = {GgufBytes::field("a.b", 7, "\x02")}}, {"field \"a.b\"", "truth value 2"});
  expect_lie({.fields = {GgufBytes::number("a.b", 1), GgufBytes::number("a.b", 1)}}, {"\"a.b\" is there twice"});
  std::string deep;
  for (int i = 0; i < 100; ++i) deep += little_endian(9U) + little_endian(std::uint64_t{1});
  expect_lie({.fields = {GgufBytes::field("a.b", 9, deep)}}, {"lists in lists"});
}

TEST(Gguf, TensorsThatCannotBeAreNamed) {
  const std::uint64_t huge = std::uint64_t{1} << 40;
  const auto lie = [](GgufBytes::Tensor tensor, const std::vector<std::string>& parts,
                      ErrorKind kind = ErrorKind::corrupted) {
    std::vector<std::string> all = parts;
    all.emplace_back("tensor \"w\"");
    tensor.name = "w";
    expect_lie({.tensors = {std::move(tensor)}, .data = 64}, all, kind);
  };
  lie({.dims = {1, 1, 1, 1, 1}}, {"5 dimensions, expected at most 4"});
  lie({.dims = {std::uint64_t{1} << 63}}, {"dimension 9223372036854775808"});
  lie({.dims = {huge, huge}}, {"fit into memory"});
  lie({.dims = {33}, .type = 2}, {"whole blocks of 32 values"});
  lie({.dims = {}, .type = 2}, {"whole blocks of 32 values"});
  lie({.dims = {17}}, {"68 bytes from 0 on", "64 bytes of data"});
  lie({.dims = {1}, .offset = 96}, {"4 bytes from 96 on"});
  lie({.dims = {1}, .offset = ~std::uint64_t{31}}, {"truncated"});
  lie({.dims = {1}, .offset = 4}, {"begins at 4, expected a multiple of 32"});
  lie({.dims = {1}, .type = 99}, {"type number 99"}, ErrorKind::unsupported);
  expect_lie({.tensors = {{"v", {9}, 0, 0}, {"w", {1}, 0, 32}}, .data = 64},
             {"tensor \"w\" begins before tensor \"v\" ends"});
  expect_lie({.tensors = {{"w", {1}, 0, 0}, {"w", {1}, 0, 32}}, .data = 64}, {"tensor \"w\" is there twice"});
  for (const std::uint32_t alignment : {0U, 24U, 1U << 31}) {
    expect_lie({.fields = {GgufBytes::number("general.alignment", alignment)}}, {"expected a power of two"});
  }
}

TEST(Gguf, WhatIsNoFileIsNotFound) {
  EXPECT_EQ(error_of([] { GgufFile::open("/nowhere.gguf"); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace accelerate
