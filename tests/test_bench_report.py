"""What people and machines get to see of a run: the table, the page, the JSON document, the exit code."""

import json
import re
from collections.abc import Callable
from html.parser import HTMLParser
from io import StringIO
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from rich.console import Console

from adapters import lab as real_lab
from bench import calibration, commands, report, runner, table, terminal
from bench.results import read
from bench.runner import run
from bench.summary import summarise
from core.errors import StorageError
from tests.bench_lab import REVENUE, FakeLab, experiment, tools

Invoke = Callable[..., Result]


def reported(lab: FakeLab, folder: Path, *providers: str, repetitions: int = 2) -> str:
    run(experiment(*providers, repetitions=repetitions), folder / "run", tools(lab))
    found = read(folder / "run")
    return report.write(found, summarise(found), folder / "run").read_text()


def shown(lab: FakeLab, folder: Path, *providers: str) -> str:
    run(experiment(*providers), folder / "run", tools(lab))
    out = StringIO()
    terminal.show(summarise(read(folder / "run")), folder / "run", Console(file=out, width=100))
    return out.getvalue()


class Loads(HTMLParser):
    """Collects what a browser would fetch for a page."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "link", "iframe", "object", "embed"}:
            self.found.append(tag)
        if tag != "a":
            names = ("src", "href", "xlink:href", "srcset", "data", "poster")
            self.found += [f"{tag} {value}" for name, value in attrs if name in names and value and value[0] != "#"]


def test_the_page_loads_nothing(tmp_path: Path) -> None:
    page = reported(FakeLab(), tmp_path, "aws", "ibm", repetitions=7)
    loads = Loads()
    loads.feed(page)
    assert (loads.found, re.findall(r"@import|url\((?!#)", page)) == ([], [])


def test_the_page_holds_every_cell_of_the_table(tmp_path: Path) -> None:
    page = reported(FakeLab(), tmp_path, "aws", "ibm", repetitions=7)
    summary = summarise(read(tmp_path / "run"))
    cells = [column.text(row) for row in summary.rows for column in table.COLUMNS]
    columns, rows = calibration.columns(summary.calibrations), calibration.rows(summary.calibrations)
    cells += [column.text(row) for row in rows for column in columns]
    assert re.findall(r"<td[^>]*>(.*?)</td>", page) == cells


def test_the_page_has_a_chart_for_each_question(tmp_path: Path) -> None:
    page = reported(FakeLab(), tmp_path, "aws")
    titles = re.findall(r'<figure aria-label="(.*?)">', page)
    assert titles == ["Warm run time", "Cold against warm", "Where the time goes", "Peak memory"]
    assert page.count("<svg") == 4


def test_the_page_defines_every_column(tmp_path: Path) -> None:
    page = reported(FakeLab(), tmp_path, "aws")
    assert [column.title for column in table.COLUMNS if f"<dt>{column.title}</dt>" not in page] == []


def test_the_page_escapes_what_it_is_told(tmp_path: Path) -> None:
    assert "a fake &lt;host&gt;" in reported(FakeLab(), tmp_path, "ibm")


def test_the_page_says_what_did_not_run_and_why(tmp_path: Path) -> None:
    page = reported(FakeLab(missing=("gcp",)), tmp_path, "aws", "gcp")
    assert "<dt>gcp</dt><dd>gcp is missing: run `make install`</dd>" in page


def test_a_run_without_one_answer_still_has_a_page(tmp_path: Path) -> None:
    page = reported(FakeLab(missing=("local", "aws")), tmp_path, "aws")
    assert "The in-process call never ran" in page


def test_the_same_results_give_the_same_page(tmp_path: Path) -> None:
    first = reported(FakeLab(), tmp_path, "aws")
    found = read(tmp_path / "run")
    assert report.write(found, summarise(found), tmp_path / "run").read_text() == first


def test_the_table_fits_100_columns(tmp_path: Path) -> None:
    lines = shown(FakeLab(), tmp_path, "aws", "azure").splitlines()
    assert [line for line in lines if len(line) > 100 and not line.startswith(("report", "results"))] == []


@pytest.mark.parametrize("width", [60, 80, 90, 100])
def test_no_cell_is_cut_short_whatever_the_width(width: int, tmp_path: Path) -> None:
    run(experiment("aws", "azure", repetitions=20), tmp_path / "run", tools(FakeLab()))
    out = StringIO()
    terminal.show(summarise(read(tmp_path / "run")), tmp_path / "run", Console(file=out, width=width))
    assert ("\u2026" in out.getvalue(), "in process" in out.getvalue()) == (False, True)


def test_a_narrow_screen_says_what_it_leaves_out(tmp_path: Path) -> None:
    run(experiment("aws"), tmp_path / "run", tools(FakeLab()))
    out = StringIO()
    terminal.show(summarise(read(tmp_path / "run")), tmp_path / "run", Console(file=out, width=60))
    assert "a terminal of 100 columns shows also: p95, peak, CPU, 95 % interval" in " ".join(out.getvalue().split())


def test_the_screen_names_both_values_of_a_difference(tmp_path: Path) -> None:
    lab = FakeLab(answers={("gcp", "/query"): REVENUE.replace(b"0.30", b"0.31")})
    assert '$.rows[0]["Total Revenue"] is 0.31, in process 0.30' in shown(lab, tmp_path, "gcp")


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0.00"), (1.234, "1.23"), (9.999, "10.0"), (12.34, "12.3"), (99.97, "100"), (1234.5, "1,234")],
)
def test_numbers_are_shown_with_three_digits(value: float | None, text: str) -> None:
    assert table.number(value) == text


@pytest.fixture
def invoke(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Invoke:
    """Runs the command `bench` in an empty folder with a fake lab."""
    monkeypatch.chdir(tmp_path)
    Path("sales.csv").write_text("data\n")

    def call(lab: FakeLab, *arguments: str) -> Result:
        monkeypatch.setattr(real_lab, "start", lab.start)
        return CliRunner().invoke(commands.bench, ["--data", "sales.csv", "--repetitions", "1", *arguments])

    return call


def test_json_prints_one_document_and_nothing_else(invoke: Invoke) -> None:
    result = invoke(FakeLab(), "--json")
    document = json.loads(result.stdout)
    rows = [(row["provider"], row["service"]) for row in document["rows"]]
    providers = ("local", "aws", "gcp", "azure", "ibm")
    assert rows == [(provider, service) for service in ("transform", "load", "query") for provider in providers]
    assert (document["agreement"], document["unavailable"], result.exit_code) == (True, {}, 0)
    assert document["totals"] == {"Number of Orders": 3, "Total Revenue": 0.3}
    assert Path(document["report"]).is_file()
    assert Path(document["results"]).is_file()


def test_a_number_that_was_not_measured_is_null(invoke: Invoke) -> None:
    row = json.loads(invoke(FakeLab(), "--json").stdout)["rows"][0]
    assert (row["p95_ms"], row["median_low_ms"]) == (None, None)


def test_only_the_providers_asked_for_run(invoke: Invoke) -> None:
    lab = FakeLab()
    invoke(lab, "--provider", "ibm")
    assert {provider for provider, _ in lab.calls} == {"local", "ibm"}


def test_a_disagreement_exits_with_1(invoke: Invoke) -> None:
    assert invoke(FakeLab(answers={("gcp", "/load"): b'{"rows_loaded":4}'})).exit_code == 1


def test_a_provider_that_could_not_run_exits_with_1(invoke: Invoke) -> None:
    assert invoke(FakeLab(missing=("azure",))).exit_code == 1


def test_ctrl_c_still_reports_and_exits_with_130(invoke: Invoke) -> None:
    lab = FakeLab()

    def interrupt(_provider: str, _request: object) -> None:
        if len(lab.calls) == 9:
            raise KeyboardInterrupt

    lab.before_call = interrupt
    result = invoke(lab, "--json")
    document = json.loads(result.stdout)
    assert (result.exit_code, document["complete"], Path(document["report"]).is_file()) == (130, False, True)


def test_ctrl_c_before_the_first_call_exits_with_130_too(invoke: Invoke, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(_experiment: object, _scratch: object, _tools: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(runner, "_source", interrupted)
    result = invoke(FakeLab(), "--json")
    assert (result.exit_code, result.stdout, "interrupted" in result.stderr) == (130, "", True)


def test_ctrl_c_in_the_first_call_does_not_blame_the_call(invoke: Invoke) -> None:
    lab = FakeLab()

    def interrupt(_provider: str, _request: object) -> None:
        raise KeyboardInterrupt

    lab.before_call = interrupt
    verdict = json.loads(invoke(lab, "--json").stdout)["verdict"]
    assert verdict == "The in-process call never ran: there is nothing to agree with"


def test_a_report_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    run(experiment("aws"), tmp_path / "run", tools(FakeLab()))
    (tmp_path / "run" / "report.html").mkdir()
    found = read(tmp_path / "run")
    with pytest.raises(StorageError, match="copy the run to a folder of yours"):
        report.write(found, summarise(found), tmp_path / "run")


def test_data_and_rows_exclude_each_other(invoke: Invoke) -> None:
    assert invoke(FakeLab(), "--rows", "10").exit_code == 2


def test_data_that_is_not_there_is_a_usage_error(invoke: Invoke) -> None:
    assert invoke(FakeLab(), "--data", "nowhere.csv").exit_code == 2


def test_a_run_is_reported_again_by_its_id(invoke: Invoke) -> None:
    first = json.loads(invoke(FakeLab(), "--json").stdout)
    Path(first["report"]).unlink()
    again = CliRunner().invoke(commands.report, [first["run"], "--json"])
    assert json.loads(again.stdout) == first
    assert Path(first["report"]).is_file()


def test_a_run_is_reported_by_the_path_of_its_results(invoke: Invoke) -> None:
    first = json.loads(invoke(FakeLab(), "--json").stdout)
    again = CliRunner().invoke(commands.report, [first["results"], "--json"])
    assert json.loads(again.stdout) == first


def test_a_run_that_is_not_there_exits_with_1(tmp_path: Path) -> None:
    result = CliRunner().invoke(commands.report, ["nowhere", "--output", str(tmp_path)])
    assert (result.exit_code, "there is no results file" in result.stderr) == (1, True)


@pytest.mark.parametrize("command", [commands.bench, commands.report])
def test_help_has_an_example(command: object) -> None:
    result = CliRunner().invoke(command, ["--help"])  # type: ignore[arg-type]
    assert "Example: polyfaas" in result.stdout
