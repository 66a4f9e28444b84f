"""Transform against pandas, load against the sqlite3 command: whole processes, interleaved, time and peak memory.

python benchmarks/engine.py [ROWS] [ROUNDS]
"""

import os
import platform
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from time import perf_counter_ns

import duckdb

from core.generator import generate

ROOT = Path(__file__).resolve().parents[1]
POLYFAAS_TRANSFORM = "from core import transform; transform('sales.csv', 'polyfaas.csv')"
POLYFAAS_LOAD = "from core import load; load('polyfaas.csv', 'polyfaas.db')"
PANDAS_TRANSFORM = """
import pandas as pd
frame = pd.read_csv("sales.csv").drop_duplicates("Order ID", keep="first")
days = pd.to_datetime(frame["Ship Date"], format="%m/%d/%Y") - pd.to_datetime(frame["Order Date"], format="%m/%d/%Y")
frame["Order Priority"] = frame["Order Priority"].map({"L": "Low", "M": "Medium", "H": "High", "C": "Critical"})
frame["Order Processing Time"] = days.dt.days
frame["Gross Margin"] = frame["Total Profit"] / frame["Total Revenue"]
frame.to_csv("pandas.csv", index=False)
"""


@dataclass(frozen=True, slots=True)
class Contender:
    """A command to run in the data's folder, and the file that it makes anew."""

    name: str
    argv: tuple[str, ...]
    makes: str


@dataclass(frozen=True, slots=True)
class Run:
    """One finished run of a contender."""

    seconds: float
    peak_mib: float


TRANSFORM = (
    Contender("polyfaas", (sys.executable, "-c", POLYFAAS_TRANSFORM), "polyfaas.csv"),
    Contender("pandas", (sys.executable, "-c", PANDAS_TRANSFORM), "pandas.csv"),
)
LOAD = (
    Contender("polyfaas", (sys.executable, "-c", POLYFAAS_LOAD), "polyfaas.db"),
    Contender(
        "sqlite3 .import", ("sqlite3", "import.db", "-cmd", ".mode csv", ".import polyfaas.csv sales"), "import.db"
    ),
)


def main(rows: int = 1_500_000, rounds: int = 5) -> None:
    sqlite = subprocess.run(["sqlite3", "--version"], capture_output=True, text=True, check=True).stdout.split()[0]
    print(f"{cpu()}, {os.cpu_count()} cores, Python {platform.python_version()}, duckdb {duckdb.__version__},")
    print(f"pandas {version('pandas')}, sqlite3 {sqlite}")
    print(f"{rows:,} generated rows, 1 % duplicates, n = {rounds}, interleaved")
    with tempfile.TemporaryDirectory() as folder:
        generate(f"{folder}/sales.csv", rows=rows, seed=1, duplicates=0.01)
        compare("transform", TRANSFORM, rounds, Path(folder))
        compare("load into SQLite", LOAD, rounds, Path(folder))


def compare(title: str, contenders: tuple[Contender, ...], rounds: int, folder: Path) -> None:
    """Run the contenders in turn and print their figures, the first one's ratio to each round by round."""
    found: dict[str, list[Run]] = {each.name: [] for each in contenders}
    for _ in range(rounds):
        for each in contenders:
            found[each.name].append(measured(each, folder))
    print(f"\n{title:18} {'s: median (min - max)':26} {'peak MiB: median (max)':24} polyfaas/this: median (min - max)")
    first = found[contenders[0].name]
    for name, runs in found.items():
        seconds, peaks = [run.seconds for run in runs], [run.peak_mib for run in runs]
        ratios = [ours.seconds / run.seconds for ours, run in zip(first, runs, strict=True)]
        print(f"{name:18} {spread(seconds):26} {median(peaks):.0f} ({max(peaks):.0f}){'':13} {spread(ratios)}")


def measured(contender: Contender, folder: Path) -> Run:
    """Run a contender once; its peak is the kernel's account of that process."""
    (folder / contender.makes).unlink(missing_ok=True)
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    started_ns = perf_counter_ns()
    process = subprocess.Popen(contender.argv, cwd=folder, env=environment)
    _, status, usage = os.wait4(process.pid, 0)
    seconds = (perf_counter_ns() - started_ns) / 1e9
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode or not (folder / contender.makes).exists():
        sys.exit(f"{contender.name} failed with exit code {process.returncode}")
    return Run(seconds, usage.ru_maxrss / 1024)


def spread(values: list[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} - {max(values):.2f})"


def cpu() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.partition(": ")[2] for line in lines if line.startswith("model name")), platform.machine())


if __name__ == "__main__":
    if not shutil.which("sqlite3"):
        sys.exit("the sqlite3 command is missing: apt-get install sqlite3")
    main(*map(int, sys.argv[1:]))
