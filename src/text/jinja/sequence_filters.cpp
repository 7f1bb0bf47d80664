// Filters over what can be iterated.
#include <algorithm>
#include <array>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/paths.hpp"
#include "text/jinja/written.hpp"

namespace accelerate::text::jinja {
namespace {

Value length(Interpreter& /*interpreter*/, const Value& self, const Given& /*given*/) { return length_of(self); }

Value first(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  if (self.is(Kind::sequence) && self.sequence().type == Sequence::Type::generator) {
    const Sequence& all = self.sequence();
    if (all.taken < all.items.size()) return all.items[all.taken++];
    return make_undefined("No first item, sequence was empty.");
  }
  const std::vector<Value> items = iterate(self, interpreter.budget());
  return items.empty() ? make_undefined("No first item, sequence was empty.") : items.front();
}

Value last(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  if (self.is(Kind::sequence) && self.sequence().type == Sequence::Type::generator) {
    fail("'generator' object is not reversible");
  }
  const std::vector<Value> items = iterate(self, interpreter.budget());
  return items.empty() ? make_undefined("No last item, sequence was empty.") : items.back();
}

Value list(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  return make_sequence(iterate(self, interpreter.budget()));
}

Value reverse(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  std::vector<Value> items = iterate(self, interpreter.budget());
  std::reverse(items.begin(), items.end());
  if (!self.is(Kind::string)) return make_generator(std::move(items));
  std::string text;
  for (const Value& item : items) text += item.string();
  return text;
}

Value join(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const std::string between = given.text_or(0, "", budget);
  std::string out;
  bool any = false;
  for (const Value& item : iterate(self, budget)) {
    if (std::exchange(any, true)) {
      budget.charge_bytes(between.size());
      out += between;
    }
    const bool attribute = given[1] != nullptr && !given[1]->is(Kind::none);
    append_str(out, attribute ? at_path(item, *given[1], budget) : item, budget);
  }
  return out;
}

// Rows of `count` items; the last is filled up where there is something to fill with.
Value batch(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const std::int64_t count = given.whole_or(0, 1);
  std::vector<Value> rows, row;
  for (const Value& item : iterate(self, budget)) {
    if (static_cast<std::int64_t>(row.size()) == count) rows.push_back(make_sequence(std::exchange(row, {})));
    row.push_back(item);
  }
  if (row.empty()) return make_generator(std::move(rows));
  const bool fills = given[1] != nullptr && !given[1]->is(Kind::none);
  while (fills && static_cast<std::int64_t>(row.size()) < count) {
    budget.charge();
    row.push_back(*given[1]);
  }
  rows.push_back(make_sequence(std::move(row)));
  return make_generator(std::move(rows));
}

// `count` columns, as even as can be.
Value slice(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const std::vector<Value> items = iterate(self, budget);
  const std::int64_t asked = given.whole_or(0, 1);
  if (asked <= 0) fail("slice needs at least one part");
  budget.charge(static_cast<std::size_t>(asked));
  const auto count = static_cast<std::size_t>(asked);
  const std::size_t each = items.size() / count, longer = items.size() % count;
  std::vector<Value> parts;
  for (std::size_t part = 0, at = 0; part < count; ++part) {
    const std::size_t size = each + (part < longer ? 1 : 0);
    std::vector<Value> taken(items.begin() + static_cast<std::ptrdiff_t>(at),
                             items.begin() + static_cast<std::ptrdiff_t>(at + size));
    at += size;
    if (given[1] != nullptr && !given[1]->is(Kind::none) && part >= longer) taken.push_back(*given[1]);
    parts.push_back(make_sequence(std::move(taken)));
  }
  return make_generator(std::move(parts));
}

Value items(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  if (self.is(Kind::undefined)) return make_generator({});
  if (!self.is(Kind::dict)) fail("Can only get item pairs from a mapping.");
  interpreter.budget().charge(self.dict().members.size());
  std::vector<Value> pairs;
  for (const auto& member : self.dict().members) {
    pairs.push_back(make_sequence({member.first, member.second}, Sequence::Type::tuple));
  }
  return make_generator(std::move(pairs));
}

constexpr std::array kSequenceFilters = {
    Builtin{"length", length, ""},
    Builtin{"count", length, ""},
    Builtin{"first", first, ""},
    Builtin{"last", last, ""},
    Builtin{"list", list, ""},
    Builtin{"reverse", reverse, ""},
    Builtin{"join", join, "d= attribute="},
    Builtin{"batch", batch, "linecount fill_with="},
    Builtin{"slice", slice, "slices fill_with="},
    Builtin{"items", items, ""},
};

}  // namespace

BuiltinTable sequence_filters() { return {kSequenceFilters.data(), kSequenceFilters.size()}; }

}  // namespace accelerate::text::jinja
