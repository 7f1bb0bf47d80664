#include "verify/verify.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>

#include "runtime/device_choice.hpp"
#include "verify/case_inputs.hpp"
#include "verify/expected.hpp"
#include "verify/generation.hpp"
#include "verify/golden.hpp"

namespace accelerate::verify {
namespace {

constexpr std::string_view kHidden = "hidden_states.";
constexpr std::array<const char*, 2> kPooled = {"sentence_embedding", "mean_pooled"};

// One case, as it is worked through.
class CaseRun {
 public:
  CaseRun(const Model& model, const GoldenCase& golden, WeightKind weights, const Options& options)
      : model_(model), golden_(golden), weights_(weights) {
    batch_.cancellation = options.cancellation;
    report_.name = golden.name;
    report_.task = golden.task;
    report_.device = runtime::computed_on(model.info());
  }

  CaseReport run() {
    try {
      tensors_ = read_tensors(golden_);
    } catch (const Error& error) {
      add_check(report_, Source::tensors, "tensors", error);
    }
    if (golden_.generates()) {
      check_generated();
    } else if (golden_.has_text()) {
      check_processor();
      check_answers(model_, golden_, weights_, batch_, report_);
    }
    if (!tensors_.inputs.empty()) check_outputs(Source::tensors, tensors_.inputs);
    note_untested();
    finish();
    return std::move(report_);
  }

 private:
  // What the processor makes of the raw input, and the model of that. Windows of questions are the task's business.
  void check_processor() {
    if (golden_.texts.empty()) return;
    try {
      const ModelInputs made = encode_case(model_, golden_, batch_);
      for (const auto& [name, expected] : tensors_.inputs) {
        const auto found = made.tensors.find(name);
        add_check(report_, Source::text, "inputs." + name,
                  found == made.tensors.end() ? "the processor makes no such input"
                                              : first_difference(expected, found->second));
      }
      check_input_ids(made.tensors);
      check_outputs(Source::text, made.tensors);
    } catch (const Error& error) {
      add_check(report_, Source::text, "inputs", error);
    }
  }

  // Positions are no processor's: generate() counts them, and so does our graph.
  void check_generated() {
    try {
      const NamedTensors made = check_generation(model_, golden_, tensors_, weights_, batch_, report_);
      if (made.empty()) return;
      for (const auto& [name, expected] : tensors_.inputs) {
        const auto found = made.find(name);
        if (found == made.end()) continue;
        add_check(report_, Source::text, "inputs." + name, first_difference(expected, found->second));
      }
      check_outputs(Source::text, made);
    } catch (const Error& error) {
      add_check(report_, Source::text, "generate", error);
    }
  }

  void check_input_ids(const NamedTensors& made) {
    const Json* expected = golden_.expected.find("input_ids");
    if (expected == nullptr) return;
    Json found = Json::array();
    const Tensor ids = made.at("input_ids").to(DType::i64);
    for (std::int64_t row = 0; row < ids.dim(0); ++row) {
      Json list = Json::array();
      for (std::int64_t i = 0; i < ids.dim(1); ++i) {
        list.push(ids.as<std::int64_t>()[static_cast<std::size_t>(row * ids.dim(1) + i)]);
      }
      found.push(std::move(list));
    }
    const bool equal = found.dump() == expected->dump();
    add_check(report_, Source::text, "expected.input_ids", equal ? "" : "found " + found.dump());
  }

  void check_outputs(Source from, const NamedTensors& inputs) {
    accelerate::RunOptions options{.outputs = {}, .layers = false, .batch = batch_};
    const std::vector<std::string>& offered = model_.info().outputs;
    for (const auto& [given, expected] : tensors_.outputs) {
      if (golden_.generates() && is_generated(given)) continue;
      const std::string name = output_named(given);
      if (name.empty()) {
        report_.left_out.push_back(given + ": the decoder's graph has no such output");
        continue;
      }
      if (std::find(offered.begin(), offered.end(), name) != offered.end()) {
        options.outputs.push_back(name);
      } else {
        report_.checks.push_back({from, name, State::unsupported, std::nullopt, "the model has no such output"});
      }
    }
    if (from == Source::tensors && !golden_.has_text()) ask_for_vectors(options.outputs);
    if (options.outputs.empty()) return;
    try {
      NamedTensors given = inputs;
      add_prompt_length(golden_, given);
      const NamedTensors found = model_.run(given, options);
      for (const std::string& name : options.outputs) {
        const std::string theirs = golden_.reads_source() ? "encoder_" + name : name;
        if (tensors_.outputs.contains(theirs)) compare_output(from, theirs, found.at(name));
      }
      if (from == Source::tensors && !golden_.has_text()) check_pooled(found);
    } catch (const Error& error) {
      add_check(report_, from, "run", error);
    }
  }

  // The name by which our encoder's graph gives what Transformers calls encoder_hidden_states.0 ...; empty for what
  // belongs to the decoder.
  std::string output_named(const std::string& given) const {
    if (!golden_.reads_source()) return given;
    constexpr std::string_view kEncoder = "encoder_";
    return given.starts_with(kEncoder) ? given.substr(kEncoder.size()) : std::string();
  }

  void compare_output(Source from, const std::string& name, const Tensor& found) {
    const Tensor expected = tensors_.outputs.at(name).to(DType::f32);
    const Tolerance tolerance = tolerance_of(Quantity::tensor, weights_);
    try {
      const RowMask mask = mask_for(name, expected, tensors_.inputs, golden_.task);
      const Difference difference = compare(expected, found, tolerance, mask, is_logits(name));
      if (difference.compared == 0) {
        report_.left_out.push_back(name + ": all of it was taken at padding, where outputs mean nothing");
        return;
      }
      add_check(report_, from, name, difference, tolerance);
    } catch (const Error& error) {
      add_check(report_, from, name, error);
    }
  }

  // What is expected of vectors follows from the given tensors, whether or not the golden holds the vectors themselves.
  void ask_for_vectors(std::vector<std::string>& outputs) const {
    if (!expects_vectors(golden_)) return;
    const std::vector<std::string>& offered = model_.info().outputs;
    for (const char* name : kPooled) {
      if (std::find(outputs.begin(), outputs.end(), name) != outputs.end()) return;
    }
    for (const char* name : kPooled) {
      if (std::find(offered.begin(), offered.end(), name) == offered.end()) continue;
      outputs.emplace_back(name);
      return;
    }
  }

  void check_pooled(const NamedTensors& found) {
    for (const char* name : kPooled) {
      const auto vectors = found.find(name);
      if (vectors == found.end()) continue;
      check_vectors(vectors->second, golden_, weights_, Source::tensors, report_);
      return;
    }
  }

  // An expectation that nothing was compared with must not pass: scores, entities or answers of a case without text.
  void note_untested() {
    if (!golden_.expected.is_object()) return;
    const bool stopped = std::any_of(report_.checks.begin(), report_.checks.end(), [](const Check& check) {
      return check.state == State::failed || check.state == State::unsupported;
    });
    if (stopped) return;
    for (const auto& [key, expected] : golden_.expected.members()) {
      const std::string what = "expected." + key;
      if (golden_.generates() && key == "smallest_top2_margin") continue;  // about Transformers, not about a result
      const bool compared = std::any_of(report_.checks.begin(), report_.checks.end(),
                                        [&what](const Check& check) { return check.what == what; });
      if (compared) continue;
      report_.checks.push_back({golden_.has_text() ? Source::text : Source::tensors, what, State::untested,
                                std::nullopt,
                                golden_.has_text() ? "nothing of this case could be compared with it"
                                                   : "it is made from text, and this case holds none"});
    }
  }

  void finish() {
    const auto any = [this](State state) {
      return std::any_of(report_.checks.begin(), report_.checks.end(),
                         [state](const Check& check) { return check.state == state; });
    };
    report_.state = State::passed;
    if (report_.checks.empty() || any(State::untested)) report_.state = State::untested;
    if (any(State::unsupported)) report_.state = State::unsupported;
    if (any(State::failed)) report_.state = State::failed;
    if (report_.state == State::failed) report_.first_layer = first_layer();
  }

  // Hidden states are compared like any tensor; the one that parts first tells where to look.
  std::string first_layer() const {
    std::int64_t first = -1;
    bool any = false;
    for (const Check& check : report_.checks) {
      if (!check.what.starts_with(kHidden)) continue;
      any = true;
      std::int64_t layer = 0;
      const char* begin = check.what.data() + kHidden.size();
      std::from_chars(begin, check.what.data() + check.what.size(), layer);
      if (check.state == State::failed && (first < 0 || layer < first)) first = layer;
    }
    if (!any) return "not known: this case holds no hidden states";
    if (first < 0) return "none: every hidden state agrees, so it is what follows the last layer";
    if (first == 0) return "hidden_states.0: the embeddings";
    return std::string(kHidden) + std::to_string(first) + ": layer " + std::to_string(first - 1);
  }

  const Model& model_;
  const GoldenCase& golden_;
  WeightKind weights_;
  BatchOptions batch_;
  GoldenTensors tensors_;
  CaseReport report_;
};

[[noreturn]] void fail_unknown_case(const GoldenFolder& golden, const std::string& name) {
  std::string known;
  for (const GoldenCase& each : golden.cases) known += (known.empty() ? "" : ", ") + each.name;
  throw Error(ErrorKind::not_found, "there is no case \"" + name + "\"", golden.path.string(),
              "there are: " + (known.empty() ? "none" : known));
}

}  // namespace

std::string_view name_of(State state) {
  switch (state) {
    case State::passed: return "passed";
    case State::failed: return "failed";
    case State::unsupported: return "unsupported";
    case State::untested: return "untested";
  }
  return "untested";
}

std::string_view name_of(Source source) { return source == Source::text ? "text" : "tensors"; }

State CaseReport::state_of(Source source) const {
  State worst = State::untested;
  bool any = false;
  for (const Check& check : checks) {
    if (check.from != source) continue;
    if (!any) worst = State::passed;
    any = true;
    if (check.state == State::failed) return State::failed;
    if (check.state != State::passed && worst != State::unsupported) worst = check.state;
  }
  return worst;
}

State Report::state() const {
  if (cases.empty()) return State::untested;
  for (const State state : {State::failed, State::unsupported, State::untested}) {
    if (count(state) > 0) return state;
  }
  return State::passed;
}

std::int64_t Report::count(State state) const {
  return std::count_if(cases.begin(), cases.end(), [state](const CaseReport& each) { return each.state == state; });
}

Report verify(const Model& model, const std::filesystem::path& golden, const Options& options) {
  const auto start = std::chrono::steady_clock::now();
  const GoldenFolder folder = read_golden(golden);
  std::vector<const GoldenCase*> chosen;
  for (const GoldenCase& each : folder.cases) {
    if (options.test_case.empty() || each.name == options.test_case) chosen.push_back(&each);
  }
  if (chosen.empty()) fail_unknown_case(folder, options.test_case);

  Report report{.golden = golden.string(), .note = folder.note, .cases = {}, .seconds = 0};
  const auto total = static_cast<std::int64_t>(chosen.size());
  for (const GoldenCase* each : chosen) {
    options.cancellation.check();
    report.cases.push_back(CaseRun(model, *each, folder.weights, options).run());
    if (options.progress) options.progress(static_cast<std::int64_t>(report.cases.size()), total);
  }
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace accelerate::verify
