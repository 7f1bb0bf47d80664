// Schemas that hold together: what all of them ask of one value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <utility>
#include <vector>

#include "accelerate/error.hpp"
#include "core/json.hpp"

namespace accelerate::decoding::constraint {

// A schema and its JSON pointer in the document. Of anyOf and oneOf a branch may have been chosen: it stands beside it.
struct SchemaPart {
  const Json* json = nullptr;
  std::string pointer;
  bool any_chosen = false, one_chosen = false;
  bool followed = false;  // what its $ref and allOf lead to stands beside it

  // A keyword's value, null where it is not there.
  const Json* find(std::string_view keyword) const { return json->find(keyword); }
  SchemaPart below(const Json& value, std::string_view step) const;
  std::string key() const { return pointer + (any_chosen ? "\n1" : "\n") + (one_chosen ? "1" : ""); }
};
using Schemas = std::vector<SchemaPart>;

// No value meets the schema: an alternative beside it may still be met.
class Unmet : public Error {
 public:
  Unmet(std::string message, const std::string& pointer);
};
[[noreturn]] void wrong_schema(std::string message, const std::string& pointer,
                               ErrorKind kind = ErrorKind::invalid_input);

enum TypeBit : std::uint8_t {
  kNull = 1,
  kBoolean = 2,
  kInteger = 4,
  kNumber = 8,
  kString = 16,
  kArray = 32,
  kObject = 64,
  kAnyType = 127,
};

class SchemaDocument {
 public:
  explicit SchemaDocument(Json json);

  SchemaPart root() const { return {&json_, ""}; }
  // Error{invalid_input} for a pointer that leads nowhere, Error{unsupported} for one out of the document.
  SchemaPart at(const std::string& reference, const std::string& pointer) const;

  // Parts with what they refer to and the parts of their allOf, each once; without those that say nothing. Unmet where
  // one is false.
  struct Flat {
    Schemas schemas;
    bool referred = false;                 // by some $ref
    std::unordered_set<const Json*> seen;  // all
  };
  Flat flat(const Schemas& schemas);

 private:
  static constexpr std::size_t kMostParts = 1000;
  void refuse_circles(const SchemaPart& part, std::vector<const Json*>& open);
  Schemas in_place_of(const SchemaPart& part) const;
  std::optional<SchemaPart> referred_by(const SchemaPart& part) const;
  void flatten(SchemaPart part, Flat& flat) const;
  void reach(SchemaPart part, Flat& flat) const;

  Json json_;
  std::unordered_set<const Json*> without_circles_;
};

// The types that all allow: as they say, or as their keywords tell. Unmet when there is none.
std::uint8_t types_of(const Schemas& schemas);
std::uint8_t type_of(const Json& value);

// Throws Error{unsupported} for keywords that restrict values in ways that are not supported.
void check_keywords(const SchemaPart& part);

// The largest or smallest of a keyword's counts, and where it stands; none where it is nowhere.
struct Bound {
  std::int64_t value = 0;
  std::string pointer;
};
std::optional<Bound> largest_count(const Schemas& schemas, std::string_view keyword);
std::optional<Bound> smallest_count(const Schemas& schemas, std::string_view keyword);

// Properties in their order: those that are listed, then those that are only required. One that may not be there
// (its schema is false) is left out.
struct Property {
  std::string name, pointer;
  Schemas schemas;
  bool required = false;
};
struct ObjectFacts {
  std::vector<Property> properties;
  std::vector<std::string> names;  // of all that are listed, allowed or not
  bool others = false;             // further ones may follow
  Schemas other_schemas;
};
ObjectFacts object_facts(const Schemas& schemas);

// What the schemas say of the item at `index`; none where there must be none.
std::optional<Schemas> item_at(const Schemas& schemas, std::size_t index);
// Items from here on are alike.
std::size_t prefix_length(const Schemas& schemas);

}  // namespace accelerate::decoding::constraint
