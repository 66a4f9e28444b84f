"""What a service is, and the switchboard's rule that picks one for a request."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

import msgspec

from core.errors import Fault, NotFoundError, RequestError


class Service(msgspec.Struct, frozen=True, kw_only=True):
    """A function with a typed request and a typed result.

    Attributes:
        name: Last segment of the path that calls it, lower case.
        request: Record that the JSON body becomes; unknown fields are refused.
        run: Takes the request record and gives the result record.
    """

    name: str
    request: type[msgspec.Struct]
    run: Callable[[Any], Any]

    def parse(self, parameters: Mapping[str, Any]) -> Any:
        """The parameters as the request record.

        Raises:
            RequestError: They do not fit; `errors` has the JSON path.
        """
        try:
            return msgspec.convert(parameters, self.request)
        except msgspec.ValidationError as error:
            detail, _, place = str(error).partition(" - at `")
            path = place.rstrip("`") or "$"
            text = f"the request to {self.name} is wrong at {path}: {detail}"
            raise RequestError(text, [Fault(path=path, detail=detail)]) from error


Services: TypeAlias = Mapping[str, Service]


def registry(services: Iterable[Service]) -> Services:
    """The services by name.

    Raises:
        ValueError: Two services have the same name.
    """
    by_name: dict[str, Service] = {}
    for service in services:
        if service.name in by_name:
            raise ValueError(f"two services are named {service.name!r}: give one another name")
        by_name[service.name] = service
    return by_name


def pick(services: Services, path: str, named: object, parameters: Mapping[str, Any]) -> Service:
    """The service that a request is for.

    The path's last segment decides; at "/" the body's "service" decides; without one, the only
    service whose required parameters are all there and that knows every parameter given.

    Args:
        services: The services of this deployment.
        path: Path of the request, below the deployment's prefix.
        named: The body's "service", or None.
        parameters: The rest of the body.

    Raises:
        NotFoundError: There is no service of that name.
        RequestError: Path and body disagree, or the parameters fit no service or several.
    """
    segment = path.rstrip("/").rpartition("/")[2]
    if segment and named is not None and named != segment:
        raise _disagreement(segment, named)
    name = segment or named
    if name is None:
        return _by_parameters(services, parameters)
    if not isinstance(name, str) or name not in services:
        raise NotFoundError(f"there is no service {name!r}: use one of {_names(services.values())}")
    return services[name]


def _disagreement(segment: str, named: object) -> RequestError:
    detail = f"the path says {segment!r} and the body says {named!r}: leave one of them out"
    return RequestError(detail, [Fault(path="$.service", detail=detail)])


def _by_parameters(services: Services, parameters: Mapping[str, Any]) -> Service:
    fitting = [service for service in services.values() if _fits(service, set(parameters))]
    if len(fitting) == 1:
        return fitting[0]
    found = f"the parameters fit {_names(fitting)}" if fitting else "the parameters fit no service"
    raise RequestError(f'{found}: name one with "service", out of {_names(services.values())}')


def _fits(service: Service, given: set[str]) -> bool:
    fields = msgspec.structs.fields(service.request)
    required = {field.encode_name for field in fields if field.required}
    return required <= given <= {field.encode_name for field in fields}


def _names(services: Iterable[Service]) -> str:
    return ", ".join(sorted(service.name for service in services))
