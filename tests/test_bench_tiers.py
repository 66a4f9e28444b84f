"""The comparison of databases: its order, what it leaves behind, and what a broken database does to the others."""

import itertools
from collections import Counter
from pathlib import Path

import pytest

from bench.results import Difference
from bench.tiers.agreement import describe
from bench.tiers.experiment import QUESTIONS, mix, named, plan, tiers
from bench.tiers.messages import Call, Loop
from bench.tiers.records import read
from bench.tiers.runner import run
from core.errors import DataError
from tests.bench_tiers_lab import (
    RESULTS,
    RUN,
    TABLE,
    TOTALS,
    FakeTiers,
    carried_out,
    comparison,
    gone,
    outcome,
    tools,
)

A, B, C = "sqlite:///a.db", "postgresql://me@host/shop", "duckdb:///c.duckdb"


def test_the_same_seed_gives_the_same_order() -> None:
    asked, _ = comparison(A, B, C, repetitions=5)
    other, _ = comparison(A, B, C, repetitions=5, seed=2)
    assert plan(asked) == plan(asked)
    assert plan(asked) != plan(other)


def test_every_round_of_loads_holds_every_database_once_in_an_order_of_its_own() -> None:
    asked, urls = comparison(A, B, C, repetitions=6)
    loads = [move.tier for move in plan(asked) if move.phase == "load"]
    rounds = [tuple(loads[at : at + 3]) for at in range(0, len(loads), 3)]
    assert [Counter(each) for each in rounds] == [dict.fromkeys(urls, 1)] * 6
    assert len(set(rounds)) > 1


def test_each_database_is_asked_by_more_and_more_clients_once_a_round() -> None:
    asked, urls = comparison(A, B, repetitions=2)
    steps = [(move.round, move.tier, move.clients) for move in plan(asked) if move.phase == "query"]
    ladders = [list(group) for _, group in itertools.groupby(steps, key=lambda step: step[:2])]
    assert [[clients for *_, clients in ladder] for ladder in ladders] == [[1, 2, 4]] * 4
    assert sorted(ladder[0][:2] for ladder in ladders) == sorted(itertools.product(range(2), urls))


def test_a_client_asks_each_question_as_often() -> None:
    asked = list(itertools.islice(mix("1 0 1 1", 4), 40))
    assert Counter(asked) == dict.fromkeys(range(4), 10)


def test_all_databases_are_asked_the_same_in_the_same_order(tmp_path: Path) -> None:
    lab = FakeTiers()
    carried_out(lab, tmp_path, A, B)
    orders = {url: [told.order for whom, told in lab.told if isinstance(told, Loop) and whom == url] for url in (A, B)}
    assert orders[A] == orders[B]
    assert len(set(orders[A])) == len(orders[A]) == 3 * (1 + 2 + 4)


def test_the_clients_of_a_step_ask_20_queries_together_at_least(tmp_path: Path) -> None:
    found = carried_out(FakeTiers(), tmp_path, A, clients=(1, 3, 32))
    asked = Counter[int]()
    for each in found.clients:
        asked[each.clients] += len(each.samples) * (each.round == 0)
    assert asked == {1: 20, 3: 21, 32: 32}


def test_the_clients_of_a_step_stay_for_the_next(tmp_path: Path) -> None:
    lab = FakeTiers()
    found = carried_out(lab, tmp_path, A, repetitions=1)
    assert lab.started == ["preparation", "sqlite-1", "sqlite-1", "sqlite-2", "sqlite-3", "sqlite-4"]
    assert [(first.clients, first.client) for first in found.firsts] == [(1, 1), (2, 2), (4, 3), (4, 4)]


def test_each_load_finds_no_table(tmp_path: Path) -> None:
    lab = FakeTiers()
    found = carried_out(lab, tmp_path, A, B)
    assert (len(found.loads), lab.found) == (6, [False] * 6)


def test_a_finished_run_leaves_no_table_and_no_client(tmp_path: Path) -> None:
    lab = FakeTiers()
    found = carried_out(lab, tmp_path, A, B)
    assert (lab.tables, lab.alive, found.complete) == (set(), [], True)


def test_the_table_is_the_runs_own(tmp_path: Path) -> None:
    lab = FakeTiers(tables={(A, "sales")})
    found = carried_out(lab, tmp_path, A)
    assert (found.header.table, lab.tables) == (TABLE, {(A, "sales")})


@pytest.mark.parametrize("kind", [Call, Loop])
def test_an_interrupted_run_leaves_no_table_and_no_client_and_keeps_its_records(
    kind: type[Call | Loop], tmp_path: Path
) -> None:
    lab = FakeTiers()

    def interrupt(_url: str, told: Call | Loop) -> None:
        if len(lab.told) > 8 and isinstance(told, kind):
            raise KeyboardInterrupt

    lab.before = interrupt
    asked, urls = comparison(A, B)
    with pytest.raises(KeyboardInterrupt):
        run(asked, urls, tmp_path / RUN, tools(lab))
    found = read(tmp_path / RUN)
    assert (lab.tables, lab.alive, found.complete, bool(found.loads)) == (set(), [], False, True)


def test_a_table_that_cannot_be_dropped_is_named_and_the_others_go(tmp_path: Path) -> None:
    lab = FakeTiers(stubborn=(A,))
    summary = outcome(lab, tmp_path, A, B, repetitions=1)
    assert summary.kept == {"sqlite": f"nobody answers at {A}: start the server"}
    assert (lab.tables, summary.agreement, summary.well) == ({(A, TABLE)}, True, False)


def test_a_database_that_cannot_be_reached_leaves_the_others_running(tmp_path: Path) -> None:
    summary = outcome(FakeTiers(unreachable=(B,)), tmp_path, A, B, C)
    assert summary.unavailable == {"postgresql": f"nobody answers at {B}: start the server"}
    assert {row.tier for row in summary.loads} == {row.tier for row in summary.steps} == {"sqlite", "duckdb"}
    assert (summary.well, summary.verdict) == (
        False,
        "2 of 3 databases answer as the file does, byte for byte; not: postgresql",
    )


def test_a_load_that_fails_is_named_and_its_database_left_out(tmp_path: Path) -> None:
    summary = outcome(FakeTiers(broken={B: "the disk is full"}), tmp_path, A, B)
    assert (summary.unavailable, summary.well) == ({"postgresql": "the disk is full"}, False)
    assert {row.tier: row.errors for row in summary.loads} == {"sqlite": 0, "postgresql": 1}


def test_a_database_whose_client_is_gone_leaves_the_others_running(tmp_path: Path) -> None:
    lab = FakeTiers(before=gone(B, "the client ended", 2))
    found = carried_out(lab, tmp_path, A, B)
    assert found.stopped == {"postgresql": "the client ended"}
    assert (Counter(step.tier for step in found.steps), lab.alive) == ({"sqlite": 9, "postgresql": 1}, [])


def test_a_differing_answer_is_found_and_named_with_both_values(tmp_path: Path) -> None:
    lab = FakeTiers(answers={(B, "all"): TOTALS.replace(b"0.30", b"0.31")})
    summary = outcome(lab, tmp_path, A, B)
    assert (summary.agreement, summary.verdict) == (
        False,
        "1 of 2 databases answer as the file does, byte for byte; not: postgresql",
    )
    first = summary.disagreements[0]
    assert (first.tier, first.clients, first.what) == ("postgresql", 0, "all")
    assert first.difference == Difference('$.rows[0]["Total Revenue"]', "0.30", "0.31")
    assert describe(first) == 'postgresql, load, all: $.rows[0]["Total Revenue"] is 0.31, in the file 0.30'


def test_an_answer_to_one_question_that_differs_under_load_is_found(tmp_path: Path) -> None:
    lab = FakeTiers()

    def spoil(url: str, told: Call | Loop) -> None:
        if url == B and isinstance(told, Loop) and "1 0 4 " in told.order:
            lab.answers[B, "region"] = RESULTS["region"].replace(b"region", b"other")

    lab.before = spoil
    summary = outcome(lab, tmp_path, A, B, repetitions=1)
    assert (summary.disagreements[0].clients, summary.disagreements[0].what) == (4, "region")
    assert [(row.tier, row.clients) for row in summary.steps if not row.agreement] == [("postgresql", 4)]


def test_a_load_that_took_in_too_few_rows_disagrees(tmp_path: Path) -> None:
    summary = outcome(FakeTiers(loads={A: 2}), tmp_path, A, B)
    assert summary.disagreements[0].difference == Difference("rows", "3", "2")
    assert [(row.tier, row.agreement) for row in summary.loads] == [("sqlite", False), ("postgresql", True)]


def test_queries_that_fail_are_counted_and_kept_out_of_the_rate(tmp_path: Path) -> None:
    lab = FakeTiers(refusing={B: (2, "too many connections")})
    summary = outcome(lab, tmp_path, A, B)
    row = next(row for row in summary.steps if (row.tier, row.clients) == ("postgresql", 4))
    assert (row.n, row.errors, summary.well) == (30, 30, False)
    assert row.per_s is not None
    assert row.per_s.median == 200.0  # 10 queries in 50 ms, of two of four clients
    assert ("postgresql", 4, "too many connections") in [(e.tier, e.clients, e.error) for e in summary.disagreements]


def test_an_answer_stands_in_the_file_once(tmp_path: Path) -> None:
    found = carried_out(FakeTiers(), tmp_path, A, B, C)
    assert {each.question: each.tier for each in found.answers} == dict.fromkeys(QUESTIONS, "the file")
    assert len(found.answers) == len(QUESTIONS)


def test_data_that_cannot_be_transformed_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    lab = FakeTiers(bad_data="line 7 is no record")
    with pytest.raises(DataError, match="transform of the data failed, so there is nothing to compare: line 7"):
        carried_out(lab, tmp_path, A)
    assert (lab.alive, list(tmp_path.iterdir())) == ([], [])


def test_databases_are_named_by_their_kind_and_a_number() -> None:
    urls = [A, "other.db", "x.duckdb", B, "postgresql://me@host/two", "sqlite+s3://bucket/x.db", A]
    assert list(named(urls)) == ["sqlite", "sqlite 2", "duckdb", "postgresql", "postgresql 2", "sqlite+s3"]


def test_neither_users_nor_options_of_urls_are_recorded(tmp_path: Path) -> None:
    url = "postgresql://me@host/shop?password=env:SHOP_PASSWORD"
    carried_out(FakeTiers(), tmp_path, url)
    text = (tmp_path / RUN / "results.jsonl").read_text()
    assert ("me@host" in text, "SHOP_PASSWORD" in text, "postgresql://host/shop" in text) == (False, False, True)


def test_a_database_is_served_where_its_work_is_not_the_clients() -> None:
    found = tiers(named([A, B, "mysql://h/d", "dynamodb://eu-central-1/t", "sqlite+s3://b/x.db"]))
    assert [tier.served for tier in found] == [False, True, True, True, False]
