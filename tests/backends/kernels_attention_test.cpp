// Attention against f64, at every level this machine has.
#include <algorithm>
#include <cstring>
#include <list>
#include <optional>

#include "core/float16.hpp"
#include "kernels_testing.hpp"

namespace accelerate::cpu::testing {
namespace {

using AttentionTest = EveryLevel;
INSTANTIATE_TEST_SUITE_P(Levels, AttentionTest, ::testing::ValuesIn(tested_levels()), level_name);

constexpr std::int64_t kNoWindow = std::numeric_limits<std::int64_t>::max();

struct Case {
  std::vector<std::int64_t> queries;  // lengths
  std::vector<std::int64_t> keys;     // empty = the same
  std::int64_t heads = 2, kv_heads = 2, head_dim = 16;
  bool causal = false;
  std::int64_t window = kNoWindow;
  bool key_mask = false, bias = false;
  float spread = 1.0F;  // of queries and keys
  int threads = 1;
  Precision precision = Precision::f32;
  std::optional<DType> pages = {};  // keys and values are in pages of this type
  // What a factor of a product is rounded to.
  double rounding() const { return precision == Precision::f32 ? 0 : 0x1p-8; }
};

std::ostream& operator<<(std::ostream& out, const Case& c) {
  return out << ::testing::PrintToString(c.queries) << " x " << ::testing::PrintToString(c.keys) << " heads " << c.heads
             << "/" << c.kv_heads << " head_dim " << c.head_dim << (c.causal ? " causal" : "") << " window " << c.window
             << (c.key_mask ? " key mask" : "") << (c.bias ? " bias" : "") << " threads " << c.threads << " "
             << name_of(c.precision) << (c.pages ? " pages of " + std::string(name_of(*c.pages)) : "");
}

std::vector<std::int64_t> offsets_of(const std::vector<std::int64_t>& lengths) {
  std::vector<std::int64_t> offsets = {0};
  for (const std::int64_t length : lengths) offsets.push_back(offsets.back() + length);
  return offsets;
}

struct Inputs {
  std::vector<std::int64_t> query_offsets, key_offsets;
  Matrix query, key, value, bias;
  Guarded<std::uint8_t> mask;
  float scale;
};

Inputs inputs_of(const Case& c) {
  const std::vector<std::int64_t> query_offsets = offsets_of(c.queries);
  const std::vector<std::int64_t> key_offsets = c.keys.empty() ? query_offsets : offsets_of(c.keys);
  std::int64_t longest = 1;
  for (const std::int64_t length : c.queries) longest = std::max(longest, length);
  for (const std::int64_t length : c.keys) longest = std::max(longest, length);
  Inputs in{query_offsets,
            key_offsets,
            Matrix::random(query_offsets.back(), c.heads * c.head_dim, 1, 7, c.spread),
            Matrix::random(key_offsets.back(), c.kv_heads * c.head_dim, 2, 0, c.spread),
            Matrix::random(key_offsets.back(), c.kv_heads * c.head_dim, 3, 2),
            Matrix::random(2 * longest - 1, c.heads, 4),
            Guarded<std::uint8_t>(static_cast<std::size_t>(key_offsets.back())),
            1.0F / std::sqrt(static_cast<float>(c.head_dim))};
  std::mt19937 generator(5);
  for (std::uint8_t& seen : in.mask) seen = generator() % 3 != 0 ? 1 : 0;
  return in;
}

// One query's scores in f64, with -inf for keys it does not see, and the bound of an f32 evaluation of any of them.
struct Scores {
  std::vector<double> values;
  double bound = 0;
};

Scores scores_of(const Case& c, const Inputs& in, std::size_t sequence, std::int64_t query, std::int64_t head) {
  const std::int64_t first_key = in.key_offsets[sequence], keys = in.key_offsets[sequence + 1] - first_key;
  const std::int64_t first_query = in.query_offsets[sequence], queries = in.query_offsets[sequence + 1] - first_query;
  const std::int64_t position = query + (c.causal ? keys - queries : 0);
  const std::int64_t kv_head = head / (c.heads / c.kv_heads);
  Scores scores;
  for (std::int64_t k = 0; k < keys; ++k) {
    const bool hidden =
        (c.causal && k > position) || std::abs(k - position) > c.window || (c.key_mask && in.mask[first_key + k] == 0);
    double sum = 0, magnitude = 0;
    for (std::int64_t d = 0; d < c.head_dim; ++d) {
      const double term = static_cast<double>(in.query.at(first_query + query, head * c.head_dim + d)) *
                          static_cast<double>(in.key.at(first_key + k, kv_head * c.head_dim + d)) *
                          static_cast<double>(in.scale);
      sum += term;
      magnitude += std::abs(term);
    }
    if (c.bias) {
      const double add = static_cast<double>(in.bias.at(k - position + (in.bias.rows - 1) / 2, head));
      sum += add;
      magnitude += std::abs(add);
    }
    scores.values.push_back(hidden ? -HUGE_VAL : sum);
    scores.bound =
        std::max(scores.bound, (static_cast<double>(c.head_dim + 10) * kEpsilon + 2.01 * c.rounding()) * magnitude);
  }
  return scores;
}

// The weighted values; an error b in the scores moves each weight by a factor of e^(2 b) at most.
void attend(const Case& c, const Inputs& in, std::size_t sequence, std::int64_t query, std::int64_t head,
            std::vector<Expected>& row) {
  const Scores scores = scores_of(c, in, sequence, query, head);
  const double most = scores.values.empty() ? -HUGE_VAL : *std::max_element(scores.values.begin(), scores.values.end());
  const std::int64_t kv_head = head / (c.heads / c.kv_heads);
  double total = 0;
  if (most > -HUGE_VAL) {
    for (const double score : scores.values) total += std::exp(score - most);
  }
  const auto keys = static_cast<std::int64_t>(scores.values.size());
  for (std::int64_t d = 0; d < c.head_dim; ++d) {
    double sum = 0, magnitude = 0;
    for (std::int64_t k = 0; k < keys && total > 0; ++k) {
      const double weight = std::exp(scores.values[static_cast<std::size_t>(k)] - most) / total;
      const auto value = static_cast<double>(in.value.at(in.key_offsets[sequence] + k, kv_head * c.head_dim + d));
      sum += weight * value;
      magnitude += weight * std::abs(value);
    }
    const double relative =
        std::expm1(2 * scores.bound) + static_cast<double>(keys + 16) * kEpsilon + 2.01 * c.rounding();
    row[static_cast<std::size_t>(head * c.head_dim + d)] = {sum, relative * magnitude};
  }
}

float stored(float value, DType type) {
  if (type == DType::bf16) return bf16_to_f32(f32_to_bf16(value));
  return type == DType::f16 ? f16_to_f32(f32_to_f16(value)) : value;
}

// Keys and values that pages of the type hold as they are, so that nothing is rounded but what f32 rounds.
void round_to_pages(Inputs& in, DType type) {
  const float factor = in.scale * 1.44269504F;  // keys lie multiplied
  for (float& key : in.key.values) key = stored(key * factor, type) / factor;
  for (float& value : in.value.values) value = stored(value, type);
}

// Every sequence's keys and values in pages, from the first that its window reaches; or only those before its queries.
class Pages {
 public:
  Pages(const Kernels& kernels, ThreadPool& pool, const Case& c, const Inputs& in, bool whole)
      : part{.kv_heads = c.kv_heads, .head_dim = c.head_dim, .stored = *c.pages} {
    for (std::size_t s = 0; s + 1 < in.key_offsets.size(); ++s) {
      const std::int64_t keys = in.key_offsets[s + 1] - in.key_offsets[s];
      const std::int64_t queries = in.query_offsets[s + 1] - in.query_offsets[s];
      const std::int64_t reached = c.window == kNoWindow ? 0 : std::max<std::int64_t>(0, keys - queries - c.window);
      const std::int64_t first = reached / kPagePositions * kPagePositions;
      std::vector<void*>& own = pointers_.emplace_back();
      for (std::int64_t begin = first; begin < keys; begin += kPagePositions) own.push_back(new_page());
      const std::int64_t there = whole ? keys : keys - queries;
      sequences.push_back({.pages = own, .first = first, .positions = there});
      if (there == first) continue;
      const std::int64_t offsets[] = {0, there - first};
      kernels.append(
          pool, {.key = {in.key.values.data() + (in.key_offsets[s] + first) * in.key.stride, in.key.stride},
                 .value = {in.value.values.data() + (in.key_offsets[s] + first) * in.value.stride, in.value.stride},
                 .offsets = offsets,
                 .sequences = {&sequences.back(), 1},
                 .part = part,
                 .scale = in.scale});
    }
  }

  PagePart part;
  std::vector<PagedSequence> sequences;

 private:
  void* new_page() {
    const std::size_t bytes = static_cast<std::size_t>(part.numbers()) * size_of(part.stored);
    std::memset(pages_.emplace_back(bytes).data(), 0xff, bytes);  // not a number, in each of the types
    return pages_.back().data();
  }
  std::list<HostBuffer> pages_;
  std::list<std::vector<void*>> pointers_;
};

Inputs rounded_inputs_of(const Case& c) {
  Inputs in = inputs_of(c);
  if (c.pages) round_to_pages(in, *c.pages);
  return in;
}

// The last rows of each sequence: those of its queries.
Matrix last_rows(const Matrix& rows, const Inputs& in) {
  Matrix last(in.query_offsets.back(), rows.width, 5);
  for (std::size_t s = 0; s + 1 < in.query_offsets.size(); ++s) {
    const std::int64_t count = in.query_offsets[s + 1] - in.query_offsets[s];
    for (std::int64_t i = 0; i < count * rows.width; ++i) {
      const std::int64_t row = i / rows.width, column = i % rows.width;
      last.at(in.query_offsets[s] + row, column) = rows.at(in.key_offsets[s + 1] - count + row, column);
    }
  }
  return last;
}

// `appends`: the queries' own keys and values get into the pages with them instead of before.
Matrix attended(const Kernels& kernels, const Case& c, Inputs& in, bool appends = false) {
  ThreadPool pool(c.threads);
  HostBuffer scratch(kernels.attention_scratch_floats(c.head_dim, c.threads) * sizeof(float));
  // What an earlier call left must not matter.
  auto* floats = reinterpret_cast<float*>(scratch.data());
  std::fill_n(floats, scratch.size() / sizeof(float), std::numeric_limits<float>::quiet_NaN());
  Matrix output(in.query_offsets.back(), c.heads * c.head_dim, 3);
  Attention args;
  args.query = in.query;
  args.key = in.key;
  args.value = in.value;
  args.output = output;
  args.heads = c.heads;
  args.kv_heads = c.kv_heads;
  args.head_dim = c.head_dim;
  args.query_offsets = in.query_offsets;
  args.precision = c.precision;
  if (!c.keys.empty()) args.key_offsets = in.key_offsets;
  args.scale = in.scale;
  args.causal = c.causal;
  args.window = c.window;
  args.key_mask = c.key_mask ? in.mask.data() : nullptr;
  args.relative_bias = c.bias ? in.bias.values.data() : nullptr;
  args.bias_tokens = (in.bias.rows + 1) / 2;
  args.scratch = floats;
  std::optional<Pages> pages;
  const Matrix key = appends ? last_rows(in.key, in) : Matrix(0, 1);
  const Matrix value = appends ? last_rows(in.value, in) : Matrix(0, 1);
  if (c.pages) {
    pages.emplace(kernels, pool, c, in, !appends);
    args.key = appends ? ConstRows(key) : ConstRows();
    args.value = appends ? ConstRows(value) : ConstRows();
    args.key_offsets = {};
    args.appends = appends;
    for (std::size_t s = 0; s < pages->sequences.size(); ++s) {
      pages->sequences[s].positions = in.key_offsets[s + 1] - in.key_offsets[s];
    }
    args.pages = pages->sequences;
    args.part = pages->part;
  }
  kernels.attention(pool, args);
  return output;
}

void check(const Kernels& kernels, const Case& c) {
  SCOPED_TRACE(::testing::PrintToString(c));
  Inputs in = rounded_inputs_of(c);
  const Matrix output = attended(kernels, c, in);
  const bool same = !c.pages || std::ranges::equal(attended(kernels, c, in, true).values, output.values);
  EXPECT_TRUE(same) << "appended";
  std::vector<std::vector<Expected>> expected;
  for (std::size_t s = 0; s + 1 < in.query_offsets.size(); ++s) {
    for (std::int64_t q = 0; q < in.query_offsets[s + 1] - in.query_offsets[s]; ++q) {
      expected.emplace_back(static_cast<std::size_t>(c.heads * c.head_dim));
      for (std::int64_t h = 0; h < c.heads; ++h) attend(c, in, s, q, h, expected.back());
    }
  }
  EXPECT_TRUE(agrees(output, [&](std::int64_t r, std::int64_t d) {
    return expected[static_cast<std::size_t>(r)][static_cast<std::size_t>(d)];
  }));
}

// Levels without products of bf16 must give what they give in f32.
TEST_P(AttentionTest, InBf16) {
  const Precision precision = Precision::bf16;
  for (const std::int64_t head_dim : {32, 64, 96, 40}) {
    Case c{.queries = {1, 2, 33, 128, 31}, .keys = {}, .head_dim = head_dim, .spread = 0.5F};
    c.precision = precision;
    check(kernels(), c);
    c.key_mask = c.bias = true;
    check(kernels(), c);
  }
  // Several blocks of keys, more keys than queries, windows.
  check(kernels(), {.queries = {300}, .keys = {}, .head_dim = 64, .spread = 0.5F, .precision = precision});
  check(
      kernels(),
      {.queries = {7, 20}, .keys = {519, 257}, .head_dim = 32, .causal = true, .spread = 0.5F, .precision = precision});
  check(kernels(), {.queries = {600},
                    .keys = {},
                    .head_dim = 32,
                    .window = 40,
                    .spread = 0.5F,
                    .threads = 3,
                    .precision = precision});
}

TEST_P(AttentionTest, EveryHeadDimension) {
  for (const std::int64_t head_dim : {1, 3, 8, 12, 16, 20, 32, 40, 64, 80, 96, 100, 128, 256, 300}) {
    check(kernels(), {.queries = {7, 1, 18}, .keys = {}, .heads = 2, .kv_heads = 2, .head_dim = head_dim});
  }
}

TEST_P(AttentionTest, EveryLengthOfAShortSequence) {
  for (std::int64_t length = 1; length <= 40; ++length) check(kernels(), {.queries = {length}, .keys = {}});
}

TEST_P(AttentionTest, LongSequencesTakeSeveralBlocksOfKeys) {
  check(kernels(), {.queries = {256, 257, 600}, .keys = {}});
  check(kernels(), {.queries = {530}, .keys = {}, .head_dim = 12, .spread = 3.0F});
}

TEST_P(AttentionTest, EmptySequences) { check(kernels(), {.queries = {0, 5, 0, 3, 0}, .keys = {}}); }

TEST_P(AttentionTest, Causal) {
  check(kernels(), {.queries = {1, 33, 300}, .keys = {}, .causal = true});
  check(kernels(), {.queries = {1, 4, 20}, .keys = {290, 33, 20}, .causal = true});
}

TEST_P(AttentionTest, Windows) {
  for (const std::int64_t window : {0, 1, 5, 64, 300}) {
    check(kernels(), {.queries = {9, 200, 420}, .keys = {}, .heads = 1, .kv_heads = 1, .window = window});
    check(kernels(),
          {.queries = {9, 200, 420}, .keys = {}, .heads = 1, .kv_heads = 1, .causal = true, .window = window});
  }
}

TEST_P(AttentionTest, CrossAttention) {
  check(kernels(), {.queries = {5, 1, 40}, .keys = {3, 270, 17}});
  check(kernels(), {.queries = {5}, .keys = {0}});
}

// Whose keys are not packed.
TEST_P(AttentionTest, OneQueryOfOtherTokens) {
  for (const std::int64_t head_dim : {1, 7, 16, 33, 64}) {
    for (const Precision precision : {Precision::f32, Precision::bf16}) {
      check(kernels(), {.queries = {1, 1, 1, 1, 1},
                        .keys = {1, 15, 16, 49, 530},
                        .heads = 4,
                        .head_dim = head_dim,
                        .key_mask = head_dim == 16,
                        .threads = 2,
                        .precision = precision});
    }
    check(kernels(), {.queries = {1}, .keys = {300}, .head_dim = head_dim, .causal = true, .window = 20, .bias = true});
  }
}

TEST_P(AttentionTest, GroupedHeads) {
  check(kernels(), {.queries = {17, 30}, .keys = {}, .heads = 6, .kv_heads = 2});
  check(kernels(), {.queries = {17}, .keys = {}, .heads = 4, .kv_heads = 1, .causal = true});
}

TEST_P(AttentionTest, KeyMasks) {
  check(kernels(), {.queries = {1, 2, 17, 300}, .keys = {}, .key_mask = true});
  check(kernels(), {.queries = {40}, .keys = {}, .causal = true, .window = 3, .key_mask = true});
}

TEST_P(AttentionTest, RelativeBias) {
  check(kernels(), {.queries = {1, 17, 300}, .keys = {}, .heads = 3, .kv_heads = 3, .bias = true});
  check(kernels(), {.queries = {50}, .keys = {}, .causal = true, .key_mask = true, .bias = true});
  check(kernels(), {.queries = {3}, .keys = {60}, .causal = true, .bias = true});
}

TEST_P(AttentionTest, Pages) {
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    check(kernels(), {.queries = {1, 33, 300}, .keys = {}, .causal = true, .pages = type});
    check(kernels(), {.queries = {1, 4, 20}, .keys = {290, 33, 20}, .causal = true, .threads = 2, .pages = type});
    check(kernels(), {.queries = {1, 70},
                      .keys = {500, 70},
                      .heads = 6,
                      .kv_heads = 2,
                      .head_dim = 64,
                      .causal = true,
                      .pages = type});
    for (const std::int64_t head_dim : {1, 7, 12, 17, 80}) {
      check(kernels(), {.queries = {2}, .keys = {131}, .head_dim = head_dim, .causal = true, .pages = type});
    }
    for (const std::int64_t window : {0, 5, 64, 100}) {
      check(kernels(), {.queries = {1, 30}, .keys = {420, 200}, .causal = true, .window = window, .pages = type});
    }
    check(kernels(), {.queries = {3}, .keys = {60}, .causal = true, .bias = true, .pages = type});
  }
}

// Heads that are taken together: more than go into one task, of a width that no vector has, in groups that no tile
// takes.
TEST_P(AttentionTest, PagesOfOneQueryASequence) {
  struct Heads {
    std::int64_t heads, kv_heads, head_dim;
  };
  for (const DType type : {DType::f32, DType::f16, DType::bf16}) {
    for (const Heads& h :
         {Heads{40, 40, 8}, Heads{5, 5, 33}, Heads{12, 4, 64}, Heads{24, 2, 20}, Heads{7, 1, 80}, Heads{144, 1, 4}}) {
      for (const int threads : {1, 3}) {
        check(kernels(), {.queries = {1, 1, 1},
                          .keys = {600, 64, 1},
                          .heads = h.heads,
                          .kv_heads = h.kv_heads,
                          .head_dim = h.head_dim,
                          .causal = true,
                          .threads = threads,
                          .pages = type});
      }
    }
    for (const std::int64_t window : {0, 63, 64, 300}) {
      check(kernels(), {.queries = {1, 1},
                        .keys = {577, 65},
                        .heads = 3,
                        .kv_heads = 3,
                        .causal = true,
                        .window = window,
                        .threads = 2,
                        .pages = type});
    }
  }
}

TEST_P(AttentionTest, LargeScoresDoNotOverflow) { check(kernels(), {.queries = {300}, .keys = {}, .spread = 12.0F}); }

TEST_P(AttentionTest, Threads) {
  check(kernels(), {.queries = {700}, .keys = {}, .heads = 1, .kv_heads = 1, .threads = 4});
  check(kernels(), {.queries = {3, 90, 41, 7, 128}, .keys = {}, .heads = 4, .kv_heads = 4, .threads = 3});
}

TEST_P(AttentionTest, NumbersAreTheSameWithAnyThreads) {
  std::vector<Case> cases;
  for (const std::int64_t head_dim : {16, 64, 80}) {
    for (const std::int64_t queries : {11, 16, 24, 61, 300}) {
      for (const std::int64_t window : {kNoWindow, std::int64_t{37}}) {
        cases.push_back({.queries = {queries}, .keys = {}, .head_dim = head_dim, .causal = true, .window = window});
      }
      cases.push_back({.queries = {queries}, .keys = {}, .head_dim = head_dim, .precision = Precision::bf16});
      cases.push_back({.queries = {queries, 5}, .keys = {}, .head_dim = head_dim, .key_mask = true, .bias = true});
      cases.push_back({.queries = {queries},
                       .keys = {queries + 333},
                       .head_dim = head_dim,
                       .causal = true,
                       .window = 301,
                       .pages = DType::f32});
    }
    cases.push_back({.queries = {300},  // the first page is dropped: its keys begin within a block
                     .keys = {700},
                     .head_dim = head_dim,
                     .causal = true,
                     .window = 300,
                     .pages = DType::f32});
    cases.push_back(
        {.queries = {1, 1}, .keys = {700, 90}, .heads = 12, .head_dim = head_dim, .causal = true, .pages = DType::f16});
  }
  for (Case c : cases) {
    Inputs in = rounded_inputs_of(c);
    const Matrix alone = attended(kernels(), c, in);
    for (c.threads = 2; c.threads <= 5; ++c.threads) {
      EXPECT_TRUE(std::ranges::equal(attended(kernels(), c, in).values, alone.values)) << ::testing::PrintToString(c);
    }
  }
}

}  // namespace
}  // namespace accelerate::cpu::testing
