// What a runtime holds of slots is given back as long as their rows are the same, and never instead of others.
#include "lowering/host_slots.hpp"

#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"
#include "graph/builder.hpp"

namespace accelerate::lowering {
namespace {

class HostSlotsOfTwoHeads : public testing::Test {
 protected:
  static Graph graph() {
    Builder b("states", *std::make_shared<Weights>());
    b.output("y", b.state("keys", 4));
    return b.finish();
  }
  // Puts so many rows behind each: 0, 1, 2, ... over all of them.
  void append(std::vector<Slot> slots, std::vector<std::int64_t> counts) {
    std::int64_t rows = 0;
    for (const std::int64_t count : counts) rows += count;
    Tensor added(DType::f32, {rows, 4});
    float next = 0;
    for (float& value : added.as<float>()) value = next++;
    slots_.append(slots, counts, "keys", added);
    slots_.grow(slots, counts);
  }
  void keep(std::vector<Slot> slots) { slots_.keep(slots, std::make_shared<KeptPast>()); }
  bool is_kept(std::vector<Slot> slots) const { return slots_.kept(slots) != nullptr; }

  const Graph graph_ = graph();
  HostSlots slots_{graph_};
  const Slot a_ = slots_.open(), b_ = slots_.open();
};

TEST_F(HostSlotsOfTwoHeads, GiveThemApartWithZerosBehindShorterOnes) {
  append({a_, b_}, {2, 1});
  const Tensor past = slots_.by_heads(std::vector{a_, b_}, "keys", 2);
  EXPECT_EQ(past.dims(), (Dims{2, 2, 2, 2}));
  const std::vector<float> expected{0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 0, 0, 10, 11, 0, 0};
  EXPECT_TRUE(std::ranges::equal(past.as<float>(), expected));
}

TEST_F(HostSlotsOfTwoHeads, AreKeptInTheirOrderAlone) {
  append({a_, b_}, {1, 1});
  EXPECT_FALSE(is_kept({a_, b_}));
  keep({a_, b_});
  EXPECT_TRUE(is_kept({a_, b_}));
  EXPECT_FALSE(is_kept({b_, a_}));
  EXPECT_FALSE(is_kept({a_}));
  EXPECT_FALSE(is_kept({a_, a_}));
}

TEST_F(HostSlotsOfTwoHeads, AreNotKeptOnceTheyAreChanged) {
  append({a_, b_}, {2, 2});
  keep({a_, b_});
  append({b_}, {1});
  EXPECT_FALSE(is_kept({a_, b_}));
  slots_.truncate(b_, 2);
  EXPECT_FALSE(is_kept({a_, b_})) << "as long as before, but nobody knows that its rows are the same";
  keep({a_, b_});
  slots_.truncate(a_, 2);
  EXPECT_TRUE(is_kept({a_, b_})) << "nothing was cut";
  slots_.truncate(a_, 1);
  EXPECT_FALSE(is_kept({a_, b_}));
}

TEST_F(HostSlotsOfTwoHeads, CopiesAreTheSameUntilTheyGrow) {
  append({a_, b_}, {1, 1});
  keep({a_});
  const Slot copy = slots_.fork(a_);
  EXPECT_TRUE(is_kept({copy}));
  append({copy}, {1});
  EXPECT_FALSE(is_kept({copy}));
  EXPECT_TRUE(is_kept({a_}));
}

TEST_F(HostSlotsOfTwoHeads, ReorderedTheyAreThoseOfTheirParents) {
  append({a_, b_}, {1, 1});
  keep({a_, b_});
  slots_.reorder(std::vector{a_, b_}, std::vector{a_, b_});
  EXPECT_TRUE(is_kept({a_, b_}));
  slots_.reorder(std::vector{a_, b_}, std::vector{b_, a_});
  EXPECT_FALSE(is_kept({a_, b_}));
  EXPECT_TRUE(is_kept({b_, a_}));
  slots_.reorder(std::vector{a_, b_}, std::vector{a_, a_});
  EXPECT_FALSE(is_kept({a_, b_}));
  EXPECT_FALSE(is_kept({b_, a_}));
}

TEST_F(HostSlotsOfTwoHeads, ReleasingLetsGo) {
  for (const bool trims : {false, true}) {
    const auto past = std::make_shared<KeptPast>();
    const Slot slot = slots_.open();
    slots_.keep(std::vector{a_, slot}, past);
    EXPECT_EQ(past.use_count(), 2);
    trims ? slots_.trim() : slots_.release(slot);
    EXPECT_EQ(past.use_count(), 1);
    EXPECT_FALSE(is_kept({a_, slots_.open()}));
  }
  EXPECT_EQ(error_of([&] { slots_.release(99); }).kind(), ErrorKind::internal);
}

TEST_F(HostSlotsOfTwoHeads, TrimmingIsToldWhenNothingIsKept) {
  const auto past = std::make_shared<KeptPast>();
  slots_.keep(std::vector{a_}, past);
  std::vector<long> holders;
  slots_.on_trim([&] { holders.push_back(past.use_count()); });
  slots_.trim();
  EXPECT_EQ(holders, std::vector{1L});
}

}  // namespace
}  // namespace accelerate::lowering
