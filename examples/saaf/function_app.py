"""Azure Functions, programming model v2."""

import json

import azure.functions as func

import handler

app = func.FunctionApp()


@app.route(route="{*path}")
def hello(req: func.HttpRequest) -> func.HttpResponse:
    answer = handler.yourFunction(req.get_json(), None)
    return func.HttpResponse(json.dumps(answer), mimetype="application/json")
