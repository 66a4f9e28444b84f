"""The lines on which the values of a TOML document stand.

tomllib tells none. This scanner reads only what tomllib has accepted, and only when there is a mistake to report: a
right document does not pay for it, and nothing is judged here.
"""

import re
import tomllib
from collections.abc import Iterator

from core.datasets.node import Path

TEXTS = (r'"""(?:\\.|[^\\])*?"{3,5}', r"'''.*?'{3,5}", r'"(?:\\.|[^"\\])*"', r"'[^']*'")
TOKEN = re.compile("|".join([*TEXTS, r"#[^\n]*", r"[\[\]{}=,.\n]", r"[^\s\[\]{}=,.#\"']+"]), re.DOTALL)
ENDS_OF_VALUE = frozenset(",]}\n")


def line_of(text: str, path: Path) -> int:
    """The line of the value to which a path leads, counted from 1; of the nearest one around it if there is none."""
    lines = _Scanner(text).lines()
    return next(lines[path[:length]] for length in range(len(path), -1, -1) if path[:length] in lines)


class _Scanner:
    """One walk through a document."""

    def __init__(self, text: str) -> None:
        self._tokens = [*_tokens(text), ("\n", text.count("\n") + 1)]
        self._position = 0
        self._lines: dict[Path, int] = {(): 1}
        self._last_elements: dict[Path, int] = {}

    def lines(self) -> dict[Path, int]:
        """The line of each value, by its path."""
        table: Path = ()
        while self._position < len(self._tokens):
            if self._peek() == "\n":
                self._take()
            elif self._peek() == "[":
                table = self._header()
            else:
                self._pair(table)
        return self._lines

    def _peek(self) -> str:
        return self._tokens[self._position][0]

    def _take(self) -> str:
        self._position += 1
        return self._tokens[self._position - 1][0]

    def _note(self, path: Path) -> Path:
        self._lines.setdefault(path, self._tokens[self._position][1])
        return path

    def _header(self) -> Path:
        """The path of a table [a.b], or of one more element [[a.b]] of a list of tables."""
        self._take()
        adds_element = self._peek() == "["
        if adds_element:
            self._take()
        path: Path = ()
        *parents, own = self._keys()
        for key in parents:
            path = self._last_element(self._note((*path, key)))
        path = self._note((*path, own))
        if adds_element:
            self._last_elements[path] = self._last_elements.get(path, -1) + 1
            self._take()
        path = self._note(self._last_element(path))
        self._take()
        return path

    def _last_element(self, path: Path) -> Path:
        return (*path, self._last_elements[path]) if path in self._last_elements else path

    def _keys(self) -> list[str]:
        keys = [_name(self._take())]
        while self._peek() == ".":
            self._take()
            keys.append(_name(self._take()))
        return keys

    def _pair(self, table: Path) -> None:
        path = table
        for key in self._keys():  # keys and the sign of equality stand on one line
            path = self._note((*path, key))
        self._take()
        self._value(path)

    def _value(self, path: Path) -> None:
        if self._peek() == "[":
            self._list(path)
        elif self._peek() == "{":
            self._table(path)
        else:
            while self._peek() not in ENDS_OF_VALUE:
                self._take()

    def _list(self, path: Path) -> None:
        self._take()
        count = 0
        while self._peek() != "]":
            if self._peek() in ENDS_OF_VALUE:
                self._take()
            else:
                self._value(self._note((*path, count)))
                count += 1
        self._take()

    def _table(self, path: Path) -> None:
        self._take()
        while self._peek() != "}":
            if self._peek() in ENDS_OF_VALUE:
                self._take()
            else:
                self._pair(path)
        self._take()


def _tokens(text: str) -> Iterator[tuple[str, int]]:
    line, start = 1, 0
    for found in TOKEN.finditer(text):
        line += text.count("\n", start, found.start())
        start = found.start()
        if not found[0].startswith("#"):
            yield found[0], line


def _name(token: str) -> str:
    """The key that a token writes."""
    return str(next(iter(tomllib.loads(f"{token} = 0"))))
