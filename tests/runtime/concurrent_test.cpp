// Several threads at once on one model, on two models, and by the C interface: what each gets is what a lone caller
// gets. The thread sanitizer runs these too (`make check-all`).
#include <gtest/gtest.h>

#include <atomic>
#include <functional>
#include <latch>
#include <thread>

#include "accelerate/accelerate.h"
#include "models/golden.hpp"
#include "runtime/c_api_opened.hpp"
#include "runtime/goldens.hpp"

namespace accelerate {
namespace {

constexpr int kThreads = 4;

// Lengths differ, and there are enough rows that the model's own threads share them.
std::vector<std::string> many_texts() {
  const std::vector<std::string> words{"In the beginning",
                                       "God created",
                                       "the heaven and the earth.",
                                       "And the earth",
                                       "was without form,",
                                       "and void;",
                                       "and darkness was upon the face of the deep."};
  std::vector<std::string> texts{""};
  for (std::size_t i = 0; i < 40; ++i)
    texts.push_back(texts.size() % 6 == 0 ? "Hello!" : texts.back() + " " + words[i % words.size()]);
  return texts;
}

// Runs body(0 .. kThreads - 1) at once: none begins before all are there.
void at_once(const std::function<void(int)>& body) {
  std::latch start(kThreads);
  std::vector<std::thread> threads;
  for (int i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      start.arrive_and_wait();
      body(i);
    });
  }
  for (std::thread& thread : threads) thread.join();
}

std::size_t differences(const Tensor& found, const Tensor& expected) {
  if (found.dims() != expected.dims()) return 1;
  std::size_t wrong = 0;
  for (std::size_t i = 0; i < static_cast<std::size_t>(found.elements()); ++i) {
    wrong += std::abs(found.as<float>()[i] - expected.as<float>()[i]) <= 1e-5F ? 0 : 1;
  }
  return wrong;
}

Model opened(const char* folder, int threads = 3) { return Model::open(model_folder(folder), {.threads = threads}); }

// Nothing is prepared: the tokenizer, the plan and its weights are made while others wait for them.
TEST(Concurrent, FirstCallsOfOneModel) {
  const std::vector<std::string> texts = many_texts();
  const Tensor expected = opened("sentence_transformer").embed(texts).vectors;
  for (int round = 0; round < 5; ++round) {
    const Model model = opened("sentence_transformer");
    std::atomic<std::size_t> wrong{0};
    at_once(
        [&](int i) { wrong += differences(model.embed(texts, {.batch = {.tokens = 1 + 60 * i}}).vectors, expected); });
    EXPECT_EQ(wrong, 0U);
  }
}

// Sequences, schemas, guesses of one draft model, and the first of all calls: each thread in its own order.
TEST(Concurrent, TextsOfOneModel) {
  const auto folder = decoders_folder() / "llama";
  const std::vector<Prompt> prompts{{.text = "In the beginning"}, {.text = "Hello!"}};
  const OpenOptions options{.device = "cpu", .threads = 2};
  const Model draft = Model::open(folder, options);
  const auto way = [&](int i) {
    GenerateOptions o{.max_new_tokens = 20, .do_sample = false, .ignore_eos = true};
    if (i == 1) o.assistant_model = &draft;
    if (i == 2) o = {.max_new_tokens = 20, .do_sample = false, .json_schema = R"({"type":"boolean"})"};
    if (i == 3) o.num_beams = 3;
    return o;
  };
  const auto ids = [&](const Model& model, int i) {
    std::vector<std::vector<std::int32_t>> all;
    for (const auto& texts : model.generate(prompts, way(i)).texts) all.push_back(texts[0].ids);
    return all;
  };
  std::vector<std::vector<std::vector<std::int32_t>>> expected;
  for (int i = 0; i < kThreads; ++i) expected.push_back(ids(Model::open(folder, options), i));
  for (int round = 0; round < 3; ++round) {
    const Model model = Model::open(folder, options);
    std::atomic<std::size_t> wrong{0};
    at_once([&](int i) {
      for (int j = 0; j < kThreads; ++j) {
        const int which = (i + j) % kThreads;
        wrong += ids(model, which) == expected[static_cast<std::size_t>(which)] ? 0 : 1;
      }
    });
    EXPECT_EQ(wrong, 0U);
  }
}

TEST(Concurrent, DifferentCallsOnOneModel) {
  const std::vector<std::string> texts = many_texts();
  const std::vector<TextPair> pairs{{"God is light.", "Hello!"}, {"", "And the earth"}};
  const Model alone = opened("bert_sequence_classification");
  const NamedTensors inputs = alone.encode(texts).tensors;
  const Tensor vectors = alone.embed(texts).vectors;
  const NamedTensors outputs = alone.run(inputs, {.layers = true});
  const Classifications classes = alone.classify(texts), of_pairs = alone.classify(pairs);
  const auto wrong_scores = [](const Classifications& found, const Classifications& expected) {
    std::size_t wrong = found.scores.size() == expected.scores.size() ? 0 : 1;
    for (std::size_t i = 0; wrong == 0 && i < found.scores.size(); ++i) {
      for (std::size_t j = 0; j < found.scores[i].size(); ++j) {
        wrong += std::abs(found.scores[i][j].score - expected.scores[i][j].score) <= 1e-5 ? 0 : 1;
      }
    }
    return wrong;
  };

  const Model model = opened("bert_sequence_classification");
  std::atomic<std::size_t> wrong{0};
  at_once([&](int i) {
    const Model copy = model;
    for (int round = 0; round < 8; ++round) {
      const BatchOptions batch{.tokens = 16 << ((i + round) % 4)};
      switch ((i + round) % 4) {
        case 0: wrong += differences(copy.embed(texts, {.batch = batch}).vectors, vectors); break;
        case 1: wrong += wrong_scores(copy.classify(texts, {.batch = batch}), classes); break;
        case 2: wrong += wrong_scores(copy.classify(pairs, {.batch = batch}), of_pairs); break;
        default:
          for (const auto& [name, tensor] : copy.run(inputs, {.layers = round % 2 == 0, .batch = batch})) {
            wrong += differences(tensor, outputs.at(name));
          }
      }
    }
  });
  EXPECT_EQ(wrong, 0U);
}

TEST(Concurrent, SeveralModels) {
  const std::vector<std::string> texts = many_texts();
  const char* const folders[] = {"sentence_transformer", "modernbert", "mpnet", "albert"};
  std::vector<Tensor> expected;
  for (const char* folder : folders) expected.push_back(opened(folder).embed(texts).vectors);
  std::atomic<std::size_t> wrong{0};
  at_once([&](int i) {
    for (int round = 0; round < 4; ++round) {
      // Opened, used and closed beside the others; memory is counted meanwhile.
      const auto folder = static_cast<std::size_t>(i + round) % std::size(folders);
      wrong += differences(opened(folders[folder], 1 + round % 2).embed(texts).vectors, expected[folder]);
      wrong += memory_use().allocated >= 0 ? 0 : 1;
      wrong += inspect(model_folder(folders[folder])).memory.empty() ? 1 : 0;
    }
  });
  EXPECT_EQ(wrong, 0U);
}

TEST(Concurrent, AnswersMasksAndEntities) {
  const Model masks = opened("bert_masked_lm"), entities = opened("bert_entities"),
              spans = opened("bert_question_answering");
  const std::vector<std::string> masked{"God is [MASK].", "In the [MASK] God [MASK] the heaven."};
  const std::vector<std::string> texts = many_texts();
  std::string context;
  for (const std::string& text : texts) context += text + " ";
  const double mask = masks.fill_mask(masked).masks[1][1].top[0].score;
  const double entity = entities.classify_tokens(texts, {.ignore_labels = {}}).entities[5][0].score;
  const std::string answer = spans.answer("What was void?", context).front().text;
  std::atomic<int> wrong{0};
  at_once([&](int i) {
    for (int round = 0; round < 4; ++round) {
      const auto near = [&](double found, double expected) { wrong += std::abs(found - expected) <= 1e-5 ? 0 : 1; };
      if ((i + round) % 3 == 0) near(masks.fill_mask(masked).masks[1][1].top[0].score, mask);
      if ((i + round) % 3 == 1) {
        near(entities.classify_tokens(texts, {.ignore_labels = {}}).entities[5][0].score, entity);
      }
      if ((i + round) % 3 == 2) wrong += spans.answer("What was void?", context).front().text == answer ? 0 : 1;
    }
  });
  EXPECT_EQ(wrong, 0);
}

// One caller is stopped from outside; the others finish, and the model still works afterwards.
TEST(Concurrent, StoppedFromAnotherThread) {
  const std::vector<std::string> texts = many_texts();
  const Model model = opened("sentence_transformer");
  const Tensor expected = model.embed(texts).vectors;
  const Cancellation stop;
  std::latch running(1);
  std::atomic<int> interrupted{0};
  std::atomic<std::size_t> wrong{0};
  at_once([&](int i) {
    if (i == 0) {
      running.wait();
      stop.cancel();
    } else if (i == 1) {
      bool told = false;
      EmbedOptions options{.batch = {.tokens = 1, .cancellation = stop}};
      options.batch.progress = [&](std::int64_t, std::int64_t) {
        if (!std::exchange(told, true)) running.count_down();
      };
      try {
        for (;;) model.embed(texts, options);
      } catch (const Error& error) {
        interrupted += error.kind() == ErrorKind::interrupted ? 1 : 0;
      }
    } else {
      wrong += differences(model.embed(texts, {.batch = {.tokens = 30}}).vectors, expected);
    }
  });
  EXPECT_EQ(interrupted, 1);
  EXPECT_EQ(wrong, 0U);
  EXPECT_EQ(differences(model.embed(texts).vectors, expected), 0U);
}

TEST(Concurrent, OpeningIsStoppedFromAnotherThread) {
  // However far opening gets, it ends in a model or in this one error.
  for (int round = 0; round < 20; ++round) {
    const Cancellation stop;
    std::thread other([&] { stop.cancel(); });
    try {
      Model::open(model_folder("bert"), {.cancellation = stop});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::interrupted) << error.what();
    }
    other.join();
  }
}

TEST(Concurrent, TheCInterface) {
  const std::vector<std::string> texts = many_texts();
  std::vector<const char*> pointers;
  for (const std::string& text : texts) pointers.push_back(text.c_str());
  const Opened shared("sentence_transformer");
  const Tensor expected = opened("sentence_transformer").embed(texts).vectors;
  std::atomic<std::size_t> wrong{0};
  at_once([&](int i) {
    accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
    accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
    options.batch = &batch;
    for (int round = 0; round < 5; ++round) {
      batch.tokens = 10 + 40 * ((i + round) % kThreads);
      accelerate_embeddings* embeddings = nullptr;
      if (accelerate_model_embed(shared.model, pointers.data(), pointers.size(), &options, &embeddings) !=
          ACCELERATE_OK) {
        ++wrong;
        continue;
      }
      for (std::size_t j = 0; j < static_cast<std::size_t>(expected.elements()); ++j) {
        wrong += std::abs(embeddings->values[j] - expected.as<float>()[j]) <= 1e-5F ? 0 : 1;
      }
      accelerate_embeddings_free(embeddings);
    }
  });
  EXPECT_EQ(wrong, 0U);
}

// An error belongs to the thread whose call failed.
TEST(Concurrent, TheCInterfaceKeepsErrorsApart) {
  const Opened shared("st_prompts");
  const char* const texts[] = {"Hello!"};
  std::atomic<int> wrong{0};
  at_once([&](int i) {
    const std::string name = "prompt " + std::to_string(i);
    accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
    options.prompt_name = name.c_str();
    for (int round = 0; round < 50; ++round) {
      accelerate_embeddings* embeddings = nullptr;
      if (accelerate_model_embed(shared.model, texts, 1, &options, &embeddings) != ACCELERATE_INVALID_INPUT) ++wrong;
      if (std::string(accelerate_last_error_where()) != "prompt \"" + name + "\"") ++wrong;
    }
  });
  EXPECT_EQ(wrong, 0);
}

TEST(Concurrent, TheCInterfaceIsStoppedFromAnotherThread) {
  const Opened shared("sentence_transformer");
  const char* const texts[] = {"God is light.", "Hello!"};
  struct Stop {
    accelerate_cancellation* cancellation = accelerate_cancellation_new();
    std::latch running{1};
    bool told = false;
  } stop;
  accelerate_batch_options batch = ACCELERATE_BATCH_OPTIONS;
  batch.tokens = 1;
  batch.cancellation = stop.cancellation;
  batch.progress_context = &stop;
  batch.progress = [](int64_t, int64_t, void* context) {
    auto* const mine = static_cast<Stop*>(context);
    if (!std::exchange(mine->told, true)) mine->running.count_down();
  };
  accelerate_embed_options options = ACCELERATE_EMBED_OPTIONS;
  options.batch = &batch;
  std::thread other([&] {
    stop.running.wait();
    accelerate_cancel(stop.cancellation);
  });
  accelerate_status status = ACCELERATE_OK;
  while (status == ACCELERATE_OK) {
    accelerate_embeddings* embeddings = nullptr;
    status = accelerate_model_embed(shared.model, texts, 2, &options, &embeddings);
    accelerate_embeddings_free(embeddings);
  }
  other.join();
  EXPECT_EQ(status, ACCELERATE_INTERRUPTED);
  accelerate_cancellation_free(stop.cancellation);
}

}  // namespace
}  // namespace accelerate
