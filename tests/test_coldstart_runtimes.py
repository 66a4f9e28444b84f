"""The cold start of each real runtime, watched from its first process to its second answer."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import polyfaas
from adapters import PROVIDERS
from adapters.coldstart import sample
from adapters.coldstart.measure import Subject, measure
from adapters.coldstart.record import ColdStart
from adapters.coldstart.timeline import parts

# A module of each provider's own runtime, which only the X-ray sees.
RUNTIMES = {
    "aws": "import awslambdaric.bootstrap",
    "gcp": "import functions_framework",
    "azure": "import azure_functions_runtime",
    "ibm": "import adapters.lab.front",
}


@pytest.fixture(scope="module", params=PROVIDERS)
def cold(request: pytest.FixtureRequest) -> ColdStart:
    with sample.database() as folder:
        subject = Subject(provider=request.param, work=folder, allow=[folder.as_uri()], environment={})
        return measure(subject, sample.request(), 1)


def phases(cold: ColdStart, watched: bool) -> list[str]:
    (start,) = [start for start in cold.starts if start.watched is watched]
    return [span.name for span in start.first.spans if span.name.startswith("start/")]


def test_every_phase_of_the_start_is_told(cold: ColdStart) -> None:
    worker = ["start/worker"] if cold.provider == "gcp" else []  # gunicorn forks it
    expected = ["start/interpreter", "start/runtime", "start/function", "start/wait", *worker]
    assert phases(cold, watched=True) == expected


def test_without_the_x_ray_the_entry_point_tells_what_it_can(cold: ColdStart) -> None:
    assert phases(cold, watched=False)[:3] == ["start/interpreter and runtime", "start/function", "start/wait"]


def test_the_runtime_s_own_imports_are_seen(cold: ColdStart) -> None:
    start = cold.starts[0]
    assert [part.path[0] for part in parts(start) if part.name == RUNTIMES[cold.provider]] == ["runtime"]


def test_the_start_fits_between_spawn_and_answer_and_leaves_no_hole(cold: ColdStart) -> None:
    for start in cold.starts:
        *outermost, _ = [part for part in parts(start) if part.depth == 0]
        ends = [part.end_ms for part in outermost]
        assert [part.start_ms for part in outermost] == pytest.approx([0.0, *ends[:-1]], abs=0.01)
        assert ends[-1] == pytest.approx(start.first_answered_ms)
        assert min(part.duration_ms for part in outermost) >= 0


def test_only_the_first_call_tells_of_the_start(cold: ColdStart) -> None:
    assert [span.name for span in cold.starts[0].second.spans if span.name.startswith(("start/", "import "))] == []


def run(*arguments: str) -> Any:
    result = CliRunner().invoke(polyfaas.command(), ["coldstart", *arguments])
    assert result.exit_code == 0, result.output
    return result.stdout


def test_the_command_draws_and_writes_the_page(tmp_path: Path) -> None:
    drawn = run("ibm", "--runs", "1", "--html", str(tmp_path / "page.html"))
    assert re.search(r"^interpreter +[\d.]+ +[\d.]+ +[\d.]+ +█", drawn, re.MULTILINE)
    assert re.search(r"^cold +[\d,.]+ ms .* 1 start; drawn", drawn, re.MULTILINE)
    assert "import adapters.lab.front" in (tmp_path / "page.html").read_text()


def test_the_command_calls_what_it_is_told_to() -> None:
    request = '{"kind": "idle"}'
    told = json.loads(run("ibm", "probe", request, "--runs", "1", "--json"))
    assert told["request"] == f"/probe {request}"
    assert [span["name"] for span in told["starts"][0]["second"]["spans"]] == ["decode", "probe", "encode"]
