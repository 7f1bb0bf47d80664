// `run` and `inspect` on the golden fixtures, by their output.
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <set>

#include "checkpoint/numpy.hpp"
#include "checkpoint/safetensors.hpp"
#include "cli/process.hpp"
#include "core/json.hpp"

namespace accelerate::cli::test {
namespace {

bool contains(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

// The program's JSON on stdout, after it ended well.
Json answer(std::vector<std::string> arguments, const std::string& input = "") {
  arguments.emplace_back("--json");
  const Finished finished = run_program(Call{.arguments = std::move(arguments), .input = input});
  EXPECT_EQ(finished.code, 0) << finished.err;
  return finished.code == 0 ? Json::parse(finished.out, "stdout") : Json();
}

const Json& golden_case(const Json& cases, const std::string& name) {
  for (const Json& each : cases.at("cases").items()) {
    if (each.at("name").as_string() == name) return each;
  }
  throw std::runtime_error("no case " + name);
}

Json golden(const std::string& model, const std::string& name) {
  const Json cases = Json::parse(read(fixture(model) / "golden/cases.json"), "cases.json");
  return golden_case(cases, name);
}

TEST(Run, EmbedsTextsAsTheGoldensHaveThem) {
  const Json expected = golden("sentence_transformer", "batch_padded");
  std::vector<std::string> arguments = {"run", fixture("sentence_transformer").string()};
  for (const Json& text : expected.at("input").at("text").items()) arguments.push_back(text.as_string());
  const Json found = answer(arguments);
  EXPECT_EQ(found.at("task").as_string(), "embed");
  const Json::Array& rows = found.at("results").items();
  const Json::Array& heads = expected.at("expected").at("embedding_head").items();
  ASSERT_EQ(rows.size(), heads.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    EXPECT_EQ(rows[i].at("text").as_string(), arguments[2 + i]);
    for (std::size_t k = 0; k < heads[i].items().size(); ++k) {
      EXPECT_NEAR(rows[i].at("embedding").items()[k].as_double(), heads[i].items()[k].as_double(), 1e-4);
    }
  }
}

TEST(Run, ShowsPeopleATableWithCosines) {
  const Finished shown = run_program({"run", fixture("bert").string(), "Hello!", "God is light."});
  EXPECT_EQ(shown.code, 0) << shown.err;
  EXPECT_TRUE(contains(shown.out, "text ")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "1  Hello!")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "\ncosine")) << shown.out;
  EXPECT_TRUE(contains(shown.out, "1.0000")) << shown.out;
}

TEST(Run, ClassifiesTextsAndPairs) {
  const Json expected = golden("bert_sequence_classification", "single_short");
  const Json found =
      answer({"run", fixture("bert_sequence_classification").string(), expected.at("input").at("text").as_string()});
  const Json& wanted = expected.at("expected").at("scores").items()[0].items()[0];
  const Json& best = found.at("results").items()[0].at("scores").items()[0];
  EXPECT_EQ(best.at("label").as_string(), wanted.at("label").as_string());
  EXPECT_NEAR(best.at("score").as_double(), wanted.at("score").as_double(), 1e-4);

  const Json pairs = golden("cross_encoder", "batch_padded");
  std::vector<std::string> arguments = {"run", fixture("cross_encoder").string(), "--pair"};
  for (std::size_t i = 0; i < 3; ++i) {
    arguments.push_back(pairs.at("input").at("text").items()[i].as_string());
    arguments.push_back(pairs.at("input").at("text_pair").items()[i].as_string());
  }
  const Json scored = answer(arguments);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NEAR(scored.at("results").items()[i].at("scores").items()[0].at("score").as_double(),
                pairs.at("expected").at("scores").items()[i].items()[0].at("score").as_double(), 1e-4);
  }
}

TEST(Run, TakesPairsFromLinesOfJsonAsFromItsOption) {
  const std::string two = R"({"text": "one", "pair": "two"})", one = R"({"text": "one"})";
  for (const char* model : {"bert", "bert_masked_lm", "bert_entities"}) {
    const Finished refused = run_program(Call{.arguments = {"run", fixture(model).string()}, .input = two + "\n"});
    EXPECT_EQ(refused.code, 3) << model;
    EXPECT_TRUE(contains(refused.err, "has a second text, but this task takes one text at a time")) << refused.err;
  }
  const std::string model = fixture("cross_encoder").string();
  EXPECT_EQ(run_program(Call{.arguments = {"run", model}, .input = two + "\n" + two + "\n"}).code, 0);
  EXPECT_EQ(run_program(Call{.arguments = {"run", model}, .input = one + "\n"}).code, 0);
  const Finished mixed = run_program(Call{.arguments = {"run", model}, .input = two + "\n" + one + "\n"});
  EXPECT_EQ(mixed.code, 3);
  EXPECT_TRUE(contains(mixed.err, "line 2: has no second text")) << mixed.err;
  EXPECT_EQ(run_program(Call{.arguments = {"run", model}, .input = one + "\n" + two + "\n"}).code, 3);
  EXPECT_EQ(run_program(Call{.arguments = {"run", model, "--pair"}, .input = one + "\n"}).code, 3);
}

TEST(Run, FillsMasks) {
  const Json expected = golden("bert_masked_lm", "single_short");
  const Json found =
      answer({"run", fixture("bert_masked_lm").string(), "--top-k", "2", expected.at("input").at("text").as_string()});
  const Json::Array& top = found.at("results").items()[0].at("masks").items()[0].at("top").items();
  ASSERT_EQ(top.size(), 2U);
  EXPECT_EQ(top[0].at("id").as_int(),
            expected.at("expected").at("masks").items()[0].at("top").items()[0].at("id").as_int());
}

TEST(Run, NamesEntities) {
  const Json expected = golden("bert_entities", "aggregation_first");
  std::vector<std::string> arguments = {"run", fixture("bert_entities").string(), "--aggregation", "first"};
  for (const Json& text : expected.at("input").at("text").items()) arguments.push_back(text.as_string());
  const Json found = answer(arguments);
  const Json& wanted = expected.at("expected").at("entities").items()[0].items()[0];
  const Json& entity = found.at("results").items()[0].at("entities").items()[0];
  EXPECT_EQ(entity.at("label").as_string(), wanted.at("entity_group").as_string());
  EXPECT_EQ(entity.at("word").as_string(), wanted.at("word").as_string());
  EXPECT_EQ(entity.at("end").as_int(), wanted.at("end").as_int());
}

TEST(Run, AnswersQuestionsGivenInAnyWay) {
  const Json expected = golden("bert_question_answering", "single_short");
  const std::string model = fixture("bert_question_answering").string();
  const std::string question = expected.at("input").at("question").as_string();
  const std::string context = expected.at("input").at("context").as_string();
  const std::string wanted = expected.at("expected").at("answers").items()[0].items()[0].at("answer").as_string();
  Json line;
  line.set("question", question).set("context", context);
  for (const Json& found : {answer({"run", model, "--question", question, "--context", context}),
                            answer({"run", model, "--question", question, context}),
                            answer({"run", model, question, context}), answer({"run", model}, line.dump() + "\n"),
                            answer({"run", model, "--input", "-"}, question + "\t" + context + "\n")}) {
    EXPECT_EQ(found.at("results").items().at(0).at("answers").items().at(0).at("answer").as_string(), wanted);
  }
}

TEST(Run, ReadsLinesWithAnyEndsAndKeepsEmptyOnes) {
  const Json found = answer({"run", fixture("bert").string()}, "\xef\xbb\xbfHello!\r\n\nGod is light.");
  const Json::Array& rows = found.at("results").items();
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[0].at("text").as_string(), "Hello!");
  EXPECT_EQ(rows[1].at("text").as_string(), "");
  EXPECT_EQ(rows[2].at("text").as_string(), "God is light.");
}

class RunOutput : public testing::Test {
 protected:
  Folder folder;
  std::string model = fixture("bert").string();
  std::vector<float> first = [] {
    std::vector<float> numbers;
    const Json found = answer({"run", fixture("bert").string(), "Hello!"});
    for (const Json& number : found.at("results").items()[0].at("embedding").items()) {
      numbers.push_back(static_cast<float>(number.as_double()));
    }
    return numbers;
  }();

  std::string written(const std::string& name) {
    const std::string path = (folder / name).string();
    const Finished finished = run_program({"run", model, "Hello!", "A \"b\", c", "--output", path, "--quiet"});
    EXPECT_EQ(finished.code, 0) << finished.err;
    EXPECT_EQ(finished.out, "");
    EXPECT_EQ(finished.err, "");
    EXPECT_EQ(folder.names(), std::vector{name});
    return path;
  }
};

TEST_F(RunOutput, IsAnArrayInNpy) {
  const Tensor vectors = read_npy(written("vectors.npy"));
  EXPECT_EQ(vectors.dims(), (Dims{2, static_cast<std::int64_t>(first.size())}));
  EXPECT_EQ(vectors.as<float>()[0], first[0]);
}

TEST_F(RunOutput, IsATensorInSafetensors) {
  const SafetensorsFile file = SafetensorsFile::open(written("vectors.safetensors"));
  const Tensor vectors = file.find("sentence_embedding")->tensor();
  EXPECT_EQ(vectors.dims(), (Dims{2, static_cast<std::int64_t>(first.size())}));
  EXPECT_EQ(vectors.as<float>()[0], first[0]);
}

TEST_F(RunOutput, IsRowsInJson) {
  const Json rows = Json::parse(read(written("vectors.json")), "vectors.json");
  ASSERT_EQ(rows.items().size(), 2U);
  EXPECT_EQ(static_cast<float>(rows.items()[0].at("embedding").items()[0].as_double()), first[0]);
}

TEST_F(RunOutput, IsALineATextInJsonLines) {
  const std::string text = read(written("vectors.jsonl"));
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 2);
  EXPECT_EQ(Json::parse(text.substr(0, text.find('\n')), "line 1").at("text").as_string(), "Hello!");
}

TEST_F(RunOutput, QuotesInCsv) {
  const std::string text = read(written("vectors.csv"));
  EXPECT_TRUE(text.starts_with("text,0,1,")) << text.substr(0, 80);
  EXPECT_TRUE(contains(text, "\r\n\"A \"\"b\"\", c\",")) << text;
}

TEST_F(RunOutput, ReplacesAFileOnlyWhenAllWentWell) {
  const std::string path = (folder / "v.json").string();
  write(path, "old");
  EXPECT_NE(run_program({"run", model, "good", "\xff bad", "--output", path}).code, 0);
  EXPECT_EQ(read(path), "old");
  EXPECT_EQ(run_program({"run", model, "good", "--output", path}).code, 0);
  EXPECT_NE(read(path), "old");
  EXPECT_EQ(folder.names(), std::vector<std::string>{"v.json"});
}

TEST(RunTensors, OfAGoldenCaseEqualItsOutputs) {
  const Folder folder;
  const std::string out = (folder / "out.safetensors").string();
  const std::string in = (fixture("bert") / "golden/batch_padded.safetensors").string();
  const Finished finished =
      run_program({"run", fixture("bert").string(), "--inputs", in, "--save-tensors", out, "--layers"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const SafetensorsFile found = SafetensorsFile::open(out), expected = SafetensorsFile::open(in);
  const Tensor mask = expected.find("inputs.attention_mask")->tensor();
  for (const std::string name : {"last_hidden_state", "hidden_states.0", "hidden_states.1", "hidden_states.2"}) {
    const StoredTensor* stored = found.find(name);
    ASSERT_NE(stored, nullptr) << name;
    const Tensor a = stored->tensor(), b = expected.find("outputs." + name)->tensor();
    ASSERT_EQ(a.dims(), b.dims()) << name;
    for (std::size_t i = 0; i < a.as<float>().size(); ++i) {
      if (mask.as<std::int64_t>()[i / static_cast<std::size_t>(a.dims().back())] == 0) continue;
      ASSERT_NEAR(a.as<float>()[i], b.as<float>()[i], 1e-4F * std::abs(b.as<float>()[i]) + 5e-5F) << name << " " << i;
    }
  }
}

TEST(RunTensors, OfTextsHoldTheInputsToo) {
  const Folder folder;
  const std::string out = (folder / "out.safetensors").string();
  const Json expected = golden("bert", "single_short");
  const Finished finished = run_program(
      {"run", fixture("bert").string(), expected.at("input").at("text").as_string(), "--save-tensors", out, "--json"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  const SafetensorsFile found = SafetensorsFile::open(out);
  ASSERT_NE(found.find("inputs.input_ids"), nullptr);
  const Tensor ids = found.find("inputs.input_ids")->tensor();
  const Json::Array& wanted = expected.at("expected").at("input_ids").items()[0].items();
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_EQ(ids.as<std::int64_t>()[i], wanted[i].as_int());
  EXPECT_NE(found.find("last_hidden_state"), nullptr);
  EXPECT_EQ(found.find("hidden_states.0"), nullptr);
  EXPECT_FALSE(Json::parse(finished.out, "stdout").at("tensors").items().empty());
}

TEST(RunTensors, OnlyThoseAskedFor) {
  const Folder folder;
  const std::string out = (folder / "out.safetensors").string(), model = fixture("bert").string();
  const Finished finished =
      run_program({"run", model, "a", "--save-tensors", out, "--tensors", "pooler_output,mean_pooled", "--json"});
  ASSERT_EQ(finished.code, 0) << finished.err;
  std::set<std::string> names;
  const Json answered = Json::parse(finished.out, "stdout");
  for (const Json& each : answered.at("tensors").items()) names.insert(each.at("name").as_string());
  EXPECT_EQ(names, (std::set<std::string>{"mean_pooled", "pooler_output"}));
  EXPECT_EQ(SafetensorsFile::open(out).find("last_hidden_state"), nullptr);
  const Finished unknown = run_program({"run", model, "a", "--save-tensors", out, "--tensors", "logit"});
  EXPECT_EQ(unknown.code, 3);
  EXPECT_TRUE(contains(unknown.err, "logit") && contains(unknown.err, "there are ")) << unknown.err;
  const Finished no_tensors = run_program({"run", model, "a", "--tensors", "mean_pooled"});
  EXPECT_EQ(no_tensors.code, 2);
  EXPECT_TRUE(contains(no_tensors.err, "--tensors")) << no_tensors.err;
}

TEST(Run, MeasuresRepeatedRuns) {
  const Json found = answer({"run", fixture("bert").string(), "Hello!", "--repeat", "5", "--stats"});
  ASSERT_EQ(found.at("milliseconds").items().size(), 5U);
  for (const Json& each : found.at("milliseconds").items()) EXPECT_GT(each.as_double(), 0);
  EXPECT_GT(found.at("stats").at("peak_allocated_bytes").as_int(), 0);
  EXPECT_GT(found.at("stats").at("open_milliseconds").as_double(), 0);
}

TEST(Run, ShowsPeopleWhatItMeasured) {
  const Finished shown = run_program({"run", fixture("bert").string(), "Hello!", "--repeat", "3", "--stats"});
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* part : {"3 runs: median ", "open ", "run ", " ms\n", "peak_allocated ", "kB\n"}) {
    EXPECT_TRUE(contains(shown.out, part)) << part << "\n" << shown.out;
  }
}

TEST(Inspect, ShowsWhatAFolderHolds) {
  const Finished shown = run_program({"inspect", fixture("bert_masked_lm").string()});
  EXPECT_EQ(shown.code, 0) << shown.err;
  for (const char* part : {"BertForMaskedLM (bert)", "embedding", "fill-mask", "layers", "f32"}) {
    EXPECT_TRUE(contains(shown.out, part)) << part << "\n" << shown.out;
  }
}

TEST(Inspect, PredictsForEachBatchAndLength) {
  const Json found =
      answer({"inspect", fixture("bert").string(), "--batch", "1,4", "--tokens", "8,16,32", "--precision", "f32"});
  const Json::Array& memory = found.at("memory").items();
  ASSERT_EQ(memory.size(), 6U);
  EXPECT_GT(memory[5].at("total").as_int(), memory[0].at("total").as_int());
  EXPECT_EQ(memory[5].at("batch").as_int(), 4);
  EXPECT_EQ(memory[5].at("tokens").as_int(), 32);
}

TEST(Inspect, HasColumnsForWhatTakesMemory) {
  const std::string encoder = run_program({"inspect", fixture("bert").string(), "--device", "cpu"}).out;
  EXPECT_TRUE(contains(encoder, "memory = weights + activations + workspace;")) << encoder;
  EXPECT_FALSE(contains(encoder, "cache"));
  const std::string decoder = run_program({"inspect", fixture("../decoders/gpt2").string(), "--device", "cpu"}).out;
  EXPECT_TRUE(contains(decoder, "memory = weights + activations + workspace + cache;")) << decoder;
  EXPECT_TRUE(contains(decoder, "a token"));
  EXPECT_FALSE(contains(decoder, "runtime"));
}

TEST(Inspect, PrintsTheGraph) {
  const std::string model = fixture("bert").string();
  EXPECT_TRUE(contains(run_program({"inspect", model, "--graph"}).out, "attention("));
  EXPECT_TRUE(contains(run_program({"inspect", model, "--graph=dot"}).out, "digraph"));
}

TEST(Devices, AreMeasured) {
  const Json found = answer({"devices"});
  const Json& cpu = found.at("devices").items().at(0);
  EXPECT_EQ(cpu.at("name").as_string(), "cpu");
  EXPECT_EQ(cpu.at("state").as_string(), "available");
  EXPECT_FALSE(cpu.at("measured").items().empty());
  for (const Json& each : cpu.at("measured").items()) EXPECT_GT(each.at("value").as_double(), 0) << each.dump();
}

}  // namespace
}  // namespace accelerate::cli::test
