"""What people and machines get to see of a comparison of databases: the screen, the page, the document, the exit."""

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.console import Console

from bench import commands, journal
from bench.tiers import outcome as told
from bench.tiers import report, table, terminal
from bench.tiers.records import read
from bench.tiers.summary import summarise
from core.errors import DataError
from tests.bench_tiers_lab import RUN, FakeTiers, carried_out, outcome

A, B = "sqlite:///a.db", "postgresql://me@host/shop"


def shown(folder: Path, width: int = 100) -> str:
    found, out = read(folder / RUN), StringIO()
    terminal.show(summarise(found), folder / RUN, Console(file=out, width=width))
    return out.getvalue()


def test_the_tables_fit_100_columns_with_every_column(tmp_path: Path) -> None:
    outcome(FakeTiers(), tmp_path, A, B)
    lines = shown(tmp_path).splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith(("report", "results"))] == []
    heads = [*(column.title for column in table.LOADS), *(column.title for column in table.STEPS)]
    assert [head for head in heads if not any(re.search(rf"\b{head}\b", line) for line in lines)] == []


@pytest.mark.parametrize("width", [60, 80, 100])
def test_no_cell_is_cut_short_whatever_the_width(width: int, tmp_path: Path) -> None:
    outcome(FakeTiers(), tmp_path, A, B)
    text = shown(tmp_path, width)
    assert ("…" in text, "postgresql" in text) == (False, True)


def test_the_screen_says_the_verdicts_and_how_far_to_trust_them(tmp_path: Path) -> None:
    outcome(FakeTiers(load_ms={B: [300.0] * 3}), tmp_path, A, B)
    text = " ".join(shown(tmp_path).split())
    assert "load: sqlite 30.0 rows/s; postgresql 3.00 (3.00 to 3.00) times as slow" in text
    assert "would lie apart by chance in 10 of 100 pairs" in text
    assert "totals orders 3, revenue 0.3" in text


def page(folder: Path) -> str:
    found = read(folder / RUN)
    return report.write(found, summarise(found), folder / RUN).read_text()


def test_the_page_has_its_charts_and_loads_nothing(tmp_path: Path) -> None:
    outcome(FakeTiers(), tmp_path, A, B)
    text = page(tmp_path)
    assert re.findall(r'aria-label="([^"]*)">\n<h2>', text) == [
        "Load: rows per second",
        "Load: room taken",
        "Query: throughput by clients",
        "Query: p95 by clients",
    ]
    assert text.count("<svg") == 4
    assert not re.search(r"<(script|link|iframe)|(src|srcset)=|@import|url\((?!#)", text)


def test_the_page_holds_every_cell_of_the_tables(tmp_path: Path) -> None:
    summary = outcome(FakeTiers(), tmp_path, A, B)
    cells = [column.text(each) for each in summary.loads for column in table.LOADS]
    cells += [column.text(each) for each in summary.questions for column in table.QUESTIONS]
    cells += [column.text(each) for each in summary.steps for column in table.STEPS]
    assert re.findall(r"<td[^>]*>(.*?)</td>", page(tmp_path)) == cells


def test_every_load_is_a_ring_of_the_chart(tmp_path: Path) -> None:
    outcome(FakeTiers(), tmp_path, A, B)
    chart = page(tmp_path).split("<svg")[1]
    assert len(re.findall(r'aria-roledescription="point"', chart)) == 6


def test_the_page_says_what_did_not_run_and_what_was_left(tmp_path: Path) -> None:
    outcome(FakeTiers(unreachable=(B,), stubborn=(A,)), tmp_path, A, B)
    text = page(tmp_path)
    assert f"<dt>postgresql</dt><dd>nobody answers at {B}: start the server</dd>" in text
    assert "Where the run's table was left" in text


def test_a_run_in_which_nothing_was_loaded_still_has_a_page(tmp_path: Path) -> None:
    outcome(FakeTiers(unreachable=(A,)), tmp_path, A)
    assert "No database was loaded: there is nothing to compare" in page(tmp_path)


def test_a_file_of_another_version_is_refused(tmp_path: Path) -> None:
    outcome(FakeTiers(), tmp_path, A)
    file = tmp_path / RUN / "results.jsonl"
    file.write_text(file.read_text().replace('"schema":1', '"schema":9', 1))
    with pytest.raises(DataError, match="layout version 9; this polyfaas reads version 1"):
        read(file)


def test_a_last_line_that_was_cut_counts_as_never_written(tmp_path: Path) -> None:
    whole = carried_out(FakeTiers(), tmp_path, A)
    file = tmp_path / RUN / "results.jsonl"
    file.write_bytes(file.read_bytes()[:-5])
    assert (whole.complete, read(file).complete, read(file).steps) == (True, False, whole.steps)


def test_the_kind_of_a_run_is_that_of_its_first_line(tmp_path: Path) -> None:
    carried_out(FakeTiers(), tmp_path, A)
    (tmp_path / "results.jsonl").write_text("oops\n")
    assert (journal.kind(tmp_path / RUN), journal.kind(tmp_path)) == ("tiers", "")


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["--database", A, "--provider", "aws"], "--provider and --database exclude each other"),
        (["--clients", "1,2"], "--clients is about databases: name them with --database"),
        (["--seconds", "1"], "--seconds is about databases"),
        (["--question", "all"], "--question is about databases"),
        (["--database", A, "--clients", "1,x"], "'1,x' is no list of numbers of clients"),
        (["--database", A, "--clients", "0"], "is no list of numbers of clients: write such as 1,2,4,8,16,32"),
        (["--database", A, "--seconds", "0"], "is not in the range"),
        (["--database", A, "--question", "why"], "'why' is not one of"),
    ],
)
def test_what_is_used_wrongly_exits_with_2(arguments: list[str], error: str) -> None:
    result = CliRunner().invoke(commands.bench, arguments)
    assert (result.exit_code, error in result.stderr) == (2, True)


def test_numbers_of_clients_are_taken_once_and_ascending() -> None:
    clients = next(each for each in commands.bench.params if each.name == "clients")
    assert clients.type.convert("4, 1,2,4", None, None) == (1, 2, 4)


def test_a_run_is_reported_again_by_its_folder(tmp_path: Path) -> None:
    carried_out(FakeTiers(), tmp_path, A, B)
    again = CliRunner().invoke(commands.report, [str(tmp_path / RUN), "--json"])
    document = json.loads(again.stdout)
    assert (again.exit_code, document["agreement"], document["databases"]) == (
        0,
        True,
        {"sqlite": A, "postgresql": "postgresql://host/shop"},
    )
    assert Path(document["report"]).is_file()


def test_what_was_told_of_a_run_says_whether_all_was_well(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    carried_out(FakeTiers(unreachable=(B,)), tmp_path, A, B)
    assert told.told(tmp_path / RUN, as_json=False) is False
    assert "not run   postgresql: nobody answers" in capsys.readouterr().out
