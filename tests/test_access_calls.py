"""Who says what calls may touch: the operator, by POLYFAAS_ALLOW, --allow or polyfaas.toml."""

import json
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner

import polyfaas
from adapters import PROVIDERS
from adapters.lab import LOCAL as WITHOUT_PROVIDER
from adapters.lab import start
from core import AccessError, access
from core.datasets import dataset
from core.message import Request
from tests.conftest import row

DATASET = 'name = "orders"\nkey = "Id"\n[columns]\n"Id" = "integer"\n'


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("POLYFAAS_ALLOW", raising=False)


def call(source: object, target: object) -> Request:
    return Request(path="/transform", body=msgspec.json.encode({"source": str(source), "target": str(target)}))


def test_a_dataset_of_the_project_is_its_operators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "orders.toml").write_text(DATASET)
    (project / "polyfaas.toml").write_text('[datasets]\nshop = "../orders.toml"\n')
    monkeypatch.chdir(project)
    with access.limited([]):
        assert dataset("shop").name == "orders"
        assert dataset("sales").name == "sales"
    with access.limited([]), pytest.raises(AccessError):
        dataset("../orders.toml")
    with access.limited([str(tmp_path)]):
        assert dataset("../orders.toml").name == "orders"


def test_a_project_that_callers_may_write_opens_nothing_else(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    project = tmp_path / "project"
    project.mkdir()
    (tmp_path / "orders.toml").write_text(DATASET)
    (project / "polyfaas.toml").write_text('[datasets]\nshop = "../orders.toml"\n')
    monkeypatch.chdir(project)
    with access.limited([str(project)]), pytest.raises(AccessError, match="shop lies outside"):
        dataset("shop")


def test_a_dataset_behind_a_link_is_not_allowed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "orders.toml").write_text(DATASET)
    (tmp_path / "in/link.toml").symlink_to("../orders.toml")
    with access.limited([str(tmp_path / "in")]), pytest.raises(AccessError):
        dataset(str(tmp_path / "in/link.toml"))


@pytest.mark.parametrize("provider", [WITHOUT_PROVIDER, *PROVIDERS])
def test_a_real_runtime_keeps_to_what_it_was_given(sales: Callable[..., Path], tmp_path: Path, provider: str) -> None:
    source = sales([row()])
    with start(provider, tmp_path / "lab", allow=[str(source), "."]) as instance:
        good = instance.call(call(source, "clean.csv")).response
        bad = [instance.call(call(*urls)).response for urls in (("/etc/hostname", "x.csv"), (source, f"{tmp_path}/x"))]
    assert (good.status, [each.status for each in bad]) == (200, [403, 403])


def test_a_runtime_that_was_given_nothing_touches_nothing(sales: Callable[..., Path], tmp_path: Path) -> None:
    with start("ibm", tmp_path / "lab") as instance:
        response = instance.call(call(sales([row()]), "clean.csv")).response
    assert (response.status, b"set POLYFAAS_ALLOW" in response.body) == (403, True)


def test_a_runtime_gets_what_is_said_here(
    sales: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("POLYFAAS_ALLOW", str(tmp_path))
    with start("ibm", tmp_path / "lab") as instance:
        assert instance.call(call(sales([row()]), tmp_path / "clean.csv")).response.status == 200


def asked(url: str, request: Request) -> int:
    try:
        with urllib.request.urlopen(urllib.request.Request(url + request.path, request.body)) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


@pytest.mark.parametrize(
    ("options", "expected"), [((), [200, 403]), (("--allow", "*"), [200, 200]), (("--allow", "other"), [403, 403])]
)
def test_serve_allows_its_folder_or_what_it_is_told(
    sales: Callable[..., Path], tmp_path: Path, options: tuple[str, ...], expected: list[int]
) -> None:
    sales([row()])
    (tmp_path / "work").mkdir()
    command = [sys.executable, "-c", "import polyfaas; polyfaas.main()", "serve", "ibm", *options]
    inside, outside = call("s.csv", "clean.csv"), call("s.csv", "../clean.csv")
    sales([row()], name="work/s.csv")
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path / "work") as served:
        try:
            assert served.stdout is not None
            url = served.stdout.readline().strip().rpartition(" at ")[2]
            told = served.stdout.readline()
            found = [asked(url, inside), asked(url, outside)]
        finally:
            served.terminate()
            served.wait()
    root = options[1] if options else f"file://{tmp_path}/work"
    assert (found, told.startswith(f"Calls may touch: {root} (")) == (expected, True)


def run(*arguments: object) -> tuple[int, dict[str, Any]]:
    result = CliRunner().invoke(polyfaas.command(), [str(each) for each in arguments])
    return result.exit_code, json.loads(result.stdout) if result.stdout.startswith("{") else {"said": result.output}


def test_call_allows_its_folder_or_what_it_is_told(
    loaded: Callable[..., str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.dumps({"database": loaded([row()])})
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path)
    assert run("call", "query", body, "--json")[0] == 0
    monkeypatch.chdir(tmp_path / "below")
    assert run("call", "query", body, "--json")[1]["status"] == 403
    assert run("call", "query", body, "--allow", "x", "--allow", "..", "--json")[0] == 0
    monkeypatch.setenv("POLYFAAS_ALLOW", str(tmp_path))
    assert run("call", "query", body, "--json")[0] == 0
    assert run("call", "query", body, "--endpoint", "http://127.0.0.1", "--allow", "x")[0] == 2


def test_run_works_in_a_folder_of_its_own(
    sales: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = sales([row()])
    monkeypatch.setenv("POLYFAAS_ALLOW", f"{tmp_path},s3://bucket")
    assert run("run", source, "--json")[0] == 0
    monkeypatch.setenv("POLYFAAS_ALLOW", "/nowhere")
    code, said = run("run", source, "--json")
    assert (code, "lies outside" in said["said"]) == (1, True)
