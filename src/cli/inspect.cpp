#include <algorithm>

#include "accelerate/accelerate.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/text_width.hpp"
#include "core/text.hpp"
#include "runtime/model_json.hpp"

namespace accelerate::cli {
namespace {

void print_facts(const ModelInfo& info, Output& out) {
  Table table({{""}, {""}});
  table.row({"model", info.folder.string()});
  table.row(
      {"architecture", info.architecture.empty() ? info.model_type : info.architecture + " (" + info.model_type + ")"});
  if (!info.family.empty()) table.row({"family", info.family});
  if (!info.tasks.empty()) table.row({info.tasks.size() > 1 ? "tasks" : "task", joined(info.tasks)});
  table.row({"parameters", count_text(static_cast<double>(info.parameters)) + ", stored as " + joined(info.dtypes) +
                               " in " + bytes_text(info.weight_bytes)});
  table.row({"layers", std::to_string(info.layers) + " of " + std::to_string(info.hidden_size) + " wide, " +
                           std::to_string(info.heads) + " heads"});
  table.row({"vocabulary", std::to_string(info.vocabulary) + " tokens"});
  table.row({"longest input", std::to_string(info.max_tokens) + " tokens"});
  if (info.embedding_size > 0) table.row({"embedding", std::to_string(info.embedding_size) + " numbers"});
  if (!info.labels.empty()) table.row({"labels", shortened(joined(info.labels), 80)});
  for (const auto& [name, text] : info.prompts) {
    table.row({"prompt", name + ": \"" + text + "\"" + (name == info.default_prompt ? " (default)" : "")});
  }
  out.print(table);
}

// An encoder keeps no cache, the cpu needs no runtime: what is nothing in every row has no column.
void print_memory(const Inspection& seen, Output& out) {
  struct Part {
    const char* heading;
    std::int64_t MemoryPrediction::*bytes;
    bool is_summed, is_always_shown;
  };
  static constexpr Part kParts[] = {{"weights", &MemoryPrediction::weights, true, true},
                                    {"activations", &MemoryPrediction::activations, true, true},
                                    {"workspace", &MemoryPrediction::workspace, true, true},
                                    {"cache", &MemoryPrediction::cache, true, false},
                                    {"a token", &MemoryPrediction::cache_per_token, false, false},
                                    {"runtime", &MemoryPrediction::runtime, true, false},
                                    {"from the file", &MemoryPrediction::mapped, false, true}};
  std::vector<Part> parts;
  std::string sum;
  std::vector<Table::Column> columns{
      {"device"}, {"precision"}, {"batch", Align::right}, {"tokens", Align::right}, {"memory", Align::right}};
  for (const Part& part : kParts) {
    const auto is_there = [&](const MemoryPrediction& p) { return p.*part.bytes != 0; };
    if (!part.is_always_shown && std::ranges::none_of(seen.memory, is_there)) continue;
    parts.push_back(part);
    columns.push_back({part.heading, Align::right});
    if (part.is_summed) sum += (sum.empty() ? "" : " + ") + std::string(part.heading);
  }
  columns.push_back({"FLOPs", Align::right});
  Table table(std::move(columns));
  for (const MemoryPrediction& p : seen.memory) {
    std::vector<std::string> row{p.device, p.precision, std::to_string(p.batch), std::to_string(p.tokens),
                                 (p.estimated ? "about " : "") + bytes_text(p.total)};
    for (const Part& part : parts) row.push_back(bytes_text(p.*part.bytes));
    row.push_back(count_text(static_cast<double>(p.flops)));
    table.row(std::move(row));
  }
  out.line();
  out.heading("Predicted memory (memory = " + sum + "; read in place from the file beside it)");
  out.print(table);
}

}  // namespace

int inspect(const InspectCommand& command, Output& out) {
  if (!command.graph.empty()) {
    const GraphFormat format = command.graph == "dot" ? GraphFormat::graphviz : GraphFormat::text;
    out.text(describe_graph(command.model, format));
    return kExitOk;
  }
  accelerate::InspectOptions options;
  options.batches = command.batch.empty() ? std::vector<std::int64_t>{1, 8, 32} : command.batch;
  options.tokens = command.tokens;
  options.precisions = command.precisions;
  options.device = command.device;
  options.cache_precision = command.cache_precision;
  options.split = command.split;
  options.threads = command.threads;
  const Inspection seen = accelerate::inspect(command.model, options);
  if (out.wants_json()) {
    out.json(runtime::to_json(seen));
    return kExitOk;
  }
  print_facts(seen.info, out);
  if (!seen.memory.empty()) print_memory(seen, out);
  for (const std::string& note : seen.notes) out.note(note);
  for (const std::string& operation : seen.missing) out.note("cannot run it: " + operation);
  return kExitOk;
}

}  // namespace accelerate::cli
