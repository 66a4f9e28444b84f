"""The least that Azure's worker can load."""

import azure.functions as func

app = func.FunctionApp()


@app.route(route="{*path}")
def bare(req: func.HttpRequest) -> func.HttpResponse:  # noqa: ARG001  (the binding's name)
    """A fixed answer."""
    return func.HttpResponse(b'{"platform":"bare"}', headers={"content-type": "application/json"})
