#include "runtime/generate.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>

#include "core/text.hpp"
#include "runtime/drafts.hpp"
#include "runtime/generation_settings.hpp"
#include "runtime/prediction.hpp"
#include "runtime/sources.hpp"
#include "runtime/tasks.hpp"

namespace accelerate {

std::string_view name_of(StopReason reason) {
  constexpr std::array<std::string_view, 5> kNames{"end_of_text", "length", "stop_text", "stop_token", "cancelled"};
  return kNames.at(static_cast<std::size_t>(reason));
}

namespace runtime {

namespace {

std::string place_of(std::size_t number) { return "prompts[" + std::to_string(number) + "]"; }

void expect_tokens(std::span<const std::int32_t> ids, std::size_t number, std::int64_t vocabulary) {
  if (ids.empty()) throw Error(ErrorKind::invalid_input, "has no tokens to continue", place_of(number));
  for (const std::int32_t id : ids) {
    if (id >= 0 && id < vocabulary) continue;
    throw Error(ErrorKind::invalid_input,
                "has token " + std::to_string(id) + ", expected 0 to " + std::to_string(vocabulary - 1),
                place_of(number), "the tokenizer may be another model's");
  }
}

std::vector<std::int32_t> ids_of(const Prompt& prompt, std::size_t number, const GenerationCall& call) {
  std::vector<std::int32_t> ids = prompt.ids;
  if (ids.empty()) {
    ids = call.model.processor()
              .encoding_of(number, {prompt.text}, {.add_special_tokens = prompt.add_special_tokens})
              .ids;
  }
  // As Transformers begins where there is nothing to continue.
  if (ids.empty() && call.settings.bos_token_id) ids.push_back(*call.settings.bos_token_id);
  return ids;
}

// Of what an encoder reads: all of its positions may be filled.
void fit_source(std::vector<std::int32_t>& ids, const Prompt& prompt, std::size_t number, GenerationCall& call) {
  if (call.max_positions == 0 || ids.size() <= call.max_positions) return;
  if (!call.options.truncate) {
    throw Error(ErrorKind::invalid_input,
                "has " + std::to_string(ids.size()) + " tokens, and the model's encoder takes " +
                    std::to_string(call.max_positions),
                place_of(number), "--truncate keeps its beginning");
  }
  if (prompt.ids.empty()) {
    ids = call.model.processor()
              .encoding_of(number, {prompt.text},
                           {.add_special_tokens = prompt.add_special_tokens, .max_length = call.max_positions})
              .ids;
  } else {
    ids.resize(call.max_positions);
  }
  call.truncated.push_back(number);
}

// Leaves room for the new tokens, or half of the positions where there are to be more.
void fit(std::vector<std::int32_t>& ids, std::size_t number, GenerationCall& call) {
  if (call.max_positions == 0 || ids.size() < call.max_positions) return;
  if (!call.options.truncate) {
    throw Error(ErrorKind::invalid_input,
                "has " + std::to_string(ids.size()) + " tokens, and the model takes " +
                    std::to_string(call.max_positions) + " with those that follow",
                place_of(number), "--truncate keeps its end");
  }
  const std::size_t length = decoding::length_limit(call.settings, ids.size());
  const std::size_t wanted = length > ids.size() ? length - ids.size() : 1;
  const std::size_t kept = call.max_positions - std::clamp<std::size_t>(call.max_positions / 2, 1, wanted);
  ids.erase(ids.begin(), ids.end() - static_cast<std::ptrdiff_t>(std::max<std::size_t>(1, kept)));
  call.truncated.push_back(number);
}

// Texts of an encoder-decoder go through the encoder; what is continued is its start token.
void encode_prompts(GenerationCall& call) {
  const std::int32_t start = start_token(call.settings);
  const std::shared_ptr<CompiledGraph> encoder = source_encoder(call.model);
  call.sources = read_sources(*encoder, call.prompts,
                              [&](Feeds feeds) { return encoder->run(std::move(feeds), call.options.cancellation); });
  for (std::vector<std::int32_t>& prompt : call.prompts) prompt = {start};
}

// Of an encoder-decoder those of each half, none where only distances count; of others the tokenizer may know less.
std::int64_t positions_of(const LoadedModel& model) {
  if (!has_encoder(model)) return model.info().max_tokens;
  return model.definition().architecture->summary(model.definition().checkpoint.config()).max_tokens;
}

GenerationCall call_of(const LoadedModel& model, std::span<const Prompt> prompts, const GenerateOptions& options,
                       const LoadedModel* draft) {
  GenerationCall call{.model = model,
                      .options = options,
                      .settings = generation_settings(model.definition().checkpoint, model.processor(), options)};
  call.draft = draft;
  call.max_positions = static_cast<std::size_t>(positions_of(model));
  const Graph& graph = model.definition().program.graph_of(Task::text_generation);
  call.vocabulary = static_cast<std::size_t>(graph.node(graph.find_output("logits")->value).type.shape.last().number());
  call.filter = model.constraints().filter(model.processor().tokenizer(), options, call.settings);
  for (std::size_t i = 0; i < prompts.size(); ++i) {
    std::vector<std::int32_t>& ids = call.prompts.emplace_back(ids_of(prompts[i], i, call));
    expect_tokens(ids, i, model.info().vocabulary);
    if (has_encoder(model)) {
      fit_source(ids, prompts[i], i, call);
    } else {
      fit(ids, i, call);
    }
  }
  return call;
}

// Bytes that the memory limit leaves beside texts at their full length. Error{out_of_memory} before anything runs.
std::int64_t room(const GenerationCall& call, CompiledGraph& graph) {
  if (call.model.plan_options().memory_limit == 0) return std::numeric_limits<std::int64_t>::max();
  const std::size_t copies = std::max(call.settings.num_beams, call.settings.num_return_sequences);
  std::vector<std::int64_t> past;
  for (const std::vector<std::int32_t>& prompt : call.prompts) {
    past.insert(past.end(), copies, static_cast<std::int64_t>(call.limit(prompt.size())) - 1);
  }
  Extents extents = extents_of(std::ssize(past), 1);
  std::vector<std::int64_t> read;
  for (const auto& source : call.sources) read.insert(read.end(), copies, source->tokens);
  if (!read.empty()) extents.set_ragged("source", std::move(read));
  extents.set("positions", *std::ranges::max_element(past) + 1).set_ragged("past", std::move(past));
  return graph.expect_room(extents);
}

}  // namespace

std::size_t GenerationCall::limit(std::size_t prompt_length) const {
  const std::size_t asked = decoding::length_limit(settings, prompt_length, max_positions);
  return max_positions == 0 ? asked : std::min(asked, max_positions);
}

void throw_no_choice(const GenerationCall& call) {
  throw Error(ErrorKind::invalid_input,
              "no token may follow: what it allows, the other settings rule out, or no token spells",
              call.filter ? std::string(call.filter->name()) : "settings",
              "min_new_tokens, bad_words, suppress_tokens and no_repeat_ngram_size may be at odds with it");
}

void expect_numbers(const LoadedModel& model, std::span<const float> logits, std::span<const std::int32_t> tokens) {
  const float sum = std::accumulate(logits.begin(), logits.end(), 0.0F);
  if (std::isfinite(sum) || std::ranges::all_of(logits, [](float x) { return std::isfinite(x); })) return;
  std::string where = "logits";
  if (has_encoder(model)) {
    throw Error(ErrorKind::corrupted, "the model gives numbers that are not finite; its weights may be damaged", where);
  }
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

Generations generate(const LoadedModel& model, std::span<const Prompt> prompts, const GenerateOptions& options,
                     const LoadedModel* draft) {
  model.definition().program.require(Task::text_generation);
  GenerationCall call = call_of(model, prompts, options, draft);
  Generations generations;
  generations.texts.resize(prompts.size());
  generations.truncated = call.truncated;
  check_drafts(call);
  if (prompts.empty()) return generations;
  const auto began = Clock::now();
  std::int64_t source_tokens = 0;
  if (has_encoder(model)) {
    for (const std::vector<std::int32_t>& prompt : call.prompts) source_tokens += std::ssize(prompt);
    try {
      encode_prompts(call);
    } catch (const Error& error) {
      if (error.kind() != ErrorKind::interrupted) throw;
      for (auto& texts : generations.texts) texts.push_back({.reason = StopReason::cancelled});
      return generations;
    }
  }
  const double encoding = seconds_since(began);
  const std::shared_ptr<CompiledGraph> graph = model.compiled(Task::text_generation);
  std::unique_ptr<Sequences> sequences = model.borrow_sequences();
  sequences->keep_at_most(room(call, *graph));
  try {
    call.settings.num_beams > 1 ? generate_beams(call, *sequences, generations)
                                : generate_each(call, *sequences, generations);
  } catch (const Error& error) {
    // What cannot be done by its own words says nothing against what is kept of others.
    if (error.kind() == ErrorKind::invalid_input) model.give_back(std::move(sequences));
    throw;
  }
  generations.times.cache_bytes = sequences->slots().bytes();
  if (!call.sources.empty()) {
    generations.times.prompt_tokens = source_tokens;
    generations.times.prompt += encoding;
    generations.times.first_token += encoding;
  }
  model.give_back(std::move(sequences));
  return generations;
}

}  // namespace runtime
}  // namespace accelerate
