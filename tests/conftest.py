"""Rows and files that many tests start from."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests.reference import HEADER, written

ROW = [
    "Asia",
    "Japan",
    "Cereal",
    "Offline",
    "C",
    "4/10/2010",
    "161442649",
    "5/12/2010",
    "3322",
    "205.70",
    "117.11",
    "683335.40",
    "389039.42",
    "294295.98",
]


def row(**changes: str) -> list[str]:
    """A good row with some fields changed; blanks in names are underscores here."""
    named = dict(zip(HEADER, ROW, strict=True))
    return list({**named, **{name.replace("_", " "): value for name, value in changes.items()}}.values())


@pytest.fixture
def sales(tmp_path: Path) -> Callable[..., Path]:
    """Writes rows as a sales CSV and gives its path."""

    def write(rows: Sequence[Sequence[str]], name: str = "sales.csv", **options: object) -> Path:
        path = tmp_path / name
        path.write_bytes(written(rows, **options))  # type: ignore[arg-type]  # the options are written's own
        return path

    return write


@pytest.fixture
def loaded(sales: Callable[..., Path], tmp_path: Path) -> Callable[..., str]:
    """Transforms and loads rows and gives the database's URL."""
    from core import load, transform

    def run(rows: Sequence[Sequence[str]]) -> str:
        source, clean, database = sales(rows), tmp_path / "clean.csv", f"sqlite:///{tmp_path}/sales.db"
        transform(source, clean)
        load(clean, database)
        return database

    return run


@pytest.fixture
def clean(sales: Callable[..., Path], tmp_path: Path) -> Callable[..., Path]:
    """Writes rows, transforms them and gives the path of the result."""

    def write(*rows: list[str], name: str = "clean.csv") -> Path:
        from core import transform

        transform(sales(rows, name=f"raw {name}"), tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture(params=["plain", "engine"])
def either_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Runs a test twice: transform in plain Python, and by the engine."""
    from core.services import transform as service

    way: str = request.param
    monkeypatch.setattr(service, "small", lambda _, url: way == "plain" and url.endswith(".csv"))
    return way
