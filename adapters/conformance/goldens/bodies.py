"""Bodies: empty, large, and bytes that are no text and travel as base64 with some providers."""

import gzip
from collections.abc import Iterator

from adapters.conformance.goldens.hand import no_view, problem
from adapters.conformance.record import Golden
from core.message import Request

LARGE_BYTES = 5_000_000
# A value comes back twice. Lambda's answers end at 6,291,556 bytes, with other letters than ASCII's as escapes.
ECHOED_BYTES = 2_500_000

VALUE = b'{"profile":7}'
KINDS = {
    "null": b"null",
    "array": b"[1, 2]",
    "string": b'"text"',
    "number": b"-1.5e3",
    "boolean": b"false",
}
BYTES = {
    "every byte there is": bytes(range(256)),
    "compressed": gzip.compress(VALUE, mtime=0),
    "Latin-1": '{"profile":"größe"}'.encode("latin-1"),
    "UTF-16": '{"profile":7}'.encode("utf-16"),
    "UTF-8 with a byte order mark": b"\xef\xbb\xbf" + VALUE,
    "a text of base64": b"eyJwcm9maWxlIjo3fQ==",
    "a NUL after the object": VALUE + b"\0",
    "two objects": VALUE + VALUE,
    "half an object": VALUE[:-1],
    "NaN": b'{"profile":NaN}',
    "out of range": b'{"profile":1e999}',
    "half a pair of surrogates": rb'{"profile":"\ud83d"}',
    "nested deeply": b'{"profile":' + b"[" * 200 + b"]" * 200 + b"}",
}


def _goldens() -> Iterator[Golden]:
    for name, body in {"empty": b"", "blanks": b" \t\r\n"}.items():
        yield Golden(name=name, group="bodies", requests=(Request(path="/query", body=body),))
    for kind, body in KINDS.items():
        detail = f"the body is a JSON {kind}: send a JSON object"
        by_hand = problem(400, "Bad request", detail, "/query")
        yield Golden(name=kind, group="bodies", requests=(Request(path="/query", body=body),), by_hand=by_hand)
    for name, body in BYTES.items():
        yield Golden(name=name, group="bytes", requests=(Request(body=body),))
    for content_type in ("application/octet-stream", "text/plain", "application/x-www-form-urlencoded"):
        request = Request(headers={"content-type": content_type}, body=VALUE)
        yield Golden(name=f"JSON as {content_type}", group="bytes", requests=(request,), by_hand=no_view("7"))
    yield from _large()


def _large() -> Iterator[Golden]:
    there = b'{"filler":"' + b"x" * LARGE_BYTES + b'","profile":"last"}'
    by_hand = no_view('"last"', "/query")
    yield Golden(name="5 MB there", group="bodies", requests=(Request(path="/query", body=there),), by_hand=by_hand)
    value = f'"Größe 😀 {"x" * ECHOED_BYTES} 日本語"'
    back = Request(body=f'{{"profile":{value}}}'.encode())
    yield Golden(name="5 MB back", group="bodies", requests=(back,), by_hand=no_view(value))


GOLDENS = tuple(_goldens())
