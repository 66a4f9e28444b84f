"""What Azure Functions loads: `app`, of the v2 programming model, with the functions that POLYFAAS_TRIGGER lists."""

# ruff: noqa: E402  (the imports below are what is watched)
from core.profiler import boot

boot.watch()  # isort: split

import os

import azure.functions as func

from adapters.azure import events, triggers
from core.runtime import handle

app = func.FunctionApp(http_auth_level=func.AuthLevel.FUNCTION)


def polyfaas(req: func.HttpRequest, context: func.Context) -> func.HttpResponse:
    """Answer one HTTP request, of any method.

    Args:
        req: The HTTP trigger's request.
        context: The invocation's context.
    """
    here = events.context(os.environ, context.invocation_id)
    response = handle(events.request(req), here)
    return func.HttpResponse(response.body, status_code=response.status, headers=response.headers)


wanted = triggers.wanted(os.environ)
if triggers.HTTP in wanted:
    app.route(route=events.ROUTE)(polyfaas)
if wanted != (triggers.HTTP,):
    from adapters.azure import functions

    functions.register(app, wanted)

boot.loaded()
