"""One JSON line on standard output, which every provider keeps as one log record."""

import msgspec

from core.export.record import ExportError

_encode = msgspec.json.Encoder().encode


def write(record: object) -> None:
    """Write a record as one line, whole: lines of calls that overlap do not mix.

    Raises:
        ExportError: Standard output takes no more, or not these characters.
    """
    line = _encode(record).decode()
    try:
        print(f"{line}\n", end="", flush=True)
    except (OSError, ValueError) as error:
        raise ExportError(
            f"standard output did not take the line ({error}): keep it open, with PYTHONUTF8=1"
        ) from error
