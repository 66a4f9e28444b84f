"""The memory of a function: told, read from the cgroup, and shared out."""

import pytest

from core import memory
from core.errors import PolyfaasError


def test_the_variable_decides(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "192")
    assert (memory.function_mib(), memory.engine_mib(), memory.chunk_bytes()) == (192, 96, 6 << 20)


def test_a_variable_that_is_no_number_is_explained(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(memory.VARIABLE, "1 GB")
    with pytest.raises(PolyfaasError, match="set it to a whole number of MiB"):
        memory.engine_mib()


def test_the_provider_is_asked_when_there_is_no_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(memory.VARIABLE, raising=False)
    monkeypatch.setattr(memory, "_told_mib", None)
    memory.tell(256)
    memory.tell(None)
    assert memory.function_mib() == 256


@pytest.mark.parametrize("mib", [1, 128, 10_000])
def test_the_engine_has_enough_and_no_more_than_it_can_use(monkeypatch: pytest.MonkeyPatch, mib: int) -> None:
    monkeypatch.setenv(memory.VARIABLE, str(mib))
    assert memory.SMALLEST_ENGINE_MIB <= memory.engine_mib() <= memory.LARGEST_ENGINE_MIB
    assert 0 < memory.chunk_bytes() <= memory.LARGEST_CHUNK_BYTES
