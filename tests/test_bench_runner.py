"""The bench's run: its order, what is on disk when, and what a broken provider does to the others."""

import itertools
import json
import re
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from bench.experiment import Experiment, plan, steps
from bench.results import CallRecord, Run, read
from bench.runner import run, run_id
from core.errors import StorageError
from core.message import Request
from tests.bench_lab import FakeLab, experiment, tools


def carried_out(lab: FakeLab, asked: Experiment, folder: Path) -> Run:
    run(asked, folder, tools(lab))
    return read(folder)


def lines(folder: Path) -> list[str]:
    return (folder / "results.jsonl").read_text().splitlines()


def calls_of(found: Run, provider: str) -> list[CallRecord]:
    return [call for call in found.calls if call.provider == provider]


def test_the_same_seed_gives_the_same_order() -> None:
    asked = experiment("aws", "gcp", repetitions=5)
    assert plan(asked, Path("/data.csv")) == plan(asked, Path("/data.csv"))


def test_another_seed_gives_another_order() -> None:
    asked = experiment("aws", "gcp", repetitions=5)
    other = msgspec.structs.replace(asked, seed=2)
    assert plan(asked, Path("/data.csv")) != plan(other, Path("/data.csv"))


def test_every_warm_round_holds_every_service_of_every_provider_once() -> None:
    warm = [call for call in plan(experiment("aws", "gcp", repetitions=5), Path("/d.csv")) if call.phase == "warm"]
    rounds = [warm[at : at + 9] for at in range(0, len(warm), 9)]
    everything = {(who, what): 1 for who in ("local", "aws", "gcp") for what in ("transform", "load", "query")}
    assert [Counter((call.provider, call.step.name) for call in each) for each in rounds] == [everything] * 5


def test_warm_calls_of_providers_are_interleaved() -> None:
    warm = [call for call in plan(experiment("aws", "gcp", repetitions=5), Path("/d.csv")) if call.phase == "warm"]
    changes = sum(one.provider != two.provider for one, two in itertools.pairwise(warm))
    assert changes > 2


def test_each_cold_service_is_asked_of_every_provider_before_the_next_in_an_order_of_its_own() -> None:
    cold = [call for call in plan(experiment("aws", "gcp", "azure", "ibm"), Path("/d.csv")) if call.phase == "cold"]
    services = [call.step.name for call in cold]
    orders = {tuple(call.provider for call in cold[at : at + 5]) for at in (0, 5, 10)}
    assert services == ["transform"] * 5 + ["load"] * 5 + ["query"] * 5
    assert (len(orders), {frozenset(order) for order in orders}) == (3, {frozenset(orders.pop())})


def test_rows_come_in_process_first_then_as_asked_for(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), experiment("ibm", "aws"), tmp_path / "run")
    assert list(found.runtimes) == ["local", "ibm", "aws"]


def test_the_first_calls_of_a_provider_follow_the_pipeline() -> None:
    opening = [call for call in plan(experiment("aws"), Path("/d.csv")) if call.phase != "warm"]
    assert [(call.phase, call.step.name) for call in opening if call.provider == "aws"] == [
        ("cold", "transform"),
        ("cold", "load"),
        ("cold", "query"),
        ("totals", "totals"),
        ("warmup", "transform"),
        ("warmup", "load"),
    ]


def test_requests_name_the_source_absolutely_and_all_else_in_the_working_folder() -> None:
    by_name = steps(Path("/data/sales.csv"))
    assert {name: json.loads(step.body) for name, step in by_name.items()} == {
        "transform": {"source": "/data/sales.csv", "target": "transformed.csv"},
        "load": {"source": "transformed.csv", "database": "sqlite:///sales.db"},
        "query": {"database": "sqlite:///sales.db", "group_by": ["Region"]},
        "totals": {"database": "sqlite:///sales.db"},
    }


def test_each_cold_call_has_a_fresh_instance(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), experiment("aws"), tmp_path / "run")
    cold = [call for call in calls_of(found, "aws") if call.phase == "cold"]
    assert [call.profile.invocation for call in cold if call.profile] == [1, 1, 1]


def test_only_cold_calls_have_a_cold_time_and_it_is_from_the_spawn_on(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), experiment("aws"), tmp_path / "run")
    assert {call.phase for call in found.calls if call.cold_ms is not None} == {"cold"}
    assert all(call.cold_ms > 0 for call in found.calls if call.cold_ms is not None)


def test_a_record_is_on_disk_before_the_next_call(tmp_path: Path) -> None:
    lab, seen = FakeLab(), []

    def look(_provider: str, _request: Request) -> None:
        written = [line for line in lines(tmp_path / "run") if json.loads(line)["kind"] == "call"]
        seen.append(len(written) - len(lab.calls))

    lab.before_call = look
    found = carried_out(lab, experiment("aws"), tmp_path / "run")
    assert seen == [0] * len(found.calls)


def test_a_provider_that_cannot_start_leaves_the_others_running(tmp_path: Path) -> None:
    found = carried_out(FakeLab(missing=("aws",)), experiment("aws", "gcp"), tmp_path / "run")
    assert found.stopped == {"aws": "aws is missing: run `make install`"}
    assert [len(calls_of(found, who)) for who in ("local", "aws", "gcp")] == [12, 0, 12]


def test_a_provider_that_dies_midway_leaves_the_others_running(tmp_path: Path) -> None:
    lab = FakeLab()

    def die(provider: str, _request: Request) -> None:
        if provider == "aws" and lab.calls.count(("aws", "/query")) == 3:
            raise ConnectionResetError("connection reset")

    lab.before_call = die
    found = carried_out(lab, experiment("aws", "gcp", repetitions=9), tmp_path / "run")
    assert re.fullmatch(r"the warm \w+ got no answer: connection reset", found.stopped["aws"])
    assert calls_of(found, "aws")[-1].error == "connection reset"
    assert len(calls_of(found, "gcp")) == 6 + 27
    assert found.complete


def test_an_interrupted_run_keeps_its_records_and_stops_every_instance(tmp_path: Path) -> None:
    lab = FakeLab()

    def interrupt(_provider: str, _request: Request) -> None:
        if len(lab.calls) == 15:
            raise KeyboardInterrupt

    lab.before_call = interrupt
    with pytest.raises(KeyboardInterrupt):
        run(experiment("aws", "gcp"), tmp_path / "run", tools(lab))
    found = read(tmp_path / "run")
    assert (len(found.calls), found.complete, lab.alive) == (15, False, [])


def test_an_interrupt_that_was_lost_ends_the_run_before_its_next_call(tmp_path: Path) -> None:
    lab = FakeLab()

    def check() -> None:
        if len(lab.calls) == 15:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(experiment("aws"), tmp_path / "run", msgspec.structs.replace(tools(lab), check_interrupt=check))
    assert (len(read(tmp_path / "run").calls), lab.alive) == (15, [])


def test_a_finished_run_leaves_no_instance_and_no_working_folder(tmp_path: Path) -> None:
    lab = FakeLab()
    carried_out(lab, experiment("aws"), tmp_path / "run")
    assert (lab.alive, list(tmp_path.glob("*/*/work"))) == ([], [])


def test_of_a_providers_folder_only_the_logs_stay(tmp_path: Path) -> None:
    lab = FakeLab()

    def litter(provider: str, _request: Request) -> None:
        (tmp_path / "run" / provider / ".cache").mkdir(exist_ok=True)
        (tmp_path / "run" / provider / f"{provider}.log").touch()

    lab.before_call = litter
    carried_out(lab, experiment("aws"), tmp_path / "run")
    kept = sorted(str(path.relative_to(tmp_path / "run")) for path in (tmp_path / "run").glob("*/*"))
    assert kept == ["aws/aws.log", "local/local.log"]


def test_the_file_holds_the_requests_that_were_sent(tmp_path: Path) -> None:
    found = carried_out(FakeLab(), experiment("aws"), tmp_path / "run")
    sent = {name: step.body for name, step in steps(Path(found.header.source.path)).items()}
    assert {name: bytes(body) for name, body in found.header.requests.items()} == sent


def test_a_folder_that_cannot_be_made_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError, match="choose another --output"):
        run(experiment("aws"), tmp_path / "file" / "run", tools(FakeLab()))


def test_a_result_stands_in_the_file_once(tmp_path: Path) -> None:
    carried_out(FakeLab(), experiment("aws", "gcp"), tmp_path / "run")
    assert sum('"result"' in line for line in lines(tmp_path / "run")) == 3


def test_an_answer_that_is_not_as_agreed_is_recorded_with_the_reason(tmp_path: Path) -> None:
    found = carried_out(FakeLab(answers={("aws", "/load"): b"oops"}), experiment("aws"), tmp_path / "run")
    errors = {call.error for call in calls_of(found, "aws") if call.service == "load"}
    assert errors == {"the answer is not as agreed (JSON is malformed: invalid character (byte 37))"}


def test_ids_of_runs_begin_with_their_time() -> None:
    assert re.fullmatch(r"\d{8}T\d{6}Z-[0-9a-f]{4}", run_id())
