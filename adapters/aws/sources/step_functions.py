"""A task of Step Functions: a state's input is the request, the answer its output, an error fails the task.

The error's name, which `Catch` and `Retry` compare, is the class that it was raised with, such as RequestError:
https://docs.aws.amazon.com/step-functions/latest/dg/concepts-error-handling.html
"""

from typing import Any

from adapters.aws.sources import direct
from adapters.triggers import Call, Environment, failure


def answer(event: Any, call: Call, _: Environment) -> Any:
    """Answer the request.

    Raises:
        PolyfaasError: The request failed.
    """
    response = call(direct.request(event))
    error = failure(response)
    if error is not None:
        raise error
    return direct.reply(response)
