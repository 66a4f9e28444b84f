"""Calibration: probes are run in a runtime, and what its profiles say is held against the truth."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from rich.console import Console

from adapters.calibration import Calibration, Line, judged, measure, terminal
from adapters.calibration.command import calibrate
from adapters.calibration.figures import FIGURES
from adapters.calibration.probes import PROBES
from adapters.calibration.verdict import Word
from adapters.lab import front, start
from core.message import LOCAL, Request, Response
from core.profiler.metrics import METRICS
from core.runtime import handle
from core.services.probe import TAKES

DOCS = Path(__file__).parents[1] / "docs" / "calibration.md"
NAMES = [probe.name for probe in PROBES]
IDLE = 1


def in_process(request: Request) -> Response:
    return handle(request, LOCAL)


# A body as `handle` gives it, with values of our own.
Change = Callable[[dict[str, Any]], None]


def answering(**changes: Change) -> Callable[[Request], Response]:
    """A runtime whose profile tells the exact truth, but where a kind of probe has a change."""

    def call(request: Request) -> Response:
        kind = json.loads(request.body)["kind"]
        truth = dict.fromkeys(FIGURES, 10.0)
        metrics = {part: 10.0 / len(figure.parts) for figure in FIGURES.values() for part in figure.parts}
        metrics |= {"profiler_begin_ms": 0.05, "profiler_end_ms": 0.07}
        profile = {"instance_id": "0" * 32, "invocation": 2, "cold": False, "started_at": "", "spans": []}
        profile |= {"duration_ms": 10.0, "metrics": metrics, "unavailable": {}}
        body: dict[str, Any] = {"service": "probe", "status": 200, "result": {"truth": truth}, "profile": profile}
        body["context"] = {"platform": "local"}
        if kind in changes:
            changes[kind](body)
        return Response(status=body["status"], headers={}, body=json.dumps(body).encode())

    return call


def metric(name: str, value: float) -> Change:
    def change(body: dict[str, Any]) -> None:
        body["profile"]["metrics"][name] = value

    return change


def without(name: str, reason: str | None = None) -> Change:
    def change(body: dict[str, Any]) -> None:
        del body["profile"]["metrics"][name]
        if reason is not None:
            body["profile"]["unavailable"][name] = reason

    return change


def refused(detail: str) -> Change:
    def change(body: dict[str, Any]) -> None:
        del body["result"], body["profile"]
        body |= {"status": 404, "error": {"detail": detail}}

    return change


def found(**changes: Change) -> Calibration:
    return measure("somebody", "runtime 1.0", answering(**changes), runs=3)


def line(calibration: Calibration, probe: str, figure: str) -> Line:
    (only,) = [each for each in judged(calibration).lines if (each.probe, each.figure) == (probe, figure)]
    return only


@pytest.fixture(scope="module")
def here() -> Calibration:
    return measure("local", "in process", in_process, runs=3)


@pytest.fixture(scope="module")
def there(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Calibration]:
    """Of a real runtime, asked as a deployed function is."""
    with start("gcp", tmp_path_factory.mktemp("calibration"), allow=()) as instance:
        yield measure("gcp", instance.about, lambda request: instance.call(request).response, runs=3)


@pytest.mark.parametrize("where", ["here", "there"])
def test_the_cpu_time_of_a_calls_own_is_right_beside_every_probe(where: str, request: pytest.FixtureRequest) -> None:
    calibration: Calibration = request.getfixturevalue(where)
    own = [each for each in judged(calibration).lines if FIGURES[each.figure].is_own_cpu]
    assert {each.word for each in own} == {"right"}
    assert {each.probe for each in own} == set(NAMES) - {"hold 32 MiB", "file of 8 MiB"}


@pytest.mark.parametrize("where", ["here", "there"])
def test_every_probe_runs_every_time(where: str, request: pytest.FixtureRequest) -> None:
    calibration: Calibration = request.getfixturevalue(where)
    assert ([reading.probe for reading in calibration.readings], calibration.failed) == (NAMES * 3, {})


@pytest.mark.parametrize("where", ["here", "there"])
def test_the_profilers_own_time_is_told_of_the_idle_calls(where: str, request: pytest.FixtureRequest) -> None:
    calibration: Calibration = request.getfixturevalue(where)
    overheads = [reading.overhead_ms for reading in calibration.readings]
    assert [overhead is not None and overhead > 0 for overhead in overheads] == [name == "idle" for name in NAMES] * 3


def test_a_neighbour_is_not_charged_to_the_call(here: Calibration) -> None:
    own = line(here, "neighbour", "process_cpu_ms")
    beside = [reading.neighbour_cpu_ms for reading in here.readings if reading.neighbour_cpu_ms is not None]
    assert (own.word, min(beside) > own.truth) == ("right", True)


def test_every_kind_of_probe_is_run() -> None:
    assert {probe.parameters["kind"] for probe in PROBES} == set(TAKES)


def test_every_figure_is_one_of_the_probes_truths(here: Calibration) -> None:
    told = {name for reading in here.readings for name in reading.truth}
    asked = {name for probe in PROBES for name in probe.figures}
    # A temporary folder without a disk has no truth about one.
    assert asked - told <= {"disk_read_bytes", "disk_write_bytes"}
    assert asked <= FIGURES.keys()


def test_every_part_of_a_figure_is_a_metric() -> None:
    parts = {part for figure in FIGURES.values() for part in figure.parts}
    assert parts - {metric.name for metric in METRICS} == set()


def test_a_round_before_the_first_is_not_kept() -> None:
    calls: list[Request] = []

    def call(request: Request) -> Response:
        calls.append(request)
        return answering()(request)

    assert (len(measure("a", "b", call, 2).readings), len(calls)) == (2 * len(PROBES), 3 * len(PROBES))


@pytest.mark.parametrize(
    ("value", "word"),
    [(10.0, "right"), (11.1, "right"), (8.9, "right"), (11.3, "off"), (8.7, "off")],
)
def test_a_figure_is_right_within_its_tolerance(value: float, word: Word) -> None:
    assert line(found(burn=metric("cpu_ms", value)), "burn 50 ms", "cpu_ms").word == word


@pytest.mark.parametrize(("value", "word"), [(200.0, "neighbour's"), (15.0, "right"), (-15.0, "off")])
def test_what_a_wide_figure_says_too_much_is_the_neighbours(value: float, word: Word) -> None:
    assert line(found(burn=metric("cgroup_cpu_ms", value)), "burn 50 ms", "cgroup_cpu_ms").word == word


def test_the_error_is_the_median_of_the_runs_beside_the_worst() -> None:
    values = iter([99.0, 10.5, 11.0, 6.0])  # the first is warming up

    def change(body: dict[str, Any]) -> None:
        body["profile"]["metrics"]["cpu_ms"] = next(values)

    of_child = line(found(child=change), "child 50 ms", "cpu_ms")
    assert (of_child.error, of_child.worst, of_child.measured) == (0.5, -4.0, 10.5)


def test_user_and_system_time_are_one_figure() -> None:
    of_child = line(found(child=metric("children_cpu_user_ms", 7.0)), "child 50 ms", "children_cpu_ms")
    assert (of_child.measured, of_child.error) == (12.0, 2.0)


@pytest.mark.parametrize("reason", ["no such file", None])
def test_a_figure_that_is_not_measured_is_absent_with_the_profiles_reason(reason: str | None) -> None:
    calibration = found(burn=without("cgroup_cpu_ms", reason))
    told = line(calibration, "burn 50 ms", "cgroup_cpu_ms")
    expected = reason or "the profile does not say it, nor why"
    assert (told.word, told.measured, told.error, told.reason) == ("absent", None, None, expected)
    assert calibration.absent == {"cgroup_cpu_ms": expected}


def test_half_of_a_figure_is_none() -> None:
    assert line(found(burn=without("process_cpu_system_ms")), "burn 50 ms", "process_cpu_ms").word == "absent"


def test_a_probe_that_a_runtime_cannot_run_leaves_the_others() -> None:
    calibration = found(child=refused("no process can be started"))
    assert calibration.failed == {"child 50 ms": "no process can be started"}
    assert {each.probe for each in judged(calibration).lines} == set(NAMES) - {"child 50 ms"}


def test_an_answer_that_is_none_is_told() -> None:
    calibration = measure("a", "b", lambda _: Response(status=200, headers={}, body=b"<html>"), 1)
    assert set(calibration.failed) == set(NAMES)
    assert judged(calibration).sentence.startswith("no probe gave an answer: the answer is not as agreed")


def test_the_sentence_says_how_right_the_cpu_time_is_and_what_the_profiler_takes() -> None:
    changes = {"child": metric("cpu_ms", 10.25), "neighbour": metric("vm_cpu_user_ms", 103.0)}
    assert judged(found(**changes)).sentence == (
        "CPU time right within 0.25 ms; VM +100 ms by a neighbour; profiler 120 µs"
    )


def test_the_sentence_says_what_cpu_time_is_off() -> None:
    assert judged(found(child=metric("cpu_ms", 40.0))).sentence.startswith(
        "CPU time is OFF: cpu_ms by +30.0 ms beside 'child 50 ms'"
    )


def test_a_calibration_is_read_back_as_it_was_written(here: Calibration) -> None:
    assert msgspec.json.decode(msgspec.json.encode(here), type=Calibration) == here


def shown(calibration: Calibration) -> str:
    out = StringIO()
    terminal.show(calibration, judged(calibration), Console(file=out, width=100))
    return out.getvalue()


def test_the_table_fits_100_columns_and_cuts_nothing_short(here: Calibration) -> None:
    text = shown(here)
    assert ([row for row in text.splitlines() if len(row) > 100], "\u2026" in text) == ([], False)


def test_the_table_of_a_large_machine_fits_too() -> None:
    off = {kind: metric("vm_cpu_user_ms", 44_800.0) for kind in ("burn", "neighbour")}
    text = shown(found(**off, hold=metric("page_faults_minor", 8_000_000.0)))
    assert ("+44,797" in text, "neighbour's" in text, "\u2026" in text) == (True, True, False)


@pytest.mark.parametrize("width", [60, 80, 90])
def test_no_cell_is_cut_short_on_a_narrow_terminal(here: Calibration, width: int) -> None:
    out = StringIO()
    terminal.show(here, judged(here), Console(file=out, width=width))
    assert ("children_cpu_ms" in out.getvalue(), "\u2026" in out.getvalue()) == (True, False)


def test_the_screen_says_what_is_absent_and_what_did_not_run() -> None:
    text = shown(found(burn=without("cgroup_cpu_ms", "no cgroup here"), child=refused("no processes here")))
    assert "absent    cgroup_cpu_ms: no cgroup here" in text
    assert "not run   child 50 ms: no processes here" in text


def test_the_screen_tells_the_profilers_own_time() -> None:
    assert "profiler  120 µs a call, 120 at most (of the calls that do nothing)" in shown(found())


@contextmanager
def served(call: Callable[[Request], Response]) -> Iterator[str]:
    """The URL of a function that answers so."""
    with front.server(0, call) as server, ThreadPoolExecutor(1) as pool:
        serving = pool.submit(server.serve_forever)
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.result()


def test_an_endpoint_is_calibrated_by_its_url() -> None:
    with served(in_process) as url:
        result = CliRunner().invoke(calibrate, ["--endpoint", url, "--runs", "1"])
    assert (result.exit_code, url in result.stdout, result.stdout.count("neighbour") > 0) == (0, True, True)


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({}, 0),
        ({"burn": metric("process_cpu_user_ms", 90.0)}, 1),
        ({"burn": metric("vm_cpu_user_ms", 900.0)}, 0),
        ({"hold": metric("peak_rss_mib", 900.0)}, 0),
        ({"burn": without("cgroup_cpu_ms")}, 0),
        ({"child": refused("no processes here")}, 1),
    ],
    ids=["right", "CPU time", "the machine's", "memory", "absent", "a probe that failed"],
)
def test_the_exit_code_is_1_when_cpu_time_is_missed(changes: dict[str, Change], code: int) -> None:
    with served(answering(**changes)) as url:
        assert CliRunner().invoke(calibrate, ["--endpoint", url, "--runs", "1"]).exit_code == code


def test_a_stand_in_is_named() -> None:
    result = CliRunner().invoke(calibrate, ["ibm", "--runs", "1"])
    assert (result.exit_code, "stand-in  " in result.stdout) == (0, True)


def test_json_has_the_raw_values_and_what_they_say() -> None:
    with served(answering()) as url:
        result = CliRunner().invoke(calibrate, ["--endpoint", url, "--runs", "2", "--json"])
    (document,) = json.loads(result.stdout)
    assert (document["provider"], len(document["readings"])) == (url, 2 * len(PROBES))
    assert document["readings"][IDLE]["measured"]["cpu_ms"] == 10.0
    assert {each["word"] for each in document["lines"]} == {"right"}
    assert document["overhead_us"] == pytest.approx(120)


def test_an_endpoint_and_a_provider_exclude_each_other() -> None:
    result = CliRunner().invoke(calibrate, ["aws", "--endpoint", "http://127.0.0.1:1"])
    assert (result.exit_code, "exclude each other" in result.stderr) == (2, True)


def test_an_endpoint_that_is_not_there_is_told() -> None:
    result = CliRunner().invoke(calibrate, ["--endpoint", "http://127.0.0.1:1"])
    assert (result.exit_code, "could not be reached" in result.stderr) == (1, True)


def test_help_has_an_example() -> None:
    assert "Example: polyfaas calibrate" in CliRunner().invoke(calibrate, ["--help"]).stdout


@pytest.mark.parametrize("name", FIGURES)
def test_the_document_has_every_tolerance_with_its_reason(name: str) -> None:
    figure = FIGURES[name]
    share = f" + {figure.share:.0%}" if figure.share else ""
    parts = " + ".join(f"`{part}`" for part in figure.parts) if figure.parts != (name,) else "itself"
    within = f"{figure.within:,g} {figure.unit}".removesuffix(" 1")
    row = f"| `{name}` | {parts or '`Profile.duration_ms`'} | {within}{share} | {figure.why} |"
    assert row in DOCS.read_text()
