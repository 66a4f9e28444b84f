"""Profiles to where calls are watched: OpenTelemetry, CloudWatch's embedded metric format, a structured log line.

POLYFAAS_EXPORT says to which, and without it nothing of this package is imported: a cold start does not pay for it.
"""
