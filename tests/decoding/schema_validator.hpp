// Whether a value is valid under a JSON schema: the slow and plain way, held to jsonschema's word by its goldens.
#pragma once

#include <algorithm>
#include <cmath>
#include <string>

#include "core/json.hpp"
#include "decoding/constraint/schema_scalars.hpp"
#include "decoding/pcre.hpp"

namespace accelerate::decoding::constraint {

class SchemaValidator {
 public:
  explicit SchemaValidator(Json schema) : root_(std::move(schema)) {}
  bool valid(const Json& value) const { return valid(value, root_); }

 private:
  static bool is_of(const Json& value, const std::string& type) {
    const bool whole = value.is_number() && value.as_double() == std::floor(value.as_double());
    if (type == "integer") return whole;
    if (type == "number") return value.is_number();
    return value.kind_name() == type;
  }
  static bool equal(const Json& a, const Json& b) {
    return (a.is_number() && b.is_number() && a.as_double() == b.as_double()) || a.dump() == b.dump();
  }
  const Json& target(const std::string& reference) const {
    const Json* at = &root_;
    for (std::size_t i = 1; i < reference.size();) {
      const std::size_t end = std::min(reference.find('/', i + 1), reference.size());
      std::string step = reference.substr(i + 1, end - i - 1);
      for (const auto& [from, to] :
           {std::pair<std::string, std::string>{"%C3%A9", "é"}, {"%22", "\""}, {"~1", "/"}, {"~0", "~"}}) {
        if (const std::size_t place = step.find(from); place != std::string::npos) step.replace(place, from.size(), to);
      }
      at = &at->at(step);
      i = end;
    }
    return *at;
  }
  bool valid(const Json& value, const Json& schema) const {
    if (schema.is_bool()) return schema.as_bool();
    const auto has = [&](std::string_view keyword) { return schema.find(keyword); };
    if (const Json* reference = has("$ref"); reference && !valid(value, target(reference->as_string()))) return false;
    if (const Json* type = has("type")) {
      const Json::Array types = type->is_array() ? type->items() : Json::Array{*type};
      if (std::ranges::none_of(types, [&](const Json& one) { return is_of(value, one.as_string()); })) return false;
    }
    if (const Json* all = has("enum")) {
      if (std::ranges::none_of(all->items(), [&](const Json& one) { return equal(one, value); })) return false;
    }
    if (const Json* one = has("const"); one && !equal(*one, value)) return false;
    if (const Json* all = has("allOf")) {
      if (!std::ranges::all_of(all->items(), [&](const Json& one) { return valid(value, one); })) return false;
    }
    if (const Json* any = has("anyOf")) {
      if (std::ranges::none_of(any->items(), [&](const Json& one) { return valid(value, one); })) return false;
    }
    if (const Json* any = has("oneOf")) {  // generated as anyOf
      if (std::ranges::none_of(any->items(), [&](const Json& one) { return valid(value, one); })) return false;
    }
    if (value.is_number()) return valid_number(value.as_double(), schema);
    if (value.is_string()) return valid_string(value.as_string(), schema);
    if (value.is_array()) return valid_array(value.items(), schema);
    return !value.is_object() || valid_object(value, schema);
  }

  static bool valid_number(double value, const Json& schema) {
    const auto bound = [&](std::string_view keyword, auto holds) {
      const Json* found = schema.find(keyword);
      return found == nullptr || holds(value, found->as_double());
    };
    return bound("minimum", std::greater_equal<>()) && bound("maximum", std::less_equal<>()) &&
           bound("exclusiveMinimum", std::greater<>()) && bound("exclusiveMaximum", std::less<>());
  }

  static bool valid_string(const std::string& text, const Json& schema) {
    std::int64_t length = 0;
    for (const char c : text) length += (static_cast<unsigned char>(c) & 0xc0) != 0x80 ? 1 : 0;
    const Json *least = schema.find("minLength"), *most = schema.find("maxLength"), *pattern = schema.find("pattern"),
               *format = schema.find("format");
    if (least != nullptr && length < least->as_int()) return false;
    if (most != nullptr && length > most->as_int()) return false;
    if (pattern != nullptr && !Pcre(pattern->as_string(), false).accepts(text)) return false;
    if (format == nullptr) return true;
    return Pcre(std::string(expression_of_format(format->as_string(), ""))).accepts(text);
  }

  bool valid_array(const Json::Array& items, const Json& schema) const {
    const Json *least = schema.find("minItems"), *most = schema.find("maxItems"), *prefix = schema.find("prefixItems"),
               *rest = schema.find("items");
    const auto count = static_cast<std::int64_t>(items.size());
    if (least != nullptr && count < least->as_int()) return false;
    if (most != nullptr && count > most->as_int()) return false;
    for (std::size_t i = 0; i < items.size(); ++i) {
      const bool in_prefix = prefix != nullptr && i < prefix->items().size();
      if (in_prefix && !valid(items[i], prefix->items()[i])) return false;
      if (!in_prefix && rest != nullptr && !valid(items[i], *rest)) return false;
    }
    return true;
  }

  bool valid_object(const Json& value, const Json& schema) const {
    const Json *properties = schema.find("properties"), *required = schema.find("required"),
               *additional = schema.find("additionalProperties");
    if (required != nullptr) {
      for (const Json& name : required->items()) {
        if (value.find(name.as_string()) == nullptr) return false;
      }
    }
    return std::ranges::all_of(value.members(), [&](const Json::Member& member) {
      const Json* own = properties == nullptr ? nullptr : properties->find(member.first);
      if (own != nullptr) return valid(member.second, *own);
      return additional == nullptr || valid(member.second, *additional);
    });
  }

  Json root_;
};

}  // namespace accelerate::decoding::constraint
