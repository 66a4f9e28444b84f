"""Every run of the bench begins with a calibration of its runtimes, and its report carries it."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from adapters.base import Reply, RuntimeUnavailableError
from bench import calibration, report, terminal
from bench.outcome import told
from bench.results import Run, read
from bench.runner import Tools, run
from bench.session import CALIBRATION_RUNS
from bench.summary import summarise
from core.message import Request
from tests.bench_lab import FakeInstance, FakeLab, Silent, experiment, tools, write_rows


def carried_out(lab: FakeLab, folder: Path, *providers: str) -> Run:
    run(experiment(*providers), folder / "run", tools(lab))
    return read(folder / "run")


def lines(folder: Path) -> list[str]:
    return (folder / "run" / "results.jsonl").read_text().splitlines()


def test_every_runtime_is_calibrated_before_the_first_call(tmp_path: Path) -> None:
    carried_out(FakeLab(), tmp_path, "ibm", "aws")
    kinds = [(json.loads(line)["kind"], json.loads(line).get("provider")) for line in lines(tmp_path)]
    calibrated = [("calibration", provider) for provider in ("local", "ibm", "aws")]
    assert (kinds[1:4], [kind for kind in kinds[4:] if kind[0] == "calibration"]) == (calibrated, [])


def test_a_calibration_is_read_back_with_its_raw_values(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), tmp_path, "aws").calibrations
    assert list(found) == ["local", "aws"]
    idle = [reading for reading in found["aws"].readings if reading.probe == "idle"]
    assert [(each.truth["cpu_ms"], each.measured["cpu_ms"]) for each in idle] == [(6.25, 6.5)] * CALIBRATION_RUNS


def test_the_instance_that_was_calibrated_is_stopped_before_the_next_starts(tmp_path: Path) -> None:
    alive: list[list[str]] = []

    class Watched(FakeLab):
        def start(self, provider: str, *rest: object) -> FakeInstance:
            alive.append(list(self.alive))
            return super().start(provider, *rest)  # type: ignore[arg-type]  # the rest is its own

    carried_out(Watched(), tmp_path, "aws", "gcp")
    assert alive[:4] == [[]] * 4


def test_a_runtime_without_the_probe_is_measured_all_the_same(tmp_path: Path) -> None:
    found = carried_out(FakeLab(answers={("aws", "/probe"): b"oops"}), tmp_path, "aws")
    assert summarise(found).agreement is True
    assert summarise(found).calibrations["aws"].sentence.startswith("no probe gave an answer: the answer is not as")


@pytest.mark.parametrize("error", [ConnectionResetError("reset"), RuntimeUnavailableError("it broke off")])
def test_a_runtime_that_breaks_in_a_probe_is_measured_all_the_same(error: Exception, tmp_path: Path) -> None:
    class Breaking(FakeInstance):
        def call(self, request: Request) -> Reply:
            if self.provider == "aws" and request.path == "/probe":
                raise error
            return super().call(request)

    lab = FakeLab()

    def start(provider: str, folder: Path, source: Path) -> FakeInstance:
        lab.start(provider, folder, source)
        return Breaking(lab, provider, folder / "work")

    run(experiment("aws"), tmp_path / "run", Tools(start, write_rows, Silent()))
    found = summarise(read(tmp_path / "run"))
    assert (found.agreement, found.unavailable, lab.alive) == (True, {}, [])
    assert found.calibrations["aws"].sentence == f"no probe gave an answer: no answer: {error}"


def test_a_provider_that_cannot_start_is_asked_to_once(tmp_path: Path) -> None:
    asked: list[str] = []

    class Counting(FakeLab):
        def start(self, provider: str, *rest: object) -> FakeInstance:
            asked.append(provider)
            return super().start(provider, *rest)  # type: ignore[arg-type]  # the rest is its own

    found = carried_out(Counting(missing=("aws",)), tmp_path, "aws")
    assert (asked.count("aws"), list(found.calibrations), list(found.stopped)) == (1, ["local"], ["aws"])


def test_a_file_of_before_calibrations_is_still_read_and_reported(tmp_path: Path) -> None:
    now = carried_out(FakeLab(), tmp_path, "aws")
    kept = [line for line in lines(tmp_path) if json.loads(line)["kind"] != "calibration"]
    kept[0] = kept[0].replace('"schema":2', '"schema":1', 1)
    (tmp_path / "run" / "results.jsonl").write_text("\n".join(kept) + "\n")
    old = read(tmp_path / "run")
    assert (old.header.schema, old.calibrations, old.calls) == (1, {}, now.calls)
    assert told(tmp_path / "run", as_json=True) is True
    assert "How right the profiles are" not in (tmp_path / "run" / "report.html").read_text()


def test_the_screen_has_a_line_for_each_runtime(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), tmp_path, "aws")
    out = StringIO()
    terminal.show(summarise(found), tmp_path / "run", Console(file=out, width=100))
    probes = [line.split() for line in out.getvalue().splitlines() if line.startswith("probes")]
    assert probes == [
        f"probes {name}: CPU time right within 0.25 ms; profiler 100 µs".split() for name in ("in process", "aws")
    ]


def test_the_page_tells_each_runtimes_error(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), tmp_path, "aws")
    page = report.write(found, summarise(found), tmp_path / "run").read_text()
    assert "<dt>aws</dt><dd>CPU time right within 0.25 ms; profiler 100 µs</dd>" in page
    cells = '<td class="service">idle</td>\n<td class="">cpu_ms</td>\n<td class="">call</td>'
    assert f'{cells}\n<td class="n">6.25</td>\n<td class="n">+0.25</td>\n<td class="n">+0.25</td>' in page


def test_cpu_time_that_is_off_is_marked_and_no_disagreement(tmp_path: Path) -> None:
    lab = FakeLab(answers={("aws", "/probe"): b'{"truth":{"cpu_ms":60.0}}'})
    summary = summarise(carried_out(lab, tmp_path, "aws"))
    rows = calibration.rows(summary.calibrations)
    of_aws = calibration.columns(summary.calibrations)[-1]
    assert {(of_aws.text(row), row.agreement) for row in rows if row.figure == "cpu_ms"} == {("-53.50 off", False)}
    assert (summary.calibrations["aws"].sentence[:18], summary.well) == ("CPU time is OFF: c", True)
