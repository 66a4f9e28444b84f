"""The golden requests that need nothing prepared, and what is known of their answers beforehand."""

from adapters.conformance.goldens import bodies, calls, refusals, values, wire
from adapters.conformance.record import Golden

GOLDENS: tuple[Golden, ...] = (
    *values.GOLDENS,
    *bodies.GOLDENS,
    *refusals.GOLDENS,
    *wire.GOLDENS,
    *calls.GOLDENS,
)
