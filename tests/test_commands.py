import json
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner, Result

import polyfaas
from core.runtime import built_in, openapi
from tests.conftest import row

Sales = Callable[..., Path]
ROOT = Path(__file__).parents[1]


def run(*arguments: object) -> Result:
    return CliRunner().invoke(polyfaas.command(), [str(each) for each in arguments])


def printed(*arguments: object) -> Any:
    result = run(*arguments)
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout, parse_float=Decimal)


def commands() -> list[list[str]]:
    root = polyfaas.command()
    names = [[name] for name in root.commands]
    return [*names, ["data", "sales"]]


@pytest.mark.parametrize("command", commands(), ids=" ".join)
def test_every_command_has_help(command: list[str]) -> None:
    result = run(*command, "--help")
    assert result.exit_code == 0
    assert "Usage:" in result.stdout


@pytest.mark.parametrize("command", [each for each in commands() if each != ["data"]], ids=" ".join)
def test_every_commands_help_has_an_example(command: list[str]) -> None:
    assert f"Example: polyfaas {' '.join(command)}" in run(*command, "--help").stdout


def test_the_readme_names_every_command() -> None:
    readme = (ROOT / "README.md").read_text()
    assert [name for name in polyfaas.command().commands if f"polyfaas {name}" not in readme] == []


def test_transform_prints_its_result_record(sales: Sales, tmp_path: Path) -> None:
    found = printed("transform", sales([row(), row()]), tmp_path / "out.csv", "--json")
    assert (found["rows_in"], found["rows_out"], found["duplicates"]) == (2, 1, 1)


def test_load_prints_its_result_record(loaded: Callable[..., str], tmp_path: Path) -> None:
    loaded([row()])
    found = printed("load", tmp_path / "clean.csv", tmp_path / "other.db", "--json")
    assert found == {"rows_loaded": 1, "rows_skipped": 0, "database": f"{tmp_path}/other.db", "table": "sales"}


def test_load_can_append(loaded: Callable[..., str], tmp_path: Path) -> None:
    database = loaded([row()])
    assert printed("load", tmp_path / "clean.csv", database, "--append", "--json")["rows_skipped"] == 1


def test_query_prints_an_array_of_rows_with_exact_money(loaded: Callable[..., str]) -> None:
    database = loaded([row(Order_ID="1", Total_Revenue="0.10"), row(Order_ID="2", Total_Revenue="0.20")])
    found = printed("query", database, "--group-by", "Region", "--json")
    assert [(each["Region"], each["Total Revenue"]) for each in found] == [("Asia", Decimal("0.30"))]


@pytest.mark.parametrize(
    ("condition", "count"),
    [("Region=Asia", 2), ("Units Sold>=5", 1), ("Units Sold!=5", 1), ("Country=a=b", 1), ("Units Sold<5", 1)],
)
def test_query_filters_by_conditions(loaded: Callable[..., str], condition: str, count: int) -> None:
    database = loaded([row(Order_ID="1", Units_Sold="5"), row(Order_ID="2", Units_Sold="4", Country="a=b")])
    (found,) = printed("query", database, "--filter", condition, "--aggregate", "count:Order ID", "--json")
    assert found == {"count(Order ID)": count}


def test_query_shows_people_a_table(loaded: Callable[..., str]) -> None:
    result = run("query", loaded([row(Total_Revenue="1234567.80")]), "--group-by", "Region")
    assert "1,234,567.80" in result.stdout


def test_text_in_square_brackets_is_shown_as_it_is(loaded: Callable[..., str]) -> None:
    assert "[red]Asia" in run("query", loaded([row(Region="[red]Asia")]), "--group-by", "Region").stdout


def test_run_prints_rows_transform_load_and_profile(sales: Sales) -> None:
    found = printed("run", sales([row()]), "--json")
    assert list(found) == ["rows", "transform", "load", "profile"]
    assert found["rows"][0]["Number of Orders"] == 1
    assert [span["name"] for span in found["profile"]["spans"] if span["name"] in ("transform", "load", "query")] == [
        "transform",
        "load",
        "query",
    ]


def test_run_can_keep_the_database(sales: Sales, tmp_path: Path) -> None:
    assert run("run", sales([row()]), "--database", tmp_path / "kept.db").exit_code == 0
    assert printed("query", tmp_path / "kept.db", "--json")[0]["Number of Orders"] == 1


def test_data_writes_records(tmp_path: Path) -> None:
    result = run("data", "sales", "--rows", 10, "-o", tmp_path / "g.csv")
    assert (result.stdout, len((tmp_path / "g.csv").read_text().splitlines())) == ("", 11)


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["transform", "none.csv", "out.csv"], 1, "error: there is nothing at none.csv"),
        (["query", "none.db"], 1, "error: there is no database at none.db"),
        (["query", "postgres://x"], 2, "error: there is no database for postgres://"),
        (["query", "x.db", "--filter", "Region"], 2, "is no condition"),
        (["query", "x.db", "--aggregate", "Region"], 2, "is no aggregate"),
        (["data", "sales", "--rows", "-1", "-o", "x.csv"], 2, "error: rows is -1"),
        (["schema", "nope"], 2, "there is no service 'nope': use one of load, probe, query"),
        (["nonsense"], 2, "No such command"),
        (["call", "query", "{}", "--provider", "aws", "--endpoint", "http://127.0.0.1"], 2, "exclude each other"),
        (["call", "query", "{}", "--endpoint", "ftp://x"], 2, "is no http:// or https:// URL"),
        (["bench", "--rows", "0"], 2, "Invalid value"),
        (["report", "none"], 1, "none"),
    ],
)
def test_a_failure_is_one_line_on_stderr_and_an_exit_code(
    arguments: list[str], code: int, message: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (code, "")
    assert message in result.stderr
    assert not list(tmp_path.iterdir())


def test_call_answers_in_process(loaded: Callable[..., str], tmp_path: Path) -> None:
    parameters = json.dumps({"database": loaded([row()])})
    assert printed("call", "query", parameters, "--allow", tmp_path, "--json")["result"]["row_count"] == 1


def test_call_fails_with_the_problem_printed() -> None:
    result = run("call", "query", "{}", "--json")
    assert (result.exit_code, json.loads(result.stdout)["status"]) == (1, 400)


def test_call_reaches_a_providers_runtime_from_this_folder(
    loaded: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded([row()])
    monkeypatch.chdir(tmp_path)
    found = printed("call", "query", '{"database": "sqlite:///sales.db"}', "--provider", "ibm", "--json")
    assert (found["context"]["platform"], found["result"]["row_count"]) == ("IBM Code Engine", 1)


def test_serve_answers_over_http_until_it_is_told_to_stop(loaded: Callable[..., str], tmp_path: Path) -> None:
    loaded([row()])
    command = [sys.executable, "-c", "import polyfaas; polyfaas.main()", "serve", "gcp"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) as served:
        try:
            assert served.stdout is not None
            url = served.stdout.readline().strip().rpartition(" at ")[2]
            request = urllib.request.Request(f"{url}/query", b'{"database": "sqlite:///sales.db"}')
            with urllib.request.urlopen(request) as answer:
                found = json.load(answer)
        finally:
            served.send_signal(signal.SIGINT)
            code = served.wait()
    assert (found["result"]["row_count"], code) == (1, 0)


def test_ctrl_c_in_the_engine_is_an_abort_and_leaves_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "import polyfaas; polyfaas.main()"]
    arguments = ["data", "sales", "--rows", "40000000", "-o", "g.csv"]
    with subprocess.Popen([*command, *arguments], stderr=subprocess.PIPE, text=True, cwd=tmp_path) as generating:
        while not any(path.stat().st_size for path in tmp_path.iterdir()):
            assert generating.poll() is None
        generating.send_signal(signal.SIGINT)
        try:
            _, said = generating.communicate(timeout=60)
        finally:
            generating.kill()
    assert (generating.returncode, said.strip()) == (1, "Aborted!")
    assert not list(tmp_path.iterdir())


def test_schema_prints_the_contract_of_every_service_or_of_one() -> None:
    assert sorted(printed("schema")["properties"]) == sorted(built_in())
    assert list(printed("schema", "query")["properties"]) == ["query"]


def test_schema_prints_the_document_that_an_endpoint_serves() -> None:
    assert printed("schema", "--openapi") == json.loads(openapi(built_in()), parse_float=Decimal)


def test_doctor_finds_everything_that_make_install_brings() -> None:
    checks = printed("doctor", "--json")
    assert [check["name"] for check in checks if not check.get("found")] == []


def test_json_output_is_one_document_and_nothing_else(sales: Sales) -> None:
    command = [sys.executable, "-c", "import polyfaas; polyfaas.main()", "run", str(sales([row()])), "--json"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert (list(json.loads(finished.stdout)), finished.stderr) == (["rows", "transform", "load", "profile"], "")


def test_the_command_is_a_click_group() -> None:
    assert isinstance(polyfaas.command(), click.Group)
