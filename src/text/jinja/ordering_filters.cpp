// Filters that compare items with one another.
#include <algorithm>
#include <array>
#include <compare>

#include "text/jinja/builtins.hpp"
#include "text/jinja/interpreter.hpp"
#include "text/jinja/operators.hpp"
#include "text/jinja/paths.hpp"

namespace accelerate::text::jinja {
namespace {

using Keyed = std::pair<Value, Value>;  // what it is sorted by, the item

void sort_by_key(std::vector<Keyed>& items, bool descending, Budget& budget) {
  std::stable_sort(items.begin(), items.end(), [&](const Keyed& a, const Keyed& b) {
    return descending ? std::is_lt(compare(b.first, a.first, "<", budget))
                      : std::is_lt(compare(a.first, b.first, "<", budget));
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
  return make_generator(std::move(kept));
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
    if (greatest ? std::is_gt(order) : std::is_lt(order)) {
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

constexpr std::array kOrderingFilters = {
    Builtin{"sort", sort, "reverse= case_sensitive= attribute="},
    Builtin{"dictsort", dictsort, "case_sensitive= by= reverse="},
    Builtin{"unique", unique, "case_sensitive= attribute="},
    Builtin{"groupby", groupby, "attribute default= case_sensitive="},
    Builtin{"min", min, "case_sensitive= attribute="},
    Builtin{"max", max, "case_sensitive= attribute="},
    Builtin{"sum", sum, "attribute= start="},
};

}  // namespace

BuiltinTable ordering_filters() { return {kOrderingFilters.data(), kOrderingFilters.size()}; }

}  // namespace accelerate::text::jinja
