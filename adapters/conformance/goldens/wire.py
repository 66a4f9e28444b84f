"""What HTTP carries besides the body: paths, queries, headers, the trace."""

from collections.abc import Iterator
from urllib.parse import quote

from adapters.conformance.goldens.hand import no_view, problem
from adapters.conformance.goldens.refusals import NAMES
from adapters.conformance.record import OUTCOME, Golden
from core.message import Request

TRACE_ID, PARENT_ID = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{PARENT_ID}-01"
JOINED = f"trace {TRACE_ID}, parent {PARENT_ID}, header agrees"
ALONE = "trace new, parent nothing, header agrees"
SEGMENTS = {
    "letters with accents": "größe",
    "another script": "日本語",
    "beyond the basic plane": "😀",
    "combining marks stay as they are": "e\u0301",
    "a blank": "a b",
    "a plus sign": "a+b",
    "a percent sign": "100%",
    "marks of a URL": "a?b#c&d=e;f",
}
QUERIES = {
    "a service's name": {"service": "nope"},
    "a field of the body": {"profile": "saaf", "database": "a.db"},
    "other scripts": {"größe": "日本語 😀", "e\u0301": "é"},
    "marks of a URL": {"a+b c": "1&2=3%20#"},
    "no value": {"empty": ""},
}
HEADERS = {
    "names in capitals": {"X-Note": "1", "ACCEPT": "*/*"},
    "Latin-1": {"x-note": "Größe"},
    "a long one": {"x-note": "n" * 4000},
    "many": {f"x-note-{number}": str(number) for number in range(50)},
    "other content asked for": {"accept": "text/html", "accept-language": "de"},
    "JSON with a charset": {"content-type": "application/json; charset=utf-8"},
}
VALUE = b'{"profile":7}'


def _goldens() -> Iterator[Golden]:
    for name, segment in SEGMENTS.items():
        detail = f"there is no service {segment!r}: use one of {NAMES}"
        by_hand = problem(404, "Not found", detail, f"/v1/{quote(segment, safe='')}")
        request = Request(path=f"/v1/{segment}", body=b"{}")
        yield Golden(name=f"path: {name}", group="paths", requests=(request,), by_hand=by_hand)
    below = Request(path="/a/b/query", body=VALUE)
    yield Golden(
        name="path: a service below a prefix", group="paths", requests=(below,), by_hand=no_view("7", "/a/b/query")
    )
    for name, query in QUERIES.items():
        detail = f'the parameters fit no service: name one with "service", out of {NAMES}'
        request = Request(query=query, body=b'{"a":1}')
        by_hand = problem(400, "Bad request", detail, "/")
        yield Golden(name=f"query: {name}", group="queries", requests=(request,), by_hand=by_hand)
    for name, headers in HEADERS.items():
        request = Request(headers=headers, body=VALUE)
        yield Golden(name=f"header: {name}", group="headers", requests=(request,), by_hand=no_view("7"))
    yield Golden(
        name="the answer says that it is JSON",
        group="headers",
        requests=(Request(body=VALUE),),
        aspects=(*OUTCOME, "content-type"),
        by_hand={"content-type": "application/json"},
    )
    yield from _traces()
    aspects = ("status", "content-type", "document")
    for name, path in {"at the root": "/openapi.json", "below a prefix": "/v1/openapi.json"}.items():
        request = Request(method="GET", path=path)
        yield Golden(name=f"openapi.json {name}", group="contract", requests=(request,), aspects=aspects)


def _traces() -> Iterator[Golden]:
    in_header = {"traceparent": TRACEPARENT}
    in_body = f'{{"traceparent":"{TRACEPARENT}"}}'.encode()
    calls = {
        "in a header": (Request(headers=in_header, body=VALUE), JOINED),
        "in a header in capitals": (Request(headers={"TraceParent": TRACEPARENT}, body=VALUE), JOINED),
        "in the body": (Request(body=in_body), JOINED),
        "in neither": (Request(body=VALUE), ALONE),
        "in a header that is none": (Request(headers={"traceparent": "00-0-0-01"}, body=VALUE), ALONE),
    }
    for name, (request, trace) in calls.items():
        yield Golden(
            name=f"traceparent {name}",
            group="trace",
            requests=(request,),
            aspects=(*OUTCOME, "trace"),
            by_hand={"trace": trace},
        )


GOLDENS = tuple(_goldens())
