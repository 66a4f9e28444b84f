"""A schedule, of EventBridge Scheduler or a rule: whatever the event is, the environment names the request."""

from typing import Any

from adapters.triggers import Call, Environment, on_timer, run


def answer(_: Any, call: Call, environment: Environment) -> None:
    """Run the request.

    Raises:
        PolyfaasError: It failed: Lambda tries again and keeps the event.
    """
    run(lambda: on_timer(environment), call, environment)
