#include "cli/run_generation.hpp"

#include "cli/arguments.hpp"
#include "cli/exit_code.hpp"
#include "cli/generation.hpp"
#include "cli/input_text.hpp"
#include "cli/interrupt.hpp"
#include "cli/run_input.hpp"
#include "runtime/generation_json.hpp"

namespace accelerate::cli {
namespace {

constexpr std::size_t kAll = std::size_t{1} << 60;

struct Asked {
  std::vector<Prompt> prompts;
  std::vector<std::string> places;  // for errors
};

Asked asked(const RunCommand& command, const Cancellation& cancellation) {
  Asked asked;
  if (command.chat) {
    if (!command.texts.empty() || command.input) throw UsageError{"--chat is given and texts too", "one of the two"};
    asked.prompts.push_back({.text = chat_text(command.model, *command.chat), .add_special_tokens = false});
    asked.places.push_back(input_name(*command.chat));
    return asked;
  }
  for (TextItem& item : open_texts(command, Pairs::none, cancellation)->next(kAll)) {
    asked.prompts.push_back({.text = std::move(item.text)});
    asked.places.push_back(std::move(item.where));
  }
  return asked;
}

// The library counts the prompts of one call; a user knows lines of a file.
Error placed(const Error& error, const std::vector<std::string>& places) {
  for (std::size_t i = 0; i < places.size(); ++i) {
    for (const std::string& number : {"prompts[" + std::to_string(i) + "]", "texts[" + std::to_string(i) + "]"}) {
      if (error.where() == number) return {error.kind(), error.message(), places[i], error.hint()};
    }
  }
  return error;
}

void print(const Generations& found, const Asked& asked, Output& out) {
  for (std::size_t i = 0; i < found.texts.size(); ++i) {
    for (const GeneratedText& text : found.texts[i]) {
      out.heading(asked.prompts[i].text);
      out.line(text.text);
      out.line();
    }
  }
}

Json rows_of(const Generations& found, const Asked& asked) {
  Json rows = Json::array();
  for (std::size_t i = 0; i < found.texts.size(); ++i) {
    Json row, texts = Json::array();
    for (const GeneratedText& text : found.texts[i]) texts.push(runtime::to_json(text));
    rows.push(row.set("prompt", asked.prompts[i].text).set("texts", std::move(texts)));
  }
  return rows;
}

}  // namespace

int run_generation(const Model& model, const RunCommand& command, Json opened, const Cancellation& cancellation,
                   Output& out) {
  const Asked what = asked(command, cancellation);
  GenerateOptions options = generate_options(command.generation, command.top_k);
  options.cancellation = cancellation;
  const std::optional<Model> draft = draft_model(command.generation, command.execution);
  if (draft) options.assistant_model = &*draft;
  const bool streams = what.prompts.size() == 1 && !out.wants_json() && options.num_beams.value_or(1) == 1 &&
                       options.num_return_sequences.value_or(1) == 1;
  bool streamed = false;
  if (streams) {
    options.on_text = [&](const TextPiece& piece) {
      streamed = true;
      out.stream(piece.text);
    };
  }
  Generations found;
  try {
    found = model.generate(what.prompts, options);
  } catch (const Error& error) {
    if (streamed) out.stream("\n");
    throw placed(error, what.places);
  }
  for (const std::size_t i : found.truncated) {
    out.note(what.places[i] + " was longer than the model takes: its end was kept");
  }
  if (out.wants_json()) {
    opened.set("results", rows_of(found, what));
    if (command.stats) opened.set("stats", runtime::to_json(found.times));
    out.json(opened);
  } else if (streams) {
    if (!streamed) out.text(found.texts[0][0].text);  // by beams, when generation_config.json asks for them
    out.line();
  } else {
    print(found, what, out);
  }
  if (command.stats && !out.wants_json()) {
    out.finish();
    out.note(text_of(found.times));
  }
  return signal_received() != 0 ? kExitSignal + signal_received() : kExitOk;
}

}  // namespace accelerate::cli
