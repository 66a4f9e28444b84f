"""What is called when nothing was asked for: a query of 100 generated rows in SQLite."""

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path

import msgspec

from core import access, library
from core.generator import generate
from core.message import Request

ROWS = 100
NAME = "sales.db"


@contextlib.contextmanager
def database() -> Iterator[Path]:
    """A folder with the database; gone afterwards."""
    with tempfile.TemporaryDirectory(prefix="polyfaas-") as name:
        folder = Path(name).resolve()
        source, clean = folder / "sales.csv", folder / "clean.csv"
        with access.limited([folder.as_uri()]):
            generate(str(source), rows=ROWS)
            library.transform(source, clean)
            library.load(clean, f"sqlite:///{folder / NAME}")
        yield folder


def request() -> Request:
    """The query, in the database's folder."""
    body = {"database": f"sqlite:///{NAME}", "group_by": ["Region"]}
    return Request(path="/query", body=msgspec.json.encode(body))
