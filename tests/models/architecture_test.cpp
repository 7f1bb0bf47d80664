#include "models/architecture.hpp"

#include <gtest/gtest.h>

#include "graph/interpreter.hpp"
#include "models/damaged.hpp"

namespace accelerate {
namespace {

ModelDefinition open_golden(const std::string& name) { return open_model(goldens_folder() / name); }

std::string shape_of(const ModelDefinition& model, std::string_view output) {
  const Graph& graph = model.program.graph("encode");
  const Graph::Output* found = graph.find_output(output);
  return found == nullptr ? "absent" : graph.node(found->value).type.shape.to_string();
}

TEST(Registry, IsInAlphabeticalOrderAndFindsEveryModelType) {
  std::vector<std::string> names, decoders;
  for (const Architecture* architecture : architectures()) {
    names.emplace_back(architecture->model_type());
    EXPECT_EQ(&architecture_of(names.back()), architecture);
    if (architecture->family() == Family::text_generation) decoders.push_back(names.back());
  }
  EXPECT_TRUE(std::ranges::is_sorted(names));
  EXPECT_EQ(names,
            (std::vector<std::string>{
                "albert",     "bart",     "bert",  "distilbert", "electra", "gemma",   "gemma2",     "gemma3_text",
                "gpt2",       "gpt_neox", "llama", "marian",     "mistral", "mixtral", "modernbert", "mpnet",
                "nomic_bert", "opt",      "phi3",  "qwen2",      "qwen3",   "roberta", "t5",         "xlm-roberta"}));
  EXPECT_EQ(decoders,
            (std::vector<std::string>{"bart", "gemma", "gemma2", "gemma3_text", "gpt2", "gpt_neox", "llama", "marian",
                                      "mistral", "mixtral", "opt", "phi3", "qwen2", "qwen3", "t5"}));
}

TEST(Registry, ListsWhatThereIsNearestFirst) {
  const Error error = error_of([] { architecture_of("bertt"); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.message(), "\"bertt\" is not supported; there are bert, ")) << error.what();
  for (const Architecture* architecture : architectures()) {
    EXPECT_TRUE(contains(error.message(), architecture->model_type())) << error.what();
  }
  EXPECT_TRUE(contains(error_of([] { architecture_of("xlm_roberta"); }).message(), "there are xlm-roberta, roberta"));
}

TEST(Tasks, AreFoundByAllTheirNames) {
  for (const Task task : {Task::embed, Task::fill_mask, Task::text_classification, Task::token_classification,
                          Task::question_answering}) {
    EXPECT_EQ(task_named(name_of(task)), task);
  }
  EXPECT_EQ(task_named("classify"), Task::text_classification);
  EXPECT_EQ(task_named("ner"), Task::token_classification);
  const Error error = error_of([] { task_named("translate"); });
  EXPECT_EQ(error.kind(), ErrorKind::invalid_input);
  EXPECT_TRUE(contains(error.message(), "fill-mask")) << error.what();
}

struct Published {
  const char* golden;
  const char* class_name;
  std::vector<Task> tasks;
};

TEST(Program, OffersTheTasksOfItsClassFirst) {
  const Published all[] = {
      {"bert", "BertModel", {Task::embed}},
      {"bert_masked_lm", "BertForMaskedLM", {Task::fill_mask, Task::embed}},
      {"roberta_sequence_classification", "RobertaForSequenceClassification", {Task::text_classification, Task::embed}},
      {"xlm_roberta_reranker", "XLMRobertaForSequenceClassification", {Task::text_classification, Task::embed}},
      {"electra_token_classification", "ElectraForTokenClassification", {Task::token_classification, Task::embed}},
      {"mpnet_question_answering", "MPNetForQuestionAnswering", {Task::question_answering, Task::embed}},
      {"electra_pretraining", "ElectraForPreTraining", {Task::embed}},
      {"st_mpnet", "MPNetModel", {Task::embed}},
  };
  for (const auto& [golden, class_name, tasks] : all) {
    const ModelDefinition model = open_golden(golden);
    EXPECT_EQ(model.program.class_name, class_name) << golden;
    EXPECT_EQ(model.program.tasks, tasks) << golden;
  }
}

TEST(Program, SaysWhichClassDoesNotDoATask) {
  const ModelDefinition model = open_golden("bert_masked_lm");
  model.program.require(Task::embed);
  const Error error = error_of([&] { model.program.require(Task::question_answering); });
  EXPECT_EQ(error.kind(), ErrorKind::unsupported);
  EXPECT_TRUE(contains(error.message(), "BertForMaskedLM")) << error.what();
  EXPECT_TRUE(contains(error.message(), "fill-mask, embed")) << error.what();
  EXPECT_EQ(error_of([&] { model.program.graph("decode"); }).kind(), ErrorKind::not_found);
}

TEST(Program, HasTheShapesOfTransformers) {
  for (const std::string& name : golden_names()) {
    const ModelDefinition model = open_golden(name);
    const Summary summary = model.architecture->summary(model.checkpoint.config());
    const std::string width = std::to_string(summary.hidden_size);
    EXPECT_EQ(shape_of(model, "last_hidden_state"), "[batch, tokens~, " + width + "]") << name;
    EXPECT_EQ(shape_of(model, "hidden_states.0"), "[batch, tokens~, " + width + "]") << name;
    EXPECT_EQ(shape_of(model, "mean_pooled"), "[batch, " + width + "]") << name;
    EXPECT_NE(shape_of(model, "sentence_embedding"), "absent") << name;
    EXPECT_GE(summary.max_tokens, 1) << name;
    EXPECT_GE(summary.vocabulary, 1) << name;
  }
  const ModelDefinition masked = open_golden("bert_masked_lm");
  EXPECT_EQ(shape_of(masked, "logits"), "[batch, tokens~, 700]");
  EXPECT_EQ(shape_of(masked, "selected_logits"), "[selected, 700]");
  EXPECT_EQ(shape_of(masked, "start_logits"), "absent");
  EXPECT_EQ(shape_of(open_golden("bert_question_answering"), "start_logits"), "[batch, tokens~]");
  EXPECT_EQ(shape_of(open_golden("electra_pretraining"), "logits"), "[batch, tokens~]");
  EXPECT_EQ(shape_of(open_golden("bert_regression"), "logits"), "[batch, 1]");
  EXPECT_EQ(shape_of(open_golden("bert_token_classification"), "logits"), "[batch, tokens~, 5]");
  EXPECT_EQ(shape_of(open_golden("st_two_dense"), "sentence_embedding"), "[batch, 16]");
  EXPECT_EQ(shape_of(open_golden("st_mean_and_max"), "sentence_embedding"), "[batch, 32]");
}

TEST(Program, ComputesTheVocabularyOfSelectedRowsOnly) {
  const std::filesystem::path folder = goldens_folder() / "bert_masked_lm";
  const ModelDefinition model = open_model(folder);
  const GoldenCase one = golden_cases(folder).front();
  const std::string wanted[] = {"logits", "selected_logits"};
  const Graph graph = model.program.graph("encode").restricted_to(wanted);
  Feeds feeds = feeds_of(graph, one);
  feeds.extents.set("selected", 2);
  feeds.tensors["selected.item"] = Tensor::of<std::int64_t>({2}, {0, 0});
  feeds.tensors["selected.position"] = Tensor::of<std::int64_t>({2}, {3, 1});
  const Outputs outputs = interpret(graph, *model.weights, feeds);
  const Tensor& all = outputs.at("logits");
  const Tensor& selected = outputs.at("selected_logits");
  ASSERT_EQ(selected.dims(), (Dims{2, all.dim(1)}));
  const auto width = static_cast<std::size_t>(all.dim(1));
  for (std::size_t i = 0; i < width; ++i) {
    EXPECT_EQ(selected.as<double>()[i], all.as<double>()[3 * width + i]);
    EXPECT_EQ(selected.as<double>()[width + i], all.as<double>()[width + i]);
  }
}

TEST(Summary, CountsTokensAsEachArchitectureDoes) {
  const auto max_tokens = [](const std::string& golden) {
    const ModelDefinition model = open_golden(golden);
    return model.architecture->summary(model.checkpoint.config()).max_tokens;
  };
  const auto positions = [](const std::string& golden) {
    return Config::read(goldens_folder() / golden / "config.json").require<std::int64_t>("max_position_embeddings");
  };
  EXPECT_EQ(max_tokens("bert"), positions("bert"));
  EXPECT_EQ(max_tokens("roberta"), positions("roberta") - 2);
  EXPECT_EQ(max_tokens("mpnet"), positions("mpnet") - 2);
  EXPECT_EQ(max_tokens("modernbert"), positions("modernbert"));
  GoldenCopy copy("roberta");
  copy.set("pad_token_id", 5);
  const ModelDefinition model = open_model(copy.path());
  EXPECT_EQ(model.architecture->summary(model.checkpoint.config()).max_tokens, positions("roberta") - 6);
}

TEST(Summary, StopsNomicAtTheTrainedPositionsWhereTheAnglesWouldStretch) {
  GoldenCopy copy("nomic_bert");
  copy.set("rotary_scaling_factor", 2.0).set("max_trained_positions", 50);
  const ModelDefinition model = open_model(copy.path());
  EXPECT_EQ(model.architecture->summary(model.checkpoint.config()).max_tokens, 50);
}

TEST(Names, OldSpellingsAndPrefixesAreRead) {
  GoldenCopy copy("bert_prefixed");
  copy.rename("bert.", "");
  EXPECT_NO_THROW(open_model(copy.path()));
  copy.rename("LayerNorm.weight", "LayerNorm.gamma").rename("LayerNorm.bias", "LayerNorm.beta");
  EXPECT_NO_THROW(open_model(copy.path()));
}

TEST(Names, NomicIsReadAsItsAuthorsAndAsTransformersSpellIt) {
  GoldenCopy copy("nomic_bert_masked_lm");
  copy.rename("encoder.layers.", "layers.")
      .rename("attn.out_proj", "self_attn.o_proj")
      .rename("emb_ln", "embeddings.LayerNorm");
  copy.rename("norm1", "post_attention_layernorm").rename("norm2", "post_mlp_layernorm");
  copy.rename("fc11", "up_proj").rename("fc12", "gate_proj").rename("fc2", "down_proj").rename("nomic_bert.", "");
  EXPECT_NO_THROW(open_model(copy.path()));
}

// Rows of a head's query lie between those of keys and values.
TEST(Names, PartsOfEveryHeadAreGathered) {
  const ModelDefinition model = open_model(decoders_folder() / "gpt_neox");
  const Checkpoint& checkpoint = model.checkpoint;
  const Tensor whole = checkpoint.find("gpt_neox.layers.1.attention.query_key_value.weight")->tensor().to(DType::f32);
  const Tensor key = model.weights->at("layers.1.attention.k_proj.weight").to_f32();
  ASSERT_EQ(whole.dims(), (Dims{96, 32}));
  ASSERT_EQ(key.dims(), (Dims{32, 32}));
  for (std::size_t row = 0; row < 32; ++row) {
    const std::size_t stored = row / 8 * 24 + 8 + row % 8;  // heads of 8, the key behind the query
    for (std::size_t i = 0; i < 32; ++i) {
      ASSERT_EQ(key.as<float>()[row * 32 + i], whole.as<float>()[stored * 32 + i]) << row;
    }
  }
}

TEST(Names, FusedMatricesAreViewsOfTheirParts) {
  const ModelDefinition model = open_golden("modernbert");
  const Weight& query = model.weights->at("layers.1.attn.q_proj.weight");
  const Weight& value = model.weights->at("layers.1.attn.v_proj.weight");
  EXPECT_EQ(query.dims, (Dims{16, 16}));
  EXPECT_EQ(value.bytes.data() - query.bytes.data(), 2 * 16 * 16 * 4);
}

}  // namespace
}  // namespace accelerate
