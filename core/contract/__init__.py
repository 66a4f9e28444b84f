"""The services' contracts as documents: JSON Schema and OpenAPI, made from the records and never written by hand.

Nothing here is imported before somebody asks for a document: a cold start does not pay for it.
"""
