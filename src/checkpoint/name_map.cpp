#include "checkpoint/name_map.hpp"

#include <algorithm>
#include <utility>

#include "checkpoint/nearest.hpp"

namespace accelerate {
namespace {

using Captures = std::vector<std::string_view>;

bool match_from(std::string_view pattern, std::string_view text, Captures& captures) {
  if (pattern.empty()) return text.empty();
  if (pattern.front() != '*') {
    return !text.empty() && pattern.front() == text.front() && match_from(pattern.substr(1), text.substr(1), captures);
  }
  for (std::size_t length = 0; length <= text.size(); ++length) {
    captures.push_back(text.substr(0, length));
    if (match_from(pattern.substr(1), text.substr(length), captures)) return true;
    captures.pop_back();
  }
  return false;
}

// What the stars of `pattern` stand for in `text`; nothing when it does not match. `bare` says that a leading "*."
// stood for nothing at all.
struct Match {
  Captures captures;
  bool bare = false;
};

std::optional<Match> match(std::string_view pattern, std::string_view text) {
  const std::size_t star = pattern.rfind('*');
  if (star == std::string_view::npos) return pattern == text ? std::optional<Match>(Match{}) : std::nullopt;
  Match found;
  // Most patterns fail at their end, before any star has been tried.
  if (text.ends_with(pattern.substr(star + 1)) && match_from(pattern, text, found.captures)) return found;
  if (!pattern.starts_with("*.")) return std::nullopt;
  found = {.captures = {""}, .bare = true};
  if (match_from(pattern.substr(2), text, found.captures)) return found;
  return std::nullopt;
}

std::string substitute(std::string_view pattern, const Match& match) {
  std::string result;
  std::size_t next = 0;
  for (const char c : pattern) {
    if (c != '*') {
      result += c;
    } else if (next < match.captures.size()) {
      result += match.captures[next++];
    }
  }
  if (match.bare && pattern.starts_with("*.")) result.erase(0, 1);
  return result;
}

// One way a file may hold a parameter.
struct Spelling {
  std::string stored;
  bool transposed = false;
  std::int64_t index = 0, count = 1, length = 1, groups = 1;  // as NameRow has them
  std::vector<bool> used;  // rows that led here: each is applied once, so that the search ends
};

// The ways in the order they are tried: nearer to the asked name first, ties only when everything else is exhausted.
class Spellings {
 public:
  Spellings(const std::vector<NameRow>& rows, std::string_view name) : rows_(rows) {
    Spelling first{.stored = std::string(name), .used = std::vector<bool>(rows.size())};
    first.transposed = is_transposed(first.stored);
    found_.push_back(std::move(first));
  }

  // The next one; null at the end. Valid until the next call.
  const Spelling* next() {
    while (next_ == found_.size() && expanded_ < found_.size()) expand(found_[expanded_++], false);
    if (next_ == found_.size() && !std::exchange(tied_, true)) {
      const std::size_t untied = found_.size();
      for (std::size_t i = 0; i < untied; ++i) expand(found_[i], true);
      return next();
    }
    return next_ < found_.size() ? &found_[next_++] : nullptr;
  }

 private:
  bool is_transposed(std::string_view stored) const {
    return std::ranges::any_of(rows_, [&](const NameRow& row) {
      return row.rule == NameRule::transposed && match(row.name, stored).has_value();
    });
  }

  void add(const Spelling& from, std::size_t row, Spelling spelling) {
    spelling.used = from.used;
    spelling.used[row] = true;
    const bool known = std::ranges::any_of(found_, [&](const Spelling& other) {
      return other.stored == spelling.stored && other.transposed == spelling.transposed &&
             other.index == spelling.index && other.count == spelling.count && other.length == spelling.length &&
             other.groups == spelling.groups;
    });
    if (!known) found_.push_back(std::move(spelling));
  }

  // By value: adding may move what a reference would point to.
  void expand(const Spelling from, bool tied) {
    for (std::size_t i = 0; i < rows_.size(); ++i) {
      const NameRow& row = rows_[i];
      if (from.used[i] || row.rule == NameRule::transposed || row.rule == NameRule::vector ||
          (row.rule == NameRule::tied) != tied)
        continue;
      if (row.rule == NameRule::prefix) {
        Spelling other = from;  // a matrix that is stored transposed is so with and without a prefix
        other.stored =
            from.stored.starts_with(row.stored) ? from.stored.substr(row.stored.size()) : row.stored + from.stored;
        other.transposed = from.transposed || is_transposed(other.stored);
        add(from, i, std::move(other));
        continue;
      }
      std::optional<Match> matched = match(row.name, from.stored);
      if (!matched && tied && (matched = match(row.stored, from.stored))) {
        add(from, i, Spelling{.stored = substitute(row.name, *matched), .used = {}});
        continue;
      }
      if (!matched || (row.rule != NameRule::alternative && from.count > 1)) continue;
      Spelling other = from;
      other.stored = substitute(row.stored, *matched);
      if (row.rule == NameRule::part) {
        other.index = row.index;
        other.count = row.count;
        other.length = row.length;
        other.groups = row.groups;
      }
      other.transposed = is_transposed(other.stored);
      add(from, i, std::move(other));
    }
  }

  const std::vector<NameRow>& rows_;
  std::vector<Spelling> found_;
  std::size_t next_ = 0, expanded_ = 0;
  bool tied_ = false;
};

// Of `count` stretches, each of `whole` numbers, those from `begin` on, `length` of them.
void keep(Parameter& parameter, std::int64_t count, std::int64_t whole, std::int64_t begin, std::int64_t length) {
  const std::size_t size = size_of(parameter.encoding.dtype);
  parameter.stride = whole;
  parameter.bytes = parameter.bytes.subspan(static_cast<std::size_t>(begin) * size,
                                            static_cast<std::size_t>((count - 1) * whole + length) * size);
}

void split(Parameter& parameter, const Spelling& spelling) {
  const bool apart = parameter.transposed || spelling.groups > 1;  // what is kept lies in several places
  if (parameter.encoding.alternating_heads != 0 || (apart && !parameter.encoding.is_plain()) ||
      (parameter.transposed && spelling.groups > 1)) {
    throw Error(ErrorKind::unsupported, "has rows in another order or blocks across its parts, so that it has no parts",
                parameter.where());
  }
  const std::int64_t blocks = spelling.count * spelling.groups;
  if (parameter.dims.empty() || parameter.dims[0] % blocks != 0) {
    throw Error(ErrorKind::corrupted,
                "has shape " + to_string(parameter.dims) + ", expected rows that divide into " +
                    std::to_string(blocks) + " parts for \"" + parameter.name + "\"",
                parameter.where());
  }
  const std::int64_t whole = parameter.dims[0], block = whole / blocks;
  parameter.dims[0] = block * spelling.length * spelling.groups;
  if (parameter.elements() == 0) {
    parameter.bytes = {};
  } else if (parameter.transposed) {
    keep(parameter, parameter.dims[1], whole, spelling.index * block, spelling.length * block);
  } else if (spelling.groups > 1) {
    const std::int64_t row = parameter.elements() / parameter.dims[0];
    parameter.run = spelling.length * block;
    keep(parameter, spelling.groups, spelling.count * block * row, spelling.index * block * row, parameter.run * row);
  } else {
    const std::size_t bytes = parameter.bytes.size() / static_cast<std::size_t>(spelling.count);
    parameter.bytes = parameter.bytes.subspan(static_cast<std::size_t>(spelling.index) * bytes,
                                              static_cast<std::size_t>(spelling.length) * bytes);
  }
}

void transpose(Parameter& parameter) {
  if (parameter.dims.size() != 2) {
    throw Error(ErrorKind::corrupted, "has shape " + to_string(parameter.dims) + ", expected a matrix",
                parameter.where());
  }
  std::swap(parameter.dims[0], parameter.dims[1]);
  parameter.transposed = !parameter.transposed;
}

Parameter read(const StoredTensor& stored, std::string_view name, const Spelling& spelling) {
  stored.require_readable();
  Parameter parameter{.name = std::string(name),
                      .stored_name = stored.name_in_file.empty() ? stored.name : stored.name_in_file,
                      .encoding = stored.encoding,
                      .dims = stored.dims,
                      .bytes = stored.bytes,
                      .transposed = stored.transposed,
                      .file = stored.file};
  if (spelling.transposed) transpose(parameter);
  if (spelling.count > 1) split(parameter, spelling);
  return parameter;
}

std::string list_of(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "\"" : ", \"") + name + "\"";
  return text;
}

}  // namespace

namespace names {

NameRow prefix(std::string stored) { return {.rule = NameRule::prefix, .name = {}, .stored = std::move(stored)}; }

NameRow alternative(std::string name, std::string stored) {
  return {.rule = NameRule::alternative, .name = std::move(name), .stored = std::move(stored)};
}

NameRow part(std::string name, std::string stored, std::int64_t index, std::int64_t count, std::int64_t length,
             std::int64_t groups) {
  return {.rule = NameRule::part,
          .name = std::move(name),
          .stored = std::move(stored),
          .index = index,
          .count = count,
          .length = length,
          .groups = groups};
}

NameRow transposed(std::string stored) {
  return {.rule = NameRule::transposed, .name = std::move(stored), .stored = {}};
}

NameRow vector(std::string stored) { return {.rule = NameRule::vector, .name = std::move(stored), .stored = {}}; }

NameRow tied(std::string name, std::string stored) {
  return {.rule = NameRule::tied, .name = std::move(name), .stored = std::move(stored)};
}

}  // namespace names

std::string Parameter::where() const {
  const std::string tensor = "tensor \"" + stored_name + "\"";
  return file == nullptr ? tensor : file->path().filename().string() + ": " + tensor;
}

NameMap& NameMap::add(NameRow row) {
  rows_.push_back(std::move(row));
  return *this;
}

NameMap operator+(NameMap first, const NameMap& second) {
  first.rows_.insert(first.rows_.end(), second.rows_.begin(), second.rows_.end());
  return first;
}

std::optional<Parameter> NameMap::find(const Checkpoint& checkpoint, std::string_view name) const {
  Spellings spellings(rows_, name);
  while (const Spelling* spelling = spellings.next()) {
    const StoredTensor* stored = checkpoint.find(spelling->stored);
    if (stored == nullptr) continue;
    Parameter parameter = read(*stored, name, *spelling);
    const bool is_vector = std::ranges::any_of(rows_, [&](const NameRow& row) {
      return row.rule == NameRule::vector && match(row.name, spelling->stored).has_value();
    });
    if (is_vector && parameter.dims.size() == 2 && parameter.dims[0] == 1) parameter.dims.erase(parameter.dims.begin());
    return parameter;
  }
  return std::nullopt;
}

Parameter NameMap::at(const Checkpoint& checkpoint, std::string_view name) const {
  if (std::optional<Parameter> found = find(checkpoint, name)) return *std::move(found);
  std::vector<std::string> tried = stored_names(name);
  tried.erase(tried.begin());
  std::string message = "has no tensor \"" + std::string(name) + "\"";
  if (!tried.empty()) message += ", nor " + list_of(tried);
  const std::vector<std::string> near = nearest(name, checkpoint.names(), 3);
  throw Error(ErrorKind::not_found, message, checkpoint.folder().string(),
              near.empty() ? "" : "the nearest names it has: " + list_of(near));
}

Parameter NameMap::at(const Checkpoint& checkpoint, std::string_view name, const Dims& expected) const {
  Parameter parameter = at(checkpoint, name);
  if (parameter.dims == expected) return parameter;
  throw Error(ErrorKind::corrupted,
              "has shape " + to_string(parameter.dims) + (parameter.transposed ? " (read transposed)" : "") +
                  ", expected " + to_string(expected),
              parameter.where(), "config.json and the weights may be from different models");
}

bool NameMap::contains(const Checkpoint& checkpoint, std::string_view name) const {
  Spellings spellings(rows_, name);
  while (const Spelling* spelling = spellings.next()) {
    if (checkpoint.find(spelling->stored) != nullptr) return true;
  }
  return false;
}

std::vector<std::string> NameMap::stored_names(std::string_view name) const {
  std::vector<std::string> result;
  Spellings spellings(rows_, name);
  while (const Spelling* spelling = spellings.next()) {
    if (std::ranges::find(result, spelling->stored) == result.end()) result.push_back(spelling->stored);
  }
  return result;
}

}  // namespace accelerate
