"""Seeded draws as SQL: whole numbers that depend on the row and the seed, and on nothing else.

The engine's own random() and hash() may change with its version. Here a row's number is mixed by the 32-bit
finalizer of MurmurHash3, and each draw of that row is another odd multiple of the result, so one mix serves them
all.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

WORD = 1 << 32
# 2**32 divided by the golden ratio, made odd; its powers are the multipliers.
GOLDEN = 2_654_435_769
SEED_STEP = 40_503


def numbered(rows: int, seed: int) -> str:
    """A table expression of the rows: `i` from 0, and `h`, the row's mixed number below 2**32."""
    mixed_row = mixed(f"(SELECT i, (i + 1)::UBIGINT & {WORD - 1} AS h FROM range({rows}) numbers(i))", "h")
    return mixed(f"(SELECT i, (h + {seed * SEED_STEP % WORD}::UBIGINT) & {WORD - 1} AS h FROM {mixed_row})", "h")


def mixed(rows: str, column: str) -> str:
    """The rows with this column, below 2**32, mixed by the finalizer.

    Each step is a select of its own, since it uses the value before it twice; products stay below 2**64.
    """
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        step = f"(xor({column}, {column} >> {shift}) * {factor}::UBIGINT) & {WORD - 1}"
        rows = f"(SELECT * REPLACE ({step} AS {column}) FROM {rows})"
    return rows


def draw(number: int, bound: int | str, word: str = "h") -> str:
    """A whole number from 0 to bound - 1.

    Args:
        number: Which draw of the row, from 1; two with one number are not independent.
        bound: At most 2**32; an integer, or SQL of one.
        word: The column with the mixed number that the draw is made of.
    """
    multiple = f"(({word} * {pow(GOLDEN, number, WORD)}::UBIGINT) & {WORD - 1})"
    return f"({multiple} * ({bound})::UBIGINT >> 32)::BIGINT"


class Lists:
    """The texts that lines are made of, as lists in a table of one row.

    Joined to the rows they are looked up where they lie; a list in the query itself is copied for every 2,048 rows.
    """

    def __init__(self) -> None:
        self._values: list[list[str]] = []

    def pick(self, values: Sequence[str], index: str) -> str:
        """The text at an index, from 0."""
        if list(values) not in self._values:
            self._values.append(list(values))
        return f"list_{self._values.index(list(values))}[1 + {index}]"

    def make(self, db: "DuckDBPyConnection") -> None:
        """Make the table."""
        columns = ", ".join(f"?::VARCHAR[] AS list_{number}" for number in range(len(self._values)))
        db.execute(f"CREATE OR REPLACE TEMP TABLE lists AS SELECT {columns}", self._values)

    @staticmethod
    def joined(rows: str) -> str:
        """The rows with the lists."""
        return f"(SELECT * FROM {rows}, lists)"
