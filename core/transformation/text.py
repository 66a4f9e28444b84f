"""Rows as CSV (RFC 4180): comma, line feed, quotes only where they are needed."""

import re
from collections.abc import Sequence

SPECIAL = ',"\r\n'
special = re.compile(f"[{SPECIAL}]").search


def line(values: Sequence[str]) -> str:
    """One row, with its line end; an empty row of one value is quoted, since a blank line is none."""
    if special("".join(values)):
        values = [_quoted(value) for value in values]
    return (",".join(values) or '""') + "\n"


def _quoted(value: str) -> str:
    return '"' + value.replace('"', '""') + '"' if special(value) else value
