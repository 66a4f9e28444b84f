"""Transform in plain Python: for small files, which must not pay for the engine's import."""

from collections.abc import Callable, Iterator, Sequence
from operator import itemgetter

from core.datasets.record import Dataset
from core.expressions.plain import function
from core.source.file import Source
from core.source.records import Record
from core.storage import Sink
from core.transformation.counts import Counts
from core.transformation.rejects import Rejects
from core.transformation.sorting import read
from core.transformation.text import line
from core.validation import checker


def transform(source: Source, target: Sink, dataset: Dataset, rejects: Rejects) -> Counts:
    """Write the transformed rows as CSV; keeps all keys in memory.

    Raises:
        DataError: A bad row stops the work.
    """
    layout = source.layout
    index = layout.index()
    types = dataset.types()
    make = _rows(dataset, layout.kept, index)
    key_at, whole = index[dataset.key], types[dataset.key].kind == "integer"
    keys: set[str | int] = set()
    good = 0
    target.write(line([*layout.kept, *(column.name for column in dataset.derived)]).encode())
    for record in good_records(source, dataset, rejects):
        good += 1
        key: str | int = int(record.fields[key_at]) if whole else record.fields[key_at]
        if key not in keys:
            keys.add(key)
            target.write(line(make(record.fields)).encode())
    return Counts(good, good - len(keys))


def good_records(source: Source, dataset: Dataset, rejects: Rejects) -> Iterator[Record]:
    """The records of a source that fit its dataset; the others go to the rejects."""
    check = checker(dataset, source.layout)
    for chunk in source:
        for record, fit in read(chunk, source, check):
            if fit is None:
                yield record
            else:
                rejects.add(record, fit)


def _rows(dataset: Dataset, kept: Sequence[str], index: dict[str, int]) -> Callable[[Sequence[str]], Sequence[str]]:
    """A function that makes a row of the target from one of the source."""
    types = dataset.types()
    changes = {change.name: function(change.expression, types, index) for change in dataset.changes}
    computed = [(position, changes[name]) for position, name in enumerate(kept) if name in changes]
    derived = [function(column.expression, types, index) for column in dataset.derived]
    positions = [index[name] for name in kept]
    pick = itemgetter(*positions) if len(positions) > 1 else lambda fields: (fields[positions[0]],)

    def make(fields: Sequence[str]) -> Sequence[str]:
        row = list(pick(fields))
        for position, value in computed:
            row[position] = value(fields)
        row.extend([value(fields) for value in derived])
        return row

    return make
