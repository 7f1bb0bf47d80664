#include "verify/agreement.hpp"

#include <algorithm>
#include <chrono>
#include <map>

#include "runtime/device_choice.hpp"
#include "verify/case_inputs.hpp"
#include "verify/reference.hpp"

namespace accelerate::verify {
namespace {

using Layers = std::vector<records::LayerChoice::Layer>;

// Where a layer goes that must not be lowered: the next precision that costs little, if the device has it.
Precision kept_precision(Precision precision, const Backend& backend, std::string_view device) {
  const bool has_bf16 = std::ranges::count(backend.precisions(device), Precision::bf16) > 0;
  return precision == Precision::int8 && has_bf16 ? Precision::bf16 : Precision::f32;
}

std::map<std::string, std::string> first_kept(const Layers& layers, std::size_t count, const std::string& kept_in) {
  std::map<std::string, std::string> kept;
  for (std::size_t i = 0; i < count; ++i) kept[layers[i].path] = kept_in;
  return kept;
}

std::string recorded_path(const std::filesystem::path& folder) {
  std::string path = std::filesystem::weakly_canonical(folder).string();
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

class Agreeing {
 public:
  Agreeing(const Model& model, const AgreementOptions& options)
      : options_(options),
        model_(model),
        device_(runtime::computed_on(model.info())),
        backend_(backend_named(model.info().device)),
        level_(backend_.level()) {}

  AgreementReport run() {
    const auto start = std::chrono::steady_clock::now();
    say("reference");
    reference_ = reference_of(model_.with_precision("f32"), options_.golden, options_.cancellation);
    AgreementReport report{.reference = reference_.name,
                           .inputs = reference_.inputs,
                           .weights = reference_.weights == WeightKind::random ? "random" : "trained",
                           .precisions = {},
                           .seconds = 0};
    for (const Precision precision : options_.precisions) report.precisions.push_back(of(precision));
    report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return report;
  }

 private:
  PrecisionAgreement of(Precision precision) {
    PrecisionAgreement one;
    one.device = device_;
    one.level = level_;
    one.precision = name_of(precision);
    say(one.precision);
    if (precision == Precision::f32 && reference_.is_own()) {
      one.reason = "it is the reference";
      return one;
    }
    one.bound = bound_of(precision);
    if (!one.bound.cosine) one.reason = "this precision has no bound";
    if (reference_.weights == WeightKind::random) {
      one.bound = {};
      one.reason = "random weights";
    }
    const bool judged = one.reason.empty();
    one.layers = static_cast<std::int64_t>(precision == Precision::f32 ? 0 : model_.layers().size());
    std::string choice = judged ? take_recorded_layers(one) : std::string();
    one.figures = figures_of(model_.with_precision(one.precision, first_kept(one.kept, one.kept.size(), one.kept_in)));
    if (judged && one.layers > 0 && !is_within(*one.figures, with_room(one.bound))) {
      if (find_layers(kept_precision(precision, backend_, device_within(model_.info().device)), one))
        choice = record_layers(one);
    }
    if (judged) {
      one.judgement = is_within(*one.figures, one.bound) ? Judgement::within_bound : Judgement::out_of_bound;
    }
    record(one, choice);
    return one;
  }

  Figures figures_of(const Model& model) const {
    FigureMeter meter;
    for (const Sample& sample : reference_.samples) {
      accelerate::RunOptions options;
      for (const auto& [name, tensor] : sample.outputs) options.outputs.push_back(name);
      options.batch.cancellation = options_.cancellation;
      const NamedTensors found = model.run(sample.inputs, options);
      for (const auto& [name, expected] : sample.outputs) {
        try {
          meter.add(expected, found.at(name), mask_for(name, expected, sample.inputs, sample.task), is_logits(name));
        } catch (const Error& error) {
          throw error.within(name);
        }
      }
    }
    return meter.figures();
  }

  // What is opened in this precision keeps them, so that they are part of what is compared. The record's id; empty:
  // none.
  std::string take_recorded_layers(PrecisionAgreement& one) const {
    if (options_.recorder == nullptr) return {};
    const records::Filter filter{.device = device_, .level = level_, .precision = one.precision};
    if (!options_.recorder->latest<records::LayerChoice>(filter)) return {};
    records::Filter of_model = filter;
    of_model.model = hash();
    const auto found = options_.recorder->latest<records::LayerChoice>(of_model);
    if (!found || found->content().layers.empty()) return {};
    one.kept = found->content().layers;
    one.kept_in = found->content().kept_in;
    one.found_before = true;
    return found->record.id;
  }

  // The fewest of the most sensitive layers that bring it within its bound with room, or within its bound where room
  // cannot be had, those that were found before among them: other inputs needed these. False where nothing helps.
  bool find_layers(Precision kept_in, PrecisionAgreement& one) {
    // Both held while layers are tried, so that the packed copies of each are there already.
    const Model lowered = model_.with_precision(one.precision), kept = model_.with_precision(name_of(kept_in));
    const Figures best = figures_of(kept);
    const bool has_room = is_within(best, with_room(one.bound));
    if (!has_room && is_within(*one.figures, one.bound)) return false;
    const records::Bound wanted = has_room ? with_room(one.bound) : one.bound;
    const Layers before = one.kept;
    one.found_before = false;
    one.kept.clear();
    one.kept_in = name_of(kept_in);
    one.figures = one.without_kept = figures_of(lowered);
    if (!is_within(best, one.bound)) {
      one.reason = "out of bound even with every layer in " + one.kept_in;
      one.kept_in.clear();
      return false;
    }
    const Layers layers = by_sensitivity(lowered, before, one);
    std::map<std::size_t, Figures> tried;
    const auto holds = [&](std::size_t count) {
      tried[count] = figures_of(lowered.with_precision(one.precision, first_kept(layers, count, one.kept_in)));
      return is_within(tried[count], wanted);
    };
    std::size_t too_few = std::min(before.size(), layers.size() - 1), enough = too_few + 1;
    while (enough < layers.size() && !holds(enough)) {
      too_few = enough;
      enough = std::min(2 * enough, layers.size());
    }
    while (enough - too_few > 1) {
      const std::size_t middle = too_few + (enough - too_few) / 2;
      (holds(middle) ? enough : too_few) = middle;
    }
    if (!tried.contains(enough)) holds(enough);
    one.figures = tried[enough];
    if (!is_within(*one.figures, one.bound)) {
      one.reason = "out of bound even with every product in " + one.kept_in;
      one.kept_in.clear();
      return false;
    }
    one.kept.assign(layers.begin(), layers.begin() + static_cast<std::ptrdiff_t>(enough));
    return true;
  }

  // Those of `before` first.
  Layers by_sensitivity(const Model& lowered, const Layers& before, const PrecisionAgreement& one) {
    Layers layers;
    const std::vector<std::string> paths = lowered.layers();
    for (const std::string& path : paths) {
      options_.cancellation.check();
      const Figures figures = figures_of(lowered.with_precision(one.precision, {{path, one.kept_in}}));
      layers.push_back({path, figures.mean_cosine - one.without_kept->mean_cosine});
      if (options_.progress) {
        options_.progress(static_cast<std::int64_t>(layers.size()), static_cast<std::int64_t>(paths.size()));
      }
    }
    std::ranges::stable_sort(layers, std::greater(), &records::LayerChoice::Layer::sensitivity);
    std::stable_partition(layers.begin(), layers.end(), [&before](const records::LayerChoice::Layer& layer) {
      return std::ranges::find(before, layer.path, &records::LayerChoice::Layer::path) != before.end();
    });
    return layers;
  }

  records::Record record_with(const PrecisionAgreement& one, records::Content content) const {
    const ModelInfo& info = model_.info();
    records::Record record;
    record.model = {hash(), info.model_type, info.parameters, recorded_path(info.folder)};
    record.device = {device_, level_};
    record.precision = one.precision;
    record.content = std::move(content);
    return record;
  }

  std::string record_layers(const PrecisionAgreement& one) const {
    if (!keeps_records()) return {};
    records::LayerChoice choice;
    choice.measure = "mean cosine gained by keeping this layer alone in " + one.kept_in;
    choice.kept_in = one.kept_in;
    choice.layers = one.kept;
    choice.examined = one.layers;
    return options_.recorder->add(record_with(one, std::move(choice)));
  }

  void record(const PrecisionAgreement& one, const std::string& choice) const {
    if (!keeps_records()) return;
    // Figures of kept layers that no record names would let `auto` take the precision without keeping them.
    if (!one.kept.empty() && choice.empty()) return;
    records::Agreement agreement;
    agreement.reference = reference_.name;
    agreement.weights = reference_.weights == WeightKind::random ? "random" : "trained";
    agreement.inputs = reference_.inputs;
    agreement.cases = reference_.texts;
    agreement.worst_cosine = one.figures->worst_cosine;
    agreement.mean_cosine = one.figures->mean_cosine;
    agreement.worst_kl_divergence = one.figures->worst_kl_divergence;
    agreement.mean_kl_divergence = one.figures->mean_kl_divergence;
    agreement.top1 = one.figures->top1;
    agreement.bound = one.bound;
    agreement.within_bound = one.judgement == Judgement::within_bound;
    agreement.layer_choice = choice;
    options_.recorder->add(record_with(one, std::move(agreement)));
  }

  bool keeps_records() const { return options_.recorder != nullptr && options_.recorder->keeps_records(); }

  // Asked for when there is something to record or to look up: what ends in an error makes no database.
  const std::string& hash() const {
    if (hash_.empty()) hash_ = options_.recorder->content_hash(model_.info().folder);
    return hash_;
  }

  void say(const std::string& stage) const {
    if (options_.stage) options_.stage(stage);
  }

  const AgreementOptions& options_;
  const Model model_;
  const std::string device_;
  const Backend& backend_;
  const std::string level_;
  Reference reference_;
  mutable std::string hash_;
};

}  // namespace

std::string_view name_of(Judgement judgement) {
  switch (judgement) {
    case Judgement::within_bound: return "within bound";
    case Judgement::out_of_bound: return "out of bound";
    case Judgement::not_judged: return "not judged";
  }
  return "not judged";
}

bool AgreementReport::any_out_of_bound() const {
  return std::ranges::any_of(precisions,
                             [](const PrecisionAgreement& one) { return one.judgement == Judgement::out_of_bound; });
}

AgreementReport agreement(const Model& model, const AgreementOptions& options) {
  return Agreeing(model, options).run();
}

}  // namespace accelerate::verify
