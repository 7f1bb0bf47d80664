#include "verify/golden.hpp"

#include "checkpoint/safetensors.hpp"
#include "core/file.hpp"

namespace accelerate::verify {
namespace {

constexpr std::string_view kInputs = "inputs.", kOutputs = "outputs.", kFirst = "outputs.first_sentence.";

std::vector<std::string> strings_of(const Json* value) {
  std::vector<std::string> texts;
  if (value == nullptr) return texts;
  if (value->is_string()) return {value->as_string()};
  for (const Json& item : value->items()) texts.push_back(item.as_string());
  return texts;
}

void read_names(const Json& tensors, std::string_view list, std::string_view prefix,
                std::vector<std::pair<std::string, std::string>>& names) {
  const Json* found = tensors.find(list);
  if (found == nullptr) return;
  for (const Json& tensor : found->items()) {
    const std::string& stored = tensor.at("name").as_string();
    names.emplace_back(stored.starts_with(prefix) ? stored.substr(prefix.size()) : stored, stored);
  }
}

// Files are named from the model's folder, which the golden folder need not lie in.
std::filesystem::path tensor_file(const std::filesystem::path& golden, const std::string& name) {
  const std::filesystem::path beside = golden / std::filesystem::path(name).filename();
  return std::filesystem::exists(beside) ? beside : golden.parent_path() / name;
}

// Rows of an input as the case describes it; -1 where it does not.
std::int64_t described_rows(const Json& json, std::string_view input) {
  const Json* tensors = json.find("tensors");
  const Json* list = tensors == nullptr ? nullptr : tensors->find("inputs");
  if (list == nullptr) return -1;
  for (const Json& tensor : list->items()) {
    const Json* shape = tensor.find("shape");
    if (tensor.at("name").as_string() != input || shape == nullptr || shape->items().empty()) continue;
    return shape->items()[0].as_int();
  }
  return -1;
}

// Some folders write a pair as a list of two texts: then there is one row of ids.
void split_pair(GoldenCase& read, const Json& json) {
  if (read.texts.size() != 2 || !read.pairs.empty() || described_rows(json, "inputs.input_ids") != 1) return;
  read.pairs = {read.texts[1]};
  read.texts.pop_back();
}

GoldenCase read_case(const Json& json, const std::filesystem::path& golden) {
  GoldenCase read;
  read.name = json.at("name").as_string();
  read.task = json.at("task").as_string();
  const Json& input = json.at("input");
  read.texts = strings_of(input.find("text"));
  read.pairs = strings_of(input.find("text_pair"));
  read.questions = strings_of(input.find("question"));
  read.contexts = strings_of(input.find("context"));
  if (const Json* messages = input.find("messages")) read.messages = *messages;
  if (const Json* rendered = input.find("rendered_prompt")) read.rendered_prompt = rendered->as_string();
  split_pair(read, json);
  if ((!read.pairs.empty() && read.pairs.size() != read.texts.size()) ||
      read.questions.size() != read.contexts.size()) {
    throw Error(ErrorKind::corrupted, "has texts and pairs of different number", "case \"" + read.name + "\"");
  }
  if (const Json* settings = json.find("settings")) read.settings = *settings;
  if (const Json* expected = json.find("expected")) {
    if (!expected->is_object() && !expected->is_null()) {
      throw Error(ErrorKind::corrupted, "\"expected\" is no object", "case \"" + read.name + "\"");
    }
    read.expected = *expected;
  }
  if (const Json* tensors = json.find("tensors")) {
    read.tensor_file = tensor_file(golden, tensors->at("file").as_string());
    read_names(*tensors, "inputs", kInputs, read.inputs);
    read_names(*tensors, "outputs", kOutputs, read.outputs);
  }
  return read;
}

// The form of goldens/real: sentences, one tensor file, the layers of the first sentence, nearest neighbours.
std::vector<GoldenCase> read_sentences(const Json& json, const std::filesystem::path& golden) {
  GoldenCase all, first;
  all.name = "sentences";
  first.name = "first_sentence";
  all.task = first.task = "embed";
  all.texts = strings_of(&json.at("sentences"));
  if (all.texts.empty()) throw Error(ErrorKind::corrupted, "has no sentences");
  first.texts = {all.texts.front()};
  first.first_row_only = true;
  all.expected.set("nearest", json.at("nearest"));
  all.tensor_file = first.tensor_file = golden / json.at("tensors").as_string();
  const SafetensorsFile file = SafetensorsFile::open(all.tensor_file);
  for (const StoredTensor& tensor : file.tensors()) {
    const std::string& name = tensor.name;
    if (name.starts_with(kInputs)) {
      all.inputs.emplace_back(name.substr(kInputs.size()), name);
    } else if (name.starts_with(kFirst)) {
      first.outputs.emplace_back(name.substr(kFirst.size()), name);
    } else if (name.starts_with(kOutputs)) {
      all.outputs.emplace_back(name.substr(kOutputs.size()), name);
    }
  }
  first.inputs = all.inputs;
  return {std::move(all), std::move(first)};
}

Tensor tensor_named(const SafetensorsFile& file, const GoldenCase& golden, const std::string& name) {
  const StoredTensor* stored = file.find(name);
  if (stored == nullptr) {
    throw Error(ErrorKind::corrupted, "has no tensor \"" + name + "\", which cases.json names",
                golden.tensor_file.string());
  }
  return stored->tensor();
}

// Row 0 of [rows, tokens] up to `length`.
Tensor first_row(const Tensor& tensor, std::int64_t length) {
  const Tensor whole = tensor.to(DType::i64);
  const auto row = whole.as<std::int64_t>().first(static_cast<std::size_t>(length));
  return Tensor::of<std::int64_t>({1, length}, row);
}

void keep_first_row(NamedTensors& inputs) {
  const auto mask = inputs.find("attention_mask");
  if (mask == inputs.end() || mask->second.rank() != 2) return;
  const Tensor whole = mask->second.to(DType::i64);
  std::int64_t length = 0;
  const Dims& dims = whole.dims();
  if (whole.elements() == 0) return;
  for (const std::int64_t real : whole.as<std::int64_t>().first(static_cast<std::size_t>(dims[1]))) {
    length += real != 0 ? 1 : 0;
  }
  for (auto& [name, tensor] : inputs) {
    if (tensor.dims() != dims) {
      throw Error(ErrorKind::corrupted,
                  "has shape " + to_string(tensor.dims()) + ", but attention_mask has " + to_string(dims), name);
    }
    tensor = first_row(tensor, length);
  }
}

}  // namespace

GoldenFolder read_golden(const std::filesystem::path& folder) {
  const std::filesystem::path file = folder / "cases.json";
  if (!std::filesystem::exists(file)) {
    throw Error(ErrorKind::not_found,
                std::filesystem::exists(folder) ? "holds no cases.json, which a golden folder has"
                                                : "there is no such golden folder, it would hold cases.json",
                folder.string(), "--golden names the folder with what Transformers computed");
  }
  return parse_golden(read_file(file), folder);
}

GoldenFolder parse_golden(std::string_view text, const std::filesystem::path& folder) {
  try {
    const Json json = Json::parse(text, "cases.json");
    GoldenFolder golden{.path = folder, .note = {}, .weights = WeightKind::random, .cases = {}};
    if (const Json* note = json.find("note")) golden.note = note->as_string();
    if (json.find("sentences") != nullptr) {
      golden.weights = WeightKind::trained;
      golden.cases = read_sentences(json, folder);
    } else {
      for (const Json& each : json.at("cases").items()) golden.cases.push_back(read_case(each, folder));
      if (golden.cases.empty()) throw Error(ErrorKind::corrupted, "lists no case", "cases.json");
    }
    return golden;
  } catch (const Error& error) {
    throw error.within(folder.string());
  }
}

GoldenTensors read_tensors(const GoldenCase& golden) {
  GoldenTensors tensors;
  if (golden.inputs.empty() && golden.outputs.empty()) return tensors;
  const SafetensorsFile file = SafetensorsFile::open(golden.tensor_file);
  for (const auto& [name, stored] : golden.inputs) tensors.inputs.emplace(name, tensor_named(file, golden, stored));
  for (const auto& [name, stored] : golden.outputs) tensors.outputs.emplace(name, tensor_named(file, golden, stored));
  if (golden.first_row_only) keep_first_row(tensors.inputs);
  return tensors;
}

}  // namespace accelerate::verify
