"""Transform in plain Python and by the engine, in chunks of any size: the same bytes, rejects and counts."""

import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from core import memory, transform
from core.services import transform as service
from tests.conftest import row
from tests.reference import HEADER

COUNTRIES = ["Japan", "Samoa ", "Cote d'Ivoire", "é;x,|", 'a"b', "two\nlines", "x\r\ny", "#5", "", " lead", '5" disk']
FAULTS = {"Order Date": "2/30/2011", "Units Sold": "12.7", "Order Priority": "X", "Unit Price": "1e3"}


def written(seed: int) -> bytes:
    """A file with all that goes wrong, and a dialect of its own."""
    chance = random.Random(seed)
    delimiter, line_end = chance.choice(",;\t|"), chance.choice(["\n", "\r\n", "\r"])
    rows = [delimiter.join(HEADER)]
    for _ in range(chance.randint(0, 40)):
        values = dict(
            zip(HEADER, row(Country=chance.choice(COUNTRIES), Order_ID=str(chance.randint(1, 60))), strict=True)
        )
        if chance.random() < 0.1:
            values |= dict([chance.choice(list(FAULTS.items()))])
        rows.append(
            _spoiled(chance, delimiter, delimiter.join(_field(chance, each, delimiter) for each in values.values()))
        )
    text = line_end.join(rows) + (line_end if chance.random() < 0.7 else "")
    return (text.replace(line_end, "\n", 3) if chance.random() < 0.1 else text).encode()


def _field(chance: random.Random, value: str, delimiter: str) -> str:
    needed = any(each in value for each in f"{delimiter}\r\n") or value.startswith('"')
    if needed or chance.random() < 0.1 or ('"' in value and chance.random() < 0.5):
        return '"' + value.replace('"', '""') + '"'
    return value


def _spoiled(chance: random.Random, delimiter: str, line: str) -> str:
    ways = [
        line + delimiter + "extra",
        line.rpartition(delimiter)[0],
        line + delimiter,
        '"' + line,
        line.replace(delimiter, delimiter + ' "', 1),
        line.replace("Asia", '"Asia" ', 1),
        line.replace("Asia", "As\0ia"),
        line + "\n",
    ]
    return chance.choice(ways) if chance.random() < 0.12 else line


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 1 << 32))
def test_both_ways_give_the_same_whatever_the_file(tmp_path_factory: pytest.TempPathFactory, seed: int) -> None:
    folder = tmp_path_factory.mktemp("both")
    (folder / "in.csv").write_bytes(written(seed))
    found = [_outcome(folder, plain, chunk) for plain, chunk in ((True, 1 << 24), (False, 1 << 24), (False, 300))]
    assert found[0] == found[1] == found[2]


def _outcome(folder: Path, plain: bool, chunk: int) -> tuple[object, ...]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "small", lambda *_: plain)
        patch.setattr(memory, "chunk_bytes", lambda: chunk)
        result = transform(folder / "in.csv", folder / "out.csv", rejects=folder / "bad")
    assert result.rows_in == result.rows_out + result.duplicates + result.rejected
    return result, (folder / "out.csv").read_bytes(), (folder / "bad").read_bytes()
