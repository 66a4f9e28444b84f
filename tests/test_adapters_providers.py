"""What every provider has, and what loading it costs."""

import importlib
import subprocess
import sys
from pathlib import Path

import pytest

from adapters import PROVIDERS

HEAVY = ("duckdb", "flask", "werkzeug", "awslambdaric", "azure", "boto3", "http.client", "subprocess")
MOST_LINES = 70


def imported(module: str) -> set[str]:
    """Which of the heavy modules a fresh Python has after importing this one."""
    code = f"import sys, {module}; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return set(done.stdout.split()) & set(HEAVY)


@pytest.mark.parametrize("name", PROVIDERS)
def test_every_dotted_name_leads_somewhere(name: str) -> None:
    provider = PROVIDERS[name]
    module, _, function = provider.entrypoint.rpartition(".")
    wanted = [(module, function), (provider.runtime, "launch"), (provider.client, "wrap")]
    found = [hasattr(importlib.import_module(each), attribute) for each, attribute in wanted]
    assert (provider.name, found) == (name, [True, True, True])


@pytest.mark.parametrize("module", ["adapters", *(f"adapters.{name}.entrypoint" for name in ("aws", "gcp", "ibm"))])
def test_an_entry_point_imports_nothing_heavy(module: str) -> None:
    assert imported(module) == set()


@pytest.mark.parametrize("name", PROVIDERS)
def test_an_entry_point_is_thin(name: str) -> None:
    path = importlib.import_module(f"adapters.{name}.entrypoint").__file__
    assert path is not None
    assert len(Path(path).read_text().splitlines()) < MOST_LINES


def test_every_provider_has_the_same_files() -> None:
    wanted = {"entrypoint.py", "events.py", "runtime.py", "client.py"}
    folders = {name: Path(importlib.import_module(f"adapters.{name}").__path__[0]) for name in PROVIDERS}
    missing = {name: wanted - {path.name for path in folder.iterdir()} for name, folder in folders.items()}
    assert missing == {name: set() for name in PROVIDERS}
