"""What a comparison of databases says: the numbers by small known inputs, and the words."""

import itertools
from pathlib import Path

import msgspec
import pytest

from bench.tiers import stats, verdict
from bench.tiers.experiment import Tier
from bench.tiers.processors import busy_share
from bench.tiers.stats import LoadRow, Ratio, Spread, StepRow
from bench.tiers.summary import summarise
from tests.bench_tiers_lab import FakeTiers, carried_out, outcome

A, B = "sqlite:///a.db", "postgresql://me@host/shop"
SERVER = Tier(name="postgresql", url=B, served=True)
FILE = Tier(name="sqlite", url=A, served=False)


def row(clients: int, rate: float, **changes: object) -> StepRow:
    """A step in which all went well."""
    made = StepRow(
        clients=clients,
        tier="postgresql",
        per_s=Spread(rate, rate, rate, 3),
        median_ms=1.0,
        p95_ms=2.0 * clients,
        p99_ms=None,
        peak_mib=50.0,
        client_share=0.1,
        machine_busy=0.2,
        agreement=True,
        n=100,
        errors=0,
    )
    return msgspec.structs.replace(made, **changes)


def said(tier: Tier, *rows: StepRow) -> str:
    (line,) = [line for line in verdict.lines([tier], [], [], list(rows)) if line.question.startswith("clients of")]
    return line.answer


def test_a_spread_has_the_middle_and_both_ends() -> None:
    assert (stats.spread([3.0, 1.0, 2.0]), stats.spread([])) == (Spread(2.0, 1.0, 3.0, 3), None)


def test_a_ratio_is_of_medians_with_what_the_ranges_allow() -> None:
    assert stats.ratio(Spread(30.0, 20.0, 40.0, 3), Spread(10.0, 8.0, 16.0, 3)) == Ratio(3.0, 1.25, 5.0)


@pytest.mark.parametrize("low", [9.0, 10.0])
def test_no_difference_is_told_where_ranges_overlap_or_touch(low: float) -> None:
    assert stats.ratio(Spread(12.0, low, 15.0, 3), Spread(8.0, 7.0, 10.0, 3)) is None


@pytest.mark.parametrize("rounds", [1, 2, 3, 4])
def test_the_chance_that_equal_databases_lie_apart_is_that_of_all_orders(rounds: int) -> None:
    orders = list(itertools.combinations(range(2 * rounds), rounds))
    apart = [places for places in orders if places[-1] - places[0] == rounds - 1 and 0 in places]
    apart += [places for places in orders if places == tuple(range(rounds, 2 * rounds))]
    assert stats.chance(rounds) == pytest.approx(len(apart) / len(orders))


def test_what_is_busy_is_all_that_is_not_idle_and_guests_count_once() -> None:
    before = {"user": 100, "nice": 0, "system": 10, "idle": 500, "iowait": 10, "guest": 50}
    after = {"user": 160, "nice": 0, "system": 20, "idle": 520, "iowait": 20, "guest": 90}
    assert busy_share(before, after) == pytest.approx(0.7)
    assert busy_share({}, {}) is None


def test_rows_per_second_are_the_loaded_rows_by_the_duration_of_the_call(tmp_path: Path) -> None:
    summary = outcome(FakeTiers(load_ms={A: [100.0, 300.0, 150.0]}), tmp_path, A)
    assert summary.loads == [
        LoadRow(
            tier="sqlite",
            rows_per_s=Spread(20.0, 10.0, 30.0, 3),
            cpu_s=0.005,
            peak_mib=40.0,
            bytes_per_row=100.0,
            agreement=True,
            errors=0,
        )
    ]


def test_a_step_has_the_rate_of_all_clients_and_the_share_of_the_processors_that_they_used(tmp_path: Path) -> None:
    found = carried_out(FakeTiers(), tmp_path, A)
    step = next(row for row in summarise(found).steps if row.clients == 4)
    # Each of four clients made 5 queries of 10 ms, and used 5 ms of processor time for each.
    assert (step.per_s, step.n) == (Spread(400.0, 400.0, 400.0, 3), 60)
    assert step.client_share == pytest.approx(2.0 / found.header.machine.cores)


@pytest.mark.parametrize(("repetitions", "there"), [(1, (True, False)), (5, (True, True))])
def test_a_p95_needs_20_queries_and_a_p99_100(repetitions: int, there: tuple[bool, bool], tmp_path: Path) -> None:
    summary = outcome(FakeTiers(), tmp_path, A, repetitions=repetitions)
    first = summary.steps[0]
    assert (first.n, (first.p95_ms is not None, first.p99_ms is not None)) == (20 * repetitions, there)


def test_the_first_queries_are_no_part_of_the_steps(tmp_path: Path) -> None:
    found = carried_out(FakeTiers(), tmp_path, A, repetitions=1)
    assert (len(found.firsts), [step.n for step in summarise(found).steps]) == (4, [20, 20, 20])


def test_the_verdict_names_the_best_and_how_many_times_the_others_take() -> None:
    values = {"a": Spread(50.0, 40.0, 60.0, 3), "b": Spread(100.0, 90.0, 120.0, 3), "c": Spread(95.0, 85.0, 99.0, 3)}
    assert verdict.compared(values, "rows/s", more_is_better=True) == (
        "b 100 rows/s; no difference told from c; a 2.00 (1.50 to 3.00) times as slow"
    )


def test_the_verdict_on_times_takes_the_least_for_the_best() -> None:
    values = {"a": Spread(5.0, 4.0, 6.0, 3), "b": Spread(10.0, 8.0, 12.0, 3)}
    assert verdict.compared(values, "ms", more_is_better=False) == "a 5.00 ms; b 2.00 (1.33 to 3.00) times as slow"


def test_two_rounds_tell_no_difference() -> None:
    values = {"a": Spread(50.0, 40.0, 60.0, 2), "b": Spread(100.0, 90.0, 120.0, 2)}
    assert verdict.compared(values, "rows/s", more_is_better=True) == (
        "b 100 rows/s, a 50.0; no difference told: that needs 3 rounds or more, there are 2"
    )


def test_one_database_is_compared_with_none() -> None:
    assert verdict.compared({"a": Spread(5.0, 4.0, 6.0, 3)}, "ms", more_is_better=False) == "a 5.00 ms (4.00 to 6.00)"


def test_what_a_database_supports_is_said_with_the_number_of_clients_that_reaches_it() -> None:
    assert said(SERVER, row(1, 50.0), row(2, 96.0), row(4, 100.0)) == (
        "96.0 queries/s with 2, which is about the most; 100 with 4; p95 2.00 ms with 1, 8.00 with 4; none failed."
    )


def test_a_rate_that_still_grows_is_said_to() -> None:
    assert said(SERVER, row(1, 50.0), row(2, 96.0)) == (
        "96.0 queries/s with 2, the most that were tried; p95 2.00 ms with 1, 4.00 with 2; none failed."
    )


def test_queries_that_failed_are_said_with_the_number_of_clients() -> None:
    assert "30 of 130 failed with 2." in said(SERVER, row(1, 50.0), row(2, 96.0, errors=30))


def test_clients_that_used_the_processors_are_named_as_the_bottleneck() -> None:
    answer = said(SERVER, row(1, 50.0), row(2, 96.0, client_share=0.81), row(4, 99.0, client_share=0.95))
    assert answer.endswith(
        "With 2, 4 the clients used more than 80% of the processors: they were the bottleneck, and nothing is told "
        "about the server alone."
    )


def test_a_machine_without_a_free_processor_tells_nothing_about_the_server() -> None:
    answer = said(SERVER, row(1, 50.0), row(2, 96.0, machine_busy=0.99))
    assert answer.endswith(
        "With 2 no processor of this machine was free: a server on it and whatever else runs there shared them with "
        "the clients, and nothing is told about the server alone."
    )


def test_a_file_is_limited_by_the_processors_of_its_clients() -> None:
    answer = said(FILE, row(1, 50.0, tier="sqlite", client_share=0.99))
    assert answer.endswith("It works inside its clients, so these processors are its limit.")


@pytest.mark.parametrize(
    ("rounds", "words"),
    [
        (1, "with fewer than 3 rounds no difference is told"),
        (2, "with fewer than 3 rounds no difference is told"),
        (3, "by chance in 10 of 100 pairs"),
        (5, "by chance in 0.79 of 100 pairs"),
    ],
)
def test_the_caution_says_what_so_many_rounds_are_worth(rounds: int, words: str) -> None:
    assert verdict.caution(rounds, None).endswith(words)


@pytest.mark.parametrize(("busy", "told"), [(0.09, False), (0.42, True)])
def test_a_machine_that_was_busy_before_is_told_of(busy: float, told: bool, tmp_path: Path) -> None:
    caution = outcome(FakeTiers(busy=busy), tmp_path, A).caution
    assert ("Other work used 42% of the processors before the run began" in caution) is told
