// What schemas say of an object's properties and an array's items.
#include <algorithm>
#include <unordered_map>

#include "decoding/constraint/schema_parts.hpp"

namespace accelerate::decoding::constraint {
namespace {

bool is_false(const Json& json) { return json.is_bool() && !json.as_bool(); }

const Json* object_at(const SchemaPart& part, std::string_view keyword) {
  const Json* value = part.find(keyword);
  if (value != nullptr && !value->is_object()) wrong_schema("is no object", part.below(*value, keyword).pointer);
  return value;
}

// The schema of items behind the prefix, and the prefix: as 2020-12 and as older drafts write them.
struct ItemKeywords {
  const Json* prefix = nullptr;
  const Json* rest = nullptr;
  std::string_view prefix_name, rest_name;
};
ItemKeywords items_of(const SchemaPart& part) {
  ItemKeywords found{part.find("prefixItems"), part.find("items"), "prefixItems", "items"};
  if (found.rest != nullptr && found.rest->is_array()) {
    found = {found.rest, part.find("additionalItems"), "items", "additionalItems"};
  }
  if (found.prefix != nullptr && !found.prefix->is_array()) {
    wrong_schema("is no array", part.below(*found.prefix, found.prefix_name).pointer);
  }
  return found;
}

class Object {
 public:
  explicit Object(const Schemas& schemas) : schemas_(schemas), listed_(schemas.size()) {
    for (std::size_t i = 0; i < schemas.size(); ++i) {
      const Json* properties = object_at(schemas[i], "properties");
      if (properties == nullptr) continue;
      listed_[i].place = schemas[i].below(*properties, "properties");
      for (const auto& [name, schema] : properties->members()) listed_[i].by_name[name] = &schema;
    }
  }

  ObjectFacts facts() {
    for (const auto& [place, by_name] : listed_) {
      if (place.json == nullptr) continue;
      for (const auto& [name, schema] : place.json->members()) list(name, place.below(schema, name).pointer);
    }
    for (const SchemaPart& part : schemas_) require(part);
    for (auto& property : facts_.properties) gather(property);
    std::erase_if(facts_.properties,
                  [](const Property& p) { return p.schemas.empty() && !p.required && p.pointer.empty(); });
    find_others();
    return std::move(facts_);
  }

 private:
  void list(const std::string& name, const std::string& pointer) {
    const auto [place, fresh] = index_.try_emplace(name, facts_.properties.size());
    if (!fresh) return;
    facts_.properties.push_back({.name = name, .pointer = pointer});
    facts_.names.push_back(name);
  }

  void require(const SchemaPart& part) {
    const Json* required = part.find("required");
    if (required == nullptr) return;
    const SchemaPart place = part.below(*required, "required");
    if (!required->is_array()) wrong_schema("is no array", place.pointer);
    for (std::size_t i = 0; i < required->items().size(); ++i) {
      const Json& name = required->items()[i];
      const std::string pointer = place.below(name, std::to_string(i)).pointer;
      if (!name.is_string()) wrong_schema("is no text", pointer);
      list(name.as_string(), pointer);
      Property& property = facts_.properties[index_.at(name.as_string())];
      if (!property.required) required_at_[name.as_string()] = pointer;
      property.required = true;
    }
  }

  // All that is said of it; an optional one that must not be there is marked by an empty pointer.
  void gather(Property& property) {
    for (std::size_t i = 0; i < schemas_.size(); ++i) {
      const auto own = listed_[i].by_name.find(property.name);
      const Json* additional = schemas_[i].find("additionalProperties");
      SchemaPart said = own != listed_[i].by_name.end() ? listed_[i].place.below(*own->second, property.name)
                        : additional != nullptr         ? schemas_[i].below(*additional, "additionalProperties")
                                                        : SchemaPart();
      if (said.json == nullptr) continue;
      if (!is_false(*said.json)) {
        property.schemas.push_back(std::move(said));
        continue;
      }
      if (property.required) {
        throw Unmet("requires \"" + property.name + "\", which " + said.pointer + " forbids",
                    required_at_.at(property.name));
      }
      property.schemas.clear();
      property.pointer.clear();
      return;
    }
  }

  void find_others() {
    bool listed = false, mentioned = false;
    for (const SchemaPart& part : schemas_) {
      listed |= part.find("properties") != nullptr;
      if (part.find("unevaluatedProperties") != nullptr) return;
      const Json* additional = part.find("additionalProperties");
      if (additional == nullptr) continue;
      mentioned = true;
      if (is_false(*additional)) return;
      facts_.other_schemas.push_back(part.below(*additional, "additionalProperties"));
    }
    facts_.others = mentioned || !listed;
  }

  const Schemas& schemas_;
  // The properties of a schema: large ones have thousands.
  struct Listed {
    SchemaPart place;
    std::unordered_map<std::string_view, const Json*> by_name;
  };
  std::vector<Listed> listed_;  // of each schema
  std::unordered_map<std::string, std::size_t> index_;
  std::unordered_map<std::string, std::string> required_at_;
  ObjectFacts facts_;
};

}  // namespace

ObjectFacts object_facts(const Schemas& schemas) { return Object(schemas).facts(); }

std::size_t prefix_length(const Schemas& schemas) {
  std::size_t longest = 0;
  for (const SchemaPart& part : schemas) {
    if (const Json* prefix = items_of(part).prefix) longest = std::max(longest, prefix->items().size());
  }
  return longest;
}

std::optional<Schemas> item_at(const Schemas& schemas, std::size_t index) {
  Schemas found;
  for (const SchemaPart& part : schemas) {
    const ItemKeywords items = items_of(part);
    if (items.prefix != nullptr && index < items.prefix->items().size()) {
      found.push_back(
          part.below(*items.prefix, items.prefix_name).below(items.prefix->items()[index], std::to_string(index)));
    } else if (items.rest != nullptr) {
      found.push_back(part.below(*items.rest, items.rest_name));
    }
    if (!found.empty() && is_false(*found.back().json)) return std::nullopt;
  }
  return found;
}

}  // namespace accelerate::decoding::constraint
