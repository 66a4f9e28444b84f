"""How a CSV is written: its delimiter and its encoding."""

import codecs
import csv
from typing import Literal, TypeAlias

import msgspec

from core.errors import Fault, RequestError

DELIMITERS = ",;\t|"
Encoding: TypeAlias = Literal["utf-8", "utf-16", "latin-1", "cp1252"]
BYTE_ORDER_MARKS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16"), (codecs.BOM_UTF16_BE, "utf-16"))


class Dialect(msgspec.Struct, frozen=True):
    """What a request may say of its source.

    Attributes:
        delimiter: Between fields; None takes the one that the header fits.
        encoding: Of the text; None takes UTF-8, or UTF-16 where a byte order mark says so.
    """

    delimiter: str | None = None
    encoding: Encoding | None = None

    def __post_init__(self) -> None:
        if self.delimiter is not None and (len(self.delimiter) != 1 or self.delimiter not in DELIMITERS):
            detail = f"{self.delimiter!r} is no delimiter: use one of , ; | or a tab"
            raise RequestError(detail, [Fault(path="$.delimiter", detail=detail)])


CANONICAL = Dialect(delimiter=",", encoding="utf-8")


def encoding_of(start: bytes, dialect: Dialect) -> str:
    """The encoding of a text that starts with these bytes, as a codec's name."""
    marked = next((name for mark, name in BYTE_ORDER_MARKS if start.startswith(mark)), None)
    encoding = dialect.encoding or marked or "utf-8"
    if encoding == "utf-16" and marked != "utf-16":
        # Without a mark the codec refuses to choose; the first letter of a header has a zero in its upper half.
        return "utf-16-be" if start.startswith(b"\0") else "utf-16-le"
    return encoding


def delimiter_of(line: str, names: frozenset[str]) -> str:
    """The delimiter that splits a header into the most of the names that are looked for, else into the most fields."""

    def found(delimiter: str) -> tuple[int, int]:
        fields = next(csv.reader([line], delimiter=delimiter), [])
        return len(names.intersection(fields)), len(fields)

    return max(DELIMITERS, key=found)
