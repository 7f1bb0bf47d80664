// JSON schemas (draft 2020-12, the part that people write) as automata over the bytes of JSON texts.
//
// What is generated is always valid under the schema, as far as the schema is understood; not everything valid is
// generated: properties come in the order of the schema; a schema that lists properties and does not mention
// additionalProperties gets no others; one that names no type but keywords of a type is of that type; oneOf is anyOf.
// White space and numbers are those of constraint/json_text.hpp.
//
// Keywords: type, enum, const, properties, required, additionalProperties, unevaluatedProperties (false), items,
// prefixItems, additionalItems, minItems, maxItems, minLength, maxLength, pattern, format (date, time, date-time,
// duration, uuid, email, ipv4, ipv6, hostname, uri), minimum, maximum, exclusiveMinimum, exclusiveMaximum (whole
// numbers), anyOf, oneOf, allOf, $ref (within the document, recursive too). Others that restrict values are
// Error{unsupported}; those that only describe are passed over, as are unknown ones.
#pragma once

#include <string_view>

#include "core/json.hpp"
#include "decoding/constraint/automaton.hpp"

namespace accelerate::decoding::constraint {

// `text`: a schema as JSON; "{}" for any value. Error{invalid_input} for a text that is no schema, and, with the JSON
// pointer of the keyword ("json_schema#/properties/age/minimum"), for a schema that no value meets; Error{unsupported},
// likewise, for what is not supported.
Automaton schema_automaton(std::string_view text);

}  // namespace accelerate::decoding::constraint
