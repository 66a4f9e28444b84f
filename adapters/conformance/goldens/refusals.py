"""Errors: each status that a caller can bring about with nothing prepared."""

from collections.abc import Iterator

from adapters.conformance.goldens.hand import problem
from adapters.conformance.record import OUTCOME, Golden
from core.message import Request

GROUP = "errors"
NAMES = "load, probe, query, shard, transform"
# The library's words for what is wrong with a field are taken from the call in process.
FIELDS = {
    "a field is missing": Request(path="/query", body=b"{}"),
    "a field is unknown": Request(path="/query", body=b'{"database":"a.db","nope":1}'),
    "a field has another type": Request(path="/query", body=b'{"database":7}'),
    "null for a field": Request(path="/query", body=b'{"database":null}'),
    "false for a number": Request(path="/probe", body=b'{"kind":"burn","ms":false}'),
    "a number is too large": Request(path="/probe", body=b'{"kind":"burn","ms":2001}'),
    "a fraction for a whole number": Request(path="/probe", body=b'{"kind":"burn","ms":1.5}'),
    "a fault deep inside": Request(path="/query", body=b'{"database":"a.db","aggregates":[{"function":1}]}'),
    "no service fits the parameters": Request(body=b'{"a":1}'),
}


def _goldens() -> Iterator[Golden]:
    for name, request in FIELDS.items():
        yield Golden(name=name, group=GROUP, requests=(request,), by_hand={"status": "400"})
    yield from _services()
    outside = "https://host.invalid/sales.csv"
    body = f'{{"source":"{outside}","target":"x.csv"}}'.encode()
    detail = (
        f"{outside} is on a network, and nothing is fetched from there: download it first and give its path, "
        "or put it into a store such as s3://"
    )
    forbidden = problem(403, "Forbidden", detail, "/transform", "$.source")
    yield _golden("403, a URL on a network", Request(path="/transform", body=body), forbidden)
    for method in ("GET", "PUT", "PATCH", "DELETE"):
        detail = f"a service takes POST, not {method}: send the request as a JSON body"
        request = Request(method=method, path="/query", body=b"" if method == "GET" else b'{"database":"a.db"}')
        by_hand = {**problem(405, "Method not allowed", detail, "/query"), "service": "null", "allow": "POST"}
        aspects = (*OUTCOME, "allow")
        yield Golden(name=f"405, {method}", group=GROUP, requests=(request,), aspects=aspects, by_hand=by_hand)


def _services() -> Iterator[Golden]:
    unknown = f"there is no service 'nope': use one of {NAMES}"
    by_path = problem(404, "Not found", unknown, "/nope")
    yield _golden("404, no such service by path", Request(path="/nope", body=b"{}"), by_path)
    by_name = problem(404, "Not found", unknown, "/")
    yield _golden("404, no such service by name", Request(body=b'{"service":"nope"}'), by_name)
    detail = "the path says 'query' and the body says 'load': leave one of them out"
    both = problem(400, "Bad request", detail, "/query", "$.service")
    yield _golden("400, path and name disagree", Request(path="/query", body=b'{"service":"load"}'), both)


def _golden(name: str, request: Request, by_hand: dict[str, str]) -> Golden:
    return Golden(name=name, group=GROUP, requests=(request,), by_hand=by_hand)


GOLDENS = tuple(_goldens())
