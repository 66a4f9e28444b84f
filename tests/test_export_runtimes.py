"""The lines of `log` and `emf` in each provider's own runtime: they reach its log whole."""

import json
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import PROVIDERS
from adapters.lab import LOCAL, start
from core.message import Request


def records(log: Path) -> list[dict[str, Any]]:
    """The JSON objects in a log, one a line, whatever the runtime puts before them."""
    lines = [line[line.index("{") :] for line in log.read_text(errors="replace").splitlines() if '":' in line]
    return [json.JSONDecoder().raw_decode(line)[0] for line in lines if '"polyfaas"' in line or '"severity"' in line]


@pytest.mark.parametrize("provider", [LOCAL, *PROVIDERS])
def test_a_call_leaves_both_lines_in_the_runtimes_log(provider: str, tmp_path: Path) -> None:
    request = Request(path="/probe", body=b'{"kind": "idle"}')
    with start(provider, tmp_path, environment={"POLYFAAS_EXPORT": "log,emf"}) as instance:
        answer = msgspec.json.decode(instance.call(request).response.body)
    logged, embedded = records(instance.log)
    assert (logged["profile"], logged["context"]) == (answer["profile"], answer["context"])
    assert embedded["_aws"]["CloudWatchMetrics"][0]["Namespace"] == "polyfaas"
    assert embedded["span_id"] == logged["span_id"] == answer["profile"]["trace"]["span_id"]
