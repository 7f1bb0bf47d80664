#!/usr/bin/env python3
"""Instances of JSON schemas, and what the package jsonschema says of them: tests/goldens/decoding/schemas.json.

  pip install jsonschema rfc3339-validator
  tools/make_schema_goldens.py

Each row: {"schema", "valid": [text], "invalid": [text]}. Valid texts are written with properties in the schema's order,
which is how they are generated; invalid ones are those below and changed copies of valid ones that jsonschema refuses.
"""
import copy
import json
import pathlib

import jsonschema

DEFS_TREE = {"$ref": "#/$defs/node", "$defs": {"node": {
    "type": "object", "properties": {"value": {"type": "integer"}, "children": {
        "type": "array", "items": {"$ref": "#/$defs/node"}}}, "required": ["value"], "additionalProperties": False}}}

# Schema, instances that may be generated, and others.
CASES = [
    ({}, [None, 1, -0.5, 1e10, "a\"b\\\n\u00e9\U0001f600", [], {}, [1, [2, {"a": None}]], {"a": {"b": [True]}}], []),
    ({"type": "string"}, ["", "x", "\u65e5\u672c", "tab\t"], [1, None, ["a"]]),
    ({"type": "integer"}, [0, -1, 7, 123456789012345678], [1.5, "1", True]),
    ({"type": "number"}, [0, -0.5, 1.25e3, 3.0], ["1", None]),
    ({"type": "boolean"}, [True, False], [0, "true"]),
    ({"type": ["string", "null"]}, [None, "a"], [1, []]),
    ({"enum": ["red", "green", 3, None, {"a": [1, 2]}, []]}, ["red", "green", 3, None, {"a": [1, 2]}, []],
     ["re", "redd", 33, {"a": [1]}, {"a": []}]),
    ({"const": "a/b \u00fc"}, ["a/b \u00fc"], ["a/b", "A"]),
    ({"type": "string", "enum": ["a", 1]}, ["a"], [1, "b"]),
    ({"type": "integer", "minimum": -12, "maximum": 305}, [-12, -9, 0, 9, 10, 99, 299, 300, 305],
     [-13, 306, 1000, -99]),
    ({"type": "integer", "minimum": 18}, [18, 19, 20, 99, 100, 123456], [17, 0, -18, 1]),
    ({"type": "integer", "maximum": -5}, [-5, -6, -10, -500], [-4, 0, 5]),
    ({"type": "integer", "exclusiveMinimum": 0, "exclusiveMaximum": 10}, [1, 9], [0, 10, 11]),
    ({"type": "number", "minimum": 0, "maximum": 1}, [0, 1, 0.5, 0.001, 1.0], [-0.5, 1.5, 2, 1.01]),
    ({"type": "number", "exclusiveMinimum": -2, "maximum": 100}, [-1.5, -1, 0, 99.5, 100], [-2, -3, 100.5, 101]),
    ({"type": "number", "exclusiveMinimum": 0}, [0.1, 1, 20.5], [0, -1, -0.5]),
    ({"type": "string", "minLength": 2, "maxLength": 4}, ["ab", "\u00e9\u00e9\u00e9", "\U0001f600\"\\\n"], ["a", "abcde", ""]),
    ({"type": "string", "minLength": 1}, ["a", "abcdefgh"], [""]),
    ({"type": "string", "pattern": "^[A-Z]{2}-\\d+$"}, ["AB-1", "ZZ-0099"], ["AB-", "xAB-1", "AB-1x"]),
    ({"type": "string", "pattern": "b+"}, ["b", "abba", "\"b"], ["", "aca"]),
    ({"type": "string", "pattern": "^(a|\"|\\\\)\\n?"}, ["a", "\"", "\\", "a\n", "a\nb"], ["b", "\n"]),
    ({"type": "string", "format": "date"}, ["2024-02-29", "2023-12-31", "2000-02-29"],
     ["2023-02-29", "2023-13-01", "2023-04-31", "23-01-01", "1900-02-29"]),
    ({"type": "string", "format": "date-time"}, ["2024-02-29T12:00:00Z", "2023-01-01T23:59:59.123+01:00"],
     ["2023-01-01", "2023-01-01T25:00:00Z", "2023-01-01T10:00:00"]),
    ({"type": "string", "format": "uuid"}, ["123e4567-e89b-12d3-a456-426614174000"], ["123e4567", "x" * 36]),
    ({"type": "string", "format": "ipv4"}, ["127.0.0.1", "255.255.255.255"], ["256.0.0.1", "1.2.3"]),
    ({"type": "string", "format": "ipv6"}, ["::1", "2001:db8::8a2e:370:7334", "1:2:3:4:5:6:7:8", "::", "1::"],
     [":::", "1:2", "g::1", "1:2:3:4:5:6:7:8:9"]),
    ({"type": "string", "format": "email"}, ["a.b@example.org"], ["a", "no at"]),
    ({"type": "array"}, [[], [1, "a", None]], [{}, "a"]),
    ({"type": "array", "items": {"type": "integer"}}, [[], [1], [1, 2, 3]], [["a"], [1, "a"], [1.5]]),
    ({"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 3}, [[True, False], [True] * 3],
     [[], [True], [True] * 4]),
    ({"type": "array", "items": {"type": "object", "properties": {"a": {"type": "null"}}, "required": ["a"]},
      "minItems": 1}, [[{"a": None}], [{"a": None}] * 4], [[], [{}]]),
    ({"type": "array", "maxItems": 0}, [[]], [[1]]),
    ({"type": "array", "prefixItems": [{"type": "string"}, {"type": "integer"}], "items": False},
     [[], ["a"], ["a", 1]], [[1], ["a", "b"], ["a", 1, 2]]),
    ({"type": "array", "prefixItems": [{"type": "string"}], "items": {"type": "integer"}, "minItems": 2},
     [["a", 1], ["a", 1, 2]], [["a"], [1, 1], ["a", "b"]]),
    ({"type": "object"}, [{}, {"a": 1, "b": {"c": []}}], [[], "a"]),
    ({"type": "object", "properties": {"name": {"type": "string"}, "age": {"type": "integer", "minimum": 0}},
      "required": ["name", "age"], "additionalProperties": False}, [{"name": "A", "age": 3}],
     [{"name": "A"}, {"age": 3}, {"name": 1, "age": 3}, {"name": "A", "age": -1}, {"name": "A", "age": 3, "x": 1}]),
    ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}, "c": {"type": "integer"}},
      "required": ["b"]}, [{"b": 1}, {"a": 1, "b": 2}, {"b": 1, "c": 2}, {"a": 1, "b": 2, "c": 3}],
     [{}, {"a": 1}, {"a": 1, "c": 2}, {"b": "x"}]),
    ({"type": "object", "properties": {"a": {"type": "integer"}, "b": {"type": "integer"}}},
     [{}, {"a": 1}, {"b": 1}, {"a": 1, "b": 2}], [{"a": "x"}]),
    ({"type": "object", "properties": {"id": {"type": "integer"}, "idx": {"type": "null"}}, "required": ["id"],
      "additionalProperties": {"type": "string"}},
     [{"id": 1}, {"id": 1, "idx": None}, {"id": 1, "i": "a"}, {"id": 1, "idxx": "a", "x": "b"}, {"id": 1, "": "e"}],
     [{"id": 1, "x": 2}, {"x": "a"}, {"id": "a"}]),
    ({"type": "object", "additionalProperties": {"type": "integer"}}, [{}, {"a": 1, "b": 2}], [{"a": "b"}]),
    ({"type": "object", "properties": {"a": {"const": 1}}, "required": ["a", "b"], "additionalProperties": True},
     [{"a": 1, "b": [2]}, {"a": 1, "b": None, "c": 3}], [{"a": 1}, {"b": 1}]),
    ({"type": "object", "properties": {"a": False, "b": {}}}, [{}, {"b": 1}], [{"a": 1}, {"a": 1, "b": 1}]),
    ({"anyOf": [{"type": "integer"}, {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
                {"type": "object", "properties": {"a": {"type": "string"}, "b": {"type": "null"}}, "required": ["a", "b"]}]},
     [1, {"a": 1}, {"a": "x", "b": None}], ["a", {}, {"a": "x"}, {"a": None}]),
    ({"type": "object", "properties": {"kind": {"type": "string"}}, "required": ["kind"],
      "oneOf": [{"properties": {"kind": {"const": "circle"}, "r": {"type": "number"}}, "required": ["r"]},
                {"properties": {"kind": {"const": "square"}, "side": {"type": "number"}}, "required": ["side"]}]},
     [{"kind": "circle", "r": 1}, {"kind": "square", "side": 2}], [{"kind": "circle"}, {"kind": "cube", "side": 2}]),
    ({"allOf": [{"type": "object", "properties": {"a": {"type": "integer", "minimum": 1}}, "required": ["a"]},
                {"properties": {"a": {"maximum": 5}, "b": {"type": "boolean"}}, "required": ["b"]}]},
     [{"a": 1, "b": True}, {"a": 5, "b": False}], [{"a": 0, "b": True}, {"a": 6, "b": True}, {"a": 1}, {"b": True}]),
    (DEFS_TREE, [{"value": 1}, {"value": 1, "children": []},
                 {"value": 1, "children": [{"value": 2, "children": [{"value": 3}]}, {"value": 4}]}],
     [{}, {"value": 1, "children": [{}]}, {"value": 1, "children": [{"value": 2, "children": [{"value": "x"}]}]}]),
    ({"type": "object", "properties": {"next": {"anyOf": [{"$ref": "#"}, {"type": "null"}]}}, "required": ["next"],
      "additionalProperties": False}, [{"next": None}, {"next": {"next": {"next": None}}}], [{}, {"next": {}}, None]),
    ({"$defs": {"a": {"anyOf": [{"type": "integer"}, {"type": "array", "items": {"$ref": "#/$defs/b"}}]},
                "b": {"anyOf": [{"type": "string"}, {"type": "array", "items": {"$ref": "#/$defs/a"}}]}},
      "$ref": "#/$defs/a"}, [1, [], ["x", [1, ["y"]]]], ["x", [1], [["x"]]]),
    ({"definitions": {"name": {"type": "string", "minLength": 1}}, "type": "object",
      "properties": {"first": {"$ref": "#/definitions/name"}, "last": {"$ref": "#/definitions/name",
                                                                       "description": "family name"}},
      "required": ["first", "last"]}, [{"first": "a", "last": "b"}], [{"first": "", "last": "b"}, {"first": "a"}]),
    ({"properties": {"\u00e9\"k/~": {"type": "integer"}, "b": {"$ref": "#/properties/%C3%A9%22k~1~0"}},
      "required": ["b"], "type": "object"}, [{"\u00e9\"k/~": 1, "b": 2}, {"b": 2}], [{"b": "x"}]),
]


def changed(instance):
    """Copies with one thing changed."""
    if isinstance(instance, dict):
        for key in instance:
            rest = copy.deepcopy(instance)
            del rest[key]
            yield rest
            yield {**copy.deepcopy(instance), key + "x": instance[key]}
            for value in changed(instance[key]):
                yield {**copy.deepcopy(instance), key: value}
        yield {**copy.deepcopy(instance), "extra": 1}
    elif isinstance(instance, list):
        for i, item in enumerate(instance):
            yield instance[:i] + instance[i + 1:]
            for value in changed(item):
                yield instance[:i] + [value] + instance[i + 1:]
        yield instance + [0]
        yield instance + ["x"]
    elif isinstance(instance, str):
        yield instance[:-1]
        yield instance + "q"
        yield 1
    else:
        yield [instance]
        yield "1"
        yield None if instance is not None else 0


def texts(instance):
    yield json.dumps(instance, ensure_ascii=False, separators=(",", ":"))
    yield json.dumps(instance, ensure_ascii=False, indent=2)
    yield json.dumps(instance, ensure_ascii=False)


def main():
    checker = jsonschema.Draft202012Validator.FORMAT_CHECKER
    rows = []
    for schema, valid, invalid in CASES:
        validator = jsonschema.Draft202012Validator(schema, format_checker=checker)
        row = {"schema": schema, "valid": [], "invalid": []}
        for instance in valid:
            errors = [error.message for error in validator.iter_errors(instance)]
            assert not errors, (schema, instance, errors)
            row["valid"] += dict.fromkeys(texts(instance))
        for instance in invalid:
            assert not validator.is_valid(instance), (schema, instance)
        wrong = invalid + [c for instance in valid for c in changed(instance) if not validator.is_valid(c)]
        row["invalid"] = list(dict.fromkeys(json.dumps(i, ensure_ascii=False, separators=(",", ":")) for i in wrong))[:24]
        rows.append(row)
    out = pathlib.Path(__file__).parent.parent / "tests/goldens/decoding/schemas.json"
    out.write_text("[\n" + ",\n".join(json.dumps(row, ensure_ascii=False) for row in rows) + "\n]\n")
    print(f"{len(rows)} schemas, {sum(len(r['valid']) for r in rows)} valid, {sum(len(r['invalid']) for r in rows)} invalid")


if __name__ == "__main__":
    main()
