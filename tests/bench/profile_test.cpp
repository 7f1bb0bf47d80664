// Profiles add up to their run, and the trace is what Perfetto reads.
#include "bench/profile.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "bench/row_json.hpp"
#include "core/json.hpp"

namespace accelerate::bench {
namespace {

std::filesystem::path fixture(const std::string& name) {
  return std::filesystem::path(ACCELERATE_TESTS_DIR) / "goldens/models" / name;
}

struct Case {
  std::string model;
  bool texts;
};

class ProfileOf : public testing::TestWithParam<Case> {
 protected:
  Subject subject{fixture(GetParam().model), {.threads = 2}, ""};
  Workload workload{.batch = 4, .tokens = 20};
  std::vector<SizedRun> runs;
  Limits limits{1e9, {{1, 1e9}}};

  Profile take() {
    if (GetParam().texts) {
      workload.texts = std::make_shared<const std::vector<std::string>>(
          std::vector<std::string>{"let there be light", "and the earth was without form", "and", "void"});
      subject.open_tokenizer();
    }
    runs = subject.runs_of(workload);
    subject.compile();
    subject.make_inputs(workload);
    return take_profile(subject, workload, runs, limits, 1, 0.05, {});
  }
};

double sum(const std::vector<ProfilePart>& parts) {
  double all = 0;
  for (const ProfilePart& part : parts) all += part.milliseconds;
  return all;
}

TEST_P(ProfileOf, PartsAddUpToTheRun) {
  const Profile profile = take();
  EXPECT_GE(profile.runs, 3U);
  EXPECT_GT(profile.milliseconds, 0);
  EXPECT_NEAR(sum(profile.parts), profile.milliseconds, 0.001 * profile.milliseconds);
  EXPECT_NEAR(sum(profile.operations), profile.milliseconds, 0.001 * profile.milliseconds);
  EXPECT_NEAR(sum(profile.layers), profile.milliseconds, 0.001 * profile.milliseconds);
  for (const ProfilePart& part : profile.parts) EXPECT_GE(part.milliseconds, 0) << part.operation << " " << part.path;
  EXPECT_TRUE(std::ranges::is_sorted(profile.operations, std::ranges::greater(), &ProfilePart::milliseconds));
}

// Nobody works longer than the part takes, and on the calling thread somebody always works or waits for one who does.
TEST_P(ProfileOf, NoMoreThreadsWorkThanThereAre) {
  const Profile profile = take();
  for (const auto* parts : {&profile.parts, &profile.operations, &profile.layers}) {
    for (const ProfilePart& part : *parts) {
      EXPECT_LE(part.threads, 2.001) << part.operation << " " << part.path;
      EXPECT_EQ(part.threads > 0, part.milliseconds > 0) << part.operation << " " << part.path;
    }
  }
}

TEST_P(ProfileOf, WorkAddsUpToTheModels) {
  const Profile profile = take();
  std::int64_t flops = 0;
  for (const ProfilePart& part : profile.parts) flops += part.work.flops;
  EXPECT_EQ(flops, subject.work(runs).flops);
  const auto linear = std::ranges::find(profile.operations, "linear", &ProfilePart::operation);
  ASSERT_NE(linear, profile.operations.end());
  EXPECT_GT(linear->work.weight_bytes, 0);
  EXPECT_GT(linear->limit_milliseconds, 0);
}

// Complete events in microseconds; what begins inside an event of the same track ends inside it.
void expect_nested(const Json& events) {
  struct Span {
    double begin, end;
    std::string name;
  };
  std::map<std::int64_t, std::vector<Span>> tracks;
  for (const Json& event : events.items()) {
    if (event.at("ph").as_string() != "X") continue;
    EXPECT_GE(event.at("dur").as_double(), 0);
    tracks[event.at("tid").as_int()].push_back({event.at("ts").as_double(),
                                                event.at("ts").as_double() + event.at("dur").as_double(),
                                                event.at("name").as_string()});
  }
  constexpr double kRounding = 1e-6;
  for (const auto& [track, spans] : tracks) {
    std::vector<Span> open;
    for (const Span& span : spans) {
      while (!open.empty() && open.back().end <= span.begin + kRounding) open.pop_back();
      for (const Span& outer : open) {
        EXPECT_LE(outer.begin, span.begin + kRounding) << span.name << " in " << outer.name;
        EXPECT_GE(outer.end, span.end - kRounding) << span.name << " in " << outer.name;
      }
      open.push_back(span);
    }
  }
}

TEST_P(ProfileOf, TheTraceNestsAndCoversTheRun) {
  const Profile profile = take();
  const std::vector<TitledProfile> one{{"f32, 4 x 20", &profile}};
  const Json trace = Json::parse(trace_json(one), "trace");
  const Json& events = trace.at("traceEvents");
  expect_nested(events);
  std::map<std::string, double> by_category;
  std::map<std::string, std::size_t> count;
  for (const Json& event : events.items()) {
    if (event.at("ph").as_string() == "M") {
      EXPECT_FALSE(event.at("args").at("name").as_string().empty());
      continue;
    }
    by_category[event.at("cat").as_string()] += event.at("dur").as_double();
    ++count[event.at("cat").as_string()];
  }
  EXPECT_EQ(count["run"], 1U);
  EXPECT_EQ(count["operation"], profile.steps.size() * profile.trace.batches.size());
  const double run = by_category["run"];
  EXPECT_NEAR(by_category["operation"] + by_category["outside"], run, 0.05 * run);
  EXPECT_NEAR(by_category["layer"], by_category["operation"], 0.01 * run);
}

TEST_P(ProfileOf, JsonHasEveryFigure) {
  const Profile profile = take();
  const Json json = to_json(profile);
  for (const char* list : {"operations", "layers", "steps"}) {
    double shares = 0;
    for (const Json& part : json.at(list).items()) shares += part.at("share_of_time").as_double();
    EXPECT_NEAR(shares, 1, 0.001) << list;
  }
}

INSTANTIATE_TEST_SUITE_P(Models, ProfileOf,
                         testing::Values(Case{"bert", false}, Case{"bert", true}, Case{"albert", false},
                                         Case{"modernbert", false}, Case{"nomic_bert_masked_lm", false},
                                         Case{"roberta_token_classification", true}),
                         [](const auto& each) { return each.param.model + (each.param.texts ? "_texts" : "_tokens"); });

TEST(Profile, WaitingIsNoWork) {
  const Clock::time_point start{};
  const auto at = [&](int milliseconds) { return start + std::chrono::milliseconds(milliseconds); };
  PoolWork work;
  work.threads = {{{at(10), at(14)}, {at(30), at(40)}}, {{at(11), at(20)}, {at(32), at(39)}}};
  work.joined = {at(20), at(40)};
  EXPECT_DOUBLE_EQ(busy_milliseconds(work, 0, at(5), at(25)), 20 - 6);
  EXPECT_DOUBLE_EQ(busy_milliseconds(work, 1, at(5), at(25)), 9);
  EXPECT_DOUBLE_EQ(busy_milliseconds(work, 0, at(25), at(45)), 20);
  EXPECT_DOUBLE_EQ(busy_milliseconds(work, 1, at(25), at(45)), 7);
  EXPECT_DOUBLE_EQ(busy_milliseconds(PoolWork{}, 0, at(0), at(3)), 3);
}

TEST(Profile, LayersByTheirNumber) {
  EXPECT_EQ(layer_of("encoder.layer.3.output.dense"), "encoder.layer.3");
  EXPECT_EQ(layer_of("layers.11"), "layers.11");
  EXPECT_EQ(layer_of("embeddings.LayerNorm"), "embeddings");
  EXPECT_EQ(layer_of("pooler"), "pooler");
  EXPECT_EQ(layer_of("1_Pooling"), "1_Pooling");
  EXPECT_EQ(layer_of(""), "(after the layers)");
}

}  // namespace
}  // namespace accelerate::bench
