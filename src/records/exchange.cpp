#include <algorithm>
#include <iterator>

#include "core/json.hpp"
#include "records/record_json.hpp"
#include "records/records.hpp"

namespace accelerate::records {
namespace {

constexpr std::size_t kLongestLine = std::size_t{16} << 20;

Record record_of_line(std::string_view line, const std::string& where) {
  if (line.size() > kLongestLine) {
    throw Error(ErrorKind::invalid_input,
                "is " + std::to_string(line.size()) + " bytes long, expected at most " + std::to_string(kLongestLine),
                where);
  }
  // The text is one line for Json: what it says of lines and columns is replaced by where the line is.
  try {
    return record_from(Json::parse(line, {}));
  } catch (const Error& error) {
    const ErrorKind kind = error.kind() == ErrorKind::corrupted ? ErrorKind::invalid_input : error.kind();
    const std::string inner = error.where().empty() ? where : where + ": " + error.where();
    throw Error(kind, error.message(), inner, error.hint());
  }
}

}  // namespace

std::string Records::export_lines(const Filter& filter) const {
  std::vector<Record> records = list(filter);
  std::reverse(records.begin(), records.end());
  std::string lines;
  for (const Record& record : records) lines += to_json(record).dump() + "\n";
  return lines;
}

Imported Records::import_lines(std::string_view text, std::string_view where) {
  std::vector<Record> records;
  std::size_t number = 0;
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty()) continue;
    records.push_back(record_of_line(line, std::string(where) + ": line " + std::to_string(number)));
  }
  // One transaction: all of them or none.
  const std::size_t added = insert_all(records);
  return {.added = added, .known = records.size() - added};
}

}  // namespace accelerate::records
