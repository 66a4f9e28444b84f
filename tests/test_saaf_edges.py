"""What the Inspector does at the edges: functions that fail early, keys that nobody measured, VMs without a name."""

from pathlib import Path

import pytest

from core.profiler import Call, machine, spelling
from core.profiler.saaf import KEYS, Inspector, answer

DOCUMENT = Path(__file__).parents[1] / "docs" / "saaf.md"


def test_an_error_before_there_is_an_inspector_is_the_platforms() -> None:
    with pytest.raises(ZeroDivisionError):
        answer(lambda: 1 / 0)


def test_a_function_that_is_given_up_is_not_under_way_for_ever() -> None:
    def fail() -> None:
        Inspector().inspectAll()
        raise KeyError

    with pytest.raises(KeyError):
        fail()
    Inspector().finish()  # counts it out
    with Call() as call:
        pass
    assert {"cpu_shared", "thread_shared"} & call.profile.metrics.keys() == set()


def test_a_key_that_was_not_measured_is_the_functions_as_under_saaf() -> None:
    inspector = Inspector()
    inspector.addAttribute("platform", "mine")
    assert inspector.finish()["platform"] == "mine"


@pytest.mark.parametrize(
    ("cgroup", "hypervisor", "boot_id", "told"),
    [
        ("2:cpu:/sandbox-root-Y3K2zF/sandbox-d9a1\n", "", "boot", "Y3K2zF"),
        ("2:cpu:/sandbox-d9a1/x\n", "", "boot", "boot"),
        ("0::/\n", "ec2a-uuid\n", "boot", "ec2a-uuid"),
        ("", "", None, None),
    ],
)
def test_the_vm_is_told_where_it_can_be_known(
    cgroup: str, hypervisor: str, boot_id: str | None, told: str | None
) -> None:
    assert machine.vm_id(cgroup, hypervisor, boot_id) == told


def test_every_key_is_in_the_document() -> None:
    text = DOCUMENT.read_text()
    groups = ("thread_cpu_", "process_cpu_", "children_cpu_", "page_faults_", "context_switches_")
    assert [f"`{group}...`" for group in groups if f"`{group}...`" not in text] == []
    named = {key for key in KEYS | {*spelling.LABELS} if not key.startswith(groups)}
    deltas = {f"{state}Delta" for state in (*spelling.STATES.values(), *spelling.TICKS.values())}
    assert sorted(key for key in named - deltas if f"`{key}`" not in text) == []


def test_what_the_platform_does_not_tell_is_none_as_under_saaf() -> None:
    inspector = Inspector()
    inspector.inspectPlatform()
    assert [inspector.getAttribute(key) for key in ("functionName", "functionRegion")] == [None, None]
    with pytest.raises(KeyError):
        inspector.getAttribute("nothing of the kind")
