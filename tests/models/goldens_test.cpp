// Every golden folder through the f64 interpreter: the architectures compute what Transformers computes.
#include <gtest/gtest.h>

#include <cmath>

#include "graph/interpreter.hpp"
#include "models/architecture.hpp"
#include "models/damaged.hpp"
#include "models/golden.hpp"

namespace accelerate {
namespace {

class Goldens : public testing::TestWithParam<std::filesystem::path> {};

// The bounds of the goldens' README: Transformers ran in f32, so that f64 cannot agree more exactly.
struct Bound {
  double absolute, relative;
  double excess(double found, double expected) const {
    return std::abs(found - expected) - (absolute + relative * std::abs(expected));
  }
};
Bound bound_of(Family family) { return family == Family::text_generation ? Bound{3e-4, 3e-4} : Bound{5e-5, 1e-4}; }

// What comes of several runs, each over the token that the one before gave.
bool is_generated(const std::string& output) {
  return output == "generated_ids" || output == "step_logits" || output == "last_token_logits";
}

TEST_P(Goldens, AgreeInF64) {
  const std::filesystem::path& folder = GetParam();
  const ModelDefinition model = open_model(folder);
  const Bound bound = bound_of(model.architecture->family());
  const Graph& whole = model.program.graph("encode");
  std::vector<GoldenCase> cases = golden_cases(folder);
  ASSERT_FALSE(cases.empty());
  for (GoldenCase& one : cases) {
    SCOPED_TRACE(one.name);
    std::vector<std::string> names;
    std::erase_if(one.outputs, [](const auto& output) { return is_generated(output.first); });
    for (const auto& [name, expected] : one.outputs) names.push_back(name);
    if (names.empty()) continue;
    const Graph graph = whole.restricted_to(names);
    const Columns columns = columns_of(one);
    const Outputs outputs = interpret(graph, *model.weights, feeds_of(graph, one));
    for (const auto& [name, padded] : one.outputs) {
      const Shape& shape = graph.node(graph.find_output(name)->value).type.shape;
      const Tensor expected = (shape.ragged ? without_padding(padded, columns) : padded).to(DType::f64);
      const Tensor& found = outputs.at(name);
      ASSERT_EQ(found.dims(), expected.dims()) << name;
      double worst = -1;
      for (std::size_t i = 0; i < static_cast<std::size_t>(found.elements()); ++i) {
        // Outputs at padding mean nothing.
        const std::size_t row = i / static_cast<std::size_t>(found.elements() / found.dim(0));
        if (shape.ragged && columns.seen[row] == 0) continue;
        const double over = bound.excess(found.as<double>()[i], expected.as<double>()[i]);
        worst = std::isnan(over) ? INFINITY : std::max(worst, over);
      }
      EXPECT_LE(worst, 0) << name;
    }
  }
}

// tools/make_goldens.py makes none that are larger, and no other should come in.
TEST(GoldenFolders, AreSmall) {
  constexpr std::uintmax_t kMost = 400 * 1024;
  for (const std::string& name : golden_names()) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(goldens_folder() / name)) {
      if (entry.is_regular_file()) bytes += entry.file_size();
    }
    EXPECT_LE(bytes, kMost) << name;
  }
}

// What a folder without "architectures" is for is found in its weights.
TEST(GoldenFolders, AreUnderstoodWithoutTheirClass) {
  for (const std::string& name : golden_names()) {
    const Program named = open_model(goldens_folder() / name).program;
    GoldenCopy copy(name);
    const std::filesystem::path config =
        std::filesystem::exists(copy.path() / "config.json") ? "config.json" : "0_Transformer/config.json";
    copy.edit(config, [](Json& json) { json.set("architectures", Json()); });
    const Program found = open_model(copy.path()).program;
    EXPECT_EQ(found.class_name, "");
    // ModernBERT's classifiers of texts, tokens and answers hold the same tensors.
    const bool ambiguous = name.starts_with("modernbert") && !named.offers(Task::fill_mask);
    EXPECT_EQ(found.tasks, ambiguous ? std::vector<Task>{Task::embed} : named.tasks) << name;
  }
}

std::vector<std::filesystem::path> folders_in(const std::filesystem::path& goldens) {
  std::vector<std::filesystem::path> folders;
  for (const std::string& name : golden_names(goldens)) folders.push_back(goldens / name);
  return folders;
}
const auto kName = [](const auto& folder) { return folder.param.filename().string(); };

INSTANTIATE_TEST_SUITE_P(Models, Goldens, testing::ValuesIn(folders_in(goldens_folder())), kName);
INSTANTIATE_TEST_SUITE_P(Decoders, Goldens, testing::ValuesIn(folders_in(decoders_folder())), kName);

}  // namespace
}  // namespace accelerate
