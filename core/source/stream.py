"""The bytes of a file as UTF-8, decompressed, block by block."""

import codecs
import io
import sys
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, cast

from core.errors import DataError, Fault
from core.source.dialect import Dialect, encoding_of

BLOCK_BYTES = 1 << 20
GZIP, ZSTD, PARQUET = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1"
NAMES = {
    "utf-8": "UTF-8",
    "utf-16": "UTF-16",
    "utf-16-le": "UTF-16",
    "utf-16-be": "UTF-16",
    "latin-1": "Latin-1",
    "cp1252": "Windows-1252",
}


class Stream:
    """A file's text as UTF-8 bytes without a byte order mark.

    Args:
        file: What to read.
        url: Its name in messages.
        dialect: What is known of it.
        bytes_in: How long the file is; None where that is not known.

    Attributes:
        url: Its name in messages.
        compression: "gzip" or "zstd", None where it is not compressed.
    """

    def __init__(self, file: io.BufferedReader, url: str, dialect: Dialect, bytes_in: int | None = None) -> None:
        self._file = file
        self._bytes_in = bytes_in
        self.url = url
        self._dialect = dialect
        self.compression = _compression(file.peek(4)[:4])

    def blocks(self) -> Iterator[bytes]:
        """The text, a block at a time; each is UTF-8 of its own only where the file is in another encoding.

        Raises:
            DataError: The file cannot be decompressed, or a byte does not fit the encoding.
        """
        raw = self._raw()
        first = next(raw, b"")
        encoding = encoding_of(first, self._dialect)
        if encoding == "utf-8":
            yield first.removeprefix(codecs.BOM_UTF8)
            yield from raw
        else:
            yield from self._decoded(encoding, first, raw)

    def size(self) -> int | None:
        """How many bytes the text has in its own encoding, None where that is not known: it is compressed or a pipe."""
        return None if self.compression else self._bytes_in

    def progress(self) -> float | None:
        """Which part of the file has been read, from 0 to 1; None where that is not known."""
        return None if self._bytes_in is None else self._file.tell() / (self._bytes_in or 1)

    def _raw(self) -> Iterator[bytes]:
        try:
            with _decompressed(self._file, self.compression) as file:
                while block := file.read(BLOCK_BYTES):
                    yield block
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise
            detail = f"the file cannot be decompressed ({error}): it is damaged or was cut off"
            raise DataError(f"{self.url}: {detail}", [Fault(source=self.url, detail=detail)]) from error

    def _decoded(self, encoding: str, first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
        decoder = codecs.getincrementaldecoder(encoding)()
        before = 0
        for block in _with_end(first, rest):
            pending = len(cast("tuple[bytes, object]", decoder.getstate())[0])
            try:
                text = decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                raise undecodable(self.url, encoding, before - pending + error.start, block=error) from error
            before += len(block)
            yield text.encode("utf-8", "surrogatepass")


def undecodable(url: str, encoding: str, position: int, block: UnicodeDecodeError) -> DataError:
    """The error for a byte that does not fit the encoding.

    Args:
        url: The file.
        encoding: The encoding that it was read in.
        position: The byte's place in the file (once decompressed), counted from 0.
        block: What the decoder said.
    """
    byte = block.object[block.start]
    detail = f"byte {position:,} (0x{byte:02x}) is not {NAMES[encoding]}"
    cure = 'say which encoding it is ("encoding": utf-16, latin-1 or cp1252), or save the file as UTF-8'
    fault = Fault(source=url, detail=f"{detail}: {cure}")
    return DataError(f"{url}: {detail}: {cure}", [fault])


def _with_end(first: bytes, rest: Iterator[bytes]) -> Iterator[bytes]:
    """All blocks, then an empty one, which tells the decoder that no more comes."""
    yield first
    yield from rest
    yield b""


def _compression(start: bytes) -> str | None:
    """How a file that starts with these bytes is compressed."""
    if start.startswith(GZIP):
        return "gzip"
    return "zstd" if start == ZSTD else None


@contextmanager
def _decompressed(file: IO[bytes], compression: str | None) -> Iterator[IO[bytes]]:
    if compression == "gzip":
        import gzip

        with gzip.open(file) as plain:
            yield cast("IO[bytes]", plain)
    elif compression == "zstd":
        with _open_zstd(file) as plain:
            yield plain
    else:
        yield file


@contextmanager
def _open_zstd(file: IO[bytes]) -> Iterator[IO[bytes]]:
    if sys.version_info >= (3, 14):
        from compression import zstd
    else:
        from backports import zstd
    try:
        with zstd.open(file) as plain:
            yield cast("IO[bytes]", plain)
    except zstd.ZstdError as error:
        raise EOFError(str(error)) from error


def is_parquet(file: io.BufferedReader) -> bool:
    """Whether a file is Parquet, by its first bytes, which stay unread."""
    return file.peek(4)[:4] == PARQUET
