// Frequencies of rotary positions as configs ask for them: the expected numbers are Transformers'
// (modeling_rope_utils.py).
#include "models/rotary.hpp"

#include <gtest/gtest.h>

#include "checkpoint/temporary_folder.hpp"
#include "core/json.hpp"

namespace accelerate {
namespace {

Config config(const std::string& rotary) {
  return {Json::parse(R"({"max_position_embeddings": 256, )" + rotary + "}", "config.json"), "config.json"};
}

struct Expected {
  const char* name;
  const char* config;
  std::int64_t tokens;
  std::vector<float> frequencies;
  float magnitude;
};
void PrintTo(const Expected& expected, std::ostream* out) { *out << expected.name; }

class RotaryRules : public testing::TestWithParam<Expected> {};

TEST_P(RotaryRules, GiveTheFrequenciesOfTransformers) {
  const RotaryRule rule = rotary_rule(config(GetParam().config), 16);
  EXPECT_EQ(rule.rotary_dim, static_cast<std::int64_t>(2 * GetParam().frequencies.size()));
  const RotaryFrequencies found = rule.frequencies(GetParam().tokens);
  EXPECT_FLOAT_EQ(found.magnitude, GetParam().magnitude);
  ASSERT_EQ(found.values.size(), GetParam().frequencies.size());
  for (std::size_t i = 0; i < found.values.size(); ++i) {
    EXPECT_NEAR(found.values[i], GetParam().frequencies[i], 3e-7F * GetParam().frequencies[i]) << i;
  }
}

INSTANTIATE_TEST_SUITE_P(
    Kinds, RotaryRules,
    testing::Values(
        Expected{"plain",
                 R"("rope_theta": 10000)",
                 9,
                 {1, 0.316227764F, 0.1F, 0.0316227786F, 0.01F, 0.00316227786F, 0.001F, 0.000316227786F},
                 1},
        Expected{"partial", R"("rope_theta": 10000, "partial_rotary_factor": 0.5)", 9, {1, 0.1F, 0.01F, 0.001F}, 1},
        Expected{"linear",
                 R"("rope_theta": 10000, "rope_scaling": {"type": "linear", "factor": 4})",
                 9,
                 {0.25F, 0.079056941F, 0.025F, 0.00790569466F, 0.0025F, 0.000790569466F, 0.00025F, 7.90569466e-05F},
                 1},
        Expected{"dynamic_within_what_was_trained",
                 R"("rope_parameters": {"rope_type": "dynamic", "rope_theta": 10000, "factor": 4})",
                 100,
                 {1, 0.316227764F, 0.1F, 0.0316227786F, 0.01F, 0.00316227786F, 0.001F, 0.000316227786F},
                 1},
        Expected{"dynamic_beyond_it",
                 R"("rope_parameters": {"rope_type": "dynamic", "rope_theta": 10000, "factor": 4})",
                 1000,
                 {1, 0.22013101F, 0.0484576598F, 0.0106670344F, 0.002348145F, 0.00051689957F, 0.000113785616F,
                  2.50477442e-05F},
                 1},
        Expected{"yarn",
                 R"("rope_scaling": {"rope_type": "yarn", "factor": 4, "original_max_position_embeddings": 64})",
                 9,
                 {1, 0.237170815F, 0.049999997F, 0.00790569466F, 0.0025F, 0.000790569466F, 0.00025F, 7.90569466e-05F},
                 1.138629436F},
        Expected{"yarn_with_all_its_settings",
                 R"("rope_scaling": {"rope_type": "yarn", "factor": 8, "original_max_position_embeddings": 64,
                                     "beta_fast": 16, "beta_slow": 2, "mscale": 0.8, "mscale_all_dim": 0.5})",
                 9,
                 {1, 0.177878112F, 0.0125F, 0.00395284733F, 0.00125F, 0.000395284733F, 0.000125F, 3.95284733e-05F},
                 1.056507993F},
        Expected{
            "llama3",
            R"("rope_scaling": {"rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 4,
                                     "original_max_position_embeddings": 64})",
            9,
            {1, 0.244384587F, 0.0130422562F, 0.00395284733F, 0.00125F, 0.000395284733F, 0.000125F, 3.95284733e-05F},
            1},
        Expected{"longrope_short",
                 R"("rope_scaling": {"rope_type": "longrope", "factor": 4, "original_max_position_embeddings": 64,
                                     "short_factor": [1, 1, 1, 1.05, 1.1, 1.2, 1.25, 1.3],
                                     "long_factor": [1, 1.1, 1.2, 1.3, 1.5, 2, 3, 4]})",
                 32,
                 {1, 0.316227764F, 0.1F, 0.0301169306F, 0.0090909088F, 0.00263523124F, 0.0008F, 0.000243252129F},
                 1.154700538F},
        Expected{"longrope_long",
                 R"("rope_scaling": {"rope_type": "longrope", "factor": 4, "original_max_position_embeddings": 64,
                                     "short_factor": [1, 1, 1, 1.05, 1.1, 1.2, 1.25, 1.3],
                                     "long_factor": [1, 1.1, 1.2, 1.3, 1.5, 2, 3, 4]})",
                 100,
                 {1, 0.287479758F, 0.0833333358F, 0.0243252143F, 0.00666666683F, 0.00158113893F, 0.000333333359F,
                  7.90569466e-05F},
                 1.154700538F}),
    [](const auto& each) { return std::string(each.param.name); });

TEST(RotaryConfigs, OfUnknownKindsAreUnsupportedByName) {
  const Error error = error_of([] { rotary_rule(config(R"("rope_scaling": {"rope_type": "spiral"})"), 16); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.what(), "spiral")) << error.what();
}

TEST(RotaryConfigs, MustHaveWhatTheirKindNeeds) {
  const Error missing = error_of([] { rotary_rule(config(R"("rope_scaling": {"rope_type": "linear"})"), 16); });
  EXPECT_EQ(missing.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(missing.what(), "factor")) << missing.what();
  const Error short_list = error_of([] {
    rotary_rule(
        config(R"("rope_scaling": {"rope_type": "longrope", "factor": 2, "short_factor": [1], "long_factor": [1]})"),
        16);
  });
  EXPECT_EQ(short_list.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(short_list.what(), "expected 8")) << short_list.what();
}

}  // namespace
}  // namespace accelerate
