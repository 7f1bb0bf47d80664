#include "verify/verify.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

#include "cli/agreement_print.hpp"
#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/progress_bar.hpp"
#include "cli/verify_print.hpp"
#include "runtime/device_choice.hpp"

namespace accelerate::cli {
namespace {

namespace v = accelerate::verify;

// Whether the case-by-case comparison is asked for: f32, which it is about.
bool wants_cases(const std::vector<Precision>& precisions) {
  return std::ranges::find(precisions, Precision::f32) != precisions.end();
}

std::vector<Precision> precisions_of(const VerifyCommand& command) {
  if (command.precisions.empty()) return {Precision::f32};
  std::vector<Precision> precisions;
  for (const std::string& name : command.precisions) {
    if (name == "auto") {
      throw UsageError{"--precision auto is chosen from what verify records", "name precisions: f32,bf16,int8"};
    }
    try {
      precisions.push_back(precision_named(name));
    } catch (const Error& error) {
      throw UsageError{"--precision: " + error.message(), ""};
    }
  }
  return precisions;
}

class Verify {
 public:
  Verify(const VerifyCommand& command, const Cancellation& cancellation, Output& out)
      : command_(command), cancellation_(cancellation), out_(out), precisions_(precisions_of(command)) {
    if (command.test_case && !only_f32()) throw UsageError{"--case is for f32, case by case", "leave --precision out"};
  }

  int run() {
    for (const std::string& device : command_.devices) run_on(device);
    if (cases_) {
      json_ = report_json(*cases_, command_.model);
      if (!out_.wants_json()) print_report(*cases_, out_);
    }
    if (agreement_) {
      json_.set("model", command_.model).set("agreement", agreement_json(*agreement_));
      if (cases_ && !out_.wants_json()) out_.line();
      if (!out_.wants_json()) print_agreement(*agreement_, out_);
    }
    tell_unusable();
    if (out_.wants_json()) out_.json(json_);
    const bool passed = !cases_ || cases_->state() == v::State::passed;
    const bool close = !agreement_ || !agreement_->any_out_of_bound();
    return passed && close && unusable_.empty() ? kExitOk : kExitVerifyFailed;
  }

 private:
  bool only_f32() const { return precisions_ == std::vector{Precision::f32}; }

  // A device that cannot be used at all ends the command where it is the only one.
  void run_on(const std::string& device) {
    try {
      const Model model = Model::open(command_.model, {.device = device,
                                                       .split = command_.split,
                                                       .precision = "f32",
                                                       .threads = command_.threads,
                                                       .cancellation = cancellation_,
                                                       .memory_limit = command_.resources.memory_limit,
                                                       .cache_folder = command_.resources.cache_folder});
      expect_usable(model);
      compare(model);
    } catch (const Error& error) {
      if (command_.devices.size() == 1 || !runtime::is_unusable(error)) throw;
      unusable_.emplace_back(device, error.what());
    }
  }

  // Said once, not case by case.
  static void expect_usable(const Model& model) {
    try {
      model.prepare();
    } catch (const Error& error) {
      if (runtime::is_unusable(error)) throw;
    }
  }

  void compare(const Model& model) {
    golden_ = command_.golden ? std::filesystem::path(*command_.golden) : model.info().folder / "golden";
    // Without a golden folder a lower precision still has something to be compared with; f32 alone has not.
    const bool has_golden = command_.golden || std::filesystem::exists(golden_);
    if (only_f32() || (wants_cases(precisions_) && has_golden)) compare_cases(model);
    if (!only_f32()) compare_precisions(model, has_golden);
  }

  void compare_cases(const Model& model) {
    ProgressBar bar("cases", out_.quiet());
    v::Options options;
    options.test_case = command_.test_case.value_or("");
    options.cancellation = cancellation_;
    options.progress = [&bar](std::int64_t done, std::int64_t total) {
      bar.update(static_cast<double>(done) / static_cast<double>(total), done);
    };
    v::Report report = v::verify(model, golden_, options);
    bar.clear();
    if (!cases_) {
      cases_ = std::move(report);
      return;
    }
    cases_->seconds += report.seconds;
    std::ranges::move(report.cases, std::back_inserter(cases_->cases));
  }

  void compare_precisions(const Model& model, bool has_golden) {
    ProgressBar bar("layers", out_.quiet());
    records::Recorder recorder(command_.no_record ? std::filesystem::path() : records::default_path(),
                               [&](const std::string& text) {
                                 bar.clear();
                                 out_.note(text);
                               });
    v::AgreementOptions options{.precisions = precisions_};
    if (has_golden) options.golden = golden_;
    options.recorder = &recorder;
    options.cancellation = cancellation_;
    options.stage = [this](const std::string& stage) { out_.detail("comparing " + stage); };
    options.progress = [&bar](std::int64_t done, std::int64_t total) {
      bar.update(static_cast<double>(done) / static_cast<double>(total), done);
    };
    v::AgreementReport report = v::agreement(model, options);
    bar.clear();
    if (!agreement_) {
      agreement_ = std::move(report);
      return;
    }
    agreement_->seconds += report.seconds;
    std::ranges::move(report.precisions, std::back_inserter(agreement_->precisions));
  }

  void tell_unusable() {
    if (unusable_.empty()) return;
    Json list = Json::array();
    for (const auto& [device, reason] : unusable_) {
      Json one;
      list.push(one.set("device", device).set("reason", reason));
      if (!out_.wants_json()) out_.line("not compared on " + device + ": " + reason);
    }
    json_.set("model", command_.model).set("unusable", std::move(list));
  }

  const VerifyCommand& command_;
  const Cancellation& cancellation_;
  Output& out_;
  const std::vector<Precision> precisions_;
  std::filesystem::path golden_;
  std::optional<v::Report> cases_;  // of all devices
  std::optional<v::AgreementReport> agreement_;
  std::vector<std::pair<std::string, std::string>> unusable_;  // devices that could not be used, with the reason
  Json json_;
};

}  // namespace

int verify(const VerifyCommand& command, const Cancellation& cancellation, Output& out) {
  return Verify(command, cancellation, out).run();
}

}  // namespace accelerate::cli
