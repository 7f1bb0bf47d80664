#include "cli/agreement_print.hpp"

namespace accelerate::cli {
namespace {

namespace v = accelerate::verify;

std::string cosine_bound(const records::Bound& bound) {
  std::string text;
  if (bound.cosine) text += "cosine " + significant_text(*bound.cosine, 6);
  if (bound.kl_divergence) text += ", KL " + significant_text(*bound.kl_divergence, 1);
  if (bound.top1) text += ", top-1 " + fixed_text(*bound.top1 * 100, 1) + " %";
  return text;
}

std::string kept_text(const v::PrecisionAgreement& one) {
  if (one.kept.empty()) return "";
  return std::to_string(one.kept.size()) + " of " + std::to_string(one.layers) + " layers in " + one.kept_in;
}

std::string state_text(const v::PrecisionAgreement& one) {
  return std::string(name_of(one.judgement)) + (one.reason.empty() ? "" : ": " + one.reason);
}

void add_row(Table& table, const v::PrecisionAgreement& one) {
  std::vector<std::string> cells = {one.device + (one.level.empty() ? "" : " " + one.level), one.precision};
  if (one.figures) {
    const v::Figures& f = *one.figures;
    cells.insert(cells.end(), {std::to_string(f.rows), fixed_text(f.worst_cosine, 6), fixed_text(f.mean_cosine, 6),
                               f.mean_kl_divergence ? significant_text(*f.mean_kl_divergence, 2) : "",
                               f.top1 ? fixed_text(*f.top1 * 100, 1) + " %" : ""});
  } else {
    cells.insert(cells.end(), 5, "");
  }
  cells.insert(cells.end(), {cosine_bound(one.bound), kept_text(one), state_text(one)});
  table.row(std::move(cells));
}

void print_kept(const v::PrecisionAgreement& one, Output& out) {
  if (one.kept.empty()) return;
  out.line();
  std::string without;
  if (one.without_kept) {
    without = "; without them the smallest cosine is " + fixed_text(one.without_kept->worst_cosine, 6);
  }
  out.heading("Kept in " + one.kept_in + " for " + one.precision + " on " + one.device +
              (one.found_before ? " (as recorded" : " (found now") + without + ")");
  Table table({{"layer"}, {"mean cosine gained by it alone", Align::right}});
  for (const records::LayerChoice::Layer& layer : one.kept) {
    table.row({layer.path, significant_text(layer.sensitivity, 2)});
  }
  out.print(table);
}

Json json_of(const records::Bound& bound) {
  Json json = Json::object();
  if (bound.cosine) json.set("cosine", *bound.cosine);
  if (bound.kl_divergence) json.set("kl_divergence", *bound.kl_divergence);
  if (bound.top1) json.set("top1", *bound.top1);
  return json;
}

void add_figures(Json& json, const v::Figures& figures) {
  json.set("rows", figures.rows).set("worst_cosine", figures.worst_cosine).set("mean_cosine", figures.mean_cosine);
  if (figures.mean_kl_divergence) json.set("mean_kl_divergence", *figures.mean_kl_divergence);
  if (figures.worst_kl_divergence) json.set("worst_kl_divergence", *figures.worst_kl_divergence);
  if (figures.top1) json.set("top1", *figures.top1);
}

Json json_of(const v::PrecisionAgreement& one) {
  Json json;
  json.set("device", one.device).set("level", one.level).set("precision", one.precision);
  json.set("state", name_of(one.judgement)).set("reason", one.reason);
  if (one.figures) add_figures(json, *one.figures);
  json.set("bound", json_of(one.bound)).set("layers", one.layers);
  Json kept = Json::object();
  for (const records::LayerChoice::Layer& layer : one.kept) kept.set(layer.path, layer.sensitivity);
  json.set("kept_layers", std::move(kept)).set("kept_in", one.kept_in).set("found_before", one.found_before);
  if (one.without_kept) {
    Json without;
    add_figures(without, *one.without_kept);
    json.set("without_kept_layers", std::move(without));
  }
  return json;
}

}  // namespace

void print_agreement(const v::AgreementReport& report, Output& out) {
  out.heading("Agreement on " + report.inputs + " with " +
              (report.reference == "own f32" ? "this program's own f32" : "what Transformers computed") + ", " +
              report.weights + " weights (" + fixed_text(report.seconds, 1) + " s)");
  Table table({{"device"},
               {"precision"},
               {"rows", Align::right},
               {"worst cosine", Align::right},
               {"mean cosine", Align::right},
               {"KL", Align::right},
               {"top-1", Align::right},
               {"bound"},
               {"kept layers"},
               {"state"}});
  for (const v::PrecisionAgreement& one : report.precisions) add_row(table, one);
  out.print(table);
  for (const v::PrecisionAgreement& one : report.precisions) print_kept(one, out);
}

Json agreement_json(const v::AgreementReport& report) {
  Json json;
  json.set("reference", report.reference).set("inputs", report.inputs).set("weights", report.weights);
  json.set("seconds", report.seconds);
  Json precisions = Json::array();
  for (const v::PrecisionAgreement& one : report.precisions) precisions.push(json_of(one));
  return json.set("precisions", std::move(precisions));
}

}  // namespace accelerate::cli
