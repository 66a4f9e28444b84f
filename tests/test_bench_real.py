"""The main job, for real: four real runtimes and in process, on generated data, from the command."""

import csv
import json
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from adapters import PROVIDERS

COMMAND = (sys.executable, "-c", "import polyfaas; polyfaas.main()", "bench")
SERVICES = ("transform", "load", "query")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("a folder with blanks")


@pytest.fixture(scope="module")
def document(folder: Path) -> Any:
    """What `polyfaas bench --json` prints for 1,000 rows, called twice each."""
    from core.generator import generate

    generate(str(folder / "my sales.csv"), rows=1000, seed=3, duplicates=0.1)
    arguments = ("--data", "my sales.csv", "--repetitions", "2", "--json")
    finished = subprocess.run([*COMMAND, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert finished.returncode == 0, finished.stderr
    return json.loads(finished.stdout, parse_float=Decimal)


def expected_rows(providers: Sequence[str]) -> set[tuple[str, str]]:
    return {(provider, service) for provider in providers for service in SERVICES}


def test_all_four_real_runtimes_and_in_process_agree(document: Any) -> None:
    assert document["agreement"] is True
    assert document["unavailable"] == {}
    assert {(each["provider"], each["service"]) for each in document["rows"]} == expected_rows(["local", *PROVIDERS])
    assert all(each["agreement"] for each in document["rows"])


def test_no_runtime_charges_cpu_time_that_was_not_used(document: Any) -> None:
    own = ("cpu_ms", "thread_cpu_ms", "process_cpu_ms", "children_cpu_ms")
    lines = {name: each["lines"] for name, each in document["calibrations"].items()}
    found = {name: {line["word"] for line in each if line["figure"] in own} for name, each in lines.items()}
    assert found == {name: {"right"} for name in ("local", *PROVIDERS)}


def test_the_totals_are_those_of_the_file(document: Any, folder: Path) -> None:
    with (folder / "my sales.csv").open(newline="") as file:
        first = {each["Order ID"]: each for each in reversed(list(csv.DictReader(file)))}
    totals = document["totals"]
    assert totals["Number of Orders"] == len(first) == 900
    assert totals["Total Units Sold"] == sum(int(each["Units Sold"]) for each in first.values())
    assert totals["Total Revenue"] == sum(Decimal(each["Total Revenue"]) for each in first.values())


def test_every_row_has_what_was_measured(document: Any) -> None:
    for each in document["rows"]:
        assert each["cold_ms"] > each["median_ms"] > 0
        assert each["cpu_ms"] > 0
        assert each["peak_mib"] > 5
        assert each["p95_ms"] is None  # two values are too few for one


def test_results_logs_and_a_report_that_needs_no_network_are_left(document: Any, folder: Path) -> None:
    run = folder / "results" / document["run"]
    assert {path.name for path in run.iterdir()} == {"results.jsonl", "report.html", "local", *PROVIDERS}
    calls = [json.loads(line) for line in (run / "results.jsonl").read_text().splitlines()]
    phases = [(call["provider"], call["phase"]) for call in calls if "elapsed_ms" in call]
    assert phases.count(("aws", "cold")) == 3
    assert phases.count(("aws", "warm")) == 6
    page = (run / "report.html").read_text()
    assert "awslambdaric" in page
    assert not re.search(r"(src|href)=.https?:", page)
    assert [path for path in run.rglob("*") if path.name == "work"] == []


def test_a_report_can_be_made_again(document: Any, folder: Path) -> None:
    command = (*COMMAND[:-1], "report", document["run"], "--json")
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert json.loads(finished.stdout, parse_float=Decimal)["rows"] == document["rows"]


def test_ctrl_c_stops_the_runtimes_and_keeps_the_results(folder: Path, tmp_path: Path) -> None:
    arguments = ("--data", str(folder / "my sales.csv"), "--provider", "gcp", "--repetitions", "5000")
    with subprocess.Popen([*COMMAND, *arguments], cwd=tmp_path, stderr=subprocess.PIPE) as bench:
        while not any(b'"warm"' in path.read_bytes() for path in tmp_path.glob("results/*/results.jsonl")):
            assert bench.poll() is None
        bench.send_signal(signal.SIGINT)
        try:
            bench.communicate(timeout=60)
        finally:
            bench.kill()
    assert bench.returncode == 130
    (run,) = (tmp_path / "results").iterdir()
    assert (run / "report.html").exists()
    assert processes_in(run) == []


def processes_in(folder: Path) -> list[str]:
    """The processes whose working directory lies in a folder."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            if (path / "cwd").readlink().is_relative_to(folder):
                found.append(path.name)
        except OSError:
            continue
    return found
