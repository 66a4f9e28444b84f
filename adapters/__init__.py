"""Thin adapters: names and bytes between a provider and `core.runtime.handle`.

`PROVIDERS` names what each provider has; nothing of it is imported before it is asked for.
"""

from adapters.base import Provider

__all__ = ["PROVIDERS", "Provider"]


def _provider(name: str, title: str, function: str) -> Provider:
    package = f"adapters.{name}"
    return Provider(
        name=name,
        title=title,
        entrypoint=f"{package}.entrypoint.{function}",
        runtime=f"{package}.runtime",
        client=f"{package}.client",
    )


PROVIDERS = {
    "aws": _provider("aws", "AWS Lambda", "handler"),
    "gcp": _provider("gcp", "Google Cloud Functions", "main"),
    "azure": _provider("azure", "Azure Functions", "app"),
    "ibm": _provider("ibm", "IBM Code Engine", "main"),
}
