// A golden folder: what was put in and what Transformers made of it. docs/goldens.md describes the format.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "core/json.hpp"
#include "verify/tolerance.hpp"

namespace accelerate::verify {

struct GoldenCase {
  std::string name, task;
  // Raw input; all empty where the case is about tensors only. `pairs` is as long as `texts`, or empty.
  std::vector<std::string> texts, pairs, questions, contexts;
  Json messages;                // of a chat; null where the case is none
  std::string rendered_prompt;  // what Transformers' template made of them
  Json settings, expected;
  // Name of the tensor file, and the names in it: inputs with their argument's name, outputs with the result's.
  std::filesystem::path tensor_file;
  std::vector<std::pair<std::string, std::string>> inputs, outputs;
  bool first_row_only = false;  // the outputs are of the first row of the inputs, without its padding

  bool has_text() const { return !texts.empty() || !questions.empty() || !messages.is_null(); }
  // Whether texts were generated.
  bool generates() const { return task == "generate" || task == "chat" || reads_source(); }
  // By an encoder-decoder: the raw input is its encoder's.
  bool reads_source() const { return task == "text2text-generation"; }
};

struct GoldenFolder {
  std::filesystem::path path;
  std::string note;
  WeightKind weights = WeightKind::random;
  std::vector<GoldenCase> cases;
};

// Reads cases.json only. Error{not_found}, Error{corrupted} naming the case and the field.
GoldenFolder read_golden(const std::filesystem::path& folder);
// The same from the text of cases.json; `folder` is where its tensor files are looked for.
GoldenFolder parse_golden(std::string_view text, const std::filesystem::path& folder);

struct GoldenTensors {
  NamedTensors inputs, outputs;
};
// Error{not_found} or Error{corrupted} when the file or a tensor in it is not as the case says.
GoldenTensors read_tensors(const GoldenCase& golden);

}  // namespace accelerate::verify
