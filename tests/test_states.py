"""The four states of a call, and what an observer cannot tell."""

from itertools import count
from typing import Any

from core.profiler import Profile
from core.profiler.states import EARLIER, NO_BOOT_ID, RESTORED, clones, states

started = count()


def seen(instance: str, invocation: int, boot: str | None, **changes: Any) -> Profile:
    fields = {
        "instance_id": instance,
        "invocation": invocation,
        "boot_id": boot,
        "cold": invocation == 1,
        "started_at": f"2026-11-24T00:00:{next(started):02}Z",
        "duration_ms": 1.0,
        "spans": [],
        "metrics": {},
    }
    return Profile(**{**fields, **changes})


def found(*profiles: Profile) -> list[str | None]:
    return [state.state for state in states(profiles)]


def test_the_first_call_of_all_is_provider_cold_and_each_later_vm_s_first_is_vm_cold() -> None:
    assert found(seen("a", 1, "vm1"), seen("b", 1, "vm2")) == ["provider cold", "VM cold"]


def test_a_new_instance_on_a_known_vm_is_container_cold() -> None:
    assert found(seen("a", 1, "vm1"), seen("b", 1, "vm1")) == ["provider cold", "container cold"]


def test_a_later_call_is_warm_whoever_made_the_first() -> None:
    assert found(seen("a", 7, "vm1"), seen("a", 8, "vm1")) == ["warm", "warm"]


def test_a_warm_call_makes_its_vm_known() -> None:
    assert found(seen("a", 7, "vm1"), seen("b", 1, "vm1"), seen("c", 1, "vm2")) == ["warm", "container cold", "VM cold"]


def test_calls_of_one_instance_may_come_in_any_order() -> None:
    assert found(seen("a", 2, "vm1"), seen("a", 1, "vm1")) == ["warm", "container cold"]


def test_without_a_boot_id_cold_and_warm_are_told_and_nothing_is_guessed() -> None:
    first, second = states([seen("a", 1, None), seen("a", 2, None)])
    assert (first.state, first.cold, first.reason) == (None, True, NO_BOOT_ID)
    assert (second.state, second.cold, second.reason) == ("warm", False, None)


def test_after_a_call_whose_vm_is_unknown_no_vm_is_called_new() -> None:
    states_of = states([seen("a", 1, None), seen("b", 1, "vm1"), seen("c", 1, "vm1")])
    assert [(each.state, each.reason) for each in states_of[1:]] == [(None, EARLIER), ("container cold", None)]


def test_the_boot_id_of_a_restored_instance_says_nothing_of_its_vm() -> None:
    first, second = states([seen("a", 1, "snapshot", restored=True), seen("b", 1, "snapshot", restored=True)])
    assert [(each.state, each.cold, each.reason) for each in (first, second)] == [(None, True, RESTORED)] * 2


def test_an_instance_on_two_boots_is_a_clone() -> None:
    profiles = [seen("a", 3, "vm1"), seen("a", 4, "vm2"), seen("b", 1, "vm1")]
    assert clones(profiles) == {"a"}
    assert [state.clone for state in states(profiles)] == [True, True, False]


def test_two_calls_of_one_number_are_of_clones() -> None:
    assert clones([seen("a", 3, "vm1"), seen("a", 3, "vm1")]) == {"a"}


def test_one_profile_seen_twice_is_no_clone() -> None:
    profile = seen("a", 3, "vm1")
    assert clones([profile, profile]) == set()


def test_nothing_seen_is_nothing_found() -> None:
    assert states([]) == []
