// Which token types a pair of texts gets.
#include "runtime/text_processor.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "runtime/goldens.hpp"

namespace accelerate::runtime {
namespace {

bool all_zero(const std::vector<std::int32_t>& types) {
  return std::ranges::all_of(types, [](std::int32_t type) { return type == 0; });
}

TextProcessor processor_of(const char* fixture) {
  const Checkpoint checkpoint = Checkpoint::open(model_folder(fixture));
  return {checkpoint, text_settings(checkpoint, 96)};
}

const TextView kPair{"Who made the stars?", "And God made two great lights; he made the stars also."};

TEST(TokenTypes, OfXlmRobertaAreZeroAlsoInWhatOverflows) {
  const TextProcessor processor = processor_of("xlm_roberta_reranker");
  const text::EncodeOptions options{.max_length = 24, .strategy = text::TruncationStrategy::only_second, .stride = 4};
  // The template of tokenizer.json changes the types of the first piece only.
  const text::Encoding raw = processor.tokenizer().encode(kPair.text, *kPair.pair, options);
  ASSERT_FALSE(raw.overflowing.empty());
  EXPECT_FALSE(all_zero(raw.overflowing.front().type_ids));
  const text::Encoding encoding = processor.encode(kPair, options);
  EXPECT_TRUE(all_zero(encoding.type_ids));
  for (const text::Encoding& piece : encoding.overflowing) EXPECT_TRUE(all_zero(piece.type_ids));
}

TEST(TokenTypes, OfBertTellTheSecondTextFromTheFirst) {
  const TextProcessor processor = processor_of("bert");
  EXPECT_FALSE(all_zero(processor.encode(kPair, processor.options()).type_ids));
  EXPECT_FALSE(all_zero(processor.ids_of(std::vector{kPair}, {}).type_ids.front()));
}

TEST(TokenTypes, AreAsTheTokenizersFilesSay) {
  const Checkpoint checkpoint = Checkpoint::open(model_folder("bert"));
  TextSettings settings = text_settings(checkpoint, 96);
  EXPECT_TRUE(settings.token_types);
  EXPECT_FALSE(text_settings(Checkpoint::open(model_folder("modernbert")), 96).token_types);
  EXPECT_FALSE(text_settings(Checkpoint::open(model_folder("roberta")), 96).token_types);
  // Transformers 5 gives ALBERT none, whatever its tokenizer.json says.
  EXPECT_FALSE(text_settings(Checkpoint::open(model_folder("albert")), 96).token_types);
  settings.token_types = false;
  const TextProcessor processor(checkpoint, settings);
  EXPECT_TRUE(all_zero(processor.ids_of(std::vector{kPair}, {}).type_ids.front()));
}

}  // namespace
}  // namespace accelerate::runtime
