"""Promises of the project as a whole: its names, its size at import, its rules."""

import subprocess
import sys
import tomllib
from collections.abc import Callable
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.conftest import row

ROOT = Path(__file__).parents[1]
HEAVY = ("duckdb", "adbc_driver_sqlite", "sqlite3", "click", "rich", "scipy", "altair", "numpy")


@pytest.mark.parametrize("package", ["core", "adapters", "bench", "polyfaas"])
def test_no_other_distribution_owns_a_package_of_ours(package: str) -> None:
    assert set(packages_distributions().get(package, ["polyfaas"])) == {"polyfaas"}


@pytest.mark.parametrize(
    "module", ["core", "adapters.aws.entrypoint", "adapters.gcp.entrypoint", "adapters.ibm.entrypoint"]
)
def test_nothing_heavy_is_imported_before_it_is_needed(module: str) -> None:
    program = f"import sys, {module}; print(*(name for name in {HEAVY} if name in sys.modules))"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.strip() == ""


def test_an_entry_point_imports_no_providers_sdk() -> None:
    program = "import sys, adapters, adapters.commands; print('boto3' in sys.modules, 'azure' in sys.modules)"
    loaded = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True, cwd=ROOT)
    assert loaded.stdout.split() == ["False", "False"]


def test_the_library_works_without_any_extra(sales: Callable[..., Path], tmp_path: Path) -> None:
    extras = {
        "click",
        "rich",
        "functions_framework",
        "flask",
        "azure",
        "awslambdaric",
        "scipy",
        "altair",
        "numpy",
        "jinja2",
    }
    program = f"""
import sys
sys.modules.update(dict.fromkeys({extras}))  # an import of these fails now
from core import transform, load, query
transform({str(sales([row()]))!r}, "clean.csv")
load("clean.csv", "sqlite:///sales.db")
print(query("sqlite:///sales.db")[0]["Number of Orders"])
"""
    environment = {"PYTHONPATH": str(ROOT)}
    finished = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, cwd=tmp_path, env=environment, check=False
    )
    assert (finished.stdout.strip(), finished.stderr) == ("1", "")


def test_the_base_dependencies_are_few() -> None:
    base = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["dependencies"]
    assert sorted(each.partition(">")[0] for each in base) == [
        "adbc-driver-sqlite",
        "backports.zstd",
        "duckdb",
        "msgspec",
        "obstore",
    ]


@pytest.mark.parametrize("provider", ["aws", "gcp", "azure", "ibm"])
def test_an_entry_point_has_under_70_lines(provider: str) -> None:
    assert len((ROOT / "adapters" / provider / "entrypoint.py").read_text().splitlines()) < 70
