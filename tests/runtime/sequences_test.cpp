// What a decoder reads of an encoder is fed as long as the same texts run, and never instead of another's.
#include "runtime/sequences.hpp"

#include <gtest/gtest.h>

#include "models/golden.hpp"
#include "runtime/loaded_model.hpp"

namespace accelerate::runtime {
namespace {

std::shared_ptr<const Source> source_of(const Graph& graph, float value) {
  const auto source = std::make_shared<Source>();
  source->tokens = 5;
  for (const Node& node : graph.nodes()) {
    if (node.source != Node::Source::input || node.type.element != Element::real) continue;
    const std::int64_t width = node.type.shape.last().number();
    std::vector<float> rows(static_cast<std::size_t>(5 * width));
    for (std::size_t i = 0; i < rows.size(); ++i) rows[i] = value * static_cast<float>(i % 7) - 1;
    source->rows.emplace(node.name, Tensor::of({5, width}, rows));
  }
  return source;
}

class SequencesOfT5 : public testing::Test {
 protected:
  std::vector<float> logits_after_start(Sequences& sequences, std::shared_ptr<const Source> source) const {
    const std::vector<std::int32_t> start{0};
    const Slot slot = sequences.slots().open();
    const std::vector<Sequences::Next> next{{.slot = slot, .tokens = start, .source = std::move(source)}};
    const Tensor logits = sequences.run(next, {});
    return {logits.as<float>().begin(), logits.as<float>().end()};
  }
  std::shared_ptr<const Source> source(float value) const {
    return source_of(model_.definition().program.graph("decode"), value);
  }

  const LoadedModel model_{text_to_text_folder() / "t5", {.device = "cpu"}};
};

// The second source may well lie where the first one did.
TEST_F(SequencesOfT5, ASourceThatIsGoneIsNotTakenForAnother) {
  const std::unique_ptr<Sequences> sequences = model_.borrow_sequences();
  const std::vector<float> first = logits_after_start(*sequences, source(1));
  const std::vector<float> second = logits_after_start(*sequences, source(2));
  EXPECT_NE(first, second);
  EXPECT_EQ(second, logits_after_start(*model_.borrow_sequences(), source(2)));
}

TEST_F(SequencesOfT5, RestLetsGoOfThem) {
  const std::unique_ptr<Sequences> sequences = model_.borrow_sequences();
  const std::shared_ptr<const Source> held = source(1);
  logits_after_start(*sequences, held);
  EXPECT_GT(held.use_count(), 1);
  sequences->rest();
  EXPECT_EQ(held.use_count(), 1);
}

// Pages of a large batch would stay for the life of a server.
TEST(SequencesOfDecoders, RestGivesBackThePagesThatNobodyUses) {
  const LoadedModel model(decoders_folder() / "llama", {.device = "cpu"});
  const std::unique_ptr<Sequences> sequences = model.borrow_sequences();
  const std::vector<std::int32_t> tokens(100, 7);
  std::vector<Sequences::Next> next;
  for (int i = 0; i < 20; ++i) next.push_back({.slot = sequences->slots().open(), .tokens = tokens});
  sequences->run(next, {});
  const std::int64_t taken = sequences->slots().bytes(), before = memory_use().allocated;
  for (const Sequences::Next& each : next) sequences->drop(each.slot);
  EXPECT_EQ(memory_use().allocated, before) << "the next texts find them";
  sequences->rest();
  EXPECT_EQ(memory_use().allocated, before - taken);
}

}  // namespace
}  // namespace accelerate::runtime
