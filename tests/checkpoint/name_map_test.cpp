#include "checkpoint/name_map.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "checkpoint/temporary_folder.hpp"

namespace accelerate {
namespace {

// A folder with one tensor of each given name and shape, holding 0, 1, 2, ...
class NameMaps : public ::testing::Test {
 protected:
  Checkpoint with(const std::vector<std::pair<std::string, Dims>>& tensors) {
    std::vector<std::pair<std::string, Tensor>> stored;
    for (const auto& [name, dims] : tensors) {
      Tensor tensor(DType::f32, dims);
      std::iota(tensor.as<float>().begin(), tensor.as<float>().end(), 0.0F);
      stored.emplace_back(name, tensor);
    }
    folder_.write("config.json", R"({"model_type": "test"})");
    write_safetensors(folder_.path() / "model.safetensors", stored);
    return Checkpoint::open(folder_.path());
  }

  static std::string stored_name(const NameMap& map, const Checkpoint& checkpoint, std::string_view name) {
    const std::optional<Parameter> found = map.find(checkpoint, name);
    return found ? found->stored_name : "";
  }

  TemporaryFolder folder_;
};

const NameMap kBert{names::prefix("bert."), names::alternative("*.LayerNorm.weight", "*.LayerNorm.gamma"),
                    names::alternative("*.LayerNorm.bias", "*.LayerNorm.beta"),
                    names::tied("cls.decoder.weight", "embeddings.word_embeddings.weight")};

TEST_F(NameMaps, PrefixesAreTriedInBothDirections) {
  const Checkpoint with_prefix = with({{"bert.encoder.weight", {2}}});
  EXPECT_EQ(stored_name(kBert, with_prefix, "encoder.weight"), "bert.encoder.weight");
  EXPECT_EQ(stored_name(kBert, with_prefix, "bert.encoder.weight"), "bert.encoder.weight");
  const Checkpoint without = with({{"encoder.weight", {2}}});
  EXPECT_EQ(stored_name(kBert, without, "encoder.weight"), "encoder.weight");
  EXPECT_EQ(stored_name(kBert, without, "bert.encoder.weight"), "encoder.weight");
}

TEST_F(NameMaps, OldSpellingsAreFoundWithAndWithoutPrefix) {
  const Checkpoint old = with({{"bert.encoder.0.LayerNorm.gamma", {2}}, {"LayerNorm.beta", {2}}});
  EXPECT_EQ(stored_name(kBert, old, "encoder.0.LayerNorm.weight"), "bert.encoder.0.LayerNorm.gamma");
  EXPECT_EQ(stored_name(kBert, old, "LayerNorm.bias"), "LayerNorm.beta") << "*. also matches nothing";
  EXPECT_EQ(stored_name(kBert, old, "encoder.0.LayerNorm.bias"), "");
  EXPECT_EQ(stored_name(kBert, old, "encoder.0.MyLayerNorm.weight"), "");
}

TEST_F(NameMaps, TheModernSpellingWins) {
  const Checkpoint both = with({{"x.LayerNorm.weight", {2}}, {"x.LayerNorm.gamma", {3}}});
  EXPECT_EQ(stored_name(kBert, both, "x.LayerNorm.weight"), "x.LayerNorm.weight");
}

TEST_F(NameMaps, TiesAreUsedOnlyWhenNothingElseIsThere) {
  const Checkpoint tied = with({{"bert.embeddings.word_embeddings.weight", {4, 2}}});
  EXPECT_EQ(stored_name(kBert, tied, "cls.decoder.weight"), "bert.embeddings.word_embeddings.weight");
  const Checkpoint own = with({{"bert.embeddings.word_embeddings.weight", {4, 2}}, {"cls.decoder.weight", {4, 2}}});
  EXPECT_EQ(stored_name(kBert, own, "cls.decoder.weight"), "cls.decoder.weight");
  EXPECT_EQ(stored_name(kBert, tied, "cls.decoder.bias"), "");
  const Checkpoint other = with({{"cls.decoder.weight", {4, 2}}});
  EXPECT_EQ(stored_name(kBert, other, "embeddings.word_embeddings.weight"), "cls.decoder.weight");
  EXPECT_EQ(stored_name(kBert, own, "embeddings.word_embeddings.weight"), "bert.embeddings.word_embeddings.weight");
}

TEST_F(NameMaps, PartsAreViewsOfRowsNotCopies) {
  NameMap map{names::prefix("model.")};
  const char* parts[] = {"q", "k", "v"};
  for (int i = 0; i < 3; ++i) {
    const std::string name = "*.attn." + std::string(parts[i]) + "_proj.";
    map.add(names::part(name + "weight", "*.attn.Wqkv.weight", i, 3));
    map.add(names::part(name + "bias", "*.attn.Wqkv.bias", i, 3));
  }
  const Checkpoint fused = with({{"model.layers.0.attn.Wqkv.weight", {6, 5}}, {"model.layers.0.attn.Wqkv.bias", {6}}});
  const StoredTensor& whole = *fused.find("model.layers.0.attn.Wqkv.weight");
  for (int i = 0; i < 3; ++i) {
    const std::string name = "layers.0.attn." + std::string(parts[i]) + "_proj.";
    const Parameter weight = map.at(fused, name + "weight", {2, 5});
    EXPECT_EQ(weight.bytes.data(), whole.bytes.data() + i * 2 * 5 * 4);
    EXPECT_EQ(weight.bytes.size(), 2U * 5 * 4);
    EXPECT_EQ(weight.elements(), 10);
    EXPECT_FALSE(weight.transposed);
    EXPECT_EQ(map.at(fused, name + "bias", {2}).bytes.size(), 8U);
  }
}

// Query, key and value of a Phi-3 with four heads over two heads of keys.
TEST_F(NameMaps, PartsMayBeSeveralBlocks) {
  const NameMap map{names::part("*.q.*", "*.qkv.*", 0, 8, 4), names::part("*.k.*", "*.qkv.*", 4, 8, 2),
                    names::part("*.v.*", "*.qkv.*", 6, 8, 2)};
  const Checkpoint fused = with({{"a.qkv.weight", {16, 5}}});
  const Parameter query = map.at(fused, "a.q.weight", {8, 5}), key = map.at(fused, "a.k.weight", {4, 5}),
                  value = map.at(fused, "a.v.weight", {4, 5});
  EXPECT_EQ(key.bytes.data() - query.bytes.data(), 8 * 5 * 4);
  EXPECT_EQ(value.bytes.data() - query.bytes.data(), 12 * 5 * 4);
  EXPECT_EQ(value.bytes.size(), 4U * 5 * 4);
  EXPECT_EQ(value.stride, 0) << "they touch";
}

// Query, key and value of each of GPT-NeoX's heads lie together.
TEST_F(NameMaps, PartsOfEveryGroupAreRunsOfRows) {
  const NameMap map{names::part("*.q.*", "*.qkv.*", 0, 3, 1, 2), names::part("*.v.*", "*.qkv.*", 2, 3, 1, 2)};
  const Checkpoint fused = with({{"a.qkv.weight", {12, 5}}, {"a.qkv.bias", {12}}});
  const Parameter value = map.at(fused, "a.v.weight", {4, 5});
  EXPECT_EQ(value.bytes.data() - NameMap().at(fused, "a.qkv.weight").bytes.data(), 4 * 5 * 4);
  EXPECT_EQ(value.stride, 6 * 5);
  EXPECT_EQ(value.run, 2);
  EXPECT_EQ(value.bytes.size(), (6U + 2U) * 5 * 4) << "nothing behind the last of them";
  EXPECT_EQ(map.at(fused, "a.q.bias", {4}).stride, 6);
  const Error error = error_of([&] { map.find(with({{"a.qkv.weight", {9, 5}}}), "a.q.weight"); });
  EXPECT_TRUE(contains(error.what(), "divide into 6 parts")) << error.what();
}

TEST_F(NameMaps, RowsThatDoNotDivideAreAnError) {
  const NameMap map{names::part("*.q.weight", "*.qkv.weight", 0, 3)};
  const Checkpoint fused = with({{"a.qkv.weight", {4, 5}}});
  const Error error = error_of([&] { map.find(fused, "a.q.weight"); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_TRUE(contains(error.what(), "[4, 5]")) << error.what();
}

TEST_F(NameMaps, TransposedMatricesAreSeenAsTheArchitectureMeansThem) {
  const NameMap map{names::prefix("transformer."), names::transposed("*.c_fc.weight")};
  const Checkpoint gpt2 = with({{"transformer.h.0.c_fc.weight", {3, 12}}, {"h.0.c_fc.bias", {12}}});
  const Parameter weight = map.at(gpt2, "h.0.c_fc.weight");
  EXPECT_TRUE(weight.transposed);
  EXPECT_EQ(weight.dims, (Dims{12, 3}));
  EXPECT_FALSE(map.at(gpt2, "h.0.c_fc.bias").transposed);
  const Checkpoint vector = with({{"h.0.c_fc.weight", {12}}});
  EXPECT_EQ(error_of([&] { map.find(vector, "h.0.c_fc.weight"); }).kind(), ErrorKind::corrupted);
}

// GPT-2 stores query, key and value side by side in each row of one matrix.
TEST_F(NameMaps, PartsOfTransposedMatricesAreColumnsOfWhatIsStored) {
  const NameMap map{names::part("*.k.*", "*.c_attn.*", 1, 3), names::transposed("*.c_attn.weight")};
  const Checkpoint gpt2 = with({{"h.c_attn.weight", {2, 12}}, {"h.c_attn.bias", {12}}});
  const Parameter weight = map.at(gpt2, "h.k.weight");
  EXPECT_TRUE(weight.transposed);
  EXPECT_EQ(weight.dims, (Dims{4, 2}));
  EXPECT_EQ(weight.stride, 12);
  const Parameter whole = NameMap().at(gpt2, "h.c_attn.weight");
  EXPECT_EQ(weight.bytes.data() - whole.bytes.data(), 4 * 4);
  EXPECT_EQ(weight.bytes.size(), (12U + 4U) * 4U);
  EXPECT_EQ(map.at(gpt2, "h.k.bias").dims, Dims{4});
}

TEST_F(NameMaps, OnlyTheTransposedSpellingIsTransposed) {
  const NameMap map{names::alternative("*.fc.weight", "*.conv.weight"), names::transposed("*.conv.weight")};
  EXPECT_TRUE(map.at(with({{"a.conv.weight", {2, 3}}}), "a.fc.weight", {3, 2}).transposed);
  EXPECT_FALSE(map.at(with({{"a.fc.weight", {2, 3}}}), "a.fc.weight", {2, 3}).transposed);
}

TEST_F(NameMaps, SeveralStarsKeepTheirOrder) {
  const NameMap map{names::alternative("layers.*.attn.*.weight", "blocks.*.att_*_w")};
  EXPECT_EQ(map.stored_names("layers.3.attn.q.weight"),
            (std::vector<std::string>{"layers.3.attn.q.weight", "blocks.3.att_q_w"}));
}

TEST_F(NameMaps, AlternativesCombine) {
  const NameMap map{names::alternative("encoder.*", "roberta.encoder.*"),
                    names::alternative("*.norm.weight", "*.LayerNorm.gamma")};
  EXPECT_EQ(stored_name(map, with({{"roberta.encoder.0.LayerNorm.gamma", {1}}}), "encoder.0.norm.weight"),
            "roberta.encoder.0.LayerNorm.gamma");
}

TEST_F(NameMaps, AMissingTensorIsNamedWithWhatWasTriedAndWhatIsNear) {
  const Checkpoint checkpoint = with({{"bert.encoder.layer.0.LayerNorm.gama", {2}}, {"unrelated", {2}}});
  const Error error = error_of([&] { kBert.at(checkpoint, "encoder.layer.0.LayerNorm.weight"); });
  EXPECT_EQ(error.kind(), ErrorKind::not_found);
  EXPECT_TRUE(contains(error.message(), "\"encoder.layer.0.LayerNorm.weight\"")) << error.what();
  EXPECT_TRUE(contains(error.message(), "\"bert.encoder.layer.0.LayerNorm.gamma\"")) << error.what();
  EXPECT_TRUE(contains(error.hint(), "\"bert.encoder.layer.0.LayerNorm.gama\"")) << error.what();
}

TEST_F(NameMaps, AWrongShapeIsNamedWithWhatWasExpected) {
  const Checkpoint checkpoint = with({{"w", {2, 3}}});
  const Error error = error_of([&] { NameMap{}.at(checkpoint, "w", {3, 3}); });
  EXPECT_EQ(error.kind(), ErrorKind::corrupted);
  EXPECT_STREQ(error.message().c_str(), "has shape [2, 3], expected [3, 3]");
  EXPECT_TRUE(contains(error.where(), "model.safetensors: tensor \"w\"")) << error.what();
}

TEST_F(NameMaps, MapsAreValues) {
  const NameMap own{names::prefix("roberta.")};
  const NameMap sum = own + kBert;
  EXPECT_EQ(sum.rows().size(), 1 + kBert.rows().size());
  EXPECT_EQ(sum, own + kBert);
  EXPECT_NE(sum, kBert);
  const Checkpoint checkpoint = with({{"roberta.x", {1}}});
  EXPECT_TRUE(sum.contains(checkpoint, "x"));
  EXPECT_FALSE(kBert.contains(checkpoint, "x"));
}

TEST_F(NameMaps, ManyPrefixesEnd) {
  NameMap map;
  for (const char* prefix : {"a.", "b.", "c.", "d."}) map.add(names::prefix(prefix));
  EXPECT_LT(map.stored_names("x").size(), 100U);
  EXPECT_EQ(stored_name(map, with({{"a.b.x", {1}}}), "x"), "a.b.x");
}

}  // namespace
}  // namespace accelerate
