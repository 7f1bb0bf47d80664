#include "cli/verify_print.hpp"

#include <algorithm>
#include <cmath>

namespace accelerate::cli {
namespace {

namespace v = accelerate::verify;

std::string exponent_text(double value) {
  if (value == 0) return "0";
  return std::isfinite(value) ? significant_text(value, 2) : "not a number";
}

// What a line of the table says about the tensors of one case and source.
struct Worst {
  double relative = 0, absolute = 0, cosine = 1, share = 0;
  std::optional<double> top1;
  std::string place;
};

Worst worst_of(const v::CaseReport& report, v::Source source) {
  Worst worst;
  double absolute_share = -1;
  for (const v::Check& check : report.checks) {
    if (check.from != source || !check.difference) continue;
    const v::Difference& d = *check.difference;
    worst.relative = std::max(worst.relative, d.relative_l2);
    worst.cosine = std::min(worst.cosine, d.cosine);
    worst.share = std::max(worst.share, d.share_of_bound);
    if (d.top1) worst.top1 = std::min(worst.top1.value_or(1), *d.top1);
    if (d.share_of_bound > absolute_share) {
      absolute_share = d.share_of_bound;
      worst.absolute = d.worst_absolute;
      worst.place = check.what + " " + to_string(d.place);
    }
  }
  return worst;
}

bool has_numbers(const v::CaseReport& report, v::Source source) {
  for (const v::Check& check : report.checks) {
    if (check.from == source && check.difference) return true;
  }
  return false;
}

void add_row(Table& table, const v::CaseReport& report, v::Source source) {
  const v::State state = report.state_of(source);
  std::vector<std::string> cells = {report.device, report.name, std::string(name_of(source))};
  if (has_numbers(report, source)) {
    const Worst worst = worst_of(report, source);
    cells.insert(cells.end(), {exponent_text(worst.relative), exponent_text(worst.absolute), worst.place,
                               fixed_text(worst.share * 100, 0) + " %", fixed_text(worst.cosine, 7),
                               worst.top1 ? fixed_text(*worst.top1 * 100, 0) + " %" : ""});
  } else {
    cells.insert(cells.end(), 6, "");
  }
  cells.emplace_back(name_of(state));
  table.row(std::move(cells));
}

void print_failures(const v::Report& report, Output& out) {
  for (const v::CaseReport& each : report.cases) {
    if (each.state == v::State::passed) continue;
    out.line();
    out.heading(each.name + " on " + each.device + ": " + std::string(name_of(each.state)));
    Table table({{""}, {""}, {""}});
    for (const v::Check& check : each.checks) {
      if (check.state == v::State::passed) continue;
      table.row({"  from " + std::string(name_of(check.from)), check.what, check.reason});
    }
    out.print(table);
    if (!each.first_layer.empty()) out.line("  first layer out of bound: " + each.first_layer);
  }
}

void print_every_check(const v::Report& report, Output& out) {
  constexpr Align kRight = Align::right;
  Table table({{"device"}, {"case"}, {"from"}, {"what"}, {"relative", kRight}, {"of bound", kRight}, {"state"}});
  for (const v::CaseReport& each : report.cases) {
    for (const v::Check& check : each.checks) {
      const v::Difference* d = check.difference ? &*check.difference : nullptr;
      table.row({each.device, each.name, std::string(name_of(check.from)), check.what,
                 d ? exponent_text(d->relative_l2) : "equal", d ? fixed_text(d->share_of_bound * 100, 0) + " %" : "",
                 std::string(name_of(check.state))});
    }
  }
  out.line();
  out.print(table);
}

Json json_of(const v::Check& check) {
  Json json;
  json.set("from", name_of(check.from)).set("what", check.what).set("state", name_of(check.state));
  if (check.difference) {
    const v::Difference& d = *check.difference;
    Json place = Json::array();
    for (const std::int64_t index : d.place) place.push(index);
    json.set("compared", d.compared).set("relative_error", d.relative_l2);
    json.set("worst_absolute_error", d.worst_absolute).set("place", std::move(place));
    json.set("expected", d.expected).set("found", d.found);
    json.set("share_of_bound", d.share_of_bound).set("cosine", d.cosine);
    if (d.top1) json.set("top1_agreement", *d.top1);
  }
  if (!check.reason.empty()) json.set("reason", check.reason);
  return json;
}

}  // namespace

void print_report(const v::Report& report, Output& out) {
  Table table({{"device"},
               {"case"},
               {"from"},
               {"relative", Align::right},
               {"absolute", Align::right},
               {"closest to its bound"},
               {"of bound", Align::right},
               {"cosine", Align::right},
               {"top-1", Align::right},
               {"state"}});
  for (const v::CaseReport& each : report.cases) {
    add_row(table, each, v::Source::text);
    add_row(table, each, v::Source::tensors);
  }
  out.print(table);
  if (out.verbose()) print_every_check(report, out);
  print_failures(report, out);
  out.line();
  for (const v::CaseReport& each : report.cases) {
    for (const std::string& what : each.left_out) {
      out.line(each.name + " on " + each.device + ", not compared: " + what);
    }
  }
  out.line(std::to_string(report.count(v::State::passed)) + " of " + std::to_string(report.cases.size()) +
           " cases passed, " + std::to_string(report.count(v::State::failed)) + " failed, " +
           std::to_string(report.count(v::State::unsupported)) + " unsupported, " +
           std::to_string(report.count(v::State::untested)) + " untested (" + fixed_text(report.seconds, 2) + " s)");
}

Json report_json(const v::Report& report, const std::string& model) {
  Json json;
  json.set("model", model).set("golden", report.golden).set("note", report.note);
  json.set("state", name_of(report.state())).set("seconds", report.seconds);
  for (const v::State state : {v::State::passed, v::State::failed, v::State::unsupported, v::State::untested}) {
    json.set(name_of(state), report.count(state));
  }
  Json cases = Json::array();
  for (const v::CaseReport& each : report.cases) {
    Json one;
    one.set("device", each.device).set("name", each.name).set("task", each.task).set("state", name_of(each.state));
    one.set("from_text", name_of(each.state_of(v::Source::text)));
    one.set("from_tensors", name_of(each.state_of(v::Source::tensors)));
    if (!each.first_layer.empty()) one.set("first_layer_out_of_bound", each.first_layer);
    Json left_out = Json::array();
    for (const std::string& each_left : each.left_out) left_out.push(each_left);
    one.set("left_out", std::move(left_out));
    Json checks = Json::array();
    for (const v::Check& check : each.checks) checks.push(json_of(check));
    cases.push(std::move(one.set("checks", std::move(checks))));
  }
  return json.set("cases", std::move(cases));
}

}  // namespace accelerate::cli
