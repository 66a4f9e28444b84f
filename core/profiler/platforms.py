"""Which FaaS platform this is, by the environment variables that it documents.

An adapter knows where it runs; this is for a function that has none. A variable that also others set is no sign
of a platform: CONTAINER_NAME is not Azure's alone, and any pod has what Kubernetes sets.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

UNKNOWN = "Unknown Platform"


class Platform:
    """A platform and the variables that it sets.

    Attributes:
        name: Its product, as `Context.platform` spells it.
        signs: Variables that only it sets together; one such group is enough.
        names: For each of SAAF's keys the variables that may say it, the first that is set wins.
    """

    __slots__ = ("name", "names", "signs")

    def __init__(self, name: str, signs: tuple[tuple[str, ...], ...], **names: tuple[str, ...]) -> None:
        self.name = name
        self.signs = signs
        self.names = names

    def is_here(self, environment: Mapping[str, str]) -> bool:
        """Whether this is the platform."""
        return any(all(environment.get(variable) for variable in sign) for sign in self.signs)


# https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html
# https://cloud.ibm.com/docs/codeengine?topic=codeengine-inside-env-vars
# https://github.com/apache/openwhisk/blob/master/docs/actions.md
# https://cloud.google.com/functions/docs/configuring/env-var
# https://learn.microsoft.com/azure/azure-functions/functions-app-settings
# https://docs.openfaas.com/architecture/watchdog/
# https://kubernetes.io/docs/concepts/containers/container-environment/
PLATFORMS = (
    Platform(
        "AWS Lambda",
        (("AWS_LAMBDA_FUNCTION_NAME",), ("AWS_LAMBDA_LOG_STREAM_NAME",)),
        containerID=("AWS_LAMBDA_LOG_STREAM_NAME",),
        functionName=("AWS_LAMBDA_FUNCTION_NAME",),
        functionMemory=("AWS_LAMBDA_FUNCTION_MEMORY_SIZE",),
        functionRegion=("AWS_REGION",),
    ),
    # Both set K_SERVICE, as all that is built on Knative does: it is Google's only with FUNCTION_TARGET.
    Platform("IBM Code Engine", (("CE_FUNCTION",),), functionName=("CE_FUNCTION",), functionRegion=("CE_REGION",)),
    Platform(
        "Apache OpenWhisk",
        (("__OW_ACTION_NAME",),),
        functionName=("__OW_ACTION_NAME",),
        functionRegion=("__OW_REGION", "__OW_API_HOST"),
    ),
    Platform(
        "Google Cloud Functions",
        (("X_GOOGLE_FUNCTION_NAME",), ("FUNCTION_TARGET", "K_SERVICE")),
        functionName=("K_SERVICE", "X_GOOGLE_FUNCTION_NAME"),
        functionMemory=("FUNCTION_MEMORY_MB", "X_GOOGLE_FUNCTION_MEMORY_MB"),
        functionRegion=("FUNCTION_REGION", "X_GOOGLE_FUNCTION_REGION"),
    ),
    Platform(
        "Azure Functions",
        (("FUNCTIONS_WORKER_RUNTIME",),),
        containerID=("CONTAINER_NAME",),
        functionName=("WEBSITE_SITE_NAME",),
        functionRegion=("REGION_NAME", "Location"),
    ),
    Platform(
        "OpenFaaS",
        (("fprocess",),),
        http_host=("Http_Host",),
        http_foward=("Http_X_Forwarded_For",),
        http_start_time=("Http_X_Start_Time",),
        host_name=("HOSTNAME",),
    ),
    Platform("Kubernetes", (("KUBERNETES_SERVICE_HOST",),), host_name=("HOSTNAME",)),
)


def place(environment: Mapping[str, str]) -> dict[str, str | None]:
    """Where this is, under SAAF's keys; None is what this platform could tell and does not.

    Args:
        environment: Variables of the process.
    """
    for platform in PLATFORMS:
        if platform.is_here(environment):
            told = {key: _first(environment, variables) for key, variables in platform.names.items()}
            return {"platform": platform.name, **told}
    return {"platform": UNKNOWN}


def _first(environment: Mapping[str, str], variables: tuple[str, ...]) -> str | None:
    return next((value for name in variables if (value := environment.get(name))), None)
