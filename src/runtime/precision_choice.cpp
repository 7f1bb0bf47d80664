#include "runtime/precision_choice.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <optional>
#include <set>
#include <tuple>
#include <vector>

#include "core/text.hpp"
#include "core/thread_pool.hpp"
#include "records/records.hpp"

namespace accelerate::runtime {
namespace {

using records::Agreement;
using records::LayerChoice;
using records::Measurement;
using records::Record;

std::string cosine_text(const Agreement& agreement) {
  if (!agreement.worst_cosine || !agreement.bound.cosine) return {};
  char text[96];
  std::snprintf(text, sizeof text, " (smallest cosine %.6f, at least %g)", *agreement.worst_cosine,
                *agreement.bound.cosine);
  return text;
}

std::string kept_text(const LayerChoice& choice) {
  return std::to_string(choice.layers.size()) + " of " + std::to_string(choice.examined) + " layers kept in " +
         choice.kept_in;
}

void keep_layers(const LayerChoice& choice, PrecisionChoice& into) {
  for (const LayerChoice::Layer& layer : choice.layers) into.layers[layer.path] = precision_named(choice.kept_in);
}

// What the records say about one model on one device.
class Recorded {
 public:
  Recorded(const ModelInfo& info, const Place& place, const OpenOptions& options)
      : info_(info),
        backend_(*place.backend),
        device_(place.name),
        precisions_(place.backend->precisions(place.device)),
        threads_(options.threads > 0 ? options.threads : default_thread_count()),
        recorder_(records::default_path(), [this](const std::string& text) { trouble_ = text; }) {
    agreements_ = like_this_model(records::Kind::agreement);
    choices_ = like_this_model(records::Kind::layer_choice);
    if (agreements_.empty() && choices_.empty()) return;
    hash_ = recorder_.content_hash(info.folder);
    const auto of_another = [this](const Record& record) { return record.model.content_hash != hash_; };
    std::erase_if(agreements_, of_another);
    std::erase_if(choices_, of_another);
  }

  // The layers of one precision that are kept in a higher one.
  void keep(PrecisionChoice& choice) const {
    const Record* found = newest(choices_, choice.precision);
    if (found != nullptr && !std::get<LayerChoice>(found->content).layers.empty()) {
      const auto& layers = std::get<LayerChoice>(found->content);
      keep_layers(layers, choice);
      choice.reason = kept_text(layers) + ": in " + found->precision + " they break the bound, as `verify` found";
    }
    if (!trouble_.empty()) choice.reason = trouble_;
  }

  PrecisionChoice fastest() const {
    std::vector<Candidate> candidates;
    std::string refused;
    for (const Precision precision : precisions_) {
      if (std::optional<Candidate> one = candidate(precision, refused)) candidates.push_back(std::move(*one));
    }
    Candidate* best = &candidates.front();
    int measured = 0;
    for (Candidate& other : candidates) {
      if (&other == best) continue;
      int conditions = 0;
      const double ratio = time_ratio(other.choice.precision, best->choice.precision, conditions);
      measured += conditions;
      if (conditions > 0 && ratio < 1) best = &other;
    }
    PrecisionChoice choice = best->choice;
    choice.reason = reason(*best, refused, measured);
    return choice;
  }

 private:
  struct Candidate {
    PrecisionChoice choice;
    const Record* agreement = nullptr;  // null: f32, which needs none
    std::string kept;
  };

  // By what is known without reading weights: their hash costs seconds for a large model.
  std::vector<Record> like_this_model(records::Kind kind) const {
    std::vector<Record> found =
        recorder_.list({.kind = kind, .device = device_, .level = std::string(backend_.level())});
    std::erase_if(found, [this](const Record& record) {
      return record.model.parameters != info_.parameters || record.model.model_type != info_.model_type;
    });
    return found;
  }

  static const Record* newest(const std::vector<Record>& records, Precision precision) {
    const auto found =
        std::ranges::find_if(records, [&](const Record& record) { return record.precision == name_of(precision); });
    return found == records.end() ? nullptr : &*found;
  }

  // Nothing where the precision must not be taken; `refused` says why where something is recorded.
  std::optional<Candidate> candidate(Precision precision, std::string& refused) const {
    Candidate one{.choice = {.precision = precision, .layers = {}, .reason = {}}, .agreement = nullptr, .kept = {}};
    if (precision == Precision::f32) return one;
    one.agreement = newest(agreements_, precision);
    if (one.agreement == nullptr) return std::nullopt;
    const auto& agreement = std::get<Agreement>(one.agreement->content);
    const std::string name(name_of(precision));
    if (agreement.weights != "trained") {
      refused += name + " was compared on random weights only; ";
      return std::nullopt;
    }
    if (!agreement.within_bound) {
      refused += name + " is out of its bound" + cosine_text(agreement) + "; ";
      return std::nullopt;
    }
    if (agreement.layer_choice.empty()) return one;
    const auto kept = std::ranges::find(choices_, agreement.layer_choice, &Record::id);
    if (kept == choices_.end()) {
      refused += name + " is within its bound with layers kept that no record names; ";
      return std::nullopt;
    }
    const auto& layers = std::get<LayerChoice>(kept->content);
    keep_layers(layers, one.choice);
    if (!layers.layers.empty()) one.kept = ", " + kept_text(layers);
    return one;
  }

  using Condition = std::tuple<std::string, std::int64_t, std::int64_t>;
  std::map<Condition, double> times(Precision precision) const {
    std::map<Condition, double> found;
    if (hash_.empty()) return found;
    for (const Record& record : recorder_.list({.kind = records::Kind::measurement,
                                .model = hash_,
                                .device = device_,
                                .level = std::string(backend_.level()),
                                .precision = std::string(name_of(precision)),
                                .machine = records::this_machine().id,
                                .threads = threads_})) {
      const auto& measurement = std::get<Measurement>(record.content);
      if (!measurement.p50_ms || *measurement.p50_ms <= 0) continue;
      // The newest come first, and the first counts.
      found.try_emplace({measurement.workload, measurement.batch, measurement.tokens}, *measurement.p50_ms);
    }
    return found;
  }

  // Geometric mean of the ratios of times under `conditions` that both were measured under.
  double time_ratio(Precision a, Precision b, int& conditions) const {
    const std::map<Condition, double> times_a = times(a), times_b = times(b);
    double logarithms = 0;
    for (const auto& [condition, time] : times_a) {
      const auto other = times_b.find(condition);
      if (other == times_b.end()) continue;
      logarithms += std::log(time / other->second);
      ++conditions;
    }
    return conditions == 0 ? 1 : std::exp(logarithms / conditions);
  }

  std::string reason(const Candidate& best, const std::string& refused, int measured) const {
    const std::string name(name_of(best.choice.precision));
    const std::string how =
        measured > 0 ? "the fastest of those within their bounds, as measured here" : "as a rule the fastest";
    std::string text = name + ": ";
    if (!trouble_.empty()) return text + trouble_;
    if (best.agreement != nullptr) {
      const auto& agreement = std::get<Agreement>(best.agreement->content);
      return text + "within its bound for this model" + cosine_text(agreement) + best.kept + ", " + how;
    }
    if (!refused.empty()) return text + refused.substr(0, refused.size() - 2);
    if (measured > 0) return text + how;
    if (precisions_.size() == 1) return text + device_ + " has no other precision";
    return text + "no agreement of a lower precision is recorded for this model " + where() + "; `" + how_to_record() +
           "` records it";
  }

  std::string where() const {
    return backend_.level().empty() ? "on " + device_ : "at " + std::string(backend_.level());
  }

  std::string how_to_record() const {
    std::set<Precision> lower;  // in order of width
    for (const Precision each : precisions_) {
      if (each != Precision::f32) lower.insert(each);
    }
    const std::string device = device_ == "cpu" ? "" : " --device " + device_;
    return "ipfs-accelerate verify MODEL" + device + " --precision " +
           joined(lower, ",", [](Precision each) { return std::string(name_of(each)); });
  }

  const ModelInfo& info_;
  const Backend& backend_;
  const std::string device_;
  const std::vector<Precision> precisions_;  // that it has
  const int threads_;
  std::string trouble_, hash_;
  records::Recorder recorder_;
  std::vector<Record> agreements_, choices_;
};

}  // namespace

PrecisionChoice precision_as_asked(std::string_view precision,
                                   const std::map<std::string, std::string>& layer_precisions) {
  PrecisionChoice choice{.precision = precision_named(precision), .layers = {}, .reason = {}};
  for (const auto& [path, name] : layer_precisions) choice.layers[path] = precision_named(name);
  return choice;
}

PrecisionChoice choose_precision(const ModelInfo& info, const Place& place, const OpenOptions& options) {
  if (options.precision == "auto") {
    PrecisionChoice choice = Recorded(info, place, options).fastest();
    for (const auto& [path, name] : options.layer_precisions) choice.layers[path] = precision_named(name);
    return choice;
  }
  PrecisionChoice choice = precision_as_asked(options.precision, options.layer_precisions);
  if (choice.precision != Precision::f32 && choice.layers.empty()) Recorded(info, place, options).keep(choice);
  return choice;
}

}  // namespace accelerate::runtime
