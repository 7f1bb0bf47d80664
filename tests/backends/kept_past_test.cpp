// The past that stays where a runtime computes: taken where it is the slots' past, and never where they have
// another. Every run is one on the backend "cpu" too, whose cache knows nothing of it.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>

#include "backends/backend.hpp"
#include "backends/fake_onnxruntime.hpp"
#include "backends/onnx_on_processor.hpp"
#include "backends/runtime_libraries.hpp"
#include "core/environment.hpp"
#include "graph/builder.hpp"
#include "graph/ops/attention.hpp"
#include "lowering/host_slots.hpp"

namespace accelerate {
namespace {

constexpr std::int64_t kWidth = 8;

// Causal attention of two heads that share keys and values.
Graph attention_graph(const Weights& weights) {
  Builder b("attention", weights);
  ops::Attention op;
  op.heads = 2;
  op.kv_heads = 1;
  op.causal = true;
  const Value query = b.input("query", {Element::real, Shape({kBatch, kTokens, 2 * kWidth}, true)});
  const Type row{Element::real, Shape({kBatch, kTokens, kWidth}, true)};
  const Value key = b.input("key", row), value = b.input("value", row);
  const Value keys = b.state("keys", kWidth), values = b.state("values", kWidth);
  b.output("y", b.apply(std::make_shared<ops::Attention>(op), {query, key, value, {}, {}, {}, keys, values}));
  return b.finish();
}

Tensor waves(std::int64_t rows, std::int64_t width, int run) {
  Tensor x(DType::f32, {rows, width});
  for (std::int64_t i = 0; i < x.elements(); ++i) {
    x.as<float>()[static_cast<std::size_t>(i)] = std::sin(static_cast<float>(7 * i + 31 * run + i * i % 13));
  }
  return x;
}

Feeds feeds_of(const std::vector<Slot>& slots, std::vector<std::int64_t> counts, int run) {
  Feeds feeds;
  feeds.extents.set_ragged("tokens", std::move(counts));
  const std::int64_t rows = feeds.extents.at("tokens.rows");
  feeds.tensors["query"] = waves(rows, 2 * kWidth, run);
  feeds.tensors["key"] = waves(rows, kWidth, run + 100);
  feeds.tensors["value"] = waves(rows, kWidth, run + 200);
  feeds.slots = slots;
  return feeds;
}

class KeptPast : public testing::TestWithParam<std::string> {
 protected:
  void SetUp() override {
    if (const std::string why = test::missing_library(GetParam()); !why.empty()) GTEST_SKIP() << why;
    expected_ = backend_named("cpu").compile(graph_, weights_, {.threads = 1})->start();
    session_ = backend_named(GetParam()).compile(graph_, weights_, {.threads = 1})->start();
  }

  // Does the same to the slots of both, which are numbered alike.
  template <typename Change>
  auto both(Change&& change) {
    change(*expected_->slots());
    return change(*session_->slots());
  }
  std::vector<Slot> open(int count) {
    std::vector<Slot> slots;
    for (int i = 0; i < count; ++i) slots.push_back(both([](StateSlots& each) { return each.open(); }));
    return slots;
  }
  lowering::HostSlots& slots_of_runtime() { return static_cast<lowering::HostSlots&>(*session_->slots()); }
  // Whether the runtime holds the past that these would run on.
  bool is_kept(const std::vector<Slot>& slots) { return slots_of_runtime().kept(slots) != nullptr; }
  void run(const std::vector<Slot>& slots, std::vector<std::int64_t> counts) {
    const Feeds feeds = feeds_of(slots, std::move(counts), run_++);
    const Tensor y = session_->run(feeds).at("y"), expected = expected_->run(feeds).at("y");
    ASSERT_EQ(y.dims(), expected.dims());
    for (std::size_t i = 0; i < y.as<float>().size(); ++i) {
      ASSERT_NEAR(y.as<float>()[i], expected.as<float>()[i], tolerance_) << "run " << run_ << ", element " << i;
    }
  }

  const std::shared_ptr<Weights> weights_ = std::make_shared<Weights>();
  const Graph graph_ = attention_graph(*weights_);
  std::unique_ptr<Session> session_, expected_;
  double tolerance_ = 1e-5;
  int run_ = 0;
};

INSTANTIATE_TEST_SUITE_P(Backends, KeptPast, testing::Values("onnx", "openvino"),
                         [](const auto& each) { return each.param; });

TEST_P(KeptPast, IsTakenStepByStep) {
  const std::vector<Slot> slots = open(2);
  run(slots, {5, 5});
  for (int step = 0; step < 4; ++step) {
    EXPECT_TRUE(is_kept(slots));
    run(slots, {1, 1});
  }
}

TEST_P(KeptPast, IsTakenByARunOfSeveralLengths) {
  const std::vector<Slot> slots = open(2);
  run(slots, {3, 3});
  EXPECT_TRUE(is_kept(slots));
  run(slots, {1, 4});
  EXPECT_FALSE(is_kept(slots)) << "it would have padding between past and tokens";
  run(slots, {1, 1});
  EXPECT_FALSE(is_kept(slots));
  run({slots[0]}, {2});
  EXPECT_TRUE(is_kept({slots[0]}));
  run({slots[0]}, {1});
}

TEST_P(KeptPast, IsNotThatOfACutSequence) {
  const std::vector<Slot> slots = open(1);
  run(slots, {6});
  both([&](StateSlots& each) { each.truncate(slots[0], 4); });
  EXPECT_FALSE(is_kept(slots));
  run(slots, {2});
  EXPECT_TRUE(is_kept(slots));
  run(slots, {1});
}

TEST_P(KeptPast, IsThatOfACopyUntilItGoesOn) {
  const Slot first = open(1)[0];
  run({first}, {4});
  const Slot second = both([&](StateSlots& each) { return each.fork(first); });
  EXPECT_TRUE(is_kept({second}));
  run({second}, {2});
  EXPECT_FALSE(is_kept({first}));
  run({first}, {2});
  run({first, second}, {1, 1});
  EXPECT_TRUE(is_kept({first, second}));
  run({first, second}, {1, 1});
}

TEST_P(KeptPast, FollowsBeams) {
  const std::vector<Slot> slots = open(3);
  run(slots, {4, 4, 4});
  for (const std::vector<Slot>& parents : {std::vector<Slot>{0, 1, 2}, {2, 0, 1}, {1, 1, 0}}) {
    both([&](StateSlots& each) { each.reorder(slots, parents); });
    EXPECT_EQ(is_kept(slots), parents == slots);
    run(slots, {1, 1, 1});
  }
}

TEST_P(KeptPast, IsOfSlotsInTheirOrder) {
  const std::vector<Slot> slots = open(2), turned{slots[1], slots[0]};
  run(slots, {3, 3});
  EXPECT_FALSE(is_kept(turned));
  run(turned, {1, 1});
  run(slots, {1, 1});
  run({slots[1]}, {1});
  run(turned, {1, 1});
}

TEST_P(KeptPast, GoesWithItsSlots) {
  Slot slot = open(1)[0];
  run({slot}, {3});
  both([&](StateSlots& each) { each.release(slot); });
  slot = open(1)[0];
  EXPECT_FALSE(is_kept({slot}));
  run({slot}, {2});
  run({slot}, {1});
}

TEST_P(KeptPast, StaysWhereARunIsCancelled) {
  const std::vector<Slot> slots = open(1);
  run(slots, {3});
  Feeds feeds = feeds_of(slots, {1}, 50);
  feeds.cancellation.cancel();
  EXPECT_EQ(error_of([&] { session_->run(feeds); }).kind(), ErrorKind::interrupted);
  EXPECT_TRUE(is_kept(slots));
  run(slots, {1});
}

TEST_P(KeptPast, GoesWhenMemoryIsGivenBack) {
  const std::vector<Slot> slots = open(1);
  for (const std::int64_t count : {3, 1}) run(slots, {count});
  both([](StateSlots& each) { each.trim(); });
  EXPECT_FALSE(is_kept(slots));
  for (int step = 0; step < 3; ++step) run(slots, {1});
  EXPECT_TRUE(is_kept(slots));
}

// As it is while a run that reads it writes the next one, or after a run of other texts that failed.
TEST_P(KeptPast, IsNotOverwrittenWhileItIsHeld) {
  const std::vector<Slot> slots = open(1);
  run(slots, {4});
  const std::shared_ptr<const lowering::KeptPast> held = slots_of_runtime().kept(slots);
  const std::vector<Slot> copies{both([&](StateSlots& each) { return each.fork(slots[0]); })};
  for (int step = 0; step < 5; ++step) run(slots, {1});
  slots_of_runtime().keep(copies, held);
  ASSERT_TRUE(is_kept(copies));
  run(copies, {1});
}

// What is kept in fewer bits is what comes from memory rounded to them: once, as it was before.
TEST_P(KeptPast, OfHalvesIsThatOfTheRowsInMemory) {
  const auto onnx_in_halves = test::OnnxOnProcessor::in_halves();
  const Backend& backend = GetParam() == "onnx" ? onnx_in_halves : backend_named(GetParam());
  const Precision precision = GetParam() == "onnx" ? Precision::f16 : backend.precisions({}).front();
  if (precision == Precision::f32) GTEST_SKIP() << "this processor has no products of halves";
  session_ = backend.compile(graph_, weights_, {.precision = precision, .threads = 1})->start();
  tolerance_ = precision == Precision::f16 ? 5e-3 : 4e-2;  // a dozen roundings to 11 or 8 bits of numbers up to 2
  const std::vector<Slot> slots = open(2);
  run(slots, {5, 5});
  EXPECT_TRUE(is_kept(slots));
  run(slots, {1, 1});
  const std::vector<Slot> copies{both([&](StateSlots& each) { return each.fork(slots[0]); }),
                                 both([&](StateSlots& each) { return each.fork(slots[1]); })};
  ASSERT_TRUE(is_kept(slots));
  const Tensor kept = session_->run(feeds_of(slots, {1, 1}, 60)).at("y");
  ASSERT_FALSE(is_kept(copies));
  const Tensor uploaded = session_->run(feeds_of(copies, {1, 1}, 60)).at("y");
  EXPECT_TRUE(std::ranges::equal(kept.as<float>(), uploaded.as<float>()));
}

// No GPU is here: a fake library says where the values of runs lie.
TEST(KeptPastOfDevices, LiesInTheirMemory) {
  const TemporaryFolder library, answers;
  test::link_fake_onnxruntime(library);
  test::Environment environment;
  const std::string record = (answers.path() / "record").string();
  environment.set(test::library_variable("onnx"), library.path().string());
  environment.set("FAKE_ONNXRUNTIME", "CUDA=present MIGraphX=present");
  environment.set("FAKE_ONNXRUNTIME_ANSWERS", answers.path().string());
  environment.set("FAKE_ONNXRUNTIME_RECORD", record);
  environment.set("FAKE_ONNXRUNTIME_VERSION", "");
  const auto weights = std::make_shared<Weights>();
  const Graph graph = attention_graph(*weights);
  test::write_answer(answers, "y", Tensor(DType::f32, {1, 2 * kWidth}));
  for (const char* state : {"keys", "values"}) {
    test::write_answer(answers, rows_added_to(state), Tensor(DType::f32, {1, kWidth}));
  }
  for (const auto& [device, place] : {std::pair("cuda:1", "Cuda 1"), std::pair("migraphx:0", "host")}) {
    std::ofstream(record).close();
    const auto session = backend_named("onnx").compile(graph, weights, {.device = device})->start();
    const Slot slot = session->slots()->open();
    for (int i = 0; i < 2; ++i) session->run(feeds_of({slot}, {1}, i));
    std::vector<std::string> lines, expected;
    std::ifstream file(record);
    for (std::string line; std::getline(file, line);) {
      if (line.starts_with("kept") || line.starts_with("fed")) lines.push_back(line);
    }
    const std::string kept = std::string("kept in ") + place, from = std::string(" from ") + place;
    expected = {kept, kept, "fed keys" + from, "fed values" + from, kept, kept};
    EXPECT_EQ(lines, expected) << device;
  }
}

}  // namespace
}  // namespace accelerate
