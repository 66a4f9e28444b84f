"""What made-up requests are made of: all that a caller may send and every platform passes on.

Left out, as HTTP or a platform itself answers in the function's place, or sees no difference where there is one: HEAD
and OPTIONS; empty and dot segments of a path, and what looks like an encoding in one (%41), which some decode; control
characters in paths, queries and headers; headers with blanks; names that begin with __ce_ or __ow_; a body that is not
what its content type says; more than a few levels of JSON. Left out, as an answer depends on the deployment: names of
files and databases that are not on a network, and probes that do anything.
"""

import re

import msgspec
from hypothesis import strategies as st

from core.message import Request
from core.profiler.trace import EXAMPLE

VIEWS = ("full", "saaf", "saaf-ticks")
SERVICES = ("transform", "load", "query", "shard", "probe")
FIELDS = (
    "source",
    "target",
    "database",
    "table",
    "dataset",
    "group_by",
    "filters",
    "aggregates",
    "limit",
    "kind",
    "ms",
)
CONTENT_TYPES = ("application/json", "application/json; charset=utf-8", "text/plain", "application/octet-stream")
# A URL on a network is refused by every deployment, whatever it may touch.
REFUSED = st.text(st.sampled_from("abc/?#%ü😀 "), max_size=8).map(lambda text: f"http://host.invalid/{text}")
TEXT = st.text(st.characters(codec="utf-8"), max_size=12)
PRINTABLE = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Cn"]), max_size=8)
NUMBERS = st.one_of(
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.sampled_from((2**53 - 1, 2**53 + 1, 2**63, 2**64, 10**30 + 1, -(10**30), 1e308, 5e-324, -0.0)),
)
SCALARS = st.one_of(st.none(), st.booleans(), NUMBERS, TEXT)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXT, inner, max_size=4)),
    max_leaves=12,
)
OTHER = VALUES.filter(lambda value: not isinstance(value, str))
"""Values for a field that holds a place: texts might name one that is there."""

MEMBERS = st.one_of(
    st.tuples(st.sampled_from(("profile", "service", "traceparent")), VALUES),
    st.tuples(st.just("profile"), st.sampled_from(VIEWS)),
    st.tuples(st.just("service"), st.sampled_from(SERVICES)),
    st.tuples(st.just("traceparent"), st.just(EXAMPLE)),
    st.tuples(st.just("kind"), st.sampled_from(("idle", "nope"))),
    st.tuples(st.sampled_from(FIELDS), OTHER),
    st.tuples(st.sampled_from(("source", "database")), REFUSED),
    st.tuples(TEXT.filter(lambda name: name not in FIELDS and not name.startswith(("__ce_", "__ow_"))), VALUES),
)
OBJECTS = st.lists(MEMBERS, max_size=5).map(dict).map(msgspec.json.encode)


def _torn(cut: tuple[bytes, int, bytes]) -> bytes:
    body, place, put = cut
    at = place % (len(body) + 1)
    return body[:at] + put + body[at + 1 :]


# JSON with a byte or a few in another's place; torn, a URL on a network might be one of something else.
NEARLY = st.tuples(
    OBJECTS.filter(lambda body: b"http:" not in body),
    st.integers(0, 1 << 16),
    st.sampled_from((b"", b",", b'"', b"}", b"\\", b"\0", b"\xff", b"NaN")),
)
BODIES = st.one_of(
    OBJECTS, OBJECTS, VALUES.map(msgspec.json.encode), NEARLY.map(_torn), st.binary(min_size=1, max_size=40)
)

ENCODED = re.compile("%[0-9A-Fa-f]{2}")
SEGMENT = PRINTABLE.filter(lambda text: text.strip(". ") and "/" not in text and not ENCODED.search(text))
PATHS = st.one_of(
    st.sampled_from(("/", "/openapi.json")),
    st.sampled_from(("/", "/openapi.json", "/v1/query", *(f"/{name}" for name in SERVICES))),
    st.lists(SEGMENT, min_size=1, max_size=3).map(lambda parts: "/" + "/".join(parts)),
)
METHODS = st.sampled_from(("POST", "POST", "POST", "POST", "GET", "PUT", "PATCH", "DELETE"))
# Requests that get further than random ones: a value sent back, a service reached, a place refused.
REACHING = st.one_of(
    st.tuples(st.sampled_from(("/", "/query", "/v1/probe")), st.fixed_dictionaries({"profile": VALUES})),
    st.tuples(st.just("/"), st.fixed_dictionaries({"service": SCALARS})),
    st.tuples(st.sampled_from(("/", "/query")), st.fixed_dictionaries({"database": REFUSED})),
    st.tuples(st.just("/transform"), st.fixed_dictionaries({"source": REFUSED, "target": REFUSED})),
    st.tuples(st.sampled_from([f"/{name}" for name in SERVICES]), st.dictionaries(st.sampled_from(FIELDS), OTHER)),
    st.tuples(
        st.just("/probe"),
        st.fixed_dictionaries({"kind": st.just("idle")}, optional={"profile": st.sampled_from(VIEWS)}),
    ),
)
HEADER_VALUE = st.text(st.characters(min_codepoint=33, max_codepoint=255, exclude_categories=["Cc"]), max_size=12)
HEADERS: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.fixed_dictionaries(
        {}, optional={"traceparent": st.one_of(st.just(EXAMPLE), HEADER_VALUE), "x-note": HEADER_VALUE}
    ),
)
QUERIES: st.SearchStrategy[dict[str, str]] = st.one_of(
    st.just({}),
    st.dictionaries(
        PRINTABLE.filter(lambda name: name and not name.startswith(("__ce_", "__ow_"))), PRINTABLE, max_size=3
    ),
)


@st.composite
def requests(draw: st.DrawFn) -> Request:
    """A request that every platform passes on."""
    path, body = draw(st.one_of(st.tuples(PATHS, BODIES), REACHING.map(_encoded)))
    headers = dict(draw(HEADERS))
    fitting = [each for each in CONTENT_TYPES if _is(each, body)]
    if content_type := draw(st.one_of(st.none(), st.sampled_from(fitting))):
        headers["content-type"] = content_type
    return Request(method=draw(METHODS), path=path, headers=headers, query=draw(QUERIES), body=body)


def _encoded(asked: tuple[str, dict[str, object]]) -> tuple[str, bytes]:
    path, body = asked
    return path, msgspec.json.encode(body)


def _is(content_type: str, body: bytes) -> bool:
    """Whether a body is what a content type says."""
    try:
        text = body.decode()
        if content_type.startswith("application/json"):
            msgspec.json.decode(text)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError):
        return content_type == "application/octet-stream"
    return True
