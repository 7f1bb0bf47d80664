#include "records/records.hpp"

#include <algorithm>
#include <charconv>
#include <chrono>
#include <span>

#include "checkpoint/gguf.hpp"
#include "cli/arguments.hpp"
#include "cli/execute.hpp"
#include "cli/exit_code.hpp"
#include "cli/input_text.hpp"
#include "cli/records_print.hpp"
#include "records/record_json.hpp"

namespace accelerate::cli {
namespace {

namespace r = accelerate::records;
namespace fs = std::filesystem;

constexpr std::size_t kMostShown = 40;
constexpr std::size_t kLargestImport = std::size_t{1} << 30;

// "7d" and "12h" before now, else a day or a time.
std::int64_t since_from(const std::string& text) {
  std::int64_t count = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
  const std::string unit(end, text.data() + text.size());
  if (error == std::errc() && count >= 0 && count < 1'000'000 && (unit == "d" || unit == "h")) {
    const auto now = std::chrono::system_clock::now().time_since_epoch();
    const std::int64_t hours = count * (unit == "d" ? 24 : 1);
    const std::int64_t then = std::chrono::duration_cast<std::chrono::milliseconds>(now).count() - hours * 3'600'000;
    return std::max<std::int64_t>(then, 0);
  }
  try {
    return r::time_from(text);
  } catch (const Error& wrong) {
    throw UsageError{"--since: " + wrong.message(), "or 7d, 12h: so many days or hours ago"};
  }
}

void notes(r::Records& records, Output& out) {
  for (const std::string& text : records.take_notes()) out.note(text);
}

// A file that is damaged answers no question: it is moved aside, as the next record would do.
std::unique_ptr<r::Records> open(r::Access access, Output& out) {
  const fs::path path = r::default_path();
  out.detail("records: " + path.string());
  try {
    auto records = std::make_unique<r::Records>(path, access);
    notes(*records, out);
    return records;
  } catch (const Error& error) {
    if (error.kind() != ErrorKind::corrupted) throw;
  }
  auto records = std::make_unique<r::Records>(path, r::Access::write);
  notes(*records, out);
  return records;
}

r::Filter filter_of(const RecordsCommand& command, r::Records& records) {
  r::Filter filter;
  filter.model = command.model;
  std::error_code ignored;
  // A folder or GGUF file that is there is asked what it holds now, whatever was recorded of its path.
  if (is_gguf_file(command.model) || fs::is_directory(command.model, ignored))
    filter.model = records.content_hash(command.model);
  filter.device = command.device;
  filter.precision = command.precision;
  if (command.kind) filter.kind = r::kind_named(*command.kind);
  if (command.since) filter.since_ms = since_from(*command.since);
  filter.limit = static_cast<std::size_t>(command.limit.value_or(0));
  return filter;
}

void require_objects(const RecordsCommand& command, std::size_t least, std::size_t most, const char* expected) {
  if (command.objects.size() >= least && command.objects.size() <= most) return;
  throw UsageError{"records " + command.action + ": " + std::to_string(command.objects.size()) +
                       " arguments given, expected " + expected,
                   "ipfs-accelerate records --help has examples"};
}

int list(const RecordsCommand& command, Output& out) {
  require_objects(command, 0, 0, "none");
  const auto records = open(r::Access::read, out);
  const std::vector<r::Record> found = records->list(filter_of(command, *records));
  if (out.wants_json()) {
    Json lines = Json::array();
    for (const r::Record& record : found) lines.push(r::to_json(record));
    Json json;
    out.json(json.set("file", records->path().string()).set("records", std::move(lines)));
    return kExitOk;
  }
  const std::size_t shown = command.limit ? found.size() : std::min(found.size(), kMostShown);
  if (!found.empty()) print_list(std::span(found).first(shown), out);
  if (found.empty()) out.note("no such records in " + records->path().string());
  if (shown < found.size()) {
    out.note("the newest " + std::to_string(shown) + " of " + std::to_string(found.size()) +
             " records; --limit shows more, --json all");
  }
  return kExitOk;
}

int show(const RecordsCommand& command, Output& out) {
  require_objects(command, 1, 1, "one: a record's id");
  const auto records = open(r::Access::read, out);
  const r::Record record = records->find(command.objects[0]);
  if (out.wants_json()) {
    out.json(r::to_json(record));
  } else {
    print_record(record, out);
  }
  return kExitOk;
}

int compare(const RecordsCommand& command, Output& out) {
  if (!command.objects.empty()) require_objects(command, 2, 2, "none or two");
  const auto records = open(r::Access::read, out);
  const r::Filter filter = filter_of(command, *records);
  const r::Comparison comparison = command.objects.empty()
                                       ? r::newest_with_previous(records->list(filter))
                                       : r::compare(*records, command.objects[0], command.objects[1], filter);
  if (out.wants_json()) {
    out.json(json_of(comparison));
  } else {
    print_comparison(comparison, out);
  }
  return kExitOk;
}

int export_records(const RecordsCommand& command, Output& out) {
  require_objects(command, 0, 1, "a file, or none for stdout");
  const auto records = open(r::Access::read, out);
  const std::string lines = records->export_lines(filter_of(command, *records));
  if (command.objects.empty() || command.objects[0] == "-") {
    out.text(lines);
    return kExitOk;
  }
  AtomicFile file(command.objects[0]);
  file.write(lines);
  file.commit();
  const auto count = static_cast<std::int64_t>(std::count(lines.begin(), lines.end(), '\n'));
  if (out.wants_json()) {
    Json json;
    out.json(json.set("exported", count).set("file", command.objects[0]));
  } else {
    out.line(std::to_string(count) + " records written to " + command.objects[0]);
  }
  return kExitOk;
}

int import_records(const RecordsCommand& command, Output& out) {
  require_objects(command, 1, 1, "a file, - for stdin");
  const std::string& file = command.objects[0];
  const std::string lines = input_text(file, kLargestImport);
  const auto records = open(r::Access::write, out);
  const r::Imported imported = records->import_lines(lines, input_name(file));
  if (out.wants_json()) {
    Json json;
    out.json(json.set("added", imported.added).set("known", imported.known));
  } else {
    out.line(std::to_string(imported.added) + " records added, " + std::to_string(imported.known) +
             " were there already");
  }
  return kExitOk;
}

}  // namespace

int records(const RecordsCommand& command, Output& out) {
  if (command.action == "list") return list(command, out);
  if (command.action == "show") return show(command, out);
  if (command.action == "compare") return compare(command, out);
  if (command.action == "export") return export_records(command, out);
  if (command.action == "import") return import_records(command, out);
  throw UsageError{"records cannot \"" + command.action + "\"", "there are list, show, compare, export and import"};
}

}  // namespace accelerate::cli
