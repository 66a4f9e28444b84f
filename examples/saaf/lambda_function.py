"""AWS Lambda: handler `lambda_function.lambda_handler`."""

import handler


def lambda_handler(event, context):
    return handler.yourFunction(event, context)
