#include "verify/reference.hpp"

#include <algorithm>

#include "verify/case_inputs.hpp"

namespace accelerate::verify {
namespace {

using Names = std::vector<std::string>;

// Numbers of reference outputs that are kept: logits over a large vocabulary at every token would fill the memory.
constexpr std::int64_t kMostNumbers = std::int64_t{1} << 26;
constexpr std::int64_t kLeastTexts = 4;

// What answers the task, the best first; of one entry all belong together.
std::vector<Names> answers_of(const ModelInfo& info) {
  if (info.task == "embed") return {{"sentence_embedding"}, {"mean_pooled"}, {"last_hidden_state"}};
  if (info.task == "question-answering") return {{"start_logits", "end_logits"}};
  return {{"logits"}, {"prediction_logits"}, {"last_hidden_state"}};
}

bool offers(const ModelInfo& info, const std::string& name) {
  return std::ranges::find(info.outputs, name) != info.outputs.end();
}

// The best answer that all of `has` says are there; empty where there is none.
template <typename Has>
Names first_of(const std::vector<Names>& answers, Has&& has) {
  for (const Names& names : answers) {
    if (std::ranges::all_of(names, has)) return names;
  }
  return {};
}

Names own_answers(const ModelInfo& info) {
  Names names = first_of(answers_of(info), [&](const std::string& name) { return offers(info, name); });
  if (!names.empty()) return names;
  throw Error(ErrorKind::unsupported, "none of the outputs that answer its task can be computed",
              info.folder.string() + ", task " + info.task);
}

std::int64_t rows_of(const Sample& sample) { return sample.inputs.at("input_ids").dim(0); }

void compute(const Model& f32, const Names& names, const Cancellation& cancellation, Sample& sample) {
  BatchOptions batch;
  batch.cancellation = cancellation;
  sample.outputs = f32.run(sample.inputs, {.outputs = names, .layers = false, .batch = batch});
}

Reference from_golden(const Model& f32, const std::filesystem::path& folder, const Cancellation& cancellation) {
  const GoldenFolder golden = read_golden(folder);
  const ModelInfo& info = f32.info();
  const std::vector<Names> answers = answers_of(info);
  BatchOptions batch;
  batch.cancellation = cancellation;
  std::vector<Sample> with_answers, others;
  for (const GoldenCase& each : golden.cases) {
    if (each.first_row_only) continue;  // a part of another case
    GoldenTensors tensors = read_tensors(each);
    Sample sample{.inputs = std::move(tensors.inputs), .outputs = {}, .task = each.task};
    if (sample.inputs.empty() && !each.texts.empty()) sample.inputs = encode_case(f32, each, batch).tensors;
    if (!sample.inputs.contains("input_ids")) continue;
    add_prompt_length(each, sample.inputs);
    const Names names = first_of(
        answers, [&](const std::string& name) { return tensors.outputs.contains(name) && offers(info, name); });
    for (const std::string& name : names) sample.outputs[name] = tensors.outputs.at(name).to(DType::f32);
    (names.empty() ? others : with_answers).push_back(std::move(sample));
  }
  Reference reference{
      .name = "Transformers golden", .inputs = {}, .weights = golden.weights, .samples = std::move(with_answers)};
  if (reference.samples.empty()) {
    reference.name = "own f32";
    reference.samples = std::move(others);
    for (Sample& sample : reference.samples) compute(f32, own_answers(info), cancellation, sample);
  }
  if (reference.samples.empty()) throw Error(ErrorKind::invalid_input, "no case has inputs", folder.string());
  for (const Sample& sample : reference.samples) reference.texts += rows_of(sample);
  reference.inputs = std::to_string(reference.texts) + " texts of the golden";
  return reference;
}

Reference from_sentences(const Model& f32, const Cancellation& cancellation) {
  const ModelInfo& info = f32.info();
  const Names names = own_answers(info);
  const std::vector<std::string>& sentences = built_in_sentences();
  Reference reference{.name = "own f32", .inputs = {}, .weights = WeightKind::trained, .samples = {}};
  BatchOptions batch;
  batch.cancellation = cancellation;
  std::int64_t numbers = 0;
  for (std::size_t i = 0; i < sentences.size(); ++i) {
    if (reference.texts >= kLeastTexts && numbers >= kMostNumbers) break;
    GoldenCase one;
    one.texts = {sentences[i]};
    if (info.task == "question-answering") one.pairs = {sentences[(i + 1) % sentences.size()]};
    Sample sample{.inputs = encode_case(f32, one, batch).tensors, .outputs = {}, .task = info.task};
    compute(f32, names, cancellation, sample);
    for (const auto& [name, tensor] : sample.outputs) numbers += tensor.elements();
    reference.samples.push_back(std::move(sample));
    ++reference.texts;
  }
  reference.inputs = std::to_string(reference.texts) + " built-in sentences";
  return reference;
}

}  // namespace

Reference reference_of(const Model& f32, const std::optional<std::filesystem::path>& golden,
                       const Cancellation& cancellation) {
  return golden ? from_golden(f32, *golden, cancellation) : from_sentences(f32, cancellation);
}

}  // namespace accelerate::verify
