"""Types as JSON Schema, with the records' docstrings as descriptions."""

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import Any, TypeAlias

import msgspec
from msgspec.inspect import DataclassType, Field, StructType, Type

Schema: TypeAlias = dict[str, Any]
Record: TypeAlias = StructType | DataclassType

DIALECT = "https://json-schema.org/draft/2020-12/schema"
SECTION = re.compile(r"\n\n(?=[A-Z][a-z]+:\n)")
ATTRIBUTE = re.compile(r" {4}(\w+): (.*)")
REFERENCE = re.compile(r'"\$ref":"[^"]*/([^"/]+)"')


def schemas(types: Sequence[Any], place: str) -> tuple[list[Schema], dict[str, Schema]]:
    """A schema for each type, and the components that these refer to, by name.

    A type that JSON has no form for gets its name and promises nothing.

    Args:
        types: The types, records among them.
        place: What a reference has before a component's name, for example "#/$defs/".
    """
    records = list(_records(msgspec.inspect.multi_type_info(types)))
    every = [*types, *(record.cls for record in records)]
    found, named = msgspec.json.schema_components(every, schema_hook=_named, ref_template=f"{place}{{name}}")
    exact = [_exact(schema) for schema in found]
    components = {name: _exact(schema) for name, schema in named.items()}
    for record, schema in zip(records, exact[len(types) :], strict=True):
        _describe(component(schema, components), record)
    return exact[: len(types)], components


def component(schema: Schema, components: dict[str, Schema]) -> Schema:
    """The component that a schema refers to."""
    return components[schema["$ref"].rpartition("/")[2]]


def closed(properties: dict[str, Schema]) -> Schema:
    """The schema of an object that has all of the properties and no other."""
    return {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False}


def referenced(components: dict[str, Schema], document: Schema) -> dict[str, Schema]:
    """Those components that a document refers to, straight or through another, in the order of their names."""
    kept: dict[str, Schema] = {}
    waiting = _references(document)
    while waiting:
        name = waiting.pop()
        if name in components and name not in kept:
            kept[name] = components[name]
            waiting |= _references(components[name])
    return {name: kept[name] for name in sorted(kept)}


def documented(thing: object) -> tuple[str, dict[str, str]]:
    """The prose of a docstring, and its attributes by name."""
    prose, *sections = SECTION.split(inspect.cleandoc(thing.__doc__ or ""))
    attributes: dict[str, str] = {}
    name = ""
    for line in next((each for each in sections if each.startswith("Attributes:")), "").splitlines():
        if match := ATTRIBUTE.fullmatch(line):
            name, attributes[match[1]] = match.groups()
        elif name:
            attributes[name] += f" {line.strip()}"
    return prose, attributes


def _named(kind: type) -> Schema:
    return {"title": kind.__name__}


def _references(document: Schema) -> set[str]:
    return set(REFERENCE.findall(msgspec.json.encode(document).decode()))


def _records(types: Iterable[Type]) -> Iterator[Record]:
    """Every record that the types are made of, once."""
    seen: set[int] = set()
    waiting: list[Type | Field] = [*types]
    while waiting:
        node = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, StructType | DataclassType):
            yield node
        for value in msgspec.structs.astuple(node):
            parts = value if isinstance(value, tuple) else (value,)
            waiting += [part for part in parts if isinstance(part, Type | Field)]


def _exact(node: Any) -> Any:
    """The schema with decimals as an answer has them: numbers."""
    if isinstance(node, list):
        return [_exact(each) for each in node]
    if not isinstance(node, dict):
        return node
    if node.get("type") == "string" and node.get("format") == "decimal":
        return {"type": "number", **{key: value for key, value in node.items() if key not in ("type", "format")}}
    return {key: _exact(value) for key, value in node.items()}


def _describe(schema: Schema, record: Record) -> None:
    """Put a record's docstring where its schema has the places for it."""
    prose, attributes = documented(record.cls)
    if "description" in schema:
        schema["description"] = prose
    for field in record.fields:
        described = schema.get("properties", {}).get(field.encode_name, {})
        if field.name in attributes:
            described["description"] = attributes[field.name]
        if isinstance(field.default, Decimal):
            described["default"] = field.default
