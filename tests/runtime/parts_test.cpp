// A batch that threads share by its sequences gives what each sequence gives alone.
#include <gtest/gtest.h>

#include "goldens.hpp"

namespace accelerate {
namespace {

// Lengths far from equal, enough of them for several parts on every thread; padded on the right.
NamedTensors ragged_batch(std::int64_t items, std::int64_t columns) {
  std::vector<std::int64_t> ids, mask;
  for (std::int64_t i = 0; i < items; ++i) {
    const std::int64_t length = 1 + i * 7 % columns;
    for (std::int64_t c = 0; c < columns; ++c) {
      ids.push_back(c < length ? 5 + (i * 31 + c * 17) % 60 : 0);
      mask.push_back(c < length ? 1 : 0);
    }
  }
  return {{"input_ids", Tensor::of<std::int64_t>({items, columns}, ids)},
          {"attention_mask", Tensor::of<std::int64_t>({items, columns}, mask)}};
}

NamedTensors row_of(const NamedTensors& batch, std::int64_t row) {
  NamedTensors one;
  for (const auto& [name, tensor] : batch) {
    const auto numbers = tensor.as<std::int64_t>();
    const auto first = numbers.begin() + row * tensor.dim(1);
    const std::vector<std::int64_t> own(first, first + tensor.dim(1));
    one.emplace(name, Tensor::of<std::int64_t>({1, tensor.dim(1)}, own));
  }
  return one;
}

class PartsOfABatch : public ::testing::TestWithParam<const char*> {};
// A norm before, rotary positions and windows, relative positions, dense pooling on top, a head that reads one row.
INSTANTIATE_TEST_SUITE_P(Models, PartsOfABatch,
                         ::testing::Values("bert", "modernbert_sequence_classification", "mpnet", "st_two_dense",
                                           "roberta_token_classification", "bert_question_answering"));

TEST_P(PartsOfABatch, AreAsEachSequenceAlone) {
  const Model alone = Model::open(model_folder(GetParam()), {.threads = 1});
  const NamedTensors batch = ragged_batch(40, 24);
  for (const int threads : {1, 2, 3}) {
    const Model model = Model::open(model_folder(GetParam()), {.threads = threads});
    const NamedTensors together = model.run(batch);
    for (std::int64_t row = 0; row < 40; ++row) {
      const NamedTensors single = alone.run(row_of(batch, row));
      for (const auto& [name, tensor] : single) {
        const auto expected = tensor.as<float>();
        const auto found = together.at(name).as<float>().subspan(static_cast<std::size_t>(row) * expected.size());
        for (std::size_t i = 0; i < expected.size(); ++i) {
          ASSERT_NEAR(found[i], expected[i], 2e-5F * (1 + std::abs(expected[i])))
              << name << " of item " << row << ", number " << i << ", " << threads << " threads";
        }
      }
    }
  }
}

}  // namespace
}  // namespace accelerate
