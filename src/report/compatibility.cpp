#include "report/compatibility.hpp"

#include "records/record_json.hpp"

namespace accelerate::report {
namespace {

using records::CompatibilityError;

// A cell is one line, and a bar would end it.
std::string cell(const std::string& text) {
  std::string out;
  for (const char c : text) {
    if (c == '|') out += '\\';
    out += c == '\n' || c == '\r' ? ' ' : c;
  }
  return out;
}

std::string row_of(const CompatibilityError& error) {
  const std::string day = records::time_text(error.last_ms).substr(0, 10);
  std::string row = "|";
  for (const std::string& text : {error.hardware, error.kind, error.severity, error.component, error.model,
                                  error.message, error.advice, day, std::to_string(error.times)}) {
    row += " " + cell(text) + " |";
  }
  return row + "\n";
}

}  // namespace

std::string compatibility_markdown(std::span<const CompatibilityError> errors) {
  std::string text = "# Compatibility\n\n";
  if (errors.empty()) return text + "No device, driver or model has failed in what was recorded.\n";
  text += "What devices, drivers and models failed at, the last met first.\n\n";
  text += "| hardware | kind | severity | component | model | message | advice | last met | times |\n";
  text += "| --- | --- | --- | --- | --- | --- | --- | --- | --- |\n";
  for (const CompatibilityError& error : errors) text += row_of(error);
  return text;
}

Json compatibility_json(std::span<const CompatibilityError> errors) {
  Json list = Json::array();
  for (const CompatibilityError& error : errors) {
    Json one;
    one.set("hardware", error.hardware).set("kind", error.kind).set("severity", error.severity);
    one.set("component", error.component).set("model", error.model).set("message", error.message);
    one.set("advice", error.advice).set("first", records::time_text(error.first_ms));
    one.set("last", records::time_text(error.last_ms)).set("times", error.times);
    list.push(std::move(one.set("machine", error.machine.id).set("version", error.code.version)));
  }
  Json json;
  return json.set("errors", std::move(list));
}

}  // namespace accelerate::report
