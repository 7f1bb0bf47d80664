#include "accelerate/accelerate.hpp"
#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "core/text.hpp"

namespace accelerate::cli {
namespace {

Json list_of(const std::vector<std::string>& words) {
  Json list = Json::array();
  for (const std::string& word : words) list.push(word);
  return list;
}

}  // namespace

int export_model(const ExportCommand& command, const Cancellation& cancellation, Output& out) {
  if (command.to != "onnx") throw UsageError{"--to: found \"" + command.to + "\", expected onnx", ""};
  const ExportedModel exported = export_onnx(command.model, command.folder,
                                             {.task = command.task.value_or(""),
                                              .outputs = command.outputs,
                                              .past = command.past,
                                              .opset = static_cast<int>(command.opset),
                                              .precision = command.precision,
                                              .operators = command.operators,
                                              .force = command.force,
                                              .cancellation = cancellation});
  if (out.wants_json()) {
    Json json;
    json.set("model", exported.model.string()).set("weights", exported.weights.string()).set("bytes", exported.bytes);
    json.set("inputs", list_of(exported.inputs)).set("outputs", list_of(exported.outputs));
    if (exported.layers > 0) json.set("layers", exported.layers).set("kept_in_f32", list_of(exported.kept_in_f32));
    out.json(json);
    return kExitOk;
  }
  Table table({{""}, {""}});
  table.row({"model", exported.model.string()});
  table.row({"weights", exported.weights.string()});
  table.row({"size", bytes_text(exported.bytes)});
  table.row({"inputs", joined(exported.inputs)});
  table.row({"outputs", joined(exported.outputs)});
  if (exported.layers > 0) {
    const std::string kept = exported.kept_in_f32.empty() ? "" : ": " + joined(exported.kept_in_f32);
    table.row({"in f32", std::to_string(exported.kept_in_f32.size()) + " of " + std::to_string(exported.layers) +
                             " layers" + kept});
  }
  out.print(table);
  return kExitOk;
}

}  // namespace accelerate::cli
