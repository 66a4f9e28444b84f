"""Seeded sales records in any number: the same seed gives the same bytes, on every machine and version."""

from collections.abc import Sequence

from core import engine, storage
from core.errors import RequestError
from core.generator.catalogue import COUNTRIES, ITEMS

FIRST_ID = 100_000_000
IDS = 900_000_000
# A step that shares no factor with the number of ids visits each of them once: unique, in no visible order.
ID_STEP = 334_214_459
FIRST_DAY = "2010-01-01"
ORDER_DAYS = 2766
LONGEST_PROCESSING_DAYS = 50
MOST_UNITS = 10_000

# What is drawn for each record, by column number: which of how many.
DRAWS = ("place", "item", "channel", "priority", "ordered", "processing", "units", "repeated")
WORD = 1 << 32


def generate(target: str, *, rows: int, seed: int = 1, duplicates: float = 0.0) -> None:
    """Write a CSV of generated sales records.

    Args:
        target: Path or URL; it appears whole, or not at all.
        rows: Number of records, from 0 to 900 million.
        seed: From 0 to 2**31 - 1; another seed gives other records.
        duplicates: Share of the records that repeat the Order ID of an earlier one, from 0 up to, not including, 1.

    Raises:
        RequestError: A number is out of range.
        NotFoundError: There is no folder for the target.
    """
    _check(rows, seed, duplicates)
    with storage.writing(target) as part, engine.session() as db:
        query = _records(rows, seed, duplicates)
        db.execute(f"COPY ({query}) TO {engine.text(part)} (FORMAT csv, HEADER, USE_TMP_FILE false)")


def _check(rows: int, seed: int, duplicates: float) -> None:
    if not 0 <= rows <= IDS:
        raise RequestError(f"rows is {rows}: use 0 to {IDS}")
    if not 0 <= seed < 1 << 31:
        raise RequestError(f"seed is {seed}: use 0 to {(1 << 31) - 1}")
    if not 0 <= duplicates < 1:
        raise RequestError(f"duplicates is {duplicates}: use a share from 0 up to, not including, 1")


def _records(rows: int, seed: int, duplicates: float) -> str:
    places = [(region, country) for region, countries in COUNTRIES.items() for country in countries]
    prices, costs = zip(*ITEMS.values(), strict=True)
    return f"""
        SELECT
            {_pick([region for region, _ in places], "place")} AS "Region",
            {_pick([country for _, country in places], "place")} AS "Country",
            {_pick(list(ITEMS), "item")} AS "Item Type",
            {_pick(["Online", "Offline"], "channel")} AS "Sales Channel",
            {_pick(["L", "M", "H", "C"], "priority")} AS "Order Priority",
            strftime(day, '%-m/%-d/%Y') AS "Order Date",
            {FIRST_ID} + (original * {ID_STEP} + {seed} * 7919) % {IDS} AS "Order ID",
            strftime(day + {_draw("processing", LONGEST_PROCESSING_DAYS + 1)}::INTEGER, '%-m/%-d/%Y') AS "Ship Date",
            sold AS "Units Sold",
            price AS "Unit Price",
            cost AS "Unit Cost",
            (sold * price)::DECIMAL(18, 2) AS "Total Revenue",
            (sold * cost)::DECIMAL(18, 2) AS "Total Cost",
            (sold * (price - cost))::DECIMAL(18, 2) AS "Total Profit"
        FROM (
            SELECT *,
                {_pick(prices, "item")}::DECIMAL(6, 2) AS price,
                {_pick(costs, "item")}::DECIMAL(6, 2) AS cost,
                {_original(duplicates)} AS original,
                DATE '{FIRST_DAY}' + {_draw("ordered", ORDER_DAYS)}::INTEGER AS day,
                1 + {_draw("units", MOST_UNITS)} AS sold
            FROM ({_random(rows, seed)}))"""


def _random(rows: int, seed: int) -> str:
    """For each row number i and each draw a whole number below 2**32 that depends on i, the draw and the seed."""
    by_row = _mixed(f"(SELECT i, (i + 1)::UBIGINT % {WORD} AS h FROM range({rows}) numbers(i))", ["h"])
    salts = {name: (number * 2_654_435_761 + seed * 40_503) % WORD for number, name in enumerate(DRAWS, 1)}
    salted = ", ".join(f"(h + {salt}::UBIGINT) % {WORD} AS {name}" for name, salt in salts.items())
    return f"SELECT * FROM {_mixed(f'(SELECT i, {salted} FROM {by_row})', DRAWS)}"


def _mixed(rows: str, columns: Sequence[str]) -> str:
    """The rows with these columns mixed by the 32-bit finalizer of MurmurHash3.

    The engine's own hash() may change with its version. Each step is a select of its own, since it uses the
    value before it twice; products stay below 2**64.
    """
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35), (16, 1)):
        steps = ", ".join(f"xor({each}, {each} >> {shift}) * {factor}::UBIGINT % {WORD} AS {each}" for each in columns)
        rows = f"(SELECT i, {steps} FROM {rows})"
    return rows


def _draw(name: str, bound: int | str) -> str:
    """A whole number from 0 to bound - 1."""
    return f"({name} * ({bound})::UBIGINT >> 32)::BIGINT"


def _original(duplicates: float) -> str:
    """The number of the record whose Order ID row i has: its own, or an earlier one's where it is a repeat."""
    if not duplicates:
        return "i"
    repeats_before, repeats_with = f"floor(i * {duplicates!r})", f"floor((i + 1) * {duplicates!r})"
    own = f"i - {repeats_before}::BIGINT"
    return f"CASE WHEN {repeats_with} > {repeats_before} THEN {_draw('repeated', own)} ELSE {own} END"


def _pick(values: Sequence[str], draw: str) -> str:
    return f"[{', '.join(map(engine.text, values))}][1 + {_draw(draw, len(values))}]"
