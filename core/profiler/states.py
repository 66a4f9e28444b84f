"""How cold each call was, as an observer of several calls can tell from their profiles.

The four states are those of Lloyd et al., "Serverless Computing: An Investigation of Factors Influencing
Microservice Performance", IC2E 2018: provider cold, VM cold, container cold, warm. A VM is known by the boot id of
its kernel, a container by the instance id, a first call by its number. What none of them tells is left out, with
the reason: a guess would be counted as a finding.
"""

from collections.abc import Iterable
from typing import Literal

import msgspec

from core.profiler.record import Profile

NO_BOOT_ID = "there is no boot id here, as on gVisor: which VM this is cannot be told"
EARLIER = "the VM of an earlier call could not be told: this may be the same"
RESTORED = "restored from a snapshot, whose boot id every VM made from it has: which VM this is cannot be told"


class State(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How cold one call was.

    Attributes:
        state: One of the four; absent when it cannot be told.
        cold: Whether it was the first call of its instance, which can always be told.
        reason: Why the state is absent.
        clone: It is from an instance that exists more than once: see `clones`.
    """

    state: Literal["provider cold", "VM cold", "container cold", "warm"] | None
    cold: bool
    reason: str | None = None
    clone: bool = False


def states(profiles: Iterable[Profile]) -> list[State]:
    """The state of each call.

    A call is warm when it is not its instance's first, whoever made that one. A first call is container cold when
    its VM was seen before, VM cold when it was not, and provider cold when no VM was: the first call after a
    deployment, provided that the observer saw all calls since. Instances that began at once, in the order in which
    their answers came, are one provider cold and else VM cold.

    Args:
        profiles: Of the calls of one function, in the order in which the observer saw them.
    """
    seen = list(profiles)
    cloned = clones(seen)
    machines: set[str | None] = set()
    found = []
    for profile in seen:
        found.append(_state(profile, machines, clone=profile.instance_id in cloned))
        machines.add(None if profile.restored else profile.boot_id)
    return found


def clones(profiles: Iterable[Profile]) -> set[str]:
    """Ids of the instances that exist more than once: copies of one snapshot that all go by its id.

    An instance does when two boots of a kernel have it, or when it answered two calls of the same number. The same
    profile seen twice, to its last figure, is one call. Copies that share a boot and were never seen at the same
    number are not noticed: an instance that notices its restore takes a new id, see `core.profiler.restore`.
    """
    boots: dict[str, str] = {}
    calls: dict[tuple[str, int], Profile] = {}
    found = set()
    for profile in profiles:
        boot_id = profile.boot_id
        moved = boot_id is not None and boots.setdefault(profile.instance_id, boot_id) != boot_id
        first = calls.setdefault((profile.instance_id, profile.invocation), profile)
        if moved or first != profile:
            found.add(profile.instance_id)
    return found


def _state(profile: Profile, machines: set[str | None], *, clone: bool) -> State:
    if profile.invocation > 1:
        return State(state="warm", cold=False, clone=clone)
    reason = _reason(profile, machines)
    if reason is not None:
        return State(state=None, cold=True, reason=reason, clone=clone)
    if profile.boot_id in machines:
        return State(state="container cold", cold=True, clone=clone)
    return State(state="VM cold" if machines else "provider cold", cold=True, clone=clone)


def _reason(profile: Profile, machines: set[str | None]) -> str | None:
    if profile.restored:
        return RESTORED
    if profile.boot_id is None:
        return NO_BOOT_ID
    return EARLIER if None in machines and profile.boot_id not in machines else None
