// Padded tensors become rows without padding and come back; what does not fit is named.
#include "runtime/packing.hpp"

#include <gtest/gtest.h>

#include "graph/builder.hpp"

namespace accelerate::runtime {
namespace {

// Words of 10 and positions of 4 entries; positions are filled by `rule`.
Graph small_graph(InputRule rule) {
  Weights weights;
  weights.add("words.weight", Tensor(DType::f32, {10, 2}));
  weights.add("types.weight", Tensor(DType::f32, {2, 2}));
  weights.add("positions.weight", Tensor(DType::f32, {4, 2}));
  Builder b("encode", weights);
  b.output("x", b.embedding({{"words", b.token_input("input_ids")},
                             {"types", b.token_input("token_type_ids", {InputRule::Fill::zeros})},
                             {"positions", b.token_input("position_ids", rule)}}));
  return b.finish();
}

Tensor matrix(std::int64_t rows, std::int64_t columns, const std::vector<std::int64_t>& values) {
  return Tensor::of({rows, columns}, values);
}

std::vector<std::int64_t> values(const Feeds& feeds, const char* name) {
  const auto span = feeds.tensors.at(name).as<std::int64_t>();
  return {span.begin(), span.end()};
}

Feeds feeds(const Graph& graph, const NamedTensors& inputs) { return feeds_of(graph, items_of(graph, inputs)); }

// The error that `call` ends in.
template <typename Call>
std::string error_of(Call&& call, ErrorKind kind = ErrorKind::invalid_input) {
  try {
    call();
  } catch (const Error& error) {
    EXPECT_EQ(error.kind(), kind);
    return error.what();
  }
  return "no error";
}

const Graph kColumns = small_graph({InputRule::Fill::columns});

TEST(Packing, RowsOfAnyMaskPattern) {
  const Feeds packed = feeds(kColumns, {{"input_ids", matrix(3, 4, {1, 2, 0, 0, 0, 0, 3, 4, 5, 0, 6, 0})},
                                        {"attention_mask", matrix(3, 4, {1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 1, 0})}});
  EXPECT_EQ(values(packed, "input_ids"), (std::vector<std::int64_t>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(packed.extents.lengths("tokens"), (std::vector<std::int64_t>{2, 2, 2}));
  EXPECT_EQ(values(packed, "token_type_ids"), (std::vector<std::int64_t>{0, 0, 0, 0, 0, 0}));
  // BERT counts padded columns too.
  EXPECT_EQ(values(packed, "position_ids"), (std::vector<std::int64_t>{0, 1, 2, 3, 0, 2}));
}

// Decoders count the tokens themselves, wherever the padding is; OPT's table begins with rows of no position.
TEST(Packing, PositionsOfTokensAlone) {
  const NamedTensors inputs{{"input_ids", matrix(2, 3, {0, 1, 2, 3, 0, 4})},
                            {"attention_mask", matrix(2, 3, {0, 1, 1, 1, 0, 1})}};
  const Graph rows = small_graph({.fill = InputRule::Fill::rows});
  EXPECT_EQ(values(feeds(rows, inputs), "position_ids"), (std::vector<std::int64_t>{0, 1, 0, 1}));
  const Graph offset = small_graph({.fill = InputRule::Fill::rows, .offset = 2});
  EXPECT_EQ(values(feeds(offset, inputs), "position_ids"), (std::vector<std::int64_t>{2, 3, 2, 3}));
  EXPECT_EQ(largest_index(offset, "position_ids"), 1);
  NamedTensors given = inputs;
  given["position_ids"] = matrix(2, 3, {0, 0, 1, 1, 0, 0});
  EXPECT_EQ(values(feeds(offset, given), "position_ids"), (std::vector<std::int64_t>{2, 3, 3, 2}));
  given["position_ids"] = matrix(2, 3, {0, 0, 2, 0, 0, 1});
  EXPECT_NE(error_of([&] { feeds(offset, given); }).find("is 2, expected 0 to 1"), std::string::npos);
}

TEST(Packing, AllColumnsWithoutAMask) {
  const Feeds packed = feeds(kColumns, {{"input_ids", matrix(1, 3, {7, 8, 9})}});
  EXPECT_EQ(values(packed, "input_ids"), (std::vector<std::int64_t>{7, 8, 9}));
}

TEST(Packing, RobertaCountsTokensThatAreNoPadding) {
  const Graph graph = small_graph({InputRule::Fill::columns_after_padding, 1});
  const Feeds packed = feeds(
      graph, {{"input_ids", matrix(2, 3, {1, 5, 6, 5, 1, 6})}, {"attention_mask", matrix(2, 3, {0, 1, 1, 1, 1, 1})}});
  EXPECT_EQ(values(packed, "position_ids"), (std::vector<std::int64_t>{2, 3, 2, 1, 3}));
}

TEST(Packing, TakesWhatIsGivenAlsoAsI32) {
  const Feeds packed = feeds(kColumns, {{"input_ids", matrix(1, 2, {1, 2}).to(DType::i32)},
                                        {"token_type_ids", matrix(1, 2, {0, 1}).to(DType::i32)},
                                        {"position_ids", matrix(1, 2, {3, 1})}});
  EXPECT_EQ(values(packed, "token_type_ids"), (std::vector<std::int64_t>{0, 1}));
  EXPECT_EQ(values(packed, "position_ids"), (std::vector<std::int64_t>{3, 1}));
}

TEST(Packing, TakesAMaskOfTruths) {
  const Feeds packed = feeds(kColumns, {{"input_ids", matrix(1, 3, {7, 8, 9})},
                                        {"attention_mask", matrix(1, 3, {0, 1, 1}).to(DType::boolean)}});
  EXPECT_EQ(values(packed, "input_ids"), (std::vector<std::int64_t>{8, 9}));
}

TEST(Packing, LargestIndexIsTheSmallestTables) {
  EXPECT_EQ(largest_index(kColumns, "input_ids"), 9);
  EXPECT_EQ(largest_index(kColumns, "position_ids"), 3);
  EXPECT_EQ(largest_index(kColumns, "other"), -1);
}

TEST(Packing, AnIdOutsideItsTableIsNamedWithItsPlace) {
  const std::string what = error_of([] { feeds(kColumns, {{"input_ids", matrix(2, 2, {1, 2, 3, 10})}}); });
  EXPECT_EQ(what, "input_ids: row 1, column 1 is 10, expected 0 to 9");
  EXPECT_NE(error_of([] {
              feeds(kColumns, {{"input_ids", matrix(1, 1, {-1})}});
            }).find("is -1, expected 0 to 9"),
            std::string::npos);
}

TEST(Packing, TooLongForThePositions) {
  const std::string what = error_of([] { feeds(kColumns, {{"input_ids", matrix(1, 5, {1, 1, 1, 1, 1})}}); });
  EXPECT_EQ(what, "position_ids: row 0, column 4 is 4, expected 0 to 3\n  hint: the model takes no longer input");
}

TEST(Packing, ARowWithoutTokensIsNamed) {
  const std::string what = error_of([] {
    feeds(kColumns, {{"input_ids", matrix(2, 2, {1, 2, 3, 4})}, {"attention_mask", matrix(2, 2, {1, 1, 0, 0})}});
  });
  EXPECT_EQ(what, "attention_mask: row 1 has no 1: nothing to run");
}

TEST(Packing, WhatDoesNotFitIsNamed) {
  const Tensor ids = matrix(1, 2, {1, 2});
  const auto what = [&](NamedTensors inputs) { return error_of([&] { feeds(kColumns, inputs); }); };
  EXPECT_EQ(what({}), "input_ids: is missing");
  EXPECT_EQ(what({{"input_ids", matrix(1, 2, {1, 2}).reshaped({2})}}),
            "input_ids: has shape [2], expected [batch, tokens]");
  EXPECT_EQ(what({{"input_ids", Tensor(DType::i64, {0, 3})}}), "input_ids: has shape [0, 3]: nothing to run");
  EXPECT_EQ(what({{"input_ids", Tensor(DType::f32, {1, 2})}}), "input_ids: has type f32, expected i64 or i32");
  EXPECT_EQ(what({{"input_ids", ids}, {"attention_mask", matrix(2, 1, {1, 1})}}),
            "attention_mask: has shape [2, 1], expected [1, 2]");
  EXPECT_EQ(what({{"input_ids", ids}, {"attention_mask", matrix(1, 2, {1, 2})}}),
            "attention_mask: row 0, column 1 is 2, expected 0 or 1");
  EXPECT_NE(what({{"input_ids", ids}, {"pixel_values", ids}}).find("pixel_values: is no input of this model"),
            std::string::npos);
}

TEST(Packing, TokenTypesOfAModelThatHasNone) {
  Weights weights;
  weights.add("words.weight", Tensor(DType::f32, {10, 2}));
  Builder b("encode", weights);
  b.output("x", b.embedding({{"words", b.token_input("input_ids")}}));
  const Graph graph = b.finish();
  const Tensor ids = matrix(1, 2, {1, 2});
  EXPECT_EQ(values(feeds(graph, {{"input_ids", ids}, {"token_type_ids", matrix(1, 2, {0, 0})}}), "input_ids"),
            (std::vector<std::int64_t>{1, 2}));
  EXPECT_EQ(error_of([&] {
              feeds(graph, {{"input_ids", ids}, {"token_type_ids", matrix(1, 2, {0, 1})}});
            }),
            "token_type_ids: is given, but this model takes none");
}

// Words without a table of positions, and attention that sees `window` rows.
Graph attention_graph(std::int64_t window) {
  Weights weights;
  weights.add("words.weight", Tensor(DType::f32, {10, 2}));
  Builder b("encode", weights);
  const Value x = b.embedding({{"words", b.token_input("input_ids")}});
  b.output("x", b.attention({.query = x, .key = x, .value = x, .heads = 1, .window = window}));
  return b.finish();
}

TEST(Packing, AGapInTheMaskStaysAGapWhereDistancesCount) {
  const NamedTensors gap{{"input_ids", matrix(2, 3, {1, 2, 3, 4, 5, 6})},
                         {"attention_mask", matrix(2, 3, {0, 1, 1, 1, 0, 1})}};
  EXPECT_EQ(values(feeds(attention_graph(-1), gap), "input_ids"), (std::vector<std::int64_t>{2, 3, 4, 6}));
  const Feeds packed = feeds(attention_graph(1), gap);
  EXPECT_EQ(values(packed, "input_ids"), (std::vector<std::int64_t>{2, 3, 4, 5, 6}));
  EXPECT_EQ(packed.extents.lengths("tokens"), (std::vector<std::int64_t>{2, 3}));
  const auto seen = packed.extents.seen("tokens");
  EXPECT_EQ(std::vector<int>(seen.begin(), seen.end()), (std::vector<int>{1, 1, 1, 0, 1}));
}

// Words, attention, and the first row as a class would be read from it.
Graph first_row_graph(std::int64_t window) {
  Weights weights;
  weights.add("words.weight", Tensor(DType::f32, {10, 2}));
  Builder b("encode", weights);
  const Value x = b.embedding({{"words", b.token_input("input_ids")}});
  b.output("y", b.pool(b.attention({.query = x, .key = x, .value = x, .heads = 1, .window = window}),
                       ops::PoolMode::first_row));
  return b.finish();
}

TEST(Packing, AFirstColumnThatIsReadIsARowThoughItIsPadding) {
  const NamedTensors padded{{"input_ids", matrix(2, 4, {9, 9, 1, 2, 3, 4, 9, 9})},
                            {"attention_mask", matrix(2, 4, {0, 0, 1, 1, 1, 1, 0, 0})}};
  const Feeds packed = feeds(first_row_graph(-1), padded);
  EXPECT_EQ(values(packed, "input_ids"), (std::vector<std::int64_t>{9, 9, 1, 2, 3, 4}));
  const auto seen = packed.extents.seen("tokens");
  EXPECT_EQ(std::vector<int>(seen.begin(), seen.end()), (std::vector<int>{0, 0, 1, 1, 1, 1}));
  EXPECT_EQ(values(feeds(first_row_graph(2), padded), "input_ids"), values(packed, "input_ids"));
  EXPECT_EQ(error_of([&] { feeds(first_row_graph(1), padded); }, ErrorKind::unsupported),
            "attention_mask: row 0 begins with 2 columns of padding; its first column is pooled, but sees no token "
            "within its window of 1\n  hint: pad on the right");
}

TEST(Packing, RowsThatAreNotSeenStayZero) {
  std::vector<Item> items(1);
  items[0] = {.number = 0, .ids = {1, 2, 3}, .kept = {0, 1}, .seen = {0, 1}};
  Tensor whole(DType::f32, {1, 3, 1});
  place_rows(Tensor::of({2, 1}, std::vector<float>{7, 8}), true, items, whole);
  const auto placed = whole.as<float>();
  EXPECT_EQ(std::vector<float>(placed.begin(), placed.end()), (std::vector<float>{0, 8, 0}));
}

TEST(Packing, OneRowOfPositionsOrTypesIsForAllItems) {
  const Feeds packed = feeds(kColumns, {{"input_ids", matrix(2, 2, {1, 2, 3, 4})},
                                        {"position_ids", matrix(1, 2, {3, 2})},
                                        {"token_type_ids", matrix(1, 2, {0, 1})}});
  EXPECT_EQ(values(packed, "position_ids"), (std::vector<std::int64_t>{3, 2, 3, 2}));
  EXPECT_EQ(values(packed, "token_type_ids"), (std::vector<std::int64_t>{0, 1, 0, 1}));
}

TEST(Packing, PositionsOfAModelThatHasNoTable) {
  const Graph graph = attention_graph(1);
  const auto given = [&](std::vector<std::int64_t> positions) {
    return feeds(graph, {{"input_ids", matrix(1, 3, {1, 2, 3})}, {"position_ids", matrix(1, 3, positions)}});
  };
  EXPECT_EQ(values(given({5, 6, 7}), "input_ids"), (std::vector<std::int64_t>{1, 2, 3}));
  EXPECT_EQ(error_of([&] {
              given({0, 1, 1});
            }),
            "position_ids: is given, but this model takes none that skip or repeat");
}

TEST(Packing, RowsGoBackToTheirColumns) {
  std::vector<Item> items(2);
  items[0] = {.number = 1, .ids = {1, 2, 3}, .kept = {2}};
  items[1] = {.number = 0, .ids = {4, 5, 6}, .kept = {0, 2}};
  Tensor whole(DType::f32, {2, 3, 2});
  place_rows(Tensor::of({3, 2}, std::vector<float>{1, 2, 3, 4, 5, 6}), true, items, whole);
  const auto placed = whole.as<float>();
  EXPECT_EQ(std::vector<float>(placed.begin(), placed.end()), (std::vector<float>{3, 4, 0, 0, 5, 6, 0, 0, 0, 0, 1, 2}));
  Tensor pooled(DType::f32, {2, 1});
  place_rows(Tensor::of({2, 1}, std::vector<float>{7, 8}), false, items, pooled);
  EXPECT_EQ(pooled.as<float>()[0], 8);
  EXPECT_EQ(pooled.as<float>()[1], 7);
}

}  // namespace
}  // namespace accelerate::runtime
