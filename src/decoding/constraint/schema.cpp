#include "decoding/constraint/schema.hpp"

#include <algorithm>
#include <deque>
#include <limits>
#include <unordered_map>

#include "decoding/constraint/json_text.hpp"
#include "decoding/constraint/schema_parts.hpp"
#include "decoding/constraint/schema_scalars.hpp"

namespace accelerate::decoding::constraint {
namespace {

constexpr std::size_t kMostRules = 20'000, kMostSteps = 400'000, kLongestName = 5'000, kDeepest = 600;
// Repeated schemas of more copies than this are a rule.
constexpr std::int64_t kCopies = 2;

class Compiler {
 public:
  explicit Compiler(Json json) : document_(std::move(json)), builder_("json_schema"), text_(builder_) {}

  Automaton compile() {
    const RuleId root = builder_.rule("json_schema#");
    builder_.begin(root, value({document_.root()}, builder_.end_of(root)));
    std::optional<Unmet> unmet;
    while (!open_.empty()) {
      auto [rule, schemas] = std::move(open_.front());
      open_.pop_front();
      try {
        builder_.begin(rule, emit_all(schemas, builder_.end_of(rule)));
      } catch (const Unmet& error) {
        // A value may do without it; if none can, this is why.
        if (!unmet) unmet = error;
      }
    }
    const std::vector<bool> ends = builder_.rules_that_end();
    if (!ends[root]) {
      if (unmet) throw Unmet(*unmet);
      const auto endless = std::ranges::find_if(rules_, [&](const auto& each) { return !ends[each.second.id]; });
      throw Unmet("cannot be met: it refers to itself without an end",
                  endless == rules_.end() ? "" : endless->second.pointer);
    }
    return builder_.finish(root);
  }

 private:
  struct Rule {
    RuleId id = 0;
    std::string pointer;
  };

  // What all of these say. Lists of parts are copied, pointers and all, where branches are chosen and rules made.
  SchemaDocument::Flat flat(const Schemas& schemas) {
    constexpr std::size_t kBytesOfStep = 64;
    SchemaDocument::Flat flat = document_.flat(schemas);
    ++steps_;
    for (const SchemaPart& part : flat.schemas) steps_ += 1 + part.pointer.size() / kBytesOfStep;
    if (steps_ > kMostSteps) wrong_schema("holds together too many schemas", schemas.empty() ? "" : schemas[0].pointer);
    return flat;
  }

  // A value within a value, or one with a branch that was chosen for it: the stack holds as many.
  struct Depth {
    Depth(std::size_t& held, const Schemas& schemas) : depth(held) {
      if (depth == kDeepest) wrong_schema("holds together too many schemas", schemas.empty() ? "" : schemas[0].pointer);
      ++depth;
    }
    Depth(const Depth&) = delete;
    Depth& operator=(const Depth&) = delete;
    ~Depth() { --depth; }
    std::size_t& depth;
  };

  StateId value(const Schemas& schemas, StateId to) {
    const Depth held(depth_, schemas);
    const SchemaDocument::Flat flat = this->flat(schemas);
    if (flat.schemas.empty()) return text_.any_value(to);
    // What is referred to may hold this place again: it becomes a rule, and is there once.
    return flat.referred ? builder_.call(rule_of(flat.schemas), to) : emit_all(flat.schemas, to);
  }

  RuleId rule_of(const Schemas& schemas) {
    std::vector<std::string> keys;
    for (const SchemaPart& part : schemas) keys.push_back(part.key());
    std::ranges::sort(keys);
    std::string key;
    for (const std::string& each : keys) key += each + "\n\n";
    if (const auto known = rules_.find(key); known != rules_.end()) return known->second.id;
    const std::string& pointer = schemas.front().pointer;
    if (rules_.size() >= kMostRules)
      wrong_schema("combines schemas in more than " + std::to_string(kMostRules) + " ways", pointer);
    const RuleId rule = builder_.rule("json_schema#" + pointer);
    rules_.emplace(std::move(key), Rule{rule, pointer});
    open_.emplace_back(rule, schemas);
    return rule;
  }

  // `make` for each of `count` alternatives: those that nothing meets are left out, unless all are.
  template <typename Make>
  StateId alternatives(std::size_t count, const std::string& pointer, const Make& make) {
    const StateId from = builder_.state();
    std::optional<Unmet> unmet;
    bool met = false;
    for (std::size_t i = 0; i < count; ++i) {
      try {
        builder_.epsilon(from, make(i));
        met = true;
      } catch (const Unmet& error) {
        if (!unmet) unmet = error;
      }
    }
    if (met) return from;
    if (unmet) throw Unmet(*unmet);
    throw Unmet("is empty: no value meets it", pointer);
  }

  StateId emit_all(const Schemas& schemas, StateId to) {
    for (const SchemaPart& part : schemas) check_keywords(part);
    for (const SchemaPart& part : schemas) {
      if (part.find("enum") != nullptr || part.find("const") != nullptr)
        return enumeration_states(builder_, text_, schemas, to);
    }
    for (std::size_t i = 0; i < schemas.size(); ++i) {
      if (!schemas[i].any_chosen && schemas[i].find("anyOf") != nullptr) return choose(schemas, i, "anyOf", to);
      if (!schemas[i].one_chosen && schemas[i].find("oneOf") != nullptr) return choose(schemas, i, "oneOf", to);
    }
    const std::uint8_t types = types_of(schemas);
    if (types == kAnyType) return text_.any_value(to);
    std::vector<std::uint8_t> each;
    for (const std::uint8_t type : {kObject, kArray, kString, kNumber, kInteger, kBoolean, kNull}) {
      if ((types & type) != 0 && !(type == kInteger && (types & kNumber) != 0)) each.push_back(type);
    }
    if (each.size() == 1) return of_type(each[0], schemas, to);
    return alternatives(each.size(), schemas[0].pointer, [&](std::size_t i) { return of_type(each[i], schemas, to); });
  }

  StateId choose(Schemas schemas, std::size_t which, std::string_view keyword, StateId to) {
    const Json& branches = *schemas[which].find(keyword);
    const SchemaPart list = schemas[which].below(branches, keyword);
    if (!branches.is_array()) wrong_schema("is no array", list.pointer);
    (keyword == "anyOf" ? schemas[which].any_chosen : schemas[which].one_chosen) = true;
    return alternatives(branches.items().size(), list.pointer, [&](std::size_t i) {
      Schemas chosen = schemas;
      chosen.push_back(list.below(branches.items()[i], std::to_string(i)));
      return value(chosen, to);
    });
  }

  StateId of_type(std::uint8_t type, const Schemas& schemas, StateId to) {
    switch (type) {
      case kObject: return object(schemas, to);
      case kArray: return array(schemas, to);
      case kString: return string_states(builder_, text_, schemas, to);
      case kNumber: return number_states(builder_, schemas, false, to);
      case kInteger: return number_states(builder_, schemas, true, to);
      case kBoolean: return builder_.words({"true", "false"}, to);
      default: return builder_.bytes("null", to);
    }
  }

  // Behind the comma, or the opening bracket, of property `i`: it, one of those behind it, or another.
  StateId object(const Schemas& schemas, StateId to) {
    const ObjectFacts facts = object_facts(schemas);
    if (facts.properties.empty() && facts.names.empty() && facts.others && facts.other_schemas.empty()) {
      return text_.any_object(to);
    }
    const StateId end = builder_.bytes("}", to), last_gap = text_.gap(end);
    StateId next = builder_.state();  // what may come behind the last property
    StateId behind = builder_.state();
    builder_.epsilon(behind, last_gap);
    if (facts.others) {
      for (const std::string& name : facts.names) {
        if (name.size() > kLongestName) {
          wrong_schema("has a name of more than " + std::to_string(kLongestName) + " bytes", schemas[0].pointer);
        }
      }
      builder_.epsilon(behind, builder_.bytes(",", text_.gap(next)));
      builder_.epsilon(next, text_.other_name(facts.names, text_.colon(value(facts.other_schemas, behind))));
    }
    bool all_optional = true;
    for (std::size_t i = facts.properties.size(); i-- > 0;) {
      const Property& property = facts.properties[i];
      const StateId begin = builder_.bytes(Json(property.name).dump(), text_.colon(value(property.schemas, behind)));
      next = property.required ? begin : builder_.either({begin, next});
      all_optional = all_optional && !property.required;
      if (i == 0) break;
      behind = builder_.either({builder_.bytes(",", text_.gap(next))});
      if (all_optional) builder_.epsilon(behind, last_gap);
    }
    const StateId open = builder_.either({text_.gap(next)});
    if (all_optional) builder_.epsilon(open, end);
    return builder_.bytes("{", open);
  }

  StateId array(const Schemas& schemas, StateId to) {
    const auto least_told = largest_count(schemas, "minItems"), most_told = smallest_count(schemas, "maxItems");
    const std::int64_t least = least_told ? least_told->value : 0;
    auto same = static_cast<std::int64_t>(prefix_length(schemas));  // items from here on are alike
    std::int64_t most = most_told ? most_told->value : kNoLimit;
    for (std::int64_t i = 0; i <= same && i < most; ++i) {
      if (!item_at(schemas, static_cast<std::size_t>(i))) most = i;
    }
    if (least > most) {
      throw Unmet(
          "asks for " + std::to_string(least) + " items or more where there are at most " + std::to_string(most),
          least_told->pointer);
    }
    same = std::min(same, most);
    const StateId end = builder_.bytes("]", to), last_gap = text_.gap(end);
    // Behind item i - 1; without a limit the last of these goes round.
    const std::int64_t rows = most == kNoLimit ? std::max({same, least, std::int64_t{1}}) : most;
    StateId behind = builder_.either({last_gap});
    if (most == kNoLimit) {
      builder_.epsilon(behind, builder_.bytes(",", text_.gap(item(schemas, same, true, behind))));
    }
    const bool repeated = most == kNoLimit || rows - same > kCopies;
    for (std::int64_t i = rows - 1; i > 0; --i) {
      behind = builder_.either(
          {builder_.bytes(",", text_.gap(item(schemas, std::min(i, same), repeated && i >= same, behind)))});
      if (i >= least) builder_.epsilon(behind, last_gap);
    }
    const StateId open = builder_.state();
    if (least == 0) builder_.epsilon(open, end);
    if (most > 0) builder_.epsilon(open, text_.gap(item(schemas, 0, repeated && same == 0, behind)));
    return builder_.bytes("[", open);
  }

  StateId item(const Schemas& schemas, std::int64_t index, bool repeated, StateId to) {
    const Schemas found = *item_at(schemas, static_cast<std::size_t>(index));
    if (!repeated) return value(found, to);
    const SchemaDocument::Flat flat = this->flat(found);
    return flat.schemas.empty() ? text_.any_value(to) : builder_.call(rule_of(flat.schemas), to);
  }

  static constexpr std::int64_t kNoLimit = std::numeric_limits<std::int64_t>::max();
  SchemaDocument document_;
  AutomatonBuilder builder_;
  JsonText text_;
  std::unordered_map<std::string, Rule> rules_;
  std::deque<std::pair<RuleId, Schemas>> open_;
  std::size_t steps_ = 0, depth_ = 0;
};

Json parsed(std::string_view text) {
  try {
    return Json::parse(text, "json_schema");
  } catch (const Error& error) {
    throw Error(ErrorKind::invalid_input, error.message(), error.where(), error.hint());
  }
}

}  // namespace

Automaton schema_automaton(std::string_view text) { return Compiler(parsed(text)).compile(); }

}  // namespace accelerate::decoding::constraint
