"""Columns and their types, as a dataset's document writes them."""

import re
from typing import cast, get_args

from core.datasets.grammar import ISO_DATE, ISO_TIMESTAMP, MOST_DIGITS, PART, Kind, Type
from core.datasets.node import Node, cure
from core.datasets.record import Column

DECIMAL = re.compile(r"decimal\( *([0-9]{1,9}) *, *([0-9]{1,9}) *\)")
BETWEEN_PARTS = frozenset("-/., :_TZ")


def columns(node: Node) -> tuple[Column, ...]:
    """The columns of the table `columns`.

    Raises:
        MistakeError: There is none, or one of them is wrong.
    """
    written = node.table()
    if not written:
        raise node.wrong('there are no columns: add each as "Name" = "type"')
    found = tuple(_column(name, each) for name, each in written.items())
    taken: set[str] = set()
    for column in found:
        for name in (column.name, *column.aliases):
            check_name(name, written[column.name], taken)
            taken.add(name.lower())
    return found


def check_name(name: str, node: Node, taken: set[str]) -> None:
    """Refuse a name that no column can have, or that is taken already.

    Args:
        name: The name.
        node: Where it stands.
        taken: The names that there are, in small letters: the engine's names do not tell them apart.

    Raises:
        MistakeError: It is empty, holds a control character or is taken.
    """
    if not name or any(letter < " " for letter in name):
        raise node.wrong(f"{name!r} cannot name a column: give it letters that can be seen")
    if name.lower() in taken:
        raise node.wrong(f"the name {name!r} is there twice (capitals do not count): rename one")


def _column(name: str, node: Node) -> Column:
    if node.is_text():
        return Column(name, _type(node))
    if not node.is_table():
        raise node.wrong(f'a column is its type, as a text in quotes such as "text" or in a table: mend {name!r}')
    fields = node.fields(("type", "format", "optional", "aliases"), ("type",))
    aliases = fields["aliases"].items() if "aliases" in fields else ()
    optional = fields["optional"].flag() if "optional" in fields else False
    kind = _type(fields["type"], fields.get("format"), optional=optional)
    return Column(name, kind, tuple(alias.text() for alias in aliases))


def _type(node: Node, written: Node | None = None, *, optional: bool = False) -> Type:
    name = node.text()
    if name.startswith("decimal("):
        return _decimal(node, optional=optional)
    if name not in get_args(Kind):
        raise node.wrong(f"there is no type {name!r}{cure(name, [*get_args(Kind), f'decimal({MOST_DIGITS},2)'])}")
    kind = cast("Kind", name)
    if kind not in ("date", "timestamp"):
        if written is not None:
            raise written.wrong(f"only a date or a timestamp has a format, and this is {name}: take the format away")
        return Type(kind, optional=optional)
    iso = ISO_DATE if kind == "date" else ISO_TIMESTAMP
    return Type(kind, format=_format(written, kind) if written else iso, optional=optional)


def _decimal(node: Node, *, optional: bool) -> Type:
    found = DECIMAL.fullmatch(node.text())
    if found is None:
        raise node.wrong(f"{node.text()!r} is no type: write decimal(digits, decimals), such as decimal(15,2)")
    precision, scale = map(int, found.groups())
    if not scale < precision <= MOST_DIGITS:
        raise node.wrong(
            f"a decimal has at most {MOST_DIGITS} digits, of which fewer stand after the point: "
            f"{node.text()!r} has {precision} and {scale}"
        )
    return Type("decimal", precision, scale, optional=optional)


def _format(node: Node, kind: Kind) -> str:
    """A format that reads in one way only: each part once, and an end for those of one or two digits."""
    written = node.text()
    parts = PART.findall(written)
    between = PART.split(written)
    needed = {"date": ("Y", "M", "D"), "timestamp": ("Y", "M", "D", "h")}[kind]
    letters = [part[0] for part in parts]
    times = "hms"[: sum(letter in "hms" for letter in letters)]
    if not set(needed) <= set(letters) or sorted(letters) != sorted(["Y", "M", "D", *times]):
        raise node.wrong(f"{written!r} does not say each part of a {kind} once: write {_example(kind)}")
    if kind == "date" and times:
        raise node.wrong(f"{written!r} has a time, which a date has not: make it a timestamp")
    if between[0] or not set("".join(between)) <= BETWEEN_PARTS:
        raise node.wrong(f"{written!r} holds more than YYYY, MM, M, DD, D, hh, mm, ss and - / . , : _ T Z between them")
    if any(len(part) == 1 and not after for part, after in zip(parts[:-1], between[1:-1], strict=True)):
        raise node.wrong(f"{written!r} leaves open where a part ends: write MM and DD, or put a sign between the parts")
    return written


def _example(kind: Kind) -> str:
    return "YYYY, MM or M, DD or D" + (", hh and, if there are, mm and ss" if kind == "timestamp" else "")
