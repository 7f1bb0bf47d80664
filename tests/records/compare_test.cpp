// Newest against previous, one precision against another: pairs of equal conditions, judged beyond their noise.
#include "records/compare.hpp"

#include "records/testing.hpp"

namespace accelerate::records::test {
namespace {

// Records of one database, each a millisecond after the one before.
class Compare : public testing::Test {
 protected:
  std::string add(Content content, const std::string& precision = "f32", const std::string& code = "1.0.0") {
    Record record = record_with(std::move(content), precision);
    record.time_ms = ++time_;
    record.code = {.version = code, .build = code + " (" + code + "aaaa; compiler)"};
    return records_.add(record);
  }
  const Compared& figure(const Pair& pair, const std::string& what) {
    for (const Compared& each : pair.figures) {
      if (each.what == what) return each;
    }
    ADD_FAILURE() << "no figure " << what;
    static const Compared none;
    return none;
  }
  Folder folder_;
  Records records_{folder_.path() / "r.sqlite"};
  std::int64_t time_ = 1000;
};

TEST_F(Compare, TheNewestStandsAgainstTheOneBefore) {
  add(measurement(1, 30));
  const std::string previous = add(measurement(1, 20));
  add(measurement(8, 100));  // another condition, alone
  const std::string newest = add(measurement(1, 10));
  const Comparison comparison = newest_with_previous(records_.list({}));
  ASSERT_EQ(comparison.pairs.size(), 1U);
  EXPECT_EQ(comparison.without_partner, 1U);
  const Pair& pair = comparison.pairs[0];
  EXPECT_EQ(pair.before.id, previous);
  EXPECT_EQ(pair.after.id, newest);
  EXPECT_EQ(figure(pair, "p50_ms").ratio, 0.5);
  EXPECT_EQ(figure(pair, "p50_ms").verdict, Verdict::better);
  EXPECT_EQ(figure(pair, "throughput_per_s").ratio, 2);
  EXPECT_EQ(figure(pair, "throughput_per_s").verdict, Verdict::better);
  EXPECT_EQ(comparison.count(Verdict::worse), 0U);
}

TEST_F(Compare, OnlyBeyondTheNoiseIsAnythingWorse) {
  const auto verdict = [](double before, double after, double spread) {
    Measurement a = measurement(1, before), b = measurement(1, after);
    a.spread = b.spread = spread;
    return compare(record_with(a), record_with(b)).pairs[0].figures[0].verdict;
  };
  EXPECT_EQ(verdict(100, 101.9, 0), Verdict::same) << "two hundredths are never more than noise";
  EXPECT_EQ(verdict(100, 102.1, 0), Verdict::worse);
  EXPECT_EQ(verdict(100, 109, 0.05), Verdict::same) << "the spreads of both are added";
  EXPECT_EQ(verdict(100, 111, 0.05), Verdict::worse);
  EXPECT_EQ(verdict(100, 89, 0.05), Verdict::better);
}

TEST_F(Compare, FiguresThatWereTakenOnceAreShownAndNotJudged) {
  Measurement a = measurement(1, 10), b = measurement(1, 10);
  a.load_ms = 10;
  b.load_ms = 500;
  b.first_ms = 4;
  const Pair pair = compare(record_with(a), record_with(b)).pairs[0];
  EXPECT_EQ(figure(pair, "load_ms").ratio, 50);
  EXPECT_EQ(figure(pair, "load_ms").verdict, Verdict::unjudged);
  for (const Compared& each : pair.figures) EXPECT_NE(each.what, "first_ms") << "only one of them has it";
}

TEST_F(Compare, MoreMemoryIsWorse) {
  Measurement a = measurement(1, 10), b = measurement(1, 10);
  a.peak_bytes = 1000;
  b.peak_bytes = 1011;
  EXPECT_EQ(figure(compare(record_with(a), record_with(b)).pairs[0], "peak_bytes").verdict, Verdict::worse);
  b.peak_bytes = 1009;
  EXPECT_EQ(figure(compare(record_with(a), record_with(b)).pairs[0], "peak_bytes").verdict, Verdict::same);
}

TEST_F(Compare, AnAgreementIsJudgedByItsBound) {
  const auto verdict = [](bool before, bool after) {
    const Record a = record_with(agreement(0.99, before)), b = record_with(agreement(0.98, after));
    return compare(a, b).count(Verdict::worse);
  };
  EXPECT_EQ(verdict(true, false), 1U);
  EXPECT_EQ(verdict(true, true), 0U);
  EXPECT_EQ(verdict(false, true), 0U);
}

TEST_F(Compare, PrecisionsAreTakenFromTheNewestOfEach) {
  add(measurement(1, 99), "f32");
  add(measurement(1, 20), "f32");
  add(measurement(1, 10), "int8");
  add(measurement(8, 80), "int8");
  const Comparison comparison = compare(records_, "f32", "int8", {});
  ASSERT_EQ(comparison.pairs.size(), 1U);
  EXPECT_EQ(figure(comparison.pairs[0], "p50_ms").ratio, 0.5);
  EXPECT_EQ(comparison.without_partner, 1U);
}

TEST_F(Compare, VersionsAndCommitsOfTheCode) {
  add(measurement(1, 20), "f32", "1.0.0");
  add(measurement(1, 10), "int8", "1.0.0");
  add(measurement(1, 10), "f32", "2.0.0");
  for (const auto& [before, after] : {std::pair("1.0.0", "2.0.0"), std::pair("1.0.0aa", "2.0.0aa")}) {
    const Comparison comparison = compare(records_, before, after, {});
    ASSERT_EQ(comparison.pairs.size(), 1U) << before;
    EXPECT_EQ(comparison.pairs[0].before.precision, "f32");
    EXPECT_EQ(figure(comparison.pairs[0], "p50_ms").ratio, 0.5);
    EXPECT_EQ(comparison.without_partner, 1U);
  }
  EXPECT_EQ(error_of([&] { compare(records_, "1.0.0", "2.0.0", {.batch = 9}); }).kind(), ErrorKind::not_found)
      << "no record of that batch has either version";
}

TEST_F(Compare, IdsAreTakenAsTheyAre) {
  const std::string a = add(measurement(1, 20)), b = add(measurement(8, 10), "int8"), c = add(agreement());
  const Comparison comparison = compare(records_, a, b, {});
  ASSERT_EQ(comparison.pairs.size(), 1U);
  EXPECT_EQ(comparison.pairs[0].after.id, b);
  EXPECT_EQ(error_of([&] { compare(records_, a, c, {}); }).kind(), ErrorKind::invalid_input) << "another kind";
  EXPECT_EQ(error_of([&] { compare(records_, a, "int8", {}); }).kind(), ErrorKind::invalid_input) << "another sort";
  EXPECT_EQ(error_of([&] { compare(records_, "bf16", "int8", {}); }).kind(), ErrorKind::not_found);
}

}  // namespace
}  // namespace accelerate::records::test
