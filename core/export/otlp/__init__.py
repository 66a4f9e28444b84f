"""Profiles as OpenTelemetry spans and metrics, to a collector over OTLP/HTTP.

Only `delivery` may be imported where opentelemetry is not installed, or not yet.
"""
