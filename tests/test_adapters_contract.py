"""One contract over all providers, each in its real runtime: the same answer as in process."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters import PROVIDERS
from adapters.aws import client as aws_client
from adapters.base import Reply
from adapters.connection import Connection
from adapters.lab import LOCAL, start
from adapters.lab.instance import Instance
from core.message import Context, Request, Response
from core.profiler import trace
from core.runtime import built_in, handle, openapi

HERE = Context(platform="local")

HEADER = (
    "Region,Country,Item Type,Sales Channel,Order Priority,Order Date,Order ID,Ship Date,"
    "Units Sold,Unit Price,Unit Cost,Total Revenue,Total Cost,Total Profit"
)
ROWS = (
    "Asia,Japan,Fruits,Online,H,1/2/2020,1,1/5/2020,10,9.33,6.92,93.30,69.20,24.10",
    'Europe,"Åland, ""Isles""",Snacks,Offline,L,2/28/2020,2,3/1/2020,3,152.58,97.44,457.74,292.32,165.42',
    "Asia,Japan,Fruits,Online,C,1/2/2020,1,1/9/2020,99,9.33,6.92,923.67,685.08,238.59",
    "Europe,Malta,Cereal,Online,M,3/3/2021,3,3/3/2021,1,205.70,117.11,205.70,117.11,88.59",
)

ERRORS = {
    "unknown service by path": Request(path="/nope", body=b"{}"),
    "unknown service by name": Request(body=b'{"service": "nope"}'),
    "unknown service in another script": Request(path="/größe", body=b"{}"),
    "path and name disagree": Request(path="/query", body=b'{"service": "load"}'),
    "no service fits": Request(body=b'{"a": 1}'),
    "invalid JSON": Request(path="/query", body=b'{"database": '),
    "invalid UTF-8": Request(path="/query", body=b'{"database": "\xff"}'),
    "empty body": Request(path="/query"),
    "array": Request(path="/query", body=b"[1, 2]"),
    "string": Request(path="/query", body=b'"text"'),
    "null": Request(path="/query", body=b"null"),
    "GET": Request(method="GET", path="/query", query={"database": "a.db"}),
    "DELETE": Request(method="DELETE", path="/query"),
    "wrong type": Request(path="/query", body=b'{"database": 7}'),
    "missing field": Request(path="/query", body=b"{}"),
    "unknown field": Request(path="/query", body=b'{"database": "a.db", "nope": 1}'),
    "missing file": Request(path="/transform", body='{"source": "größe.csv", "target": "x.csv"}'.encode()),
    "1 MB": Request(path="/query", body=b'{"database": "a.db", "table": ' + b"7" * 1_000_000 + b"}"),
}

PIPELINE = (
    Request(path="/transform", body=b'{"source": "sales.csv", "target": "out.csv"}'),
    Request(body=b'{"service": "load", "source": "out.csv", "database": "sqlite:///sales.db"}'),
    Request(path="/query", body=b'{"database": "sqlite:///sales.db", "group_by": ["Region", "Country"]}'),
    Request(body=b'{"database": "sqlite:///sales.db", "filters": {"Region": "Asia"}}'),
)


def part(response: Response, name: str) -> bytes:
    """The bytes of one part of an answer."""
    return bytes(msgspec.json.decode(response.body, type=dict[str, msgspec.Raw])[name])


def write_sales(folder: Path) -> None:
    (folder / "sales.csv").write_text("\n".join([HEADER, *ROWS, ""]))


@pytest.fixture(scope="module", params=[LOCAL, *PROVIDERS])
def instance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with start(request.param, tmp_path_factory.mktemp(request.param), allow=["."]) as started:
        yield started


@pytest.fixture
def in_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("POLYFAAS_ALLOW", ".")


@pytest.mark.usefixtures("in_process")
@pytest.mark.parametrize("name", ERRORS)
def test_an_error_is_the_same_object_as_in_process(instance: Instance, name: str) -> None:
    response = instance.call(ERRORS[name]).response
    expected = handle(ERRORS[name], Context(platform="local"))
    assert (response.status, part(response, "error")) == (expected.status, part(expected, "error"))


@pytest.mark.usefixtures("in_process")
def test_the_pipelines_results_are_the_same_bytes_as_in_process(instance: Instance, tmp_path: Path) -> None:
    write_sales(instance.log.parent / "work")
    write_sales(tmp_path)
    answers = [instance.call(request).response for request in PIPELINE]
    expected = [handle(request, Context(platform="local")) for request in PIPELINE]
    assert [part(answer, "result") for answer in answers] == [part(answer, "result") for answer in expected]


def test_a_call_joins_its_callers_trace_and_says_its_own_place(instance: Instance) -> None:
    request = Request(path="/query", headers={"traceparent": trace.EXAMPLE}, body=b"{}")
    response = instance.call(request).response
    place = msgspec.json.decode(part(response, "profile"))["trace"]
    _, trace_id, parent_id, _ = trace.EXAMPLE.split("-")
    assert (place["trace_id"], place["parent_id"]) == (trace_id, parent_id)
    assert response.headers["traceparent"] == f"00-{trace_id}-{place['span_id']}-01"


def test_a_failing_call_keeps_its_profile(instance: Instance) -> None:
    request = Request(path="/transform", body=b'{"source": "no such.csv", "target": "x.csv"}')
    profile = msgspec.json.decode(part(instance.call(request).response, "profile"))
    assert (profile["error"], profile["phase"]) == ("NotFoundError", "transform")
    assert [(span["name"], span.get("failed", False)) for span in profile["spans"] if span["start_ms"] >= 0][:2] == [
        ("decode", False),
        ("transform", True),
    ]
    assert profile["metrics"]["process_cpu_user_ms"] >= 0


# A good file with one thing wrong in it, or no file at all.
BAD_ROWS = {
    "bad date": ROWS[0].replace("1/2/2020", "2020-13-45"),
    "bad number": ROWS[0].replace("9.33", "nine"),
    "unknown priority": ROWS[0].replace(",H,", ",Z,"),
    "too few fields": ROWS[0].rpartition(",")[0],
    "too many fields": ROWS[0] + ",1",
    "order id that is none": ROWS[0].replace(",1,1/5", ",one,1/5"),
    "unclosed quote": ROWS[0].replace("Asia", '"Asia'),
    "not UTF-8": ROWS[0].replace("Japan", "Jap\udce9n"),
}
BAD_FILES = {
    **{name: [HEADER, row, ROWS[1], ""] for name, row in BAD_ROWS.items()},
    "empty file": [],
    "missing columns": [HEADER.replace("Region,", ""), *ROWS, ""],
    "only a header, of another file": ["a,b,c", ""],
}
BAD_QUERIES: dict[str, dict[str, Any]] = {
    "unknown column in a group": {"group_by": ["Planet"]},
    "unknown column in a filter": {"filters": {"Planet": "Earth"}},
    "SQL as a column of a filter": {"filters": {'Region" = 1; DROP TABLE sales; --': "Asia"}},
    "SQL as a group": {"group_by": ['Region"; DROP TABLE sales; --']},
    "SQL as a table": {"table": 'sales"; DROP TABLE sales; --'},
    "unknown table": {"table": "nope"},
    "unknown function": {"aggregates": [{"function": "exec", "column": "Units Sold"}]},
}
# It is an answer and no error, and must do no harm either.
HARMLESS = {"filters": {"Region": "x' OR 1=1; DROP TABLE sales; --"}}


def body(**parameters: Any) -> bytes:
    return msgspec.json.encode(parameters)


def lay_out(folder: Path) -> None:
    """Every bad file, an old target, an old database, and a folder where a file should be."""
    for name, lines in BAD_FILES.items():
        (folder / f"{name}.csv").write_bytes("\n".join(lines).encode(errors="surrogateescape"))
    write_sales(folder)
    (folder / "folder").mkdir(exist_ok=True)
    (folder / "target.csv").write_text("the old target\n")
    for request in (PIPELINE[0], body(service="load", source="out.csv", database="sqlite:///old.db")):
        made = handle(request if isinstance(request, Request) else Request(body=request), HERE)
        assert made.status == 200, made.body


def bad_requests() -> dict[str, Request]:
    sources = [*(f"{name}.csv" for name in BAD_FILES), "missing.csv", "folder"]
    asked: dict[str, Request] = {}
    for source in sources:
        transform = body(source=source, target="target.csv", on_error="fail")
        load = body(source=source, database="sqlite:///old.db")
        asked[f"transform {source}"] = Request(path="/transform", body=transform)
        asked[f"load {source}"] = Request(path="/load", body=load)
    for name, parameters in BAD_QUERIES.items():
        asked[f"query {name}"] = Request(path="/query", body=body(database="sqlite:///old.db", **parameters))
    asked["transform into a folder"] = Request(path="/transform", body=body(source="sales.csv", target="folder"))
    asked["transform into nowhere"] = Request(path="/transform", body=body(source="sales.csv", target="no/x.csv"))
    asked["query a missing database"] = Request(path="/query", body=body(database="sqlite:///nope.db"))
    return asked


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def laid_out(instance: Instance, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, Path]:
    """The instance's working folder and this process's, with the same files in them."""
    folders = (instance.log.parent / "work", tmp_path)
    for folder in folders:
        monkeypatch.chdir(folder)
        monkeypatch.setenv("POLYFAAS_ALLOW", ".")
        lay_out(folder)
    return folders


def test_bad_data_is_the_same_error_as_in_process_and_changes_nothing(
    instance: Instance, laid_out: tuple[Path, Path]
) -> None:
    before = [content(folder) for folder in laid_out]
    answers, expected = {}, {}
    for name, request in bad_requests().items():
        theirs, ours = instance.call(request).response, handle(request, HERE)
        answers[name] = (theirs.status, part(theirs, "error"))
        expected[name] = (ours.status, part(ours, "error"))
    assert answers == expected
    assert [content(folder) for folder in laid_out] == before


@pytest.mark.usefixtures("laid_out")
def test_sql_in_a_value_is_only_a_value(instance: Instance) -> None:
    request = Request(path="/query", body=body(database="sqlite:///old.db", group_by=["Region"], **HARMLESS))
    again = Request(path="/query", body=body(database="sqlite:///old.db"))
    rows, total = (msgspec.json.decode(part(instance.call(each).response, "result")) for each in (request, again))
    assert (rows["row_count"], total["rows"][0]["Number of Orders"]) == (0, 3)


def test_the_answer_is_json_and_says_so(instance: Instance) -> None:
    response = instance.call(Request(path="/nope", body=b"{}")).response
    assert response.headers["content-type"] == "application/json"


def test_the_contract_is_served_as_the_same_bytes_as_in_process(instance: Instance) -> None:
    response = instance.call(Request(method="GET", path="/openapi.json")).response
    assert (response.status, response.body) == (200, openapi(built_in()))


def test_the_context_names_the_platform_and_the_function(instance: Instance) -> None:
    context = msgspec.json.decode(part(instance.call(Request(body=b"{}")).response, "context"), type=Context)
    expected = Context(platform="local") if instance.provider == LOCAL else Context(**where(instance.provider))
    assert msgspec.structs.replace(context, request_id=None) == expected


def where(provider: str) -> dict[str, Any]:
    """What the lab says to the runtime about where it runs."""
    told: dict[str, dict[str, Any]] = {
        "aws": {"region": "us-east-1", "memory_mib": 1024},
        "gcp": {"region": "europe-west1", "memory_mib": 1024},
        "azure": {"region": "West Europe"},
        "ibm": {"region": "eu-de"},
    }
    return {"platform": PROVIDERS[provider].title, "function": "polyfaas", **told[provider]}


def test_each_call_has_its_own_request_id(instance: Instance) -> None:
    replies = [instance.call(Request(body=b"{}")) for _ in range(2)]
    contexts = [msgspec.json.decode(part(reply.response, "context"), type=Context) for reply in replies]
    expected = 1 if instance.provider == LOCAL else 2
    assert len({context.request_id for context in contexts}) == expected


def test_the_client_waits_at_least_as_long_as_the_call_took(instance: Instance) -> None:
    reply = instance.call(Request(body=b"{}"))
    profile: dict[str, Any] = msgspec.json.decode(part(reply.response, "profile"))
    assert reply.elapsed_ms >= profile["duration_ms"]


@pytest.fixture(scope="module")
def aws(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Instance]:
    with start("aws", tmp_path_factory.mktemp("direct"), allow=["."]) as started:
        yield started


def direct(instance: Instance, body: bytes) -> Reply:
    """A direct invocation of a Lambda instance."""
    connection = instance._channel
    assert isinstance(connection, Connection)
    reply = connection.exchange(aws_client.wrap_direct(body))
    return Reply(response=aws_client.unwrap_direct(reply.response), elapsed_ms=reply.elapsed_ms)


@pytest.mark.parametrize("body", [b'{"service": "nope"}', b"[1]", b"null", b'{"database": "a", "nope": 1}'])
def test_a_direct_invocation_gives_the_same_error_as_in_process(aws: Instance, body: bytes) -> None:
    response = direct(aws, body).response
    expected = handle(Request(body=body), Context(platform="local"))
    answers = [msgspec.json.decode(part(each, "error")) for each in (response, expected)]
    assert (response.status, answers[0]) == (expected.status, answers[1])


@pytest.mark.usefixtures("in_process")
def test_a_direct_invocation_gives_the_same_numbers_as_in_process(aws: Instance, tmp_path: Path) -> None:
    write_sales(aws.log.parent / "work")
    write_sales(tmp_path)
    bodies = [
        b'{"service": "transform", "source": "sales.csv", "target": "out.csv"}',
        b'{"service": "load", "source": "out.csv", "database": "sqlite:///sales.db"}',
        b'{"service": "query", "database": "sqlite:///sales.db", "group_by": ["Region"]}',
    ]
    answers = [direct(aws, body).response for body in bodies]
    expected = [handle(Request(body=body), Context(platform="local")) for body in bodies]
    assert [exact(answer) for answer in answers] == [exact(answer) for answer in expected]


def exact(response: Response) -> Any:
    """A result with every number as it was written."""
    return msgspec.json.Decoder(float_hook=str).decode(part(response, "result"))


def test_invalid_json_sent_as_json_is_refused_by_code_engine_in_the_functions_form(tmp_path: Path) -> None:
    request = Request(path="/query", headers={"content-type": "application/json"}, body=b"{bad")
    with start("ibm", tmp_path) as ibm:
        response = ibm.call(request).response
    error = msgspec.json.decode(part(response, "error"))
    assert (response.status, error["status"], error["type"]) == (400, 400, "urn:polyfaas:error:platform")
