"""A dataset's file: its layout, then its records in chunks."""

from collections.abc import Iterator
from contextlib import closing, contextmanager

from core import storage
from core.datasets.record import Dataset
from core.source.chunks import LONGEST_RECORD_BYTES, Chunk, Chunks
from core.source.dialect import CANONICAL, Dialect, delimiter_of
from core.source.header import fields_of, layout, wrong_header
from core.source.stream import Stream, is_parquet


class Source:
    """A file whose header has been read.

    Args:
        chunks: Its text, the header first.
        dataset: What it holds.
        delimiter: Between fields; None takes the one that the header fits.
        stream: Where the text comes from.
        bytes_in: How long the file is.

    Attributes:
        url: Its name in messages.
        bytes_in: How long the file is.
        size: How many bytes of text there are, None when that is not known.
        progress: Tells which part of the file has been read, None where that is not known.
        layout: Where the dataset's columns are.
        delimiter: Between fields.
    """

    def __init__(self, chunks: Chunks, dataset: Dataset, delimiter: str | None, stream: Stream, bytes_in: int) -> None:
        self.url = url = stream.url
        self.bytes_in = bytes_in
        self.size = stream.size()
        self.progress = stream.progress
        self._chunks = chunks
        self.header = header = _header(chunks, url)
        names = frozenset(name for column in dataset.columns for name in (column.name, *column.aliases))
        self.delimiter = delimiter or delimiter_of(header, names)
        self.layout = layout(fields_of(header, self.delimiter, url), dataset, url)

    def __iter__(self) -> Iterator[Chunk]:
        return iter(self._chunks)

    def next(self, size: int) -> Chunk | None:
        """The next chunk of at most so many bytes, unless a record is longer; None at the end."""
        return self._chunks.next(size)

    def give_back(self, data: bytes, line: int) -> None:
        """Take the end of the last chunk back; see `Chunks.give_back`."""
        self._chunks.give_back(data, line)


@contextmanager
def opened(url: str, dataset: Dataset, dialect: Dialect, size: int) -> Iterator[Source]:
    """The dataset's file, with its header read.

    Args:
        url: A CSV, as it is or compressed by gzip or zstd, or a Parquet file, which is copied here if it is elsewhere.
        dataset: What it holds.
        dialect: How it is written.
        size: About how many bytes a chunk has.

    Raises:
        NotFoundError: There is no file.
        DataError: The file is empty, or its header does not fit the dataset.
    """
    with storage.content(url) as (file, found):
        if not is_parquet(file):
            stream = Stream(file, url, dialect, found.size_bytes)
            with closing(Chunks(stream.blocks(), size, url)) as chunks:
                yield Source(chunks, dataset, dialect.delimiter, stream, found.size_bytes)
            return
    from core.source.parquet import as_csv

    with storage.reading(url) as path, as_csv(path, url, dataset) as text:
        stream = Stream(text, url, CANONICAL)
        with closing(Chunks(stream.blocks(), size, url)) as chunks:
            yield Source(chunks, dataset, ",", stream, found.size_bytes)


def _header(chunks: Chunks, url: str) -> str:
    """The first record, without its line end."""
    found = chunks.header()
    text = found.decode().rstrip("\r\n")
    if len(found) > LONGEST_RECORD_BYTES:
        raise wrong_header(url, f"the first line is longer than {LONGEST_RECORD_BYTES:,} bytes: is it CSV?")
    if not text:
        what = "first line is blank" if found else "file is empty"
        raise wrong_header(url, f"the {what}: a CSV starts with a line of column names")
    return text
