"""Seeded records in any number: the same options give the same bytes, on every machine, version and thread number."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from threading import Event, Thread
from typing import TYPE_CHECKING

import msgspec

from core import engine, storage
from core.errors import RequestError
from core.generator import draws, payments, sales
from core.generator.faults import SHARE_UNIT, Fault, Special, line, possible
from core.generator.record import IDS, Recipe

if TYPE_CHECKING:
    from duckdb import DuckDBPyConnection

DATASETS = ("sales", "payments")
PROGRESS_EVERY_S = 0.2
# The lines are made here, quotes and all: the writer adds nothing to them but their ends.
AS_IT_IS = "FORMAT csv, HEADER, QUOTE '', ESCAPE '', USE_TMP_FILE false"


class Generated(msgspec.Struct, frozen=True, kw_only=True):
    """What was written.

    Attributes:
        rows: Records, bad and repeated ones too.
        duplicates: Good records whose key an earlier good record has.
        rejected: Bad records.
        faults: How many records have each fault that the dataset can have; a bad record has one.
        bytes: Size of the file.
    """

    rows: int
    duplicates: int
    rejected: int
    faults: dict[Fault, int]
    bytes: int


def generate(  # noqa: PLR0913  (options, all but the first as keywords)
    target: str,
    *,
    rows: int,
    seed: int = 1,
    duplicates: float = 0.0,
    rejects: float = 0.0,
    dataset: str = "sales",
    layout: int = 91,
    progress: Callable[[float], None] | None = None,
) -> Generated:
    """Write a CSV of generated records.

    Args:
        target: Path or URL; it appears whole, or not at all.
        rows: Number of records, from 0 to 900 million.
        seed: From 0 to 2**31 - 1; another seed gives other records.
        duplicates: Share of the records that repeat the key of an earlier good one, to nine decimals.
        rejects: Share of the records that are bad, each in one way; with `duplicates` below 1.
        dataset: "sales" or "payments".
        layout: Number of columns of payments: 65 (program years to 2015), 75 (to 2020) or 91.
        progress: Called with the part that is done: 0 at first, then a few times a second from another thread, 1 last.

    Raises:
        RequestError: An option is out of range.
        NotFoundError: There is no folder for the target.
        StorageError: The file could not be written.
    """
    _check(rows, seed, duplicates, rejects)
    recipe = _recipe(dataset, seed, layout)
    special = Special(rows, round(duplicates * SHARE_UNIT), round(rejects * SHARE_UNIT), possible(recipe.pieces))
    query = _lines(recipe, special, seed)
    with storage.writing(target) as part, engine.session() as db, _told(db, progress):
        recipe.lists.make(db)
        db.execute(f"COPY ({query}) TO {engine.text(part)} ({AS_IT_IS})")
        size = part.stat().st_size
    rejected = special.rejected()
    duplicates_made = special.count() - rejected
    return Generated(rows=rows, duplicates=duplicates_made, rejected=rejected, faults=special.by_fault(), bytes=size)


def _check(rows: int, seed: int, duplicates: float, rejects: float) -> None:
    if not 0 <= rows <= IDS:
        raise RequestError(f"rows is {rows}: use 0 to {IDS}")
    if not 0 <= seed < 1 << 31:
        raise RequestError(f"seed is {seed}: use 0 to {(1 << 31) - 1}")
    for name, share in (("duplicates", duplicates), ("rejects", rejects)):
        if not 0 <= share < 1:
            raise RequestError(f"{name} is {share}: use a share from 0 up to, not including, 1")
    if round(duplicates + rejects, 9) >= 1:
        raise RequestError(f"duplicates and rejects are {duplicates} and {rejects}: use shares that add up to under 1")


def _recipe(dataset: str, seed: int, layout: int) -> Recipe:
    if dataset == "sales":
        return sales.recipe(seed)
    if dataset == "payments":
        return payments.recipe(seed, layout)
    raise RequestError(f"there is no generator for the dataset {dataset!r}: use {' or '.join(DATASETS)}")


def _lines(recipe: Recipe, special: Special, seed: int) -> str:
    """A query of one column: the lines as they are written, under the header as its name."""
    rows = recipe.columns(recipe.lists.joined(special.columns(draws.numbered(special.rows, seed))))
    text = line(recipe.pieces, faulty=special.rejects > 0)
    return f"SELECT {text} AS {engine.name(recipe.header)} FROM {rows}"


@contextmanager
def _told(db: "DuckDBPyConnection", progress: Callable[[float], None] | None) -> Iterator[None]:
    """Tell the progress of the query that runs meanwhile."""
    if progress is None:
        yield
        return
    db.execute("SET enable_progress_bar = true")
    db.execute("SET enable_progress_bar_print = false")
    done = Event()

    def tell() -> None:
        part = 0.0
        while not done.wait(PROGRESS_EVERY_S):
            part = max(part, db.query_progress() / 100)
            progress(part)

    progress(0.0)
    teller = Thread(target=tell, daemon=True)
    teller.start()
    try:
        yield
    finally:
        done.set()
        teller.join()
    progress(1.0)
