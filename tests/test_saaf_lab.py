"""An unmodified SAAF function under our Inspector, in each provider's real runtime."""

import importlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest

from adapters import PROVIDERS
from adapters.base import Launch, Runtime
from adapters.connection import Connection
from adapters.lab.instance import Instance, run
from core.message import Request
from tests.test_saaf_runner import counted

ROOT = Path(__file__).parents[1]
EXAMPLE = ROOT / "examples" / "saaf"

# What to put in the place of our entry point, and where the runtime takes a call as the FaaS Runner makes it.
OURS = {
    "adapters.aws.entrypoint.handler": "lambda_function.lambda_handler",
    str(ROOT / "adapters" / "gcp" / "entrypoint.py"): str(EXAMPLE / "main.py"),
    "adapters.ibm.entrypoint:main": "examples.saaf.__main__:main",
}
PATHS = {"aws": "/2015-03-31/functions/function/invocations", "azure": "/api/hello"}
PLATFORM = {name: provider.title for name, provider in PROVIDERS.items()}


def as_saaf_lays_it_out(launch: Launch, folder: Path) -> Launch:
    """A launch with the example in the place of our entry point."""
    app = folder / "app"
    if app.exists():
        shutil.copytree(EXAMPLE, app, dirs_exist_ok=True)
    environment = {**launch.environment, "PYTHONPATH": f"{EXAMPLE}:{ROOT}"}
    argv = [OURS.get(word, word) for word in launch.argv]
    return msgspec.structs.replace(launch, argv=argv, environment=environment)


@pytest.fixture(scope="module", params=PROVIDERS)
def instance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    provider = PROVIDERS[request.param]
    folder = tmp_path_factory.mktemp(request.param)
    runtime = cast("Runtime", importlib.import_module(provider.runtime))
    with run(provider, as_saaf_lays_it_out(runtime.launch(folder), folder), folder) as started:
        yield started


@pytest.fixture(scope="module")
def answers(instance: Instance) -> list[str]:
    """The texts of two answers."""
    connection = Connection(int(instance.url.rpartition(":")[2]))
    request = Request(path=PATHS.get(instance.provider, "/"), body=b'{"name": "Bob"}')
    texts = [connection.exchange(request).response.body.decode() for _ in range(2)]
    connection.close()
    return texts


def test_the_function_answers_as_under_saaf(answers: list[str]) -> None:
    first: dict[str, Any] = msgspec.json.decode(answers[0])
    assert (first["message"], first["version"], first["lang"]) == ("Hello Bob!", 0.7, "python")


def test_the_faas_runner_counts_every_answer(answers: list[str]) -> None:
    assert [counted(text) for text in answers] == [True, True]


def test_the_platform_is_told_rightly(instance: Instance, answers: list[str]) -> None:
    assert msgspec.json.decode(answers[0])["platform"] == PLATFORM[instance.provider]


def test_the_first_call_of_the_process_is_in_a_new_container_and_the_second_is_not(answers: list[str]) -> None:
    found: list[dict[str, Any]] = [msgspec.json.decode(text) for text in answers]
    assert [(each["newcontainer"], each["invocations"]) for each in found] == [(1, 1), (0, 2)]
    assert found[0]["uuid"] == found[1]["uuid"]


def test_the_call_itself_is_told_apart_from_the_machine(answers: list[str]) -> None:
    second: dict[str, Any] = msgspec.json.decode(answers[1])
    # Each is rounded to a microsecond.
    assert 0 <= second["cpu_ms"] <= second["process_cpu_user_ms"] + second["process_cpu_system_ms"] + 0.002
    assert second["cpuUserDelta"] % 10 == 0
