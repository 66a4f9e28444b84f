"""The SQL of transform and load: a dataset's file as a relation, its checks, what is derived from it."""

import glob
import re
from collections.abc import Sequence
from pathlib import Path

from core.datasets.grammar import Type, engine_format, pattern
from core.datasets.record import Dataset, Derived
from core.engine import name
from core.engine import text as literal
from core.expressions import texts_of
from core.expressions.sql import sql
from core.source.header import Layout
from core.source.text import Text
from core.transformation.text import SPECIAL, special
from core.validation import allowed

# The engine's own 32 MB a thread holds more memory and is 8 % slower.
READ_BUFFER_BYTES = 4_000_000
# Stands between the values of a row while they are checked: no pattern takes it, and no text can bring one in that
# would make up for another.
SEPARATOR = "\x1f"
# Starts the names of columns that have none in the header, where no name may start so.
NAMELESS = "\x1f"
# Before the columns of what is transformed: the key, as its type, and whether the row fits.
KEY, GOOD = name(f"{NAMELESS}key"), name(f"{NAMELESS}good")
SQL_TYPES = {"integer": "BIGINT", "decimal": "DOUBLE", "double": "DOUBLE"}


def scan(path: Path, text: Text) -> str:
    """A table expression that reads a text from a path, each field as text.

    Strict RFC 4180: a row with too few or too many fields stops it. Rows come in the file's order.
    """
    declared = ", ".join(f"{literal(column)}: 'VARCHAR'" for column in text.columns)
    # Told "\\r\\n", the engine misreads a line feed in a field without a word; left to itself, it does not.
    new_line = "new_line = '\\n', " if text.line_feeds else ""
    return (
        f"read_csv({literal(glob.escape(str(path)))}, columns = {{{declared}}}, auto_detect = false, header = false, "
        f"delim = {literal(text.delimiter)}, {new_line}quote = '\"', escape = '\"', strict_mode = true, "
        f"compression = 'none', hive_partitioning = false, buffer_size = {READ_BUFFER_BYTES})"
    )


def scanned_columns(layout: Layout) -> list[str]:
    """A name for every column of a file, the nameless ones included."""
    return [*layout.names, *(f"{NAMELESS}{number}" for number in range(layout.trailing))]


def key(dataset: Dataset) -> str:
    """The key of a record, as its type, so that 007 and 7 are one record; never null, whatever the row holds."""
    column = f"coalesce({name(dataset.key)}, '')"
    return f"coalesce(try_cast({column} AS BIGINT), 0)" if key_type(dataset) == "BIGINT" else column


def key_type(dataset: Dataset) -> str:
    """The engine's type of the key."""
    return "BIGINT" if dataset.types()[dataset.key].kind == "integer" else "VARCHAR"


def good(dataset: Dataset, columns: Sequence[str]) -> str:
    """A condition that is true for a row whose values fit, false for another.

    All checked values are matched at once: one regular expression is a second quicker than ten, per 1.5 million rows.
    """
    patterns = {column: pattern(kind) for column, kind in dataset.types().items() if kind.kind != "text"}
    patterns |= {column: f"({'|'.join(map(re.escape, values))})" for column, values in allowed(dataset).items()}
    patterns |= {column: "" for column in columns if column.startswith(NAMELESS)}
    if not patterns:
        return "true"
    between = f", {literal(SEPARATOR)}, "
    joined = f"concat({between.join(map(name, patterns))})"  # a null is an empty text there
    return f"regexp_full_match({joined}, {literal(SEPARATOR.join(patterns.values()))})"


def values(dataset: Dataset, layout: Layout, text: Text, path: Path) -> str:
    """A table expression of what transform writes of a text, as texts: the kept columns, then the derived ones.

    KEY and GOOD stand before them; what is computed of a row that is not good is null.
    """
    types = dataset.types()
    changes = {change.name: _derived(change, types) for change in dataset.changes}
    kept = [changes.get(column, name(column)) for column in layout.kept]
    derived = [_derived(column, types) for column in dataset.derived]
    rows = f"(SELECT *, {good(dataset, text.columns)} AS {GOOD} FROM {scan(path, text)})"
    return f"(SELECT {', '.join([f'{key(dataset)} AS {KEY}', GOOD, *kept, *derived])} FROM {rows})"


def _derived(column: Derived, types: dict[str, Type]) -> str:
    return f"CASE WHEN {GOOD} THEN ({sql(column.expression, types)})::VARCHAR END AS {name(column.name)}"


def line(dataset: Dataset, columns: Sequence[str], *, quotes: bool) -> str:
    """A row as one text, comma-separated, with quotes where they are needed.

    Args:
        dataset: What transform is given.
        columns: Which columns of `values` the row has.
        quotes: Whether a value of the input may need quotes.
    """
    types = dataset.transformed().types()
    own = {each.name: texts_of(each.expression) for each in (*dataset.changes, *dataset.derived)}

    def field(column: str) -> str:
        kind = types.get(column, Type())
        free = kind.kind == "text" or special(kind.format)
        return _quoted(name(column)) if free and (quotes or any(map(special, own.get(column, ())))) else name(column)

    if len(columns) == 1:  # empty, it would be a blank line, which readers skip
        return f"coalesce(nullif({field(columns[0])}, ''), '\"\"')"
    between = ", ',', "
    return f"concat({between.join(map(field, columns))})"


def _quoted(value: str) -> str:
    found = " OR ".join(f"contains({value}, {literal(each)})" for each in SPECIAL)
    return f"""CASE WHEN {found} THEN '"' || replace({value}, '"', '""') || '"' ELSE {value} END"""


def typed(dataset: Dataset, columns: Sequence[str]) -> str:
    """The select list of load: each column as its type; an amount is the double nearest to it."""
    types = dataset.types()
    return ", ".join(f"{_typed(column, types.get(column, Type()))} AS {name(column)}" for column in columns)


def _typed(column: str, kind: Type) -> str:
    if kind.kind == "date":
        return f"strftime(strptime({name(column)}, {literal(engine_format(kind))}), '%Y-%m-%d')"
    if kind.kind == "timestamp":
        return f"strftime(strptime({name(column)}, {literal(engine_format(kind))}), '%Y-%m-%d %H:%M:%S')"
    sql_type = SQL_TYPES.get(kind.kind)
    return f"{name(column)}::{sql_type}" if sql_type else f"coalesce({name(column)}, '')"


def stored(dataset: Dataset, columns: Sequence[str]) -> str:
    """The select list of a typed file: what transform writes, each column of `values` as its type, exactly."""
    types = dataset.transformed().types()
    each = ((name(column), _stored(column, types.get(column, Type()))) for column in columns)
    return ", ".join(f"CASE WHEN {GOOD} THEN {value} END AS {column}" for column, value in each)


def _stored(column: str, kind: Type) -> str:
    quoted = name(column)
    if kind.kind in ("date", "timestamp"):
        return f"strptime({quoted}, {literal(engine_format(kind))})" + ("::DATE" if kind.kind == "date" else "")
    if kind.kind == "decimal":
        return f"{quoted}::DECIMAL({kind.precision}, {kind.scale})"
    return {"integer": f"{quoted}::BIGINT", "double": f"{quoted}::DOUBLE"}.get(kind.kind, f"coalesce({quoted}, '')")
