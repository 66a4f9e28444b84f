"""The rows of a chunk as the plain reader finds them: the good ones, rewritten for the engine, and the bad ones."""

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from core.source.chunks import Chunk
from core.source.file import Source
from core.source.records import Record, Records
from core.source.text import Text
from core.transformation.text import line
from core.validation import Fit

BadRow: TypeAlias = tuple[Record, Fit]
Check: TypeAlias = Callable[[Sequence[str]], Fit | None]


def sorted_out(chunk: Chunk, source: Source, check: Check) -> tuple[Text, list[BadRow]]:
    """The good rows of a chunk, as comma-separated text, and the bad ones with what is wrong.

    A record that goes on beyond the chunk is given back to the source.
    """
    good: list[bytes] = []
    bad: list[BadRow] = []
    for record, fit in read(chunk, source, check):
        if fit is None:
            good.append(line(record.fields).encode())
        else:
            bad.append((record, fit))
    return Text(b"".join(good), list(source.layout.names), ",", quotes=True, records=good), bad


def read(chunk: Chunk, source: Source, check: Check) -> Iterator[tuple[Record, Fit | None]]:
    """Each record of a chunk, and what is wrong with it."""
    records = Records(chunk, source.delimiter, len(source.layout.names))
    for record in records:
        yield record, Fit(record.fault) if record.fault else check(record.fields)
    rest, number = records.rest()
    if rest:
        source.give_back(rest, number)
