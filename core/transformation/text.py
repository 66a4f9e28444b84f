"""Rows as CSV (RFC 4180), as the engine writes them: comma, line feed, quotes only where they are needed."""

import re
from collections.abc import Sequence

# The engine quotes # too, which starts a comment elsewhere.
NEEDS_QUOTES = re.compile('[",\r\n#]')


def line(values: Sequence[str]) -> str:
    """One row, with its line end."""
    if NEEDS_QUOTES.search("".join(values)):
        values = [_quoted(value) for value in values]
    return ",".join(values) + "\n"


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if NEEDS_QUOTES.search(value) else value
