// New keys and values on their way into pages: many sequences at once are as one row after the other.
#include <cstring>

#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using AppendTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, AppendTest, ::testing::ValuesIn(tested_levels()), level_name);

constexpr std::int64_t kHeads = 3, kHeadDim = 40;

// Sequences whose pages hold `past` positions, of which those before `first` are dropped, and take `rows` more.
struct Sequence {
  std::int64_t past, rows, first = 0;
};
// One that adds nothing in the midst, some that begin in the middle of a panel or of a page, one of several pages.
const std::vector<Sequence> kSequences = {{0, 1}, {33, 1}, {70, 0}, {63, 1}, {100, 40, 64}, {0, 150}, {5, 0}};

class Pages {
 public:
  Pages(const PagePart& part, const std::vector<Sequence>& sequences) : part_(part) {
    for (const Sequence& each : sequences) {
      std::vector<void*>& own = pointers_.emplace_back();
      const std::int64_t count = (each.past + each.rows - each.first + kPagePositions - 1) / kPagePositions;
      for (std::int64_t page = 0; page < count; ++page) {
        buffers_.emplace_back(static_cast<std::size_t>(part.numbers()) * size_of(part.stored));
        own.push_back(buffers_.back().data());
      }
    }
  }

  PagedSequence sequence(std::size_t index, const Sequence& of, std::int64_t positions) const {
    return {.pages = pointers_[index], .first = of.first, .positions = positions};
  }
  bool operator==(const Pages& other) const {
    return std::ranges::equal(buffers_, other.buffers_, [](const HostBuffer& a, const HostBuffer& b) {
      return std::memcmp(a.data(), b.data(), a.size()) == 0;
    });
  }

 private:
  PagePart part_;
  std::vector<std::vector<void*>> pointers_;
  std::vector<HostBuffer> buffers_;
};

TEST_P(AppendTest, ManySequencesAreAsOneRowAfterTheOther) {
  std::vector<std::int64_t> offsets = {0};
  for (const Sequence& each : kSequences) offsets.push_back(offsets.back() + each.rows);
  const Matrix key = Matrix::random(offsets.back(), kHeads * kHeadDim, 1, 3);
  const Matrix value = Matrix::random(offsets.back(), kHeads * kHeadDim, 2, 1);
  ThreadPool alone(1);
  for (const DType stored : {DType::f32, DType::bf16, DType::f16}) {
    const PagePart part{.offset = 0, .kv_heads = kHeads, .head_dim = kHeadDim, .stored = stored};
    AppendKeys args{.key = key, .value = value, .offsets = {}, .sequences = {}, .part = part, .scale = 0.3F};
    const Pages expected(part, kSequences);
    for (std::size_t i = 0; i < kSequences.size(); ++i) {
      for (std::int64_t row = 0; row < kSequences[i].rows; ++row) {
        const std::int64_t one[] = {0, 1};
        const PagedSequence sequence = expected.sequence(i, kSequences[i], kSequences[i].past + row + 1);
        args.key.data = key.values.data() + (offsets[i] + row) * key.stride;
        args.value.data = value.values.data() + (offsets[i] + row) * value.stride;
        args.offsets = one;
        args.sequences = {&sequence, 1};
        kernels().append(alone, args);
      }
    }
    for (const int threads : {1, 3}) {
      ThreadPool pool(threads);
      const Pages found(part, kSequences);
      std::vector<PagedSequence> sequences;
      for (std::size_t i = 0; i < kSequences.size(); ++i) {
        sequences.push_back(found.sequence(i, kSequences[i], kSequences[i].past + kSequences[i].rows));
      }
      args.key = key;
      args.value = value;
      args.offsets = offsets;
      args.sequences = sequences;
      kernels().append(pool, args);
      EXPECT_TRUE(found == expected) << name_of(stored) << ", " << threads << " threads";
    }
  }
}

}  // namespace
}  // namespace accelerate::cpu::testing
