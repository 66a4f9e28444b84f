"""A dataset's TOML document, read and checked."""

import re
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

import msgspec

from core.datasets.formulas import Types, column, expression, type_of
from core.datasets.node import MistakeError, Node, Written
from core.datasets.questions import metrics, queries
from core.datasets.record import Column, Dataset, Derived
from core.datasets.types import check_name, columns
from core.errors import Fault, RequestError

KEYS = ("name", "key", "extra_columns", "columns", "changes", "derived", "metrics", "queries")
LONGEST_NAME = 63
KEY_KINDS = ("text", "integer")
SYNTAX_ERROR = r"(?s)(?P<detail>.*?) \(at (line (?P<line>[0-9]+), column [0-9]+|end of document)\)"


def read(text: str, source: str) -> Dataset:
    """The dataset that a TOML document describes.

    Args:
        text: The document.
        source: The file's name, for messages.

    Raises:
        RequestError: It is wrong; the message names the file, the line, what is wrong and the cure.
    """
    with parsed(text, source) as node:
        return _dataset(node)


@contextmanager
def parsed(text: str, source: str) -> Iterator[Node]:
    """A TOML document as a tree; what its reader finds wrong is raised as `read` does."""
    try:
        yield Node(tomllib.loads(text, parse_float=Written))
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(text, source, str(error)) from error
    except MistakeError as mistake:
        from core.datasets.lines import line_of

        raise _located(source, line_of(text, mistake.path), mistake.detail) from mistake
    except RecursionError as error:
        raise _located(source, 1, "something is nested too deeply: take it apart") from error


def text_of(path: Path, source: str) -> str:
    """The text of a document's file.

    Args:
        path: Where it is.
        source: The file's name, for messages.

    Raises:
        RequestError: It is not UTF-8; the message names the line.
        OSError: It cannot be read.
    """
    content = path.read_bytes()
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise _located(source, line, f"byte {error.start} is not UTF-8: save the file as UTF-8") from error


def _located(source: str, line: int, detail: str) -> RequestError:
    fault = Fault(path="$.dataset", source=source, line=line, detail=detail)
    return RequestError(f"{source}, line {line}: {detail}", [fault])


def _syntax_error(text: str, source: str, message: str) -> RequestError:
    found = re.fullmatch(SYNTAX_ERROR, message)
    detail = found["detail"] if found else message
    line = int(found["line"]) if found and found["line"] else text.count("\n") + 1
    return _located(source, line, f"this is not TOML ({detail}): a name with a blank and every text stand in quotes")


def _dataset(node: Node) -> Dataset:
    fields = node.fields(KEYS, ("name", "key", "columns"))
    found = columns(fields["columns"])
    types = {each.name: each.type for each in found}
    dataset = Dataset(
        name=_name(fields["name"]),
        columns=found,
        key=_key(fields["key"], types),
        changes=_changes(fields.get("changes"), types, fields["key"].text()),
        derived=_derived(fields.get("derived"), types, found),
        extra_columns=_extra_columns(fields.get("extra_columns")),
    )
    return _with_questions(dataset, fields)


def _with_questions(dataset: Dataset, fields: dict[str, Node]) -> Dataset:
    types = dataset.transformed().types()
    found = metrics(fields["metrics"], types) if "metrics" in fields else ()
    named = queries(fields["queries"], types, found) if "queries" in fields else ()
    return msgspec.structs.replace(dataset, metrics=found, queries=named)


def _name(node: Node) -> str:
    name = node.text()
    if not (name.isascii() and name.isidentifier() and len(name) <= LONGEST_NAME):
        rule = f"use up to {LONGEST_NAME} letters from a to z, digits and _, no digit first"
        raise node.wrong(f"{name!r} cannot name a table: {rule}")
    return name


def _key(node: Node, types: Types) -> str:
    key = column(node, types, KEY_KINDS)
    if types[key].optional:
        raise node.wrong(f"{key!r} is the key and optional: each record needs one, so take optional away")
    return key


def _changes(node: Node | None, types: Types, key: str) -> tuple[Derived, ...]:
    changes = []
    for name, each in (node.table() if node else {}).items():
        if name not in types:
            raise each.wrong(f"there is no column {name!r} to change: a new one stands in [derived]")
        if name == key:
            raise each.wrong(f"{name!r} is the key, and two records could become one: derive a new column instead")
        changes.append(_computed(name, each, types))
    return tuple(changes)


def _derived(node: Node | None, types: Types, found: tuple[Column, ...]) -> tuple[Derived, ...]:
    derived = []
    taken = {name.lower() for each in found for name in (each.name, *each.aliases)}
    for name, each in (node.table() if node else {}).items():
        if name in types:
            raise each.wrong(f"the input has a column {name!r}: its new value stands in [changes]")
        check_name(name, each, taken)
        taken.add(name.lower())
        derived.append(_computed(name, each, types))
    return tuple(derived)


def _computed(name: str, node: Node, types: Types) -> Derived:
    found = expression(node, types)
    return Derived(name, type_of(found, types), found)


def _extra_columns(node: Node | None) -> Literal["keep", "drop"]:
    if node is None or node.text() == "keep":
        return "keep"
    if node.text() != "drop":
        raise node.wrong(f'{node.text()!r} is not known: write "keep" or "drop"')
    return "drop"
