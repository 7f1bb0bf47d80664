// Everything that can be wrong with what a user gives: an exit code, a message that names the thing, no partial file.
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <limits>

#include "checkpoint/safetensors.hpp"
#include "cli/process.hpp"

namespace accelerate::cli::test {
namespace {

// Ends with `code`, prints nothing on stdout and one error that contains all `parts`.
void expect_error(const Call& call, int code, const std::vector<std::string>& parts) {
  const Finished finished = run_program(call);
  EXPECT_EQ(finished.code, code) << finished.err;
  EXPECT_EQ(finished.out, "");
  EXPECT_TRUE(finished.err.starts_with("error: ")) << finished.err;
  for (const std::string& part : parts) {
    EXPECT_NE(finished.err.find(part), std::string::npos) << "no \"" << part << "\" in: " << finished.err;
  }
}

void expect_error(const std::filesystem::path& model, int code, const std::vector<std::string>& parts) {
  expect_error(Call{.arguments = {"run", model.string(), "a text"}}, code, parts);
}

void replace_in(const std::filesystem::path& file, const std::string& from, const std::string& to) {
  std::string text = read(file);
  const std::size_t at = text.find(from);
  ASSERT_NE(at, std::string::npos) << file << " has no " << from;
  write(file, text.replace(at, from.size(), to));
}

// A safetensors file of one header and `data` bytes of zeros.
std::string safetensors(const std::string& header, std::size_t data) {
  std::string file(8, '\0');
  for (std::size_t i = 0; i < 8; ++i) file[i] = static_cast<char>(header.size() >> (8 * i) & 0xff);
  return file + header + std::string(data, '\0');
}

class BadModel : public testing::Test {
 protected:
  Folder folder;
  std::filesystem::path model = copy_of("bert", folder);
  std::filesystem::path weights = model / "model.safetensors";

  void expect_bad_weights(const std::string& content, const std::vector<std::string>& parts) {
    write(weights, content);
    std::vector<std::string> all = {"model.safetensors"};
    all.insert(all.end(), parts.begin(), parts.end());
    expect_error(model, 5, all);
  }
};

TEST_F(BadModel, IsNotThere) {
  expect_error(folder / "nowhere", 4, {"nowhere"});
  expect_error("sentence-transformers/all-MiniLM-L6-v2", 4, {"sentence-transformers/all-MiniLM-L6-v2", "hint:"});
}

TEST_F(BadModel, IsAFile) { expect_error(weights, 3, {"model.safetensors"}); }

TEST_F(BadModel, LacksAFile) {
  std::filesystem::remove(weights);
  expect_error(model, 4, {"model.safetensors"});
  std::filesystem::remove(model / "config.json");
  expect_error(model, 4, {"config.json"});
}

TEST_F(BadModel, LacksATokenizer) {
  std::filesystem::remove(model / "tokenizer.json");
  std::filesystem::remove(model / "vocab.txt");
  expect_error(model, 4, {"tokenizer.json"});
}

TEST_F(BadModel, HasOnlyWeightsOfAnotherFormat) {
  std::filesystem::rename(weights, model / "pytorch_model.bin");
  expect_error(model, 6, {"pytorch_model.bin", "hint:"});
}

TEST_F(BadModel, HasTruncatedWeights) {
  const std::string whole = read(weights);
  expect_bad_weights(whole.substr(0, whole.size() - 1), {});
  expect_bad_weights(whole.substr(0, 100), {});
  expect_bad_weights(whole.substr(0, 4), {});
  expect_bad_weights("", {});
}

TEST_F(BadModel, HasWeightsWithALyingHeader) {
  std::string huge = read(weights);
  for (std::size_t i = 0; i < 8; ++i) huge[i] = '\x7f';
  expect_bad_weights(huge, {});
  expect_bad_weights(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]},)"
                                 R"("b":{"dtype":"F32","shape":[2],"data_offsets":[4,12]}})",
                                 12),
                     {"\"b\""});
  expect_bad_weights(safetensors(R"({"a":{"dtype":"F32","shape":[4],"data_offsets":[0,8]}})", 8), {"\"a\""});
  expect_bad_weights(safetensors(R"({"a":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}})", 4), {"\"a\""});
  expect_bad_weights(safetensors(R"({"a":{"dtype":"F32","shape":[4294967296,4294967296],"data_offsets":[0,8]}})", 8),
                     {"\"a\""});
  expect_bad_weights(safetensors("{", 0), {});
}

TEST_F(BadModel, LacksATensor) {
  const SafetensorsFile file = SafetensorsFile::open(fixture("bert") / "model.safetensors");
  std::vector<std::pair<std::string, Tensor>> kept;
  for (const StoredTensor& tensor : file.tensors()) {
    if (tensor.name != "encoder.layer.1.output.dense.weight") kept.emplace_back(tensor.name, tensor.tensor());
  }
  write_safetensors(weights, kept);
  expect_error(model, 4, {"encoder.layer.1.output.dense.weight"});
}

TEST_F(BadModel, HasNumbersThatAreNone) {
  const SafetensorsFile file = SafetensorsFile::open(fixture("bert") / "model.safetensors");
  std::vector<std::pair<std::string, Tensor>> changed;
  for (const StoredTensor& tensor : file.tensors()) {
    Tensor values = tensor.tensor();
    if (tensor.name.ends_with("embeddings.LayerNorm.bias")) {
      values = Tensor(DType::f32, values.dims());
      std::ranges::fill(values.as<float>(), std::numeric_limits<float>::quiet_NaN());
    }
    changed.emplace_back(tensor.name, values);
  }
  write_safetensors(weights, changed);
  expect_error(model, 5, {"numbers that are not finite; its weights may be damaged"});
}

TEST_F(BadModel, HasATensorOfAnotherShape) {
  const SafetensorsFile file = SafetensorsFile::open(fixture("bert") / "model.safetensors");
  std::vector<std::pair<std::string, Tensor>> changed;
  for (const StoredTensor& tensor : file.tensors()) {
    Tensor values = tensor.tensor();
    if (tensor.name == "encoder.layer.0.attention.output.LayerNorm.weight") values = Tensor(DType::f32, {7});
    changed.emplace_back(tensor.name, values);
  }
  write_safetensors(weights, changed);
  expect_error(model, 5, {"encoder.layer.0.attention.output.LayerNorm.weight", "[7]", "expected [32]"});
}

TEST_F(BadModel, IsOfAnUnknownType) {
  replace_in(model / "config.json", "\"model_type\": \"bert\"", "\"model_type\": \"bertt\"");
  expect_error(model, 6, {"bertt", "bert", "roberta"});
}

TEST_F(BadModel, HasBrokenJson) {
  write(model / "config.json", "{\n  \"model_type\": \"bert\",\n  \"hidden_size\": 3x\n}");
  expect_error(model, 5, {"config.json", "line 3"});
  std::filesystem::copy(fixture("bert") / "config.json", model / "config.json",
                        std::filesystem::copy_options::overwrite_existing);
  write(model / "tokenizer.json", "{\"model\": ");
  expect_error(model, 5, {"tokenizer.json", "line 1"});
}

TEST_F(BadModel, HasAConfigOfTheWrongKind) {
  replace_in(model / "config.json", "\"num_attention_heads\": ", "\"num_attention_heads\": \"four\", \"x\": ");
  expect_error(model, 5, {"config.json", "num_attention_heads"});
}

class BadText : public testing::Test {
 protected:
  Folder folder;
  std::string model = fixture("bert").string();
  std::string file = (folder / "lines.txt").string();
  std::string long_text = [] {
    std::string text;
    for (int i = 0; i < 2000; ++i) text += "light ";
    return text;
  }();
};

TEST_F(BadText, IsNoUtf8) {
  expect_error(Call{.arguments = {"run", model, "good", "bad \xff"}}, 3, {"text 2", "UTF-8"});
  write(file, "good\nalso good\n\xc3(\n");
  expect_error(Call{.arguments = {"run", model, "--input", file}}, 3, {"lines.txt: line 3", "UTF-8"});
}

TEST_F(BadText, IsNotThere) {
  expect_error(Call{.arguments = {"run", model, "--input", file}}, 4, {"lines.txt"});
  expect_error(Call{.arguments = {"run", model, "--input", folder.path().string()}}, 3, {"is a folder"});
  write(file, "");
  expect_error(Call{.arguments = {"run", model, "--input", file}}, 3, {"lines.txt", "is empty"});
  expect_error(Call{.arguments = {"run", model}}, 3, {"stdin", "is empty"});
}

TEST_F(BadText, IsBrokenJsonInJsonLines) {
  const std::string lines = (folder / "lines.jsonl").string();
  write(lines, "{\"text\": \"good\"}\n{\"text\": }\n");
  expect_error(Call{.arguments = {"run", model, "--input", lines}}, 3, {"lines.jsonl: line 2"});
  write(lines, "{\"txt\": \"good\"}\n");
  expect_error(Call{.arguments = {"run", model, "--input", lines}}, 3, {"lines.jsonl: line 1", "has no \"text\""});
  write(lines, "{\"text\": 7}\n");
  expect_error(Call{.arguments = {"run", model, "--input", lines}}, 3, {"line 1", "expected a string"});
}

TEST_F(BadText, IsLongerThanTheModelTakes) {
  const Finished cut = run_program({"run", model, long_text});
  EXPECT_EQ(cut.code, 0) << cut.err;
  EXPECT_NE(cut.err.find("note: text 1 was longer than the"), std::string::npos) << cut.err;
  EXPECT_EQ(run_program({"run", model, long_text, "--quiet"}).err, "");
  expect_error(Call{.arguments = {"run", model, "short", long_text, "--strict"}}, 3, {"text 2"});
}

TEST_F(BadText, HasNoMask) {
  expect_error(Call{.arguments = {"run", fixture("bert_masked_lm").string(), "no mask here"}}, 3, {"text 1", "[MASK]"});
}

TEST_F(BadText, AsksForWhatTheModelLacks) {
  expect_error(Call{.arguments = {"run", model, "--task", "fill-mask", "a [MASK]"}}, 6, {"fill-mask"});
  expect_error(Call{.arguments = {"run", fixture("st_prompts").string(), "a", "--prompt", "nonsense"}}, 3,
               {"nonsense", "query"});
  expect_error(Call{.arguments = {"run", model, "a", "--precision", "int4"}}, 2, {"int4", "int8"});
  expect_error(Call{.arguments = {"run", model, "a", "--precision", "f31"}}, 2, {"f31", "bf16", "auto"});
  expect_error(Call{.arguments = {"run", model, "a", "--device", "tpu"}}, 4, {"tpu", "cpu"});
}

class BadTensors : public testing::Test {
 protected:
  Folder folder;
  std::string file = (folder / "in.safetensors").string();

  void expect_bad(const std::vector<std::pair<std::string, Tensor>>& tensors, const std::vector<std::string>& parts) {
    write_safetensors(file, tensors);
    expect_error(Call{.arguments = {"run", fixture("bert").string(), "--inputs", file}}, 3, parts);
  }
};

TEST_F(BadTensors, LackAnInput) { expect_bad({{"attention_mask", Tensor(DType::i64, {1, 4})}}, {"input_ids"}); }

TEST_F(BadTensors, HaveAnIdOutsideTheVocabulary) {
  expect_bad({{"inputs.input_ids", Tensor::of<std::int64_t>({1, 2}, {2, 1'000'000})}}, {"input_ids", "1000000"});
}

TEST_F(BadTensors, HaveTheWrongShape) { expect_bad({{"input_ids", Tensor(DType::i64, {4})}}, {"input_ids", "[4]"}); }

TEST_F(BadTensors, AreNotThere) {
  expect_error(Call{.arguments = {"run", fixture("bert").string(), "--inputs", file}}, 4, {"in.safetensors"});
}

class BadOutput : public testing::Test {
 protected:
  Folder folder;
  std::string model = fixture("bert").string();
};

TEST_F(BadOutput, HasNoFolder) {
  for (const char* name : {"missing/v.npy", "missing/v.json", "missing/v.safetensors", "missing/v.csv"}) {
    expect_error(Call{.arguments = {"run", model, "a", "--output", (folder / name).string()}}, 3, {name});
  }
  expect_error(Call{.arguments = {"run", model, "a", "--save-tensors", (folder / "missing/t").string()}}, 3,
               {"missing/t"});
  EXPECT_TRUE(folder.names().empty());
}

TEST_F(BadOutput, IsAFolder) {
  std::filesystem::create_directory(folder / "v.npy");
  expect_error(Call{.arguments = {"run", model, "a", "--output", (folder / "v.npy").string()}}, 3, {"is a folder"});
}

TEST_F(BadOutput, MayNotBeWritten) {
  if (::geteuid() == 0) {
    // Root may write anywhere but into the kernel's own tables.
    expect_error(Call{.arguments = {"run", model, "a", "--output", "/proc/v.npy"}}, 3, {"/proc/v.npy"});
    return;
  }
  std::filesystem::permissions(folder.path(), std::filesystem::perms::owner_read | std::filesystem::perms::owner_exec);
  expect_error(Call{.arguments = {"run", model, "a", "--output", (folder / "v.npy").string()}}, 3, {"v.npy"});
}

TEST(BadGolden, IsNotThere) {
  expect_error(Call{.arguments = {"verify", fixture("bert").string(), "--golden", "nowhere"}}, 4, {"nowhere"});
  expect_error(Call{.arguments = {"verify", fixture("bert").string(), "--case", "nonsense"}}, 4,
               {"nonsense", "batch_padded"});
}

TEST(BadEnvironment, IsNamed) {
  expect_error(Call{.arguments = {"run", fixture("bert").string(), "a"}, .environment = {"ACCELERATE_THREADS=many"}}, 3,
               {"ACCELERATE_THREADS", "many"});
  expect_error(Call{.arguments = {"run", fixture("bert").string(), "a"}, .environment = {"ACCELERATE_CPU_LEVEL=fast"}},
               3, {"ACCELERATE_CPU_LEVEL", "fast"});
}

}  // namespace
}  // namespace accelerate::cli::test
