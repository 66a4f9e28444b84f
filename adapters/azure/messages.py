"""The messages between the Functions host and its Python worker, as plain classes.

The worker library takes its message classes from whoever starts it, so that these do instead of those that
protobuf generates. Names and fields are those of FunctionRpc.proto:
https://github.com/Azure/azure-functions-language-worker-protobuf
"""

from types import SimpleNamespace
from typing import Any, ClassVar


class Message(SimpleNamespace):
    """A message that holds what it is given."""


class StatusResult(Message):
    """Whether a request to the worker went well, and the exception when not."""

    Failure: ClassVar[int] = 0
    Success: ClassVar[int] = 1
    exception: Any = None


class BindingInfo(Message):
    """One binding of a function."""

    # Lower case and a builtin's name: the worker reads them by these names.
    out: ClassVar[int] = 1
    inout: ClassVar[int] = 2
    undefined: ClassVar[int] = 0


class TypedData(Message):
    """A value under the name of its type."""

    def WhichOneof(self, _group: str) -> str | None:  # noqa: N802  (protobuf's name)
        """The name of the type, or None for an empty message."""
        return next(iter(vars(self)), None)


class ParameterBinding(Message):
    """A value for one parameter of the function."""

    def WhichOneof(self, _group: str) -> str:  # noqa: N802  (protobuf's name)
        """Where the value is: always in the message itself."""
        return "data"


PROTOS = SimpleNamespace(
    StatusResult=StatusResult,
    BindingInfo=BindingInfo,
    TypedData=TypedData,
    ParameterBinding=ParameterBinding,
    RpcHttp=Message,
    RpcException=Message,
    RpcFunctionMetadata=Message,
    WorkerMetadata=Message,
    WorkerInitResponse=Message,
    FunctionMetadataResponse=Message,
    FunctionLoadResponse=Message,
    InvocationResponse=Message,
)
