#include "runtime/generate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/text.hpp"
#include "runtime/generation_settings.hpp"
#include "runtime/prediction.hpp"
#include "runtime/tasks.hpp"

namespace accelerate {

std::string_view name_of(StopReason reason) {
  constexpr std::array<std::string_view, 5> kNames{"end_of_text", "length", "stop_text", "stop_token", "cancelled"};
  return kNames.at(static_cast<std::size_t>(reason));
}

namespace runtime {
namespace {

std::vector<std::int32_t> ids_of(const Prompt& prompt, std::size_t number, const GenerationCall& call) {
  std::vector<std::int32_t> ids = prompt.ids;
  if (ids.empty()) {
    ids = call.model.processor()
              .encoding_of(number, {prompt.text}, {.add_special_tokens = prompt.add_special_tokens})
              .ids;
  }
  // As Transformers begins where there is nothing to continue.
  if (ids.empty() && call.settings.bos_token_id) ids.push_back(*call.settings.bos_token_id);
  if (ids.empty()) {
    throw Error(ErrorKind::invalid_input, "has no tokens to continue", "prompts[" + std::to_string(number) + "]");
  }
  const std::int64_t vocabulary = call.model.info().vocabulary;
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    throw Error(ErrorKind::invalid_input,
                "has token " + std::to_string(id) + ", expected 0 to " + std::to_string(vocabulary - 1),
                "prompts[" + std::to_string(number) + "]", "the tokenizer may be another model's");
  }
  return ids;
}

// Leaves room for one new token at least.
void fit(std::vector<std::int32_t>& ids, std::size_t number, GenerationCall& call) {
  if (call.max_positions == 0 || ids.size() < call.max_positions) return;
  const std::string place = "prompts[" + std::to_string(number) + "]";
  if (!call.options.truncate) {
    throw Error(ErrorKind::invalid_input,
                "has " + std::to_string(ids.size()) + " tokens, and the model takes " +
                    std::to_string(call.max_positions) + " with those that follow",
                place, "--truncate keeps its end");
  }
  const std::size_t wanted = std::max<std::size_t>(1, call.settings.max_new_tokens);
  const std::size_t kept = std::max<std::size_t>(1, call.max_positions - std::min(wanted, call.max_positions - 1));
  ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(std::min(kept, ids.size())));
  call.truncated.push_back(number);
}

GenerationCall call_of(const LoadedModel& model, std::span<const Prompt> prompts, const GenerateOptions& options) {
  GenerationCall call{.model = model,
                      .options = options,
                      .settings = generation_settings(model.definition().checkpoint, model.processor(), options)};
  call.max_positions = static_cast<std::size_t>(model.info().max_tokens);
  call.filter = model.constraints().filter(model.processor().tokenizer(), options, call.settings);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    call.prompts.push_back(ids_of(prompts[i], i, call));
    fit(call.prompts.back(), i, call);
  }
  return call;
}

// Texts at their full length: what does not fit is refused before anything runs.
void expect_room(const GenerationCall& call, CompiledGraph& graph) {
  if (call.model.plan_options().memory_limit == 0) return;
  const std::size_t copies = std::max(call.settings.num_beams, call.settings.num_return_sequences);
  std::vector<std::int64_t> past;
  for (const std::vector<std::int32_t>& prompt : call.prompts) {
    past.insert(past.end(), copies, static_cast<std::int64_t>(call.limit(prompt.size())) - 1);
  }
  Extents extents = extents_of(std::ssize(past), 1);
  extents.set("positions", *std::ranges::max_element(past) + 1).set_ragged("past", std::move(past));
  graph.expect_room(extents);
}

}  // namespace

std::size_t GenerationCall::limit(std::size_t prompt_length) const {
  const std::size_t asked = decoding::length_limit(settings, prompt_length, max_positions);
  return max_positions == 0 ? asked : std::min(asked, max_positions);
}

void expect_choice(const GenerationCall& call, std::span<const float> scores) {
  constexpr float kNever = -std::numeric_limits<float>::infinity();
  if (!call.filter || std::ranges::any_of(scores, [](float score) { return score > kNever; })) return;
  throw Error(ErrorKind::invalid_input,
              "no token may follow: what it allows, the other settings rule out, or no token spells",
              std::string(call.filter->name()),
              "min_new_tokens, bad_words, suppress_tokens and no_repeat_ngram_size may be at odds with it");
}

void expect_numbers(const LoadedModel& model, std::span<const float> logits, std::span<const std::int32_t> tokens) {
  const float sum = std::accumulate(logits.begin(), logits.end(), 0.0F);
  if (std::isfinite(sum) || std::ranges::all_of(logits, [](float x) { return std::isfinite(x); })) return;
  std::string where = "logits";
  const std::vector<std::int64_t> ids(tokens.begin(), tokens.end());
  const NamedTensors states = run(model, {{"input_ids", Tensor::of({1, std::ssize(ids)}, ids)}},
                                  {.outputs = {"last_hidden_state"}, .layers = true});
  for (std::size_t layer = 0;; ++layer) {
    const auto state = states.find("hidden_states." + std::to_string(layer));
    if (state == states.end()) break;
    if (std::ranges::all_of(state->second.as<float>(), [](float x) { return std::isfinite(x); })) continue;
    where = layer == 0 ? "embeddings" : "layer " + std::to_string(layer - 1);
    break;
  }
  throw Error(ErrorKind::corrupted, "the model gives numbers that are not finite; its weights may be damaged", where);
}

Generations generate(const LoadedModel& model, std::span<const Prompt> prompts, const GenerateOptions& options) {
  model.definition().program.require(Task::text_generation);
  GenerationCall call = call_of(model, prompts, options);
  Generations generations;
  generations.texts.resize(prompts.size());
  generations.truncated = call.truncated;
  if (prompts.empty()) return generations;
  const std::shared_ptr<CompiledGraph> graph = model.compiled(Task::text_generation);
  expect_room(call, *graph);
  std::unique_ptr<Sequences> sequences = model.borrow_sequences();
  if (call.settings.num_beams > 1) {
    generate_beams(call, *sequences, generations);
  } else {
    generate_each(call, *sequences, generations);
  }
  generations.times.cache_bytes = sequences->slots().bytes();
  model.give_back(std::move(sequences));
  return generations;
}

}  // namespace runtime
}  // namespace accelerate
