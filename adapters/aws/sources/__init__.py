"""One module for each kind of event that Lambda gets, imported when the first one comes.

Each has `answer(event, call, environment)`: the requests in the event are run by `call`, and what the handler must
return to its platform comes back. An event of another shape is an `EventError`.
"""
