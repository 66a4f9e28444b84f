"""Rows and files that many tests start from."""

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tests import database_servers, matrix, services
from tests.reference import HEADER, written
from tests.server_sessions import server_url  # noqa: F401  (a fixture)
from tests.store_rigs import root, store_servers  # noqa: F401  (fixtures)

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
def allowed_here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The test's own folder, which calls may touch as its operator says."""
    monkeypatch.setenv("POLYFAAS_ALLOW", str(tmp_path))
    return tmp_path


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


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let a run write what the contract suites told into a document."""
    parser.addoption("--matrix", type=Path, help="Write the matrix of stores and databases into this document.")


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what the contract suites tell of each store and database."""
    matrix.record(report)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Stop the database servers that the run has started."""
    database_servers.stop()
    if session.config.option.matrix:
        matrix.write(session.config.option.matrix)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say aloud which servers the run went without: a skip alone is not read."""
    if services.missed:
        terminalreporter.section("RIGS LEFT OUT", sep="!", red=True, bold=True)
        for name, reason in sorted(services.missed.items()):
            terminalreporter.line(f"{name}: {reason}", red=True)
        terminalreporter.line(f"Their tests say nothing about this tree. The cure: {services.CURE}", red=True)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """First the tests that measure this very process, then those that draw data and ask no server.

    Later the process has threads of servers' clients: they work, which is measured, and they take random numbers,
    which hypothesis sees while it draws its own, and refuses.
    """
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.path.name.startswith(("test_probe", "test_profiler", "test_saaf")):
        return 0
    draws = hasattr(getattr(item, "function", None), "hypothesis")
    return 1 if draws and not item.path.name.startswith(("test_database", "test_store", "test_conformance")) else 2
