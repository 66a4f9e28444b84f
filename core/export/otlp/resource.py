"""The function as an OpenTelemetry resource: https://opentelemetry.io/docs/specs/semconv/resource/faas/."""

from opentelemetry.sdk.resources import OTELResourceDetector, Resource

from core.export.record import Finished

MIB = 1 << 20
# By `Context.platform`: cloud.provider and cloud.platform, in the convention's values where it has one.
CLOUDS: dict[str, tuple[str, str]] = {
    "AWS Lambda": ("aws", "aws_lambda"),
    "Google Cloud Functions": ("gcp", "gcp_cloud_functions"),
    "Azure Functions": ("azure", "azure.functions"),
    "IBM Code Engine": ("ibm_cloud", "ibm_cloud_code_engine"),
}


def resource(finished: Finished) -> Resource:
    """What stays the same over an instance's calls; OTEL_RESOURCE_ATTRIBUTES and OTEL_SERVICE_NAME win."""
    context, profile = finished.context, finished.profile
    provider, platform = CLOUDS.get(context.platform, (None, None))
    told = {
        "service.name": context.function or "polyfaas",
        "service.instance.id": profile.instance_id,
        "cloud.provider": provider,
        "cloud.platform": platform,
        "cloud.region": context.region,
        "faas.name": context.function,
        "faas.instance": profile.instance_id,
        "faas.max_memory": context.memory_mib and context.memory_mib * MIB,
    }
    known = {name: value for name, value in told.items() if value is not None}
    return Resource.create(known).merge(OTELResourceDetector().detect())
