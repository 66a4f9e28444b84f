"""A running endpoint keeps to the OpenAPI document that it serves, whatever it is asked."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import schemathesis
from hypothesis import settings
from schemathesis import Case
from schemathesis.checks import positive_data_acceptance

from adapters.lab import start
from adapters.lab.instance import Instance
from core.runtime import built_in, openapi
from core.services.probe import LONGEST_MS
from tests.test_adapters_contract import PIPELINE, write_sales

bounded = settings(max_examples=60, deadline=None, derandomize=True, database=None)
DOCUMENT = schemathesis.openapi.from_dict(msgspec.json.decode(openapi(built_in())))
# What a path, a column name or a file may be is more than a schema can say: such a value is refused with 400 or 422.
EXCLUDED = [positive_data_acceptance]

FILES = {"source": "sales.csv", "target": "target.csv", "rejects": "rejects.jsonl", "database": "sqlite:///sales.db"}
FILES_OF_LOAD = {**FILES, "source": "out.csv", "database": "sqlite:///loaded.db"}


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("openapi")
    with start("gcp", folder, allow=["."]) as instance:
        prepare(instance, folder / "work")
        yield instance.url


def prepare(instance: Instance, work: Path) -> None:
    """Put the files there that the requests below ask for."""
    write_sales(work)
    assert [instance.call(request).response.status for request in PIPELINE] == [200] * len(PIPELINE)


def quick(body: Any) -> Any:
    """The body, with less time in it where a probe would take what is asked for."""
    if isinstance(body, dict) and isinstance(body.get("ms"), int) and 1 < body["ms"] <= LONGEST_MS:
        return {**body, "ms": 1}
    return body


@DOCUMENT.parametrize()
@bounded
def test_every_answer_keeps_to_the_document(case: Case[Any], url: str) -> None:
    case.body = quick(case.body)
    case.call_and_validate(base_url=url, excluded_checks=EXCLUDED)


@DOCUMENT.parametrize()
@bounded
def test_every_answer_about_files_that_are_there_keeps_to_the_document(case: Case[Any], url: str) -> None:
    if isinstance(case.body, dict):
        files = FILES_OF_LOAD if case.path == "/load" else FILES
        case.body = quick(case.body) | {name: files[name] for name in files if isinstance(case.body.get(name), str)}
    case.call_and_validate(base_url=url, excluded_checks=EXCLUDED)
