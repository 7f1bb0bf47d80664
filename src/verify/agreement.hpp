// Where a model stands in each precision: how close its answers come to the reference, within which bound, and with
// which layers kept in a higher precision.
#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "accelerate/accelerate.hpp"
#include "records/records.hpp"
#include "verify/figures.hpp"

namespace accelerate::verify {

enum class Judgement {
  within_bound,
  out_of_bound,
  not_judged,  // random weights, a precision without bound, or the reference itself
};
// "within bound", "out of bound", "not judged"
std::string_view name_of(Judgement judgement);

struct PrecisionAgreement {
  std::string device, level, precision;
  std::optional<Figures> figures;  // with the layers below kept; none of what is the reference itself
  records::Bound bound;            // empty where it is not judged
  Judgement judgement = Judgement::not_judged;
  std::string reason;  // why it is not judged, or why keeping layers does not help; else empty
  // Layers that keep a higher precision, the most sensitive first.
  std::string kept_in;
  std::vector<records::LayerChoice::Layer> kept;
  std::int64_t layers = 0;              // those that this precision changes, kept ones included
  std::optional<Figures> without_kept;  // every layer in the precision, where that was found out of bound now
  bool found_before = false;            // the kept layers are those that the records name
};

struct AgreementReport {
  std::string reference;                       // "Transformers golden" or "own f32"
  std::string inputs;                          // "20 texts of the golden"
  std::string weights;                         // "random" or "trained"
  std::vector<PrecisionAgreement> precisions;  // in the order asked
  double seconds = 0;
  bool any_out_of_bound() const;
};

struct AgreementOptions {
  std::vector<Precision> precisions = {Precision::f32, Precision::bf16, Precision::int8};
  std::optional<std::filesystem::path> golden = {};  // none: built-in sentences, compared with this program's own f32
  records::Recorder* recorder = nullptr;             // null: nothing is looked up and nothing kept
  // What is done now, for people.
  std::function<void(const std::string&)> stage = {};
  Progress progress = {};  // layers tried, of those there are
  Cancellation cancellation = {};
};

// Measures each precision. One that breaks its bound (on trained weights) gets the layers that the records name for
// this content, precision and level kept in a higher precision; where they name none, or these do not help, every layer
// is tried alone in the higher one, and the fewest that gain most and bring the model within its bound are kept and
// recorded. Every agreement is recorded. Errors of reference_of() and of Model::run.
AgreementReport agreement(const Model& model, const AgreementOptions& options);

}  // namespace accelerate::verify
