"""IBM Code Engine functions and Apache OpenWhisk: function `main`."""

import handler


def main(args):
    return {"body": handler.yourFunction(args, None)}
