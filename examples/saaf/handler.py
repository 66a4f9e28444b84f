from Inspector import *


def yourFunction(request, context):
    # What SAAF's own documentation asks of a function: inspect, work, inspect, finish.
    inspector = Inspector()
    inspector.inspectAll()

    name = request.get("name", "World")
    inspector.addAttribute("message", "Hello " + name + "!")

    inspector.inspectAllDeltas()
    return inspector.finish()
