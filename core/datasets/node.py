"""A value of a dataset's document, with the place where it stands."""

from collections.abc import Iterable
from typing import Any, TypeAlias

import msgspec

Path: TypeAlias = tuple[str | int, ...]

MOST_NAMES_SHOWN = 20


class Written(str):
    """A number with a point, as the document writes it: no digit of it is lost."""

    __slots__ = ()


class MistakeError(Exception):
    """Something in a document is wrong.

    Args:
        path: Where: the keys and positions that lead there.
        detail: What is wrong, and the cure.
    """

    def __init__(self, path: Path, detail: str) -> None:
        super().__init__(detail)
        self.path = path
        self.detail = detail


class Node(msgspec.Struct, frozen=True):
    """A value in a document.

    Attributes:
        value: What TOML made of it; numbers with a point are `Written`.
        path: The keys and positions that lead to it.
    """

    value: Any
    path: Path = ()

    def wrong(self, detail: str) -> MistakeError:
        """The error that names this place."""
        return MistakeError(self.path, detail)

    def is_text(self) -> bool:
        """Whether it is a text in quotes."""
        return isinstance(self.value, str) and not isinstance(self.value, Written)

    def is_table(self) -> bool:
        """Whether it is a table."""
        return isinstance(self.value, dict)

    def text(self) -> str:
        """The text; it holds no NUL, which no field may hold either."""
        if not self.is_text():
            raise self.wrong(f"{self._shown()} is not a text: write it in quotes")
        value: str = self.value
        if "\0" in value:
            raise self.wrong("a text cannot hold a NUL: take it out")
        return value

    def whole(self) -> int:
        """The whole number."""
        if not isinstance(self.value, int) or isinstance(self.value, bool):
            raise self.wrong(f"{self._shown()} is not a whole number: write it without quotes, such as 10")
        return self.value

    def number(self) -> str:
        """The number, in digits as written."""
        is_number = isinstance(self.value, int | Written) and not isinstance(self.value, bool)
        if not is_number or not any(letter.isdigit() for letter in str(self.value)):  # inf and nan are none
            raise self.wrong(f"{self._shown()} is not a number: write it without quotes, such as 1000 or 99.50")
        return str(self.value).replace("_", "").removeprefix("+")

    def flag(self) -> bool:
        """True or false."""
        if not isinstance(self.value, bool):
            raise self.wrong(f"{self._shown()} is neither true nor false: write one of them, without quotes")
        return self.value

    def items(self) -> tuple["Node", ...]:
        """The values of a list."""
        if not isinstance(self.value, list):
            raise self.wrong(f"{self._shown()} is not a list: write it as [ ..., ... ]")
        return tuple(Node(value, (*self.path, position)) for position, value in enumerate(self.value))

    def table(self) -> dict[str, "Node"]:
        """The values of a table by their keys, in the order of the document."""
        if not self.is_table():
            raise self.wrong(f'{self._shown()} is not a table: write it as {{ key = "value" }}')
        return {key: Node(value, (*self.path, key)) for key, value in self.value.items()}

    def fields(self, known: Iterable[str], needed: Iterable[str] = ()) -> dict[str, "Node"]:
        """The values of a table that has no keys but the known ones, and all of the needed ones."""
        known, table = tuple(known), self.table()
        for key, node in table.items():
            if key not in known:
                raise node.wrong(f"{key!r} is not known here{cure(key, known)}")
        missing = [key for key in needed if key not in table]
        if missing:
            raise self.wrong(f"{missing[0]!r} is missing here: add it")
        return table

    def _shown(self) -> str:
        value = float(self.value) if isinstance(self.value, Written) else self.value
        kinds = {dict: "a table", list: "a list", bool: str(value).lower()}
        return kinds.get(type(value)) or (repr(value) if isinstance(value, str | int | float) else str(value))


def cure(wrong: str, names: Iterable[str]) -> str:
    """The end of a message about an unknown name: the one that was meant, or all that there are."""
    from difflib import get_close_matches

    known = {name.lower(): name for name in names}
    nearest = get_close_matches(wrong.lower(), known, n=1)
    if nearest:
        return f": did you mean {known[nearest[0]]!r}?"
    shown = ", ".join(map(repr, list(known.values())[:MOST_NAMES_SHOWN]))
    return f": use one of {shown}{', ...' if len(known) > MOST_NAMES_SHOWN else ''}"
