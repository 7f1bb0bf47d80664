#include "verify/case_inputs.hpp"

#include "verify/expected.hpp"

namespace accelerate::verify {
namespace {

std::string prompt_text(const ModelInfo& info, const GoldenCase& golden) {
  std::string name = info.default_prompt;
  if (const Json* asked = golden.settings.find("prompt_name")) name = asked->as_string();
  const auto found = info.prompts.find(name);
  return found == info.prompts.end() ? "" : found->second;
}

}  // namespace

bool is_logits(std::string_view name) { return name.ends_with("logits"); }

RowMask mask_for(const std::string& name, const Tensor& output, const NamedTensors& inputs, std::string_view task) {
  const auto ids = inputs.find("input_ids");
  const auto mask = inputs.find("attention_mask");
  if (ids == inputs.end() || mask == inputs.end() || output.rank() < 2 || ids->second.rank() != 2) return {};
  // Said to be wrong where the inputs are compared; here it would mask rows that there are none of.
  if (mask->second.dims() != ids->second.dims()) return {};
  const Tensor whole = mask->second.to(DType::i64);
  const auto real = whole.as<std::int64_t>();
  const bool a_number_a_token = name == "start_logits" || name == "end_logits" || task == "replaced-token-detection";
  const bool a_row_a_token = output.dim(0) == ids->second.dim(0) && output.dim(1) == ids->second.dim(1) &&
                             (output.rank() == 3 || a_number_a_token);
  RowMask rows;
  if (!a_row_a_token) return rows;
  for (const std::int64_t one : real) rows.push_back(one != 0 ? 1 : 0);
  return rows;
}

ModelInputs encode_case(const Model& model, const GoldenCase& golden, const BatchOptions& batch) {
  if (!golden.pairs.empty()) return model.encode(pairs_of(golden), batch);
  std::vector<std::string> texts = golden.texts;
  const std::string prompt = prompt_text(model.info(), golden);
  for (std::string& text : texts) text.insert(0, prompt);
  return model.encode(texts, batch);
}

void add_prompt_length(const GoldenCase& golden, NamedTensors& inputs) {
  const Json* length = golden.settings.find("prompt_length");
  if (length == nullptr) return;
  const std::vector<std::int64_t> lengths(static_cast<std::size_t>(inputs.at("input_ids").dim(0)), length->as_int());
  const auto rows = static_cast<std::int64_t>(lengths.size());
  inputs.insert_or_assign("prompt_length", Tensor::of<std::int64_t>({rows}, lengths));
}

}  // namespace accelerate::verify
