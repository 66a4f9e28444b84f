"""The rows of a target are in the order of the source, whatever the target is and however many chunks there were."""

import subprocess
import sys
from pathlib import Path

import duckdb
import pytest

from core.generator import generate

ROOT = Path(__file__).parents[1]
PROGRAM = """
import os, sys
os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[: int(sys.argv[1])])
from core import memory
from core.services import transform as service
if len(sys.argv) > 3:
    memory.chunk_bytes = lambda: int(sys.argv[3])
service.small = lambda *_: False
from core.library import transform
transform("in.csv", sys.argv[2], rejects="bad")
"""


@pytest.mark.parametrize("processors", ["1", "64"])
@pytest.mark.parametrize("chunk", ["", "700000"])
@pytest.mark.parametrize("name", ["out.csv", "out.csv.gz", "out.parquet"])
def test_rows_keep_their_order(tmp_path: Path, name: str, processors: str, chunk: str) -> None:
    generate(str(tmp_path / "in.csv"), rows=250_000, duplicates=0.03)
    command = [sys.executable, "-c", PROGRAM, processors, name, *chunk.split()]
    subprocess.run(command, check=True, cwd=tmp_path, env={"PYTHONPATH": str(ROOT)})
    with duckdb.connect() as db:
        number = "file_row_number" if name.endswith("parquet") else "row_number() OVER ()"
        written = db.execute(f"SELECT \"Order ID\" FROM (SELECT *, {number} AS n FROM '{tmp_path / name}') ORDER BY n")
        found = [key for (key,) in written.fetchall()]
    lines = (tmp_path / "in.csv").read_text().splitlines()[1:]
    assert found == list(dict.fromkeys(int(line.split(",")[6]) for line in lines))
