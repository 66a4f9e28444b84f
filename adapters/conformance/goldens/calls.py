"""What a call says of itself, and calls that come again or at the same time."""

from collections.abc import Iterator

from adapters.conformance.goldens.wire import TRACEPARENT
from adapters.conformance.record import OUTCOME, Golden
from core.message import Request

AT_ONCE = 8
AGAIN = 5
PLACE = ("status", "service", "profile", "context")
IDLE = b'{"kind":"idle"}'


def _goldens() -> Iterator[Golden]:
    idle = Request(path="/probe", body=IDLE)
    worked = ("profile", "of a call that worked", idle, (*PLACE, "shape"))
    failed = ("profile", "of a call that failed", Request(path="/query", body=b"{}"), (*PLACE, "outcome"))
    traced = Request(path="/probe", headers={"traceparent": TRACEPARENT}, body=IDLE)
    joined = ("profile", "of a call in a trace", traced, (*PLACE, "trace"))
    for group, name, request, aspects in (worked, failed, joined):
        yield Golden(name=name, group=group, requests=(request,), aspects=aspects, by_hand={"profile": FITS})
    for view in ("saaf", "saaf-ticks"):
        good = Request(path="/probe", body=f'{{"kind":"idle","profile":"{view}"}}'.encode())
        bad = Request(path="/query", body=f'{{"profile":"{view}"}}'.encode())
        for name, request, status in (("a result", good, "200"), ("an error", bad, "400")):
            yield Golden(
                name=f"{view} of {name}",
                group="saaf",
                requests=(request,),
                aspects=("status", "content-type", "flat"),
                by_hand={"status": status},
            )
    again = tuple(Request(path="/nope", body=IDLE) for _ in range(AGAIN))
    yield Golden(name="the same again", group="calls", requests=again, aspects=(*OUTCOME, "trace"))
    yield Golden(name="several at once", group="calls", requests=_several(), aspects=(*OUTCOME, "trace"), at_once=True)


def _several() -> tuple[Request, ...]:
    """Requests that no other's answer fits."""
    return tuple(
        Request(
            path=f"/call {number}",
            headers={"traceparent": f"00-{number + 1:032x}-{number + 1:016x}-01"},
            body=f'{{"profile":"call {number} {"of several" * 100}"}}'.encode(),
        )
        for number in range(AT_ONCE)
    )


FITS = "fits its JSON Schema"
GOLDENS = tuple(_goldens())
