"""Lambda's events besides HTTP: what each asks for, and what its failure does."""

import json
import subprocess
import sys
from collections.abc import Mapping
from typing import Any

import pytest

from adapters.aws import events
from adapters.triggers import DeploymentError, EventError
from core.errors import AccessError, NotFoundError, RequestError
from core.message import Context, Request, Response
from core.profiler import trace
from core.runtime import handle
from tests.sample_events import sample

HERE = Context(platform="local")
TO_OUT = {"POLYFAAS_ON_OBJECT": '{"service": "transform", "target": "s3://out/{name}"}'}
IDLE = b'{"service": "probe", "kind": "idle"}'
TRACED = Request(headers={"traceparent": trace.EXAMPLE}, body=IDLE)


def asked(event: Any, environment: Mapping[str, str] | None = None) -> list[Request]:
    """The requests that an event asks for."""
    found: list[Request] = []

    def call(request: Request) -> Response:
        found.append(request)
        return Response(status=200, headers={}, body=b"{}")

    events.answer(event, call, environment or {})
    return found


def answered(event: Any, environment: Mapping[str, str] | None = None) -> Any:
    """What the handler returns for an event."""
    return events.answer(event, lambda request: handle(request, HERE), environment or {})


def queue(*bodies: str, name: str = "my-queue") -> dict[str, Any]:
    """A batch of messages with these bodies, their ids their numbers."""
    record = sample("aws_sqs")["Records"][1]
    arn = f"arn:aws:sqs:us-east-2:123456789012:{name}"
    return {
        "Records": [
            {**record, "messageId": str(number), "body": body, "eventSourceARN": arn}
            for number, body in enumerate(bodies)
        ]
    }


def failed(event: Any, environment: Mapping[str, str] | None = None) -> list[str]:
    """Which messages of a batch go back to the queue."""
    return [each["itemIdentifier"] for each in answered(event, environment)["batchItemFailures"]]


def test_s3s_event_starts_the_request_on_the_new_object() -> None:
    body = (
        '{"service":"transform","target":"s3://out/Größe 2020.csv",'
        '"source":"s3://amzn-s3-demo-bucket/in/Größe 2020.csv"}'
    )
    assert asked(sample("aws_s3"), TO_OUT) == [Request(body=body.encode())]


def test_s3s_own_test_starts_nothing() -> None:
    test = {"Service": "Amazon S3", "Event": "s3:TestEvent", "Time": "2014-10-13T15:57:02.089Z", "Bucket": "b"}
    assert asked(test, TO_OUT) == []


def test_an_object_that_is_gone_starts_nothing_and_is_an_error() -> None:
    event = sample("aws_s3")
    event["Records"][0]["eventName"] = "ObjectRemoved:Delete"
    with pytest.raises(EventError, match="S3 tells of 'ObjectRemoved:Delete'"):
        asked(event, TO_OUT)


def test_a_failing_object_fails_the_invocation_after_the_others_were_done() -> None:
    event = sample("aws_s3")
    second = json.loads(json.dumps(event["Records"][0]))
    event["Records"] = [{**event["Records"][0], "eventName": "ObjectRemoved:Delete"}, second]
    called: list[Request] = []

    def call(request: Request) -> Response:
        called.append(request)
        return Response(status=200, headers={}, body=b"{}")

    with pytest.raises(EventError):
        events.answer(event, call, TO_OUT)
    assert len(called) == 1


def test_sqss_messages_are_requests_with_their_traceparent() -> None:
    assert asked(sample("aws_sqs")) == [TRACED, Request(body=b"test")]


def test_only_the_messages_that_failed_go_back_to_the_queue() -> None:
    assert answered(sample("aws_sqs")) == {
        "batchItemFailures": [{"itemIdentifier": "2e1424d4-f796-459a-8184-9c92662be6da"}]
    }


def test_a_batch_without_failures_says_so() -> None:
    assert answered(queue(IDLE.decode())) == {"batchItemFailures": []}


def test_in_a_fifo_queue_nothing_is_done_after_a_failure() -> None:
    idle, bad = IDLE.decode(), "bad"
    assert failed(queue(idle, bad, idle)) == ["1"]
    event = queue(idle, bad, idle, name="my-queue.fifo")
    assert failed(event) == ["1", "2"]
    called: list[bytes] = []

    def call(request: Request) -> Response:
        called.append(request.body)
        return handle(request, HERE)

    events.answer(event, call, {})
    assert called == [IDLE, b"bad"]


def test_a_message_that_stays_wrong_is_dropped_where_the_environment_says_so() -> None:
    event = queue("bad", '{"service": "nope"}')
    assert failed(event, {"POLYFAAS_ON_BAD_EVENT": "drop"}) == ["1"]


@pytest.mark.parametrize("wrap", [lambda text: text, lambda text: json.dumps(enveloped(text))], ids=["s3", "s3-sns"])
def test_s3s_events_may_come_through_a_queue(wrap: Any) -> None:
    event = queue(wrap(json.dumps(sample("aws_s3"))), wrap('{"Service": "Amazon S3", "Event": "s3:TestEvent"}'))
    assert asked(event, TO_OUT) == asked(sample("aws_s3"), TO_OUT)


def enveloped(text: str) -> dict[str, Any]:
    """What SNS puts into a queue for a message."""
    return {"Type": "Notification", "MessageId": "1", "TopicArn": "arn:aws:sns:us-east-2:1:t", "Message": text}


def test_a_topics_message_may_come_through_a_queue() -> None:
    attributes = {"traceparent": {"Type": "String", "Value": trace.EXAMPLE}}
    event = queue(json.dumps({**enveloped(IDLE.decode()), "MessageAttributes": attributes}))
    assert asked(event) == [TRACED]


def test_a_message_of_ones_own_with_a_type_is_no_envelope() -> None:
    body = '{"Type": "Notification", "service": "mine"}'
    assert asked(queue(body)) == [Request(body=body.encode())]


def test_snss_message_is_a_request_with_its_traceparent() -> None:
    assert asked(sample("aws_sns")) == [TRACED]


def test_snss_failing_message_fails_the_invocation_by_the_errors_own_name() -> None:
    event = sample("aws_sns")
    event["Records"][0]["Sns"]["Message"] = '{"service": "nope"}'
    with pytest.raises(NotFoundError, match="there is no service 'nope'"):
        answered(event)


def test_eventbridges_new_object_starts_the_request_by_its_key_as_it_is() -> None:
    body = (
        b'{"service":"transform","target":"s3://out/example key+1.csv",'
        b'"source":"s3://amzn-s3-demo-bucket1/in/example key+1.csv"}'
    )
    assert asked(sample("aws_eventbridge_s3"), TO_OUT) == [Request(body=body)]


def test_eventbridges_schedule_starts_what_the_environment_names() -> None:
    environment = {"POLYFAAS_ON_TIMER": '{"service": "probe", "kind": "idle"}'}
    expected = [Request(body=b'{"service":"probe","kind":"idle"}')]
    assert asked(sample("aws_eventbridge_scheduled"), environment) == expected


def test_an_event_of_ones_own_on_eventbridge_has_the_request_as_its_detail() -> None:
    event = {**sample("aws_eventbridge_s3"), "source": "shop", "detail-type": "sold", "detail": {"service": "query"}}
    assert asked(event) == [Request(body=b'{"service":"query"}')]


def test_an_event_of_another_amazon_service_is_an_error() -> None:
    event = {**sample("aws_eventbridge_s3"), "detail-type": "Object Deleted"}
    with pytest.raises(EventError, match=r"'Object Deleted' of aws\.s3 starts nothing here"):
        asked(event)


def test_records_of_another_service_are_an_error() -> None:
    with pytest.raises(EventError, match="records of aws:kinesis start nothing here"):
        asked({"Records": [{"eventSource": "aws:kinesis", "kinesis": {"data": ""}}]})


def test_a_task_of_step_functions_gives_the_answer() -> None:
    found = answered({"service": "probe", "kind": "idle"}, {"POLYFAAS_TRIGGER": "step-functions"})
    assert (found["service"], found["status"], "result" in found) == ("probe", 200, True)


@pytest.mark.parametrize(
    ("event", "error"),
    [
        ({"service": "nope"}, NotFoundError),
        ({"service": "probe", "kind": 7}, RequestError),
        ({"service": "transform", "source": "s3://a/b", "target": "s3://a/c"}, AccessError),
    ],
)
def test_a_failing_task_raises_the_error_by_its_own_name(event: Any, error: type[Exception]) -> None:
    with pytest.raises(error) as found:
        answered(event, {"POLYFAAS_TRIGGER": "step-functions"})
    assert type(found.value) is error


def test_a_schedule_with_a_payload_of_its_own_is_a_timer_where_the_deployment_says_so() -> None:
    environment = {"POLYFAAS_TRIGGER": "timer", "POLYFAAS_ON_TIMER": '{"service": "query"}'}
    assert asked({"any": "payload"}, environment) == [Request(body=b'{"service":"query"}')]


@pytest.mark.parametrize("name", ["http-api", "rest-api", "alb", "s3", "sqs", "sns", "eventbridge"])
def test_an_event_that_is_not_what_the_deployment_says_is_a_clear_error(name: str) -> None:
    with pytest.raises(EventError, match="the event is no"):
        asked({"service": "probe"}, {"POLYFAAS_TRIGGER": name})


def test_the_deployments_word_counts_more_than_the_shape() -> None:
    (request,) = asked(sample("aws_sqs"), {"POLYFAAS_TRIGGER": "direct"})
    assert json.loads(request.body) == sample("aws_sqs")


def test_a_new_object_without_a_template_is_its_operators_error() -> None:
    with pytest.raises(DeploymentError, match="POLYFAAS_ON_OBJECT does not say"):
        asked(sample("aws_s3"))


def loaded(trigger: str) -> subprocess.CompletedProcess[str]:
    """The sources that the entry point imports where the deployment names this trigger."""
    code = (
        "import sys, adapters.aws.entrypoint\n"
        "print(*(name.rpartition('.')[2] for name in sys.modules if name.startswith('adapters.aws.sources.')))"
    )
    environment = {"POLYFAAS_TRIGGER": trigger}
    return subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("trigger", "sources"), [("", []), ("direct", ["direct"]), ("http-api", ["web", "http_api"])])
def test_the_entry_point_imports_what_the_named_trigger_needs_and_no_more(trigger: str, sources: list[str]) -> None:
    assert sorted(loaded(trigger).stdout.split()) == sorted(sources)


def test_an_unknown_trigger_is_told_when_the_function_is_loaded() -> None:
    assert "DeploymentError: POLYFAAS_TRIGGER is 'kafka': use one of http-api" in loaded("kafka").stderr
