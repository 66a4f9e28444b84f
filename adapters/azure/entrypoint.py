"""What Azure Functions loads: `app`, of the v2 programming model, under any route."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os

import azure.functions as func

from adapters.azure import events
from core.runtime import handle

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


@app.route(route=events.ROUTE)
def polyfaas(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer one HTTP request, of any method.

    Args:
        req: The HTTP trigger's request.
        context: The invocation's context.
    """
    here = events.context(os.environ, context.invocation_id)
    response = handle(events.request(req), here)
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)


boot.loaded()
