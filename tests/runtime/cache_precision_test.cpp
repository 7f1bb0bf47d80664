// Keys and values that stay in half the bytes: close to f32, whatever is done to the sequences.
#include <gtest/gtest.h>

#include <cmath>

#include "models/golden.hpp"
#include "runtime/changed_model.hpp"
#include "runtime/generating.hpp"
#include "runtime/loaded_model.hpp"
#include "runtime/sequences.hpp"

namespace accelerate::runtime {
namespace {

struct Narrow {
  std::string name;
  double rounding;  // of a stored number, relative
};

class CachePrecision : public testing::TestWithParam<Narrow> {
 protected:
  static LoadedModel model(const std::string& name, const std::string& precision) {
    return LoadedModel(decoders_folder() / name, {.device = "cpu", .cache_precision = precision});
  }
};

std::vector<std::int32_t> some_tokens(std::size_t count, std::int32_t step) {
  std::vector<std::int32_t> tokens;
  for (std::size_t i = 0; i < count; ++i) tokens.push_back(3 + static_cast<std::int32_t>(i) * step % 40);
  return tokens;
}

// The logits after a long prompt and some tokens, after going back and on with others, and of a fork.
std::vector<float> walk(const LoadedModel& model) {
  const std::unique_ptr<Sequences> sequences = model.borrow_sequences();
  StateSlots& slots = sequences->slots();
  std::vector<float> logits;
  const auto run = [&](Slot slot, const std::vector<std::int32_t>& tokens) {
    const std::vector<Sequences::Next> next{{.slot = slot, .tokens = tokens}};
    const Tensor found = sequences->run(next, {});
    logits.insert(logits.end(), found.as<float>().begin(), found.as<float>().end());
  };
  const Slot first = slots.open();
  run(first, some_tokens(70, 7));
  for (const std::int32_t token : some_tokens(5, 11)) run(first, {token});
  const Slot second = slots.fork(first);
  slots.truncate(first, 72);
  run(first, some_tokens(3, 5));
  run(second, some_tokens(2, 13));
  return logits;
}

double distance(const std::vector<float>& a, const std::vector<float>& b) {
  double squares = 0, norm = 0;
  for (std::size_t i = 0; i < a.size(); ++i) {
    squares += std::pow(static_cast<double>(a[i]) - static_cast<double>(b[i]), 2);
    norm += std::pow(static_cast<double>(b[i]), 2);
  }
  return std::sqrt(squares / norm);
}

// A key's error moves a weight by as much as the score is large, which is some 4 in these models; what is read at a
// wrong place is wrong by as much as the logits.
TEST_P(CachePrecision, EveryDecoderStaysCloseToF32) {
  for (const auto& entry : std::filesystem::directory_iterator(decoders_folder())) {
    const std::string name = entry.path().filename().string();
    SCOPED_TRACE(name);
    const std::vector<float> wide = walk(model(name, "f32")), narrow = walk(model(name, GetParam().name));
    ASSERT_EQ(wide.size(), narrow.size());
    const double found = distance(narrow, wide);
    EXPECT_LT(found, 4 * GetParam().rounding);
    EXPECT_GT(found, 0) << "nothing was rounded";
  }
}

TEST_P(CachePrecision, TakesHalfTheMemory) {
  const LoadedModel wide = model("llama", "f32"), narrow = model("llama", GetParam().name);
  const auto bytes_of = [](const LoadedModel& model) {
    const std::unique_ptr<Sequences> sequences = model.borrow_sequences();
    const std::vector<std::int32_t> tokens = some_tokens(100, 7);
    const std::vector<Sequences::Next> next{{.slot = sequences->slots().open(), .tokens = tokens}};
    sequences->run(next, {});
    return std::pair(sequences->slots().bytes(), sequences->slots().bytes_per_position());
  };
  EXPECT_EQ(bytes_of(wide).first, 2 * bytes_of(narrow).first);
  EXPECT_EQ(bytes_of(wide).second, 2 * bytes_of(narrow).second);
}

TEST_P(CachePrecision, IsPredicted) {
  const auto predicted = [](const std::string& precision) {
    const Inspection seen =
        inspect(decoders_folder() / "llama", {.tokens = {64}, .device = "cpu", .cache_precision = precision});
    return seen.memory.front();
  };
  const MemoryPrediction wide = predicted("f32"), narrow = predicted(GetParam().name);
  EXPECT_EQ(wide.cache, 2 * narrow.cache);
  EXPECT_EQ(wide.cache_per_token, 2 * narrow.cache_per_token);
  EXPECT_EQ(wide.total - narrow.total, narrow.cache);
}

// What is chosen when a model is opened holds for copies of it in another precision.
TEST_P(CachePrecision, ACopyInAnotherPrecisionHasIt) {
  const Model opened = Model::open(decoders_folder() / "llama", {.device = "cpu", .cache_precision = GetParam().name});
  const auto bytes_of = [](const Model& model) {
    const std::vector<Prompt> prompts{{.text = "the quick brown fox"}};
    return model.generate(prompts, greedy(20)).times.cache_bytes;
  };
  EXPECT_EQ(bytes_of(opened), bytes_of(opened.with_precision("bf16", {})));
}

TEST_P(CachePrecision, RuntimesKeepF32) {
  for (const std::string& device : devices_here()) {
    if (device == "cpu") continue;
    try {
      LoadedModel(decoders_folder() / "llama", {.device = device, .cache_precision = GetParam().name})
          .borrow_sequences();
      ADD_FAILURE() << device << " took it";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::unsupported);
      EXPECT_NE(error.message().find("not kept in " + GetParam().name), std::string::npos) << error.message();
    }
  }
}

INSTANTIATE_TEST_SUITE_P(Stored, CachePrecision, testing::Values(Narrow{"bf16", 0x1p-8}, Narrow{"f16", 0x1p-11}),
                         [](const auto& tested) { return tested.param.name; });

TEST(CachePrecisions, OthersAreRefused) {
  for (const char* name : {"int8", "F32", ""}) {
    try {
      LoadedModel(decoders_folder() / "llama", {.device = "cpu", .cache_precision = name});
      ADD_FAILURE() << "\"" << name << "\" was taken";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
      EXPECT_NE(std::string(error.what()).find("expected f32, bf16 or f16"), std::string::npos) << error.what();
    }
  }
}

}  // namespace
}  // namespace accelerate::runtime
