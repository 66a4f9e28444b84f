"""What is measured: each task with its inputs, its contenders and the truth that their answers are held against."""

from collections.abc import Sequence
from typing import Literal, TypeAlias

import msgspec

from benchmarks.programs.questions import QUESTIONS
from benchmarks.rig.postgres import Server
from benchmarks.rig.process import ROOT, Command, python

PROGRAMS = ROOT / "benchmarks" / "programs"
OURS = "polyfaas"
TITLES = {"polars": "polars streaming", "pyarrow": "pyarrow", "csv": "csv module", "pandas": "pandas"}
RUNTIME = "the runtime alone"
RUNTIME_IMPORTS = "import awslambdaric.bootstrap"
COLD_ROWS = 1000
COLD_BODY = '{"source": "small.csv", "target": "polyfaas.csv"}'

# Seconds of the whole process; milliseconds that the program took inside, warm; processor time beyond the first
# contender's; seconds against the number of rows.
Measure: TypeAlias = Literal["wall", "inside", "cpu", "slope"]


class Size(msgspec.Struct, frozen=True, kw_only=True):
    """How much data: sales rows, payments rows, and the rows of each point of the slope."""

    rows: int
    payments_rows: int
    slope: tuple[int, ...]


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One comparison.

    Attributes:
        name: On the command line.
        title: What is compared, with the sizes.
        contenders: The first one is what the others are compared with.
        inputs: Run in turn before anything is measured.
        truth: Prints, as JSON, what a right answer is.
        measure: What the number is.
        sizes: Rows by contender, for the slope.
    """

    name: str
    title: str
    contenders: tuple[Command, ...]
    inputs: tuple[Command, ...]
    truth: tuple[str, ...] = ()
    measure: Measure = "wall"
    sizes: dict[str, int] = {}


def tasks(size: Size, server: Server | None) -> dict[str, Task]:
    """Every task by name, in the order in which they run."""
    found = [
        transform(size, "transform", duplicates=0.01),
        transform(size, "transform-unique", duplicates=0.0),
        load(size, server),
        *(query(size, question) for question in QUESTIONS),
        parquet(size),
        cold(),
        slope(size),
        payments(size),
    ]
    return {task.name: task for task in found}


def transform(size: Size, name: str, *, duplicates: float) -> Task:
    share = "1 % duplicates" if duplicates else "no duplicates"
    source = "sales.csv" if duplicates else "unique.csv"
    contenders = (
        made(OURS, transformed(source, "polyfaas.csv"), "polyfaas.csv"),
        made("C++ floor", (f"./{FLOOR.makes}", source, "floor.csv"), "floor.csv"),
        *(written(library, source) for library in ("polars", "pyarrow", "csv", "pandas")),
    )
    return Task(
        name=name,
        title=f"Transform {size.rows:,} sales records, {share}",
        contenders=contenders,
        inputs=(FLOOR, sales(size.rows, duplicates, source)),
        truth=digest("truth", source),
    )


def written(library: str, source: str) -> Command:
    """The program that transforms with a library."""
    target = f"{library}.csv"
    return made(TITLES[library], (*program(f"transform_{library}.py"), source, target), target)


def load(size: Size, server: Server | None) -> Task:
    sqlite = ("sqlite3", "-bail", "import.db")
    contenders = [
        loaded(OURS, "polyfaas.db", "sqlite"),
        Command(
            "sqlite3 .import",
            (*sqlite, f".read '{PROGRAMS / 'load_sqlite.sql'}'"),
            "import.db",
            digest("sqlite", "import.db"),
        ),
        Command(
            "sqlite3 .import, untyped, no key",
            (*sqlite, ".mode csv", ".import clean.csv sales"),
            "import.db",
            digest("sqlite", "import.db"),
        ),
        loaded(f"{OURS} into DuckDB", "duckdb:///polyfaas.duckdb", "duckdb"),
    ]
    if server:
        argv = (server.psql, "-X", "-q", "-v", "ON_ERROR_STOP=1", "-h", server.socket, "-U", "postgres")
        script = ("-d", "postgres", "-f", str(PROGRAMS / "load_postgres.sql"))
        contenders.append(Command("psql \\copy", (*argv, *script), "", digest("postgres", server.socket, server.psql)))
    return Task(
        name="load",
        title=f"Load {size.rows:,} transformed sales records, typed, with a unique key",
        contenders=tuple(contenders),
        inputs=(sales(size.rows, 0.01), CLEAN),
        truth=digest("truth", "sales.csv"),
    )


def query(size: Size, question: str) -> Task:
    contenders = (
        Command(f"{OURS} on SQLite", (*program("query_polyfaas.py"), "asked.db", question)),
        Command("hand-written SQL on SQLite", (*program("query_sqlite.py"), "asked.db", question)),
        Command(f"{OURS} on DuckDB", (*program("query_polyfaas.py"), "duckdb:///asked.duckdb", question)),
    )
    return Task(
        name=f"query-{question.replace(' ', '-')}",
        title=f"Query the nine metrics of {size.rows:,} sales records: {question}",
        contenders=contenders,
        inputs=(sales(size.rows, 0.01), CLEAN, LOADED, IN_DUCKDB),
        truth=(*program("query_exact.py"), "clean.csv", question),
        measure="inside",
    )


def parquet(size: Size) -> Task:
    target = "polyfaas.parquet"
    contenders = (
        Command(f"{OURS} to Parquet", transformed("sales.csv", target), target, digest("parquet", target)),
        made(f"{OURS} to CSV", transformed("sales.csv", "polyfaas.csv"), "polyfaas.csv"),
    )
    return Task(
        name="parquet",
        title=f"Transform {size.rows:,} sales records, 1 % duplicates, to Parquet and to CSV",
        contenders=contenders,
        inputs=(sales(size.rows, 0.01),),
        truth=digest("truth", "sales.csv"),
    )


def cold() -> Task:
    ours = (
        f"import os\nos.environ['POLYFAAS_ALLOW'] = '.'\n"
        f"{RUNTIME_IMPORTS}\nfrom core.message import LOCAL, Request\nfrom core.runtime import handle\n"
        f"answer = handle(Request(path='/transform', body=b'{COLD_BODY}'), LOCAL)\n"
        "raise SystemExit(answer.status != 200 and answer.body.decode())"
    )
    others = [
        made(TITLES[name], code(f"{RUNTIME_IMPORTS}\n{called(name)}"), f"{name}.csv")
        for name in ("csv", "pyarrow", "polars", "pandas")
    ]
    return Task(
        name="cold",
        title=f"A cold call that transforms {COLD_ROWS:,} sales records: processor time of the whole process",
        contenders=(Command(RUNTIME, code(RUNTIME_IMPORTS)), made(OURS, code(ours), "polyfaas.csv"), *others),
        inputs=(sales(COLD_ROWS, 0.01, "small.csv"),),
        truth=digest("truth", "small.csv"),
        measure="cpu",
    )


def called(library: str) -> str:
    module = f"benchmarks.programs.transform_{library}"
    return f"from {module} import main; main('small.csv', '{library}.csv')"


def slope(size: Size) -> Task:
    names = {f"{rows:,} rows": rows for rows in size.slope}
    contenders = [
        Command(name, transformed(f"sales-{rows}.csv", "polyfaas.csv"), "polyfaas.csv") for name, rows in names.items()
    ]
    return Task(
        name="slope",
        title="Transform sales records, 1 % duplicates: time against the number of rows",
        contenders=tuple(contenders),
        inputs=tuple(sales(rows, 0.01, f"sales-{rows}.csv") for rows in size.slope),
        measure="slope",
        sizes=names,
    )


def payments(size: Size) -> Task:
    source = "payments.csv"
    generated = f"generate({source!r}, rows={size.payments_rows}, seed=1, dataset='payments')"
    contenders = [
        Command(name, (*program(f"payments_{file}.py"), source))
        for name, file in ((OURS, "polyfaas"), *((TITLES[each], each) for each in ("polars", "csv", "pandas")))
    ]
    return Task(
        name="payments",
        title=f"The four queries of {size.payments_rows:,} payments, straight from the CSV",
        contenders=tuple(contenders),
        inputs=(Command("data", code(f"from core.generator import generate; {generated}"), source),),
        truth=(*program("payments_csv.py"), source),
    )


def made(name: str, argv: Sequence[str], target: str) -> Command:
    """A command that writes a CSV of sales records."""
    return Command(name, tuple(argv), target, digest("csv", target))


def loaded(name: str, database: str, kind: str) -> Command:
    """A load by polyfaas; the file is what stands after the URL's scheme."""
    file = database.rpartition("/")[2]
    argv = code(f"from core import load; load('clean.csv', '{database}')")
    return Command(name, argv, file, digest(kind, file))


def sales(rows: int, duplicates: float, target: str = "sales.csv") -> Command:
    arguments = f"{target!r}, rows={rows}, seed=1, duplicates={duplicates}"
    return Command("data", code(f"from core.generator import generate; generate({arguments})"), target)


def digest(kind: str, *file: str) -> tuple[str, ...]:
    return (*program("digest.py"), kind, *file)


def program(name: str) -> tuple[str, ...]:
    return python(str(PROGRAMS / name))


def code(text: str) -> tuple[str, ...]:
    return python("-c", text)


def transformed(source: str, target: str) -> tuple[str, ...]:
    return code(f"from core import transform; transform({source!r}, {target!r})")


FLOOR = Command(
    "C++ floor, compiled",
    ("g++", "-O3", "-std=c++20", "-o", "transform_floor", str(PROGRAMS / "transform_floor.cpp")),
    "transform_floor",
)
CLEAN = made("transformed data", transformed("sales.csv", "clean.csv"), "clean.csv")
LOADED = loaded("a SQLite file", "asked.db", "sqlite")
IN_DUCKDB = loaded("a DuckDB file", "duckdb:///asked.duckdb", "duckdb")
