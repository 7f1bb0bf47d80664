#include "runtime/drafts.hpp"

#include <algorithm>
#include <deque>
#include <map>

#include "decoding/prompt_lookup.hpp"
#include "runtime/next_token.hpp"
#include "runtime/sources.hpp"

namespace accelerate::runtime {
namespace {

class PromptLookup final : public Drafts {
 public:
  std::vector<std::vector<std::int32_t>> next(std::span<const Text> texts) override {
    std::vector<std::vector<std::int32_t>> guesses;
    for (const Text& text : texts) {
      const std::span<const std::int32_t> found = decoding::looked_up(text.tokens, text.most);
      guesses.emplace_back(found.begin(), found.end());
    }
    return guesses;
  }
};

// A model goes on with the texts by itself, all of them in one run a token. It chooses with the settings and the
// random numbers of the call: where two models think alike, they then draw the same token.
class DraftModel final : public Drafts {
 public:
  DraftModel(const GenerationCall& call, const LoadedModel& model)
      : call_(call), model_(model), sequences_(model.borrow_sequences()), choose_(call) {
    positions_ = static_cast<std::size_t>(model.info().max_tokens);
  }

  std::vector<std::vector<std::int32_t>> next(std::span<const Text> texts) override {
    std::vector<std::vector<std::int32_t>> guesses(texts.size());
    std::vector<std::size_t> open;  // of these texts another token is to be guessed
    for (std::size_t i = 0; i < texts.size(); ++i) {
      if (texts[i].most == 0 || !has_room(texts[i], 0)) continue;
      go_back(texts[i]);
      open.push_back(i);
    }
    while (!open.empty()) {
      const std::vector<std::span<const float>> logits = run(texts, open);
      std::vector<std::size_t> still;
      for (std::size_t i = 0; i < open.size(); ++i) {
        if (guess(texts[open[i]], logits[i], guesses[open[i]])) still.push_back(open[i]);
      }
      open = std::move(still);
    }
    return guesses;
  }

  void finish() override {
    for (auto& [number, own] : owned_) {
      own.tokens.resize(own.held);
      sequences_->end(own.slot, own.tokens);
    }
    owned_.clear();
    model_.give_back(std::move(sequences_));
  }

 private:
  struct Own {
    Slot slot = 0;
    std::vector<std::int32_t> tokens;  // the text with what was guessed
    std::size_t held = 0;              // of them, in the slot
  };

  bool has_room(const Text& text, std::size_t guessed) const {
    return positions_ == 0 || text.tokens.size() + guessed < positions_;
  }

  // To where the guesses were right.
  void go_back(const Text& text) {
    Own& own = opened(text);
    const auto held = std::span(own.tokens).first(own.held);
    const auto same = static_cast<std::size_t>(std::ranges::mismatch(held, text.tokens).in1 - held.begin());
    // At least one token is to run: its logits are asked for.
    own.held = std::min(same, text.tokens.size() - 1);
    sequences_->slots().truncate(own.slot, static_cast<std::int64_t>(own.held));
    own.tokens.assign(text.tokens.begin(), text.tokens.end());
  }

  Own& opened(const Text& text) {
    const auto [found, is_new] = owned_.try_emplace(text.number);
    Own& own = found->second;
    if (is_new) {
      own.slot = sequences_->begin(text.tokens);
      own.held = static_cast<std::size_t>(sequences_->slots().length(own.slot));
      own.tokens.assign(text.tokens.begin(), text.tokens.end());
    }
    return own;
  }

  // Logits behind the tokens of the texts in `open`. Long prompts come in parts, as in the model that checks.
  std::vector<std::span<const float>> run(std::span<const Text> texts, std::span<const std::size_t> open) {
    const std::size_t most = kMostRows / open.size() + 1;  // of one text in one run
    std::vector<std::span<const float>> rows(open.size());
    logits_.clear();
    for (std::size_t done = 0; done < open.size();) {
      std::vector<Sequences::Next> next;
      std::vector<std::size_t> ran;
      for (std::size_t i = 0; i < open.size(); ++i) {
        const Own& own = owned_.at(texts[open[i]].number);
        const std::size_t left = own.tokens.size() - own.held, count = std::min(left, most);
        if (count == 0) continue;  // it ran whole before
        next.push_back({.slot = own.slot,
                        .tokens = std::span(own.tokens).subspan(own.held, count),
                        .wanted = count == left ? std::size_t{1} : 0});
        ran.push_back(i);
      }
      const Tensor& logits = logits_.emplace_back(sequences_->run(next, call_.options.cancellation));
      const auto width = static_cast<std::size_t>(logits.dims().back());
      std::size_t row = 0;
      for (std::size_t i = 0; i < ran.size(); ++i) {
        owned_.at(texts[open[ran[i]]].number).held += next[i].tokens.size();
        if (next[i].wanted == 0) continue;
        rows[ran[i]] = logits.as<float>().subspan(width * row++, width);
        ++done;
      }
    }
    return rows;
  }

  // True while the text wants more.
  bool guess(const Text& text, std::span<const float> logits, std::vector<std::int32_t>& guesses) {
    Own& own = owned_.at(text.number);
    const std::optional<std::int32_t> token = choose_(logits, own.tokens, text.prompt_length, text.number);
    if (!token) return false;
    guesses.push_back(*token);
    own.tokens.push_back(*token);
    const auto ends = [&](const std::vector<std::int32_t>& ids) { return std::ranges::find(ids, *token) != ids.end(); };
    return guesses.size() < text.most && has_room(text, guesses.size()) && !ends(call_.settings.eos_token_ids) &&
           !ends(call_.settings.stop_token_ids);
  }

  const GenerationCall& call_;
  const LoadedModel& model_;
  std::unique_ptr<Sequences> sequences_;
  NextToken choose_;
  std::size_t positions_ = 0;  // of the model; 0: no limit known
  std::map<std::size_t, Own> owned_;
  std::deque<Tensor> logits_;  // of the last run, which came in parts
};

void expect_same_vocabulary(const LoadedModel& model, const LoadedModel& draft) {
  if (model.speaks_like(draft)) return;
  throw Error(ErrorKind::invalid_input, "has another vocabulary than the model whose tokens it is to guess",
              "assistant_model", "a smaller model of the same family has the same one");
}

}  // namespace

void check_drafts(const GenerationCall& call) {
  const std::size_t looked_up = call.options.prompt_lookup_num_tokens, most = call.most_guesses();
  if (call.draft == nullptr && looked_up == 0) return;
  if (call.draft != nullptr && looked_up > 0) {
    throw Error(ErrorKind::invalid_input, "is given and assistant_model too", "prompt_lookup_num_tokens",
                "one of the two guesses");
  }
  if (most == 0 || most > static_cast<std::size_t>(kMostTakenBack)) {
    throw Error(ErrorKind::invalid_input,
                "is " + std::to_string(most) + ", expected 1 to " + std::to_string(kMostTakenBack),
                call.draft == nullptr ? "prompt_lookup_num_tokens" : "num_assistant_tokens");
  }
  if (call.settings.num_beams > 1) {
    throw Error(ErrorKind::invalid_input, "guesses of tokens and beam search do not go together", "num_beams");
  }
  if (call.draft == nullptr) return;
  call.draft->definition().program.require(Task::text_generation);
  if (has_encoder(call.model) || has_encoder(*call.draft)) {
    throw Error(ErrorKind::unsupported, "guessing for or by encoder-decoders is not done", "assistant_model");
  }
  expect_same_vocabulary(call.model, *call.draft);
}

std::unique_ptr<Drafts> drafts_of(const GenerationCall& call) {
  if (call.draft != nullptr) return std::make_unique<DraftModel>(call, *call.draft);
  if (call.options.prompt_lookup_num_tokens > 0) return std::make_unique<PromptLookup>();
  return nullptr;
}

}  // namespace accelerate::runtime
