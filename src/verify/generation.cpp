#include "verify/generation.hpp"

#include <algorithm>
#include <array>

#include "checkpoint/config.hpp"
#include "verify/expected.hpp"

namespace accelerate::verify {
namespace {

constexpr std::array<std::string_view, 5> kGenerated = {"generated_ids", "step_logits", "teacher_forced_logits",
                                                        "last_token_logits", "sequences_scores"};
// Logits of the first steps: also those of the generated tokens in one run, which are what each step gave.
constexpr std::array<std::string_view, 2> kSteps = {"step_logits", "teacher_forced_logits"};

class GenerationRun {
 public:
  GenerationRun(const Model& model, const GoldenCase& golden, const GoldenTensors& tensors, WeightKind weights,
                const BatchOptions& batch, CaseReport& report)
      : model_(model), golden_(golden), tensors_(tensors), weights_(weights), batch_(batch), report_(report) {}

  NamedTensors run() {
    const NamedTensors inputs = golden_.has_text() ? prompts_of_text() : NamedTensors();
    if (!golden_.has_text()) prompts_of_tensors();
    found_ = model_.generate(prompts_, options());
    for (const std::vector<GeneratedText>& texts : found_.texts) {
      for (const GeneratedText& text : texts) rows_.push_back(&text);
    }
    check_expected();
    check_tensors();
    return inputs;
  }

 private:
  // What Transformers puts in front of the ids of an encoder-decoder.
  std::vector<std::int32_t> start() const {
    if (!golden_.reads_source()) return {};
    if (const Json* given = setting("decoder_start_token_id")) return {static_cast<std::int32_t>(given->as_int())};
    const auto config = Config::read(model_.info().folder / "generation_config.json");
    return {static_cast<std::int32_t>(config.require<std::int64_t>("decoder_start_token_id"))};
  }
  std::vector<std::int32_t> ids_of(const GeneratedText& text) const {
    std::vector<std::int32_t> ids = start();
    ids.insert(ids.end(), text.ids.begin(), text.ids.end());
    return ids;
  }

  Source source() const { return golden_.has_text() ? Source::text : Source::tensors; }
  const Json* setting(std::string_view name) const { return golden_.settings.find(name); }
  std::int64_t pad() const {
    if (const Json* given = setting("pad_token_id")) return given->as_int();
    const std::filesystem::path folder = model_.info().folder;
    return std::filesystem::is_directory(folder)
               ? Config::read(folder / "config.json").get<std::int64_t>("pad_token_id", 0)
               : 0;
  }

  GenerateOptions options() const {
    GenerateOptions o;
    const auto take = [this](std::string_view name, auto& to, auto&& read) {
      const Json* given = setting(name);
      if (given != nullptr && !given->is_null()) to = read(*given);
    };
    const auto count = [](const Json& json) { return static_cast<std::size_t>(json.as_int()); };
    const auto number = [](const Json& json) { return json.as_double(); };
    take("do_sample", o.do_sample, [](const Json& json) { return json.as_bool(); });
    take("max_new_tokens", o.max_new_tokens, count);
    take("min_new_tokens", o.min_new_tokens, count);
    take("num_beams", o.num_beams, count);
    take("num_return_sequences", o.num_return_sequences, count);
    take("no_repeat_ngram_size", o.no_repeat_ngram_size, count);
    take("repetition_penalty", o.repetition_penalty, number);
    take("length_penalty", o.length_penalty, number);
    take("early_stopping", o.early_stopping, [](const Json& json) {
      return json.is_string() ? json.as_string() : std::string(json.as_bool() ? "true" : "false");
    });
    // What a case does not set is Transformers' default, whatever the folder says.
    if (!o.repetition_penalty) o.repetition_penalty = 1;
    if (tensors_.outputs.contains("last_token_logits")) o.logits = 1;
    for (const std::string_view name : kSteps) {
      const auto logits = tensors_.outputs.find(name);
      if (logits == tensors_.outputs.end()) continue;
      o.logits = std::max(o.logits, static_cast<std::size_t>(logits->second.dim(1)));
    }
    o.cancellation = batch_.cancellation;
    return o;
  }

  // From raw input: also the ids are compared.
  NamedTensors prompts_of_text() {
    if (golden_.messages.is_null()) {
      for (const std::string& text : golden_.texts) prompts_.push_back({.text = text});
    } else {
      const std::string rendered = chat_prompt(model_.info().folder, golden_.messages.dump());
      if (!golden_.rendered_prompt.empty()) {
        add_check(report_, Source::text, "rendered_prompt",
                  rendered == golden_.rendered_prompt ? "" : "found " + Json(rendered).dump());
      }
      prompts_.push_back({.text = rendered, .add_special_tokens = false});
    }
    std::size_t longest = 0;
    for (Prompt& prompt : prompts_) {
      const std::vector<std::string> one{prompt.text};
      prompt.ids = tokenize(model_.info().folder, one, {.add_special_tokens = prompt.add_special_tokens}).front().ids;
      longest = std::max(longest, prompt.ids.size());
    }
    return padded(longest);
  }

  NamedTensors padded(std::size_t longest) const {
    const Dims dims{std::ssize(prompts_), static_cast<std::int64_t>(longest)};
    Tensor ids(DType::i64, dims), mask(DType::i64, dims);
    std::ranges::fill(ids.as<std::int64_t>(), pad());
    for (std::size_t row = 0; row < prompts_.size(); ++row) {
      const std::vector<std::int32_t>& prompt = prompts_[row].ids;
      // On the left, as generate() wants it of decoders; encoders have it on the right.
      const std::size_t first = golden_.reads_source() ? row * longest : (row + 1) * longest - prompt.size();
      std::ranges::copy(prompt, ids.as<std::int64_t>().subspan(first).begin());
      std::ranges::fill(mask.as<std::int64_t>().subspan(first, prompt.size()), 1);
    }
    return {{"input_ids", std::move(ids)}, {"attention_mask", std::move(mask)}};
  }

  void prompts_of_tensors() {
    const Tensor& ids = tensors_.inputs.at("input_ids");
    const auto mask = tensors_.inputs.find("attention_mask");
    for (std::int64_t row = 0; row < ids.dim(0); ++row) {
      Prompt prompt;
      for (std::int64_t i = row * ids.dim(1); i < (row + 1) * ids.dim(1); ++i) {
        const auto at = static_cast<std::size_t>(i);
        const bool real = mask == tensors_.inputs.end() || mask->second.as<std::int64_t>()[at] != 0;
        if (real) prompt.ids.push_back(static_cast<std::int32_t>(ids.as<std::int64_t>()[at]));
      }
      prompts_.push_back(std::move(prompt));
    }
  }

  void check_expected() {
    if (!golden_.expected.is_object()) return;
    for (const auto& [key, expected] : golden_.expected.members()) {
      const std::string what = "expected." + key;
      if (key == "smallest_top2_margin") continue;  // how sure Transformers' choices were
      if (key == "prompt_ids") {
        equal(what, expected, ids_json([this](std::size_t i) { return prompts_[i].ids; }, prompts_.size(), true));
      } else if (key == "generated_ids") {
        equal(what, expected, ids_json([this](std::size_t i) { return ids_of(*rows_[i]); }, rows_.size(), false));
      } else if (key == "generated_text") {
        equal(what, expected, texts([](const Prompt&, const GeneratedText& text) { return text.text; }));
      } else if (key == "text_with_prompt") {
        equal(what, expected, texts([this](const Prompt& prompt, const GeneratedText& text) {
                std::vector<std::int32_t> ids = prompt.ids;
                ids.insert(ids.end(), text.ids.begin(), text.ids.end());
                return model_.decode(ids);
              }));
      } else {
        report_.checks.push_back(
            {source(), what, State::untested, std::nullopt, "verify does not know this kind of result"});
      }
    }
  }

  void equal(const std::string& what, const Json& expected, const Json& found) {
    add_check(report_, source(), what, expected.dump() == found.dump() ? "" : "found " + found.dump());
  }

  // Rows filled up with padding, on the left or the right.
  template <typename IdsOf>
  Json ids_json(const IdsOf& ids_of, std::size_t count, bool left) const {
    std::size_t longest = 0;
    for (std::size_t i = 0; i < count; ++i) longest = std::max(longest, ids_of(i).size());
    Json rows = Json::array();
    for (std::size_t i = 0; i < count; ++i) {
      std::vector<std::int32_t> ids = ids_of(i);
      ids.insert(left ? ids.begin() : ids.end(), longest - ids.size(), static_cast<std::int32_t>(pad()));
      Json row = Json::array();
      for (const std::int32_t id : ids) row.push(std::int64_t{id});
      rows.push(std::move(row));
    }
    return rows;
  }

  template <typename Make>
  Json texts(const Make& make) const {
    Json list = Json::array();
    const std::size_t each = rows_.size() / prompts_.size();
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      list.push(make(prompts_[i / each], *rows_[i]));
    }
    return list;
  }

  void check_tensors() {
    for (const auto& [name, expected] : tensors_.outputs) {
      if (name == "generated_ids") check_ids(expected);
      if (std::ranges::find(kSteps, name) != kSteps.end()) check_logits(name, expected);
      if (name == "last_token_logits") {
        check_logits(name, expected.reshaped({expected.dim(0), 1, expected.dims().back()}));
      }
      if (name == "sequences_scores") check_scores(expected);
    }
  }

  void check_ids(const Tensor& expected) {
    Tensor found(DType::i64, expected.dims());
    std::ranges::fill(found.as<std::int64_t>(), pad());
    const auto width = static_cast<std::size_t>(expected.dim(1));
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const std::vector<std::int32_t> ids = ids_of(*rows_[row]);
      const std::size_t count = std::min(width, ids.size());
      std::copy_n(ids.begin(), count, found.as<std::int64_t>().subspan(row * width).begin());
    }
    add_check(report_, source(), "generated_ids", first_difference(expected, found));
  }

  // A text that ended early has none for the steps behind; nor has what Transformers says of them a meaning.
  void check_logits(const std::string& name, const Tensor& expected) {
    Tensor found(DType::f32, expected.dims());
    RowMask there;
    const auto steps = static_cast<std::size_t>(expected.dim(1)), width = static_cast<std::size_t>(expected.dim(2));
    for (std::size_t row = 0; row < rows_.size(); ++row) {
      const Tensor& logits = rows_[row]->logits;
      const std::size_t count = logits.rank() == 0 ? 0 : std::min(steps, static_cast<std::size_t>(logits.dim(0)));
      if (count > 0) {
        std::ranges::copy(logits.as<float>().first(count * width),
                          found.as<float>().subspan(row * steps * width).begin());
      }
      for (std::size_t step = 0; step < steps; ++step) there.push_back(step < count ? 1 : 0);
    }
    const Tolerance tolerance = tolerance_of(Quantity::steps, weights_);
    add_check(report_, source(), name, compare(expected.to(DType::f32), found, tolerance, there, true), tolerance);
  }

  void check_scores(const Tensor& expected) {
    Tensor found(DType::f32, expected.dims());
    for (std::size_t row = 0; row < rows_.size(); ++row) found.as<float>()[row] = static_cast<float>(rows_[row]->score);
    const Tolerance tolerance = tolerance_of(Quantity::steps, weights_);
    add_check(report_, source(), "sequences_scores", compare(expected.to(DType::f32), found, tolerance), tolerance);
  }

  const Model& model_;
  const GoldenCase& golden_;
  const GoldenTensors& tensors_;
  WeightKind weights_;
  const BatchOptions& batch_;
  CaseReport& report_;
  std::vector<Prompt> prompts_;
  Generations found_;
  std::vector<const GeneratedText*> rows_;  // of all prompts
};

}  // namespace

bool is_generated(std::string_view output) { return std::ranges::find(kGenerated, output) != kGenerated.end(); }

NamedTensors check_generation(const Model& model, const GoldenCase& golden, const GoldenTensors& tensors,
                              WeightKind weights, const BatchOptions& batch, CaseReport& report) {
  return GenerationRun(model, golden, tensors, weights, batch, report).run();
}

}  // namespace accelerate::verify
