"""What a run says: agreement, statistics, reading back, and the totals."""

import json
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from bench import agreement, stats
from bench.results import CallRecord, Difference, Run, read
from bench.runner import run
from bench.stats import Part, Row
from bench.summary import Summary, summarise
from core.errors import DataError, NotFoundError
from tests.bench_lab import REVENUE, FakeLab, experiment, tools

OTHER_REVENUE = REVENUE.replace(b"0.30", b"0.31")


def outcome(lab: FakeLab, folder: Path, *providers: str, repetitions: int = 2) -> Summary:
    run(experiment(*providers, repetitions=repetitions), folder / "run", tools(lab))
    return summarise(read(folder / "run"))


def row(summary: Summary, provider: str, service: str) -> Row:
    return next(row for row in summary.rows if (row.provider, row.service) == (provider, service))


def finished(tmp_path: Path) -> Path:
    run(experiment("aws"), tmp_path / "run", tools(FakeLab()))
    return tmp_path / "run" / "results.jsonl"


def test_all_agree_when_results_and_files_are_the_same(tmp_path: Path) -> None:
    summary = outcome(FakeLab(), tmp_path, "aws", "gcp")
    assert (summary.agreement, summary.verdict) == (True, "3 of 3 agree: byte-identical results and files")


def test_a_differing_result_is_named_with_both_values(tmp_path: Path) -> None:
    summary = outcome(FakeLab(answers={("gcp", "/query"): OTHER_REVENUE}), tmp_path, "aws", "gcp")
    assert (summary.agreement, summary.verdict) == (False, "2 of 3 agree; not: gcp")
    first = summary.disagreements[0]
    assert (first.provider, first.service) == ("gcp", "query")
    assert first.difference == Difference('$.rows[0]["Total Revenue"]', "0.30", "0.31")


def test_only_the_row_that_differs_disagrees(tmp_path: Path) -> None:
    summary = outcome(FakeLab(answers={("gcp", "/query"): OTHER_REVENUE}), tmp_path, "aws", "gcp")
    assert [(row.provider, row.service) for row in summary.rows if not row.agreement] == [("gcp", "query")]


def test_one_differing_warm_call_is_enough_to_disagree(tmp_path: Path) -> None:
    lab = FakeLab()

    def spoil(_provider: str, _request: object) -> None:
        if len(lab.calls) == 20:
            lab.answers["aws", "/transform"] = b'{"rows_out":4}'

    lab.before_call = spoil
    assert outcome(lab, tmp_path, "aws", repetitions=9).agreement is False


def test_a_differing_file_is_named_with_both_lines(tmp_path: Path) -> None:
    lab = FakeLab(writes={"aws": "Order ID,Country\n1,Fiji\n2,Samoa\n"})
    summary = outcome(lab, tmp_path, "aws")
    first = summary.disagreements[0]
    assert (first.service, first.where) == ("transform", "transformed.csv after the cold calls")
    assert first.difference == Difference("line 3", "2,Samoa ", "2,Samoa")


def test_numbers_spelt_differently_differ() -> None:
    assert agreement.first_difference(b'{"a":1.50}', b'{"a":1.5}') == Difference("$.a", "1.50", "1.5")


def test_the_same_values_in_other_bytes_differ_at_a_byte() -> None:
    assert agreement.first_difference(b'{"a":1}', b'{"a": 1}') == Difference("byte 5", '{"a":1}', '{"a": 1}')


def test_a_missing_key_differs_from_null() -> None:
    assert agreement.first_difference(b'{"a":null}', b"{}") == Difference("$.a", "null", "nothing")


def test_a_longer_list_differs_at_its_first_surplus_element() -> None:
    assert agreement.first_difference(b"[1]", b"[1,2]") == Difference("$[1]", "nothing", "2")


def database(path: Path, *rows: tuple[int, str]) -> Path:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute('CREATE TABLE sales ("Order ID" INTEGER, Country TEXT)')
        connection.executemany("INSERT INTO sales VALUES (?, ?)", rows)
    return path


def test_databases_with_the_same_rows_have_the_same_digest(tmp_path: Path) -> None:
    one, two = database(tmp_path / "1.db", (1, "Fiji")), database(tmp_path / "2.db", (2, "Peru"), (1, "Fiji"))
    with closing(sqlite3.connect(two)) as connection, connection:
        connection.execute('DELETE FROM sales WHERE "Order ID" = 2')
    assert agreement.digest(one) == agreement.digest(two)


def test_databases_differ_at_the_first_row_that_does(tmp_path: Path) -> None:
    one = database(tmp_path / "1.db", (1, "Fiji"), (2, "Samoa "))
    two = database(tmp_path / "2.db", (1, "Fiji"), (2, "Samoa"))
    assert agreement.file_difference(one, two) == Difference("sales, row 2", "(2, 'Samoa ')", "(2, 'Samoa')")


def test_nothing_agrees_when_the_in_process_call_fails(tmp_path: Path) -> None:
    broken = {("local", path): b"oops" for path in ("/transform", "/load", "/query")}
    summary = outcome(FakeLab(answers=broken), tmp_path, "aws")
    assert summary.agreement is False
    assert summary.verdict == "The in-process call itself failed: there is nothing to agree with"


def test_without_any_provider_there_is_no_agreement(tmp_path: Path) -> None:
    summary = outcome(FakeLab(missing=("aws",)), tmp_path, "aws")
    assert summary.agreement is False
    assert summary.verdict == "No provider ran: there is nothing to compare the in-process call with"


def test_a_provider_that_did_not_start_is_unavailable_and_the_rest_may_agree(tmp_path: Path) -> None:
    summary = outcome(FakeLab(missing=("aws",)), tmp_path, "aws", "gcp")
    assert summary.agreement is True
    assert summary.unavailable == {"aws": "aws is missing: run `make install`"}


def test_totals_keep_their_digits(tmp_path: Path) -> None:
    totals = outcome(FakeLab(), tmp_path, "aws").totals
    assert {name: str(value) for name, value in totals.items()} == {"Number of Orders": "3", "Total Revenue": "0.30"}
    assert isinstance(totals["Total Revenue"], Decimal)


@pytest.mark.parametrize(("repetitions", "there"), [(19, False), (20, True)])
def test_a_p95_needs_20_warm_calls(tmp_path: Path, repetitions: int, there: bool) -> None:
    summary = outcome(FakeLab(), tmp_path, "aws", repetitions=repetitions)
    assert (row(summary, "aws", "query").p95_ms is not None) == there


def test_an_interval_needs_six_values() -> None:
    assert stats.median([1.0, 2.0, 3.0, 4.0, 5.0]) == stats.Interval(3.0, None, None)
    assert stats.median([1.0, 2.0, 3.0, 4.0, 5.0, 6.0]) == stats.Interval(3.5, 1.0, 6.0)


def test_the_median_of_nothing_is_absent() -> None:
    assert stats.median([]) == stats.Interval(None, None, None)


def test_overhead_is_what_the_client_measured_beyond_the_function_itself(tmp_path: Path) -> None:
    assert row(outcome(FakeLab(), tmp_path, "aws"), "aws", "load").overhead_ms == 1.0


def test_cpu_is_user_and_system_time_together(tmp_path: Path) -> None:
    assert row(outcome(FakeLab(), tmp_path, "aws"), "aws", "load").cpu_ms == 6.5


def test_the_peak_is_that_of_a_fresh_process(tmp_path: Path) -> None:
    assert row(outcome(FakeLab(), tmp_path, "aws", repetitions=9), "aws", "transform").peak_mib == 21.0


def test_the_totals_are_no_part_of_the_measured_calls(tmp_path: Path) -> None:
    assert row(outcome(FakeLab(), tmp_path, "aws", repetitions=7), "aws", "query").n == 7


def warm_call(tmp_path: Path) -> CallRecord:
    found: Run = read(finished(tmp_path))
    return stats.warm(found, "aws", "load")[0]


def test_the_parts_of_a_call_add_up_to_what_the_client_measured(tmp_path: Path) -> None:
    call = warm_call(tmp_path)
    assert sum(part.duration_ms for part in stats.parts(call)) == pytest.approx(call.elapsed_ms)


def test_a_span_is_counted_without_the_spans_inside_it(tmp_path: Path) -> None:
    assert stats.parts(warm_call(tmp_path))[:3] == [Part("decode", 1.0), Part("work", 4.0), Part("read", 3.0)]


def test_a_last_line_that_was_cut_counts_as_never_written(tmp_path: Path) -> None:
    file = finished(tmp_path)
    whole = read(file)
    kept = file.read_bytes().splitlines(keepends=True)
    calls = [at for at, line in enumerate(kept) if json.loads(line)["kind"] == "call"]
    file.write_bytes(b"".join(kept[: calls[-1]]) + kept[calls[-1]][:100])
    assert read(file).calls == whole.calls[:-1]
    assert read(file).complete is False


def test_a_broken_line_in_the_middle_is_named(tmp_path: Path) -> None:
    file = finished(tmp_path)
    kept = file.read_text().splitlines()
    kept[2] = kept[2][:50]
    file.write_text("\n".join(kept) + "\n")
    with pytest.raises(DataError) as raised:
        read(file)
    assert raised.value.errors[0].line == 3


def test_another_versions_file_is_refused(tmp_path: Path) -> None:
    file = finished(tmp_path)
    file.write_text(file.read_text().replace('"schema":2', '"schema":9', 1))
    with pytest.raises(DataError, match="layout version 9; this polyfaas reads versions 1 to 2"):
        read(file)


def test_an_empty_file_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "results.jsonl").touch()
    with pytest.raises(DataError, match="does not begin with a header"):
        read(tmp_path)


def test_a_run_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="there is no results file"):
        read(tmp_path / "nowhere")
