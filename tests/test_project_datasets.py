"""The datasets that a project's polyfaas.toml names, and the one that its commands take."""

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

import polyfaas
from adapters import PROVIDERS
from adapters.lab import LOCAL, start
from core import RequestError, transform
from core.datasets import dataset
from core.datasets.project import Project, project
from core.message import Request

ORDERS = 'name = "orders"\nkey = "Id"\n[columns]\n"Id" = "integer"\n[derived]\n"Kind" = { constant = "order" }\n'
PROJECT = 'dataset = "shop"\n[datasets]\nshop = "data/orders.toml"\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project, and the current folder one below its own."""
    (tmp_path / "data").mkdir()
    (tmp_path / "data/orders.toml").write_text(ORDERS)
    (tmp_path / "polyfaas.toml").write_text(PROJECT)
    (tmp_path / "in.csv").write_text("Id\n1\n1\n2\n")
    (tmp_path / "below").mkdir()
    monkeypatch.chdir(tmp_path / "below")
    return tmp_path


def run(*arguments: str) -> Result:
    return CliRunner().invoke(polyfaas.command(), arguments)


def test_a_name_in_the_project_is_a_dataset(folder: Path) -> None:
    assert dataset("shop") == dataset(str(folder / "data/orders.toml"))
    transform(folder / "in.csv", folder / "out.csv", "shop")
    assert (folder / "out.csv").read_text() == "Id,Kind\n1,order\n2,order\n"


def test_commands_take_the_projects_dataset_unless_told(folder: Path) -> None:
    assert run("transform", "../in.csv", "../out.csv").exit_code == 0
    assert (folder / "out.csv").read_text() == "Id,Kind\n1,order\n2,order\n"
    told = run("transform", "../in.csv", "../out.csv", "--dataset", "sales")
    assert told.exit_code == 1
    assert "Region" in told.stderr


@pytest.mark.parametrize("provider", [LOCAL, *PROVIDERS])
def test_a_runtime_here_knows_the_projects_names(folder: Path, tmp_path: Path, provider: str) -> None:
    request = f'{{"source": "{folder}/in.csv", "target": "{folder}/out.csv", "dataset": "shop"}}'
    instance = start(provider, tmp_path / "lab", allow=[str(folder)])
    try:
        instance.call(Request(path="/transform", body=request.encode()))
    finally:
        instance.stop()
    assert (folder / "out.csv").read_text() == "Id,Kind\n1,order\n2,order\n"


def test_without_a_project_it_is_sales(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert project() == Project(dataset="sales", datasets={})


def test_a_changed_project_is_read_again(folder: Path) -> None:
    assert project().dataset == "shop"
    (folder / "polyfaas.toml").write_text("# nothing\n")
    assert project() == Project()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("data = 1", "line 1: 'data' is not known here"),
        ('\n[datasets]\nsales = "data/orders.toml"', "line 3: 'sales' is taken"),
        ('[datasets]\nshop = "orders.toml"', "line 2: there is no file 'orders.toml' beside polyfaas.toml"),
        ('dataset = "shop"', "line 1: there is no dataset 'shop': name it under [datasets] too"),
        ("dataset = 5", "line 1: 5 is not a text"),
        ("dataset =", "line 1: this is not TOML"),
    ],
)
def test_a_project_that_is_wrong_is_refused_with_its_line(folder: Path, text: str, message: str) -> None:
    (folder / "polyfaas.toml").write_text(text)
    with pytest.raises(RequestError) as caught:
        project()
    assert f"{folder}/polyfaas.toml, {message}" in caught.value.detail
    told = run("query", "x.db")
    assert (told.exit_code, message in " ".join(told.stderr.split())) == (2, True)


def test_a_project_named_by_the_environment_must_be_there(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POLYFAAS_PROJECT", str(folder / "other.toml"))
    with pytest.raises(RequestError, match="there is no such file"):
        project()
    (folder / "other.toml").write_text(PROJECT.replace("shop", "mine"))
    assert project().dataset == "mine"
