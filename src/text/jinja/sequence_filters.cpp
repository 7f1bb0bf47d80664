// Filters over what can be iterated.
#include <algorithm>
#include <array>
#include <charconv>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/operators.hpp"
#include "text/jinja/strings.hpp"
#include "text/jinja/written.hpp"
#include "text/unicode.hpp"

namespace accelerate::text::jinja {
namespace {

Value generator(std::vector<Value> items) { return make_sequence(std::move(items), Sequence::Type::generator); }

// item.a.b.0, as map(attribute="a.b.0") takes it; `otherwise`, unless null, stands for every part that is undefined.
Value at_path(const Value& item, const Value& path, Budget& budget, const Value* otherwise = nullptr) {
  const auto part_of = [&](const Value& value, const Value& key) {
    Value part = item_of(value, key, budget);
    return part.is(Kind::undefined) && otherwise != nullptr ? *otherwise : part;
  };
  if (!path.is(Kind::string)) return part_of(item, path);
  const std::string& text = path.string();
  Value value = item;
  for (std::size_t from = 0; from <= text.size();) {
    const std::size_t end = std::min(text.find('.', from), text.size());
    const std::string part = text.substr(from, end - from);
    std::int64_t index = 0;
    const auto read = std::from_chars(part.data(), part.data() + part.size(), index);
    const bool number =
        !part.empty() && part[0] != '-' && read.ec == std::errc() && read.ptr == part.data() + part.size();
    value = part_of(value, number ? Value(index) : Value(part));
    from = end + 1;
  }
  return value;
}

// What items are sorted, grouped and compared by: an attribute, and no difference of case unless asked for.
Value key_of(const Value& item, const Value* path, bool case_sensitive, Budget& budget) {
  Value key = path != nullptr && !path->is(Kind::none) ? at_path(item, *path, budget) : item;
  if (case_sensitive || !key.is(Kind::string)) return key;
  budget.charge_bytes(key.string().size());
  return to_lower(key.string());
}

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
  if (!self.is(Kind::string)) return generator(std::move(items));
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

// map and select take what is false, None too, for nothing to run over.
std::vector<Value> iterate_if_true(const Value& value, Budget& budget) {
  return value.truth() ? iterate(value, budget) : std::vector<Value>();
}

// The rest of the arguments, for a filter or test that is named by one of them.
Arguments behind(const Arguments& all, std::size_t count) {
  Arguments rest{.positional = {}, .named = all.named};
  for (std::size_t i = count; i < all.positional.size(); ++i) rest.positional.push_back(all.positional[i]);
  return rest;
}

Value map_attribute(Interpreter& interpreter, const Value& self, const Arguments& all) {
  Budget& budget = interpreter.budget();
  const Value* path = nullptr;
  const Value* otherwise = nullptr;
  for (const auto& argument : all.named) {
    if (*argument.first == "attribute") {
      path = &argument.second;
    } else if (*argument.first == "default") {
      otherwise = &argument.second;
    } else {
      fail("Unexpected keyword argument '" + *argument.first + "'");
    }
  }
  if (path == nullptr) fail("map requires a filter argument");
  std::vector<Value> mapped;
  for (const Value& item : iterate_if_true(self, budget)) {
    mapped.push_back(at_path(item, *path, budget, otherwise));
  }
  return generator(std::move(mapped));
}

Value map(Interpreter& interpreter, const Value& self, const Given& given) {
  const Arguments& all = given.all();
  if (all.positional.empty()) return map_attribute(interpreter, self, all);
  const std::string name = str(all.positional[0], interpreter.budget());
  const Builtin* filter = find_filter(name);
  if (filter == nullptr) fail("No filter named '" + name + "'.", ErrorKind::unsupported);
  const Arguments rest = behind(all, 1);
  std::vector<Value> mapped;
  for (const Value& item : iterate_if_true(self, interpreter.budget())) {
    interpreter.budget().charge();
    mapped.push_back(run_builtin(*filter, interpreter, item, rest));
  }
  return generator(std::move(mapped));
}

// select, reject and their forms that look at an attribute: items for which the named test, or truth, is `wanted`.
Value chosen(Interpreter& interpreter, const Value& self, const Given& given, bool by_attribute, bool wanted) {
  Budget& budget = interpreter.budget();
  const Arguments& all = given.all();
  if (by_attribute && all.positional.empty()) fail("Missing parameter for attribute name");
  const std::size_t at = by_attribute ? 1 : 0;
  const Builtin* test = nullptr;
  if (all.positional.size() > at) {
    const std::string name = str(all.positional[at], budget);
    test = find_test(name);
    if (test == nullptr) fail("No test named '" + name + "'.", ErrorKind::unsupported);
  }
  const Arguments rest = behind(all, at + 1);
  std::vector<Value> kept;
  for (const Value& item : iterate_if_true(self, budget)) {
    budget.charge();
    const Value looked_at = by_attribute ? at_path(item, all.positional[0], budget) : item;
    const bool holds = test != nullptr ? run_builtin(*test, interpreter, looked_at, rest).truth() : looked_at.truth();
    if (holds == wanted) kept.push_back(item);
  }
  return generator(std::move(kept));
}

Value select(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, false, true);
}
Value reject(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, false, false);
}
Value selectattr(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, true, true);
}
Value rejectattr(Interpreter& interpreter, const Value& self, const Given& given) {
  return chosen(interpreter, self, given, true, false);
}

using Keyed = std::pair<Value, Value>;  // what it is sorted by, the item

void sort_by_key(std::vector<Keyed>& items, bool descending, Budget& budget) {
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    return descending ? compare(b.first, a.first, "<", budget) < 0 : compare(a.first, b.first, "<", budget) < 0;
  });
}

// "a,b" sorts by one attribute, then by the other.
Value sort_key(const Value& item, const Value* path, bool case_sensitive, Budget& budget) {
  if (path == nullptr || !path->is(Kind::string) || path->string().find(',') == std::string::npos) {
    return key_of(item, path, case_sensitive, budget);
  }
  std::vector<Value> keys;
  for (std::size_t from = 0; from <= path->string().size();) {
    const std::size_t end = std::min(path->string().find(',', from), path->string().size());
    const Value part = path->string().substr(from, end - from);
    keys.push_back(key_of(item, &part, case_sensitive, budget));
    from = end + 1;
  }
  return make_sequence(std::move(keys));
}

Value sort(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  std::vector<Keyed> keyed;
  for (const Value& item : iterate(self, budget)) {
    keyed.emplace_back(sort_key(item, given[2], given.truth_or(1, false), budget), item);
  }
  sort_by_key(keyed, given.truth_or(0, false), budget);
  std::vector<Value> sorted;
  for (Keyed& each : keyed) sorted.push_back(std::move(each.second));
  return make_sequence(std::move(sorted));
}

Value dictsort(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  if (!self.is(Kind::dict)) fail("'" + std::string(self.type_name()) + "' object has no attribute 'items'");
  const std::string by = given.text_or(1, "key", budget);
  if (by != "key" && by != "value") fail("You can only sort by either \"key\" or \"value\"");
  std::vector<Keyed> keyed;
  for (const auto& member : self.dict().members) {
    const Value& sorted_by = by == "key" ? member.first : member.second;
    keyed.emplace_back(key_of(sorted_by, nullptr, given.truth_or(0, false), budget),
                       make_sequence({member.first, member.second}, Sequence::Type::tuple));
  }
  sort_by_key(keyed, given.truth_or(2, false), budget);
  std::vector<Value> sorted;
  for (Keyed& each : keyed) sorted.push_back(std::move(each.second));
  return make_sequence(std::move(sorted));
}

Value unique(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  std::vector<Value> kept;
  std::vector<Keyed> seen;
  for (const Value& item : iterate(self, budget)) {
    const std::size_t before = seen.size();
    put(seen, key_of(item, given[1], given.truth_or(0, false), budget), {}, budget);
    if (seen.size() > before) kept.push_back(item);
  }
  return generator(std::move(kept));
}

Value groupby(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  const bool case_sensitive = given.truth_or(2, false);
  std::vector<Keyed> keyed;
  for (const Value& item : iterate(self, budget)) {
    const Value key = at_path(item, given.required(0), budget, given[1]);
    keyed.emplace_back(key_of(key, nullptr, case_sensitive, budget), make_sequence({key, item}));
  }
  sort_by_key(keyed, false, budget);
  std::vector<Value> groups;
  for (std::size_t i = 0; i < keyed.size();) {
    const std::size_t begin = i;
    std::vector<Value> members;
    for (; i < keyed.size() && equal(keyed[begin].first, keyed[i].first, budget); ++i) {
      members.push_back(keyed[i].second.sequence().items[1]);
    }
    if (members.empty()) members.push_back(keyed[i++].second.sequence().items[1]);  // NaN does not equal itself
    groups.push_back(make_sequence({keyed[begin].second.sequence().items[0], make_sequence(std::move(members))},
                                   Sequence::Type::tuple));
  }
  return make_sequence(std::move(groups));
}

Value extreme(Interpreter& interpreter, const Value& self, const Given& given, bool greatest) {
  Budget& budget = interpreter.budget();
  const std::vector<Value> items = iterate(self, budget);
  if (items.empty()) return make_undefined("No aggregated item, sequence was empty.");
  std::size_t best = 0;
  Value best_key = key_of(items[0], given[1], given.truth_or(0, false), budget);
  for (std::size_t i = 1; i < items.size(); ++i) {
    Value key = key_of(items[i], given[1], given.truth_or(0, false), budget);
    const auto order = compare(key, best_key, greatest ? ">" : "<", budget);
    if (greatest ? order > 0 : order < 0) {
      best = i;
      best_key = std::move(key);
    }
  }
  return items[best];
}

Value min(Interpreter& interpreter, const Value& self, const Given& given) {
  return extreme(interpreter, self, given, false);
}
Value max(Interpreter& interpreter, const Value& self, const Given& given) {
  return extreme(interpreter, self, given, true);
}

Value sum(Interpreter& interpreter, const Value& self, const Given& given) {
  Budget& budget = interpreter.budget();
  Value total = given.value_or(1, 0);
  for (const Value& item : iterate(self, budget)) {
    const bool attribute = given[0] != nullptr && !given[0]->is(Kind::none);
    total = arithmetic(Arithmetic::add, total, attribute ? at_path(item, *given[0], budget) : item, budget);
  }
  return total;
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
  if (row.empty()) return generator(std::move(rows));
  const bool fills = given[1] != nullptr && !given[1]->is(Kind::none);
  while (fills && static_cast<std::int64_t>(row.size()) < count) {
    budget.charge();
    row.push_back(*given[1]);
  }
  rows.push_back(make_sequence(std::move(row)));
  return generator(std::move(rows));
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
  return generator(std::move(parts));
}

Value items(Interpreter& interpreter, const Value& self, const Given& /*given*/) {
  if (self.is(Kind::undefined)) return generator({});
  if (!self.is(Kind::dict)) fail("Can only get item pairs from a mapping.");
  interpreter.budget().charge(self.dict().members.size());
  std::vector<Value> pairs;
  for (const auto& member : self.dict().members) {
    pairs.push_back(make_sequence({member.first, member.second}, Sequence::Type::tuple));
  }
  return generator(std::move(pairs));
}

constexpr std::array kFilters = {
    Builtin{"length", length, ""},
    Builtin{"count", length, ""},
    Builtin{"first", first, ""},
    Builtin{"last", last, ""},
    Builtin{"list", list, ""},
    Builtin{"reverse", reverse, ""},
    Builtin{"join", join, "d= attribute="},
    Builtin{"map", map, "*"},
    Builtin{"select", select, "*"},
    Builtin{"reject", reject, "*"},
    Builtin{"selectattr", selectattr, "*"},
    Builtin{"rejectattr", rejectattr, "*"},
    Builtin{"sort", sort, "reverse= case_sensitive= attribute="},
    Builtin{"dictsort", dictsort, "case_sensitive= by= reverse="},
    Builtin{"unique", unique, "case_sensitive= attribute="},
    Builtin{"groupby", groupby, "attribute default= case_sensitive="},
    Builtin{"min", min, "case_sensitive= attribute="},
    Builtin{"max", max, "case_sensitive= attribute="},
    Builtin{"sum", sum, "attribute= start="},
    Builtin{"batch", batch, "linecount fill_with="},
    Builtin{"slice", slice, "slices fill_with="},
    Builtin{"items", items, ""},
};

}  // namespace

BuiltinTable sequence_filters() { return {kFilters.data(), kFilters.size()}; }

}  // namespace accelerate::text::jinja
