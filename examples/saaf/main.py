"""Google Cloud Functions: target `main`."""

import handler


def main(request):
    return handler.yourFunction(request.get_json(), None)
