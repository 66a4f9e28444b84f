"""The four real runtimes against golden and made-up requests: each point is theirs."""

import json

import pytest
from click.testing import CliRunner

from adapters import PROVIDERS
from adapters.conformance.command import conform


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_real_runtime_gets_full_marks(provider: str) -> None:
    result = CliRunner().invoke(conform, [provider, "--fuzz", "40", "--seed", "20261101", "--json"])
    (sheet,) = json.loads(result.stdout)
    missed = [(miss["group"], miss["name"], miss["difference"]) for miss in sheet["misses"]]
    assert (missed, sheet["fuzz"]["miss"], sheet["left_out"]) == ([], None, {})
    assert (result.exit_code, sheet["passed"], sheet["fuzz"]["asked"]) == (0, sheet["total"], 40)
