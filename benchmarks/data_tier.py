"""The data tier against its alternatives: loads against each database's own client, objects against each store's own.

python benchmarks/data_tier.py                    everything
python benchmarks/data_tier.py load --rows 100000 --rounds 5
python benchmarks/data_tier.py objects
python benchmarks/data_tier.py --write            also into docs/performance.md

The servers are those of the tests, started here, with the durability that they come with. A load is a whole process,
from its start to its end, that leaves the same rows and a unique key; rounds are interleaved in random order, a ratio
is taken within each round. Objects are put and got inside one process, its clients warm.
"""

import argparse
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import msgspec

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

import core  # noqa: E402
from adapters.lab.ports import free_port  # noqa: E402
from benchmarks.rig import memory  # noqa: E402
from benchmarks.rig.document import put as into  # noqa: E402
from benchmarks.rig.machine import header  # noqa: E402
from core import engine, storage  # noqa: E402
from core.database import connect  # noqa: E402
from core.datasets import dataset  # noqa: E402
from core.generator import generate  # noqa: E402
from tests import database_servers, store_rigs  # noqa: E402
from tests.servers import UNPRIVILEGED, folder_of  # noqa: E402

PAGE = ROOT / "docs" / "performance.md"
LARGE, SMALL, GETS = 64 << 20, 1 << 10, 200
OURS = "import sys; from core import load; load(sys.argv[1], sys.argv[2])"
TYPES = {"text": "TEXT", "integer": "BIGINT", "decimal": "DECIMAL(15,2)", "date": "DATE", "double": "DOUBLE PRECISION"}


class Load(msgspec.Struct, frozen=True, kw_only=True):
    """One database with the two ways to load it.

    Attributes:
        name: Of the database.
        client: Of its own client, with what it is told.
        url: For ours.
        argv: Runs the client.
        stdin: What it reads.
    """

    name: str
    client: str
    url: str
    argv: tuple[str, ...]
    stdin: str


class Data(msgspec.Struct, frozen=True):
    """The rows to load: as transform writes them, and with dates as ISO has them."""

    source: Path
    iso: Path
    rows: int


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("tasks", nargs="*", metavar="TASK", help="load, objects; both when left out")
    parser.add_argument("--rows", type=int, action="append", help="sales records; may be repeated")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--write", action="store_true", help="put the tables into docs/performance.md")
    asked = parser.parse_args()
    if wrong := set(asked.tasks) - {"load", "objects"}:
        parser.error(f"there is no task {wrong.pop()}: use load or objects")
    with tempfile.TemporaryDirectory(prefix="polyfaas-benchmark-") as name:
        folder = Path(name)
        show("data-tier-machine", header(memory.find(), asked.rounds, folder), write=asked.write)
        if "objects" in asked.tasks or not asked.tasks:
            show("data-tier-objects", objects(folder, asked.rounds), write=asked.write)
        if "load" in asked.tasks or not asked.tasks:
            for rows in asked.rows or (100_000, 1_500_000):
                show(f"data-tier-load-{rows}", loads(made(folder, rows), folder, asked.rounds), write=asked.write)


def show(name: str, table: str, *, write: bool) -> None:
    print(f"\n{table}", flush=True)
    if write:
        into(PAGE, name, table)


def made(folder: Path, rows: int) -> Data:
    raw, clean, iso = (folder / f"{rows}-{name}.csv" for name in ("raw", "clean", "iso"))
    generate(str(raw), rows=rows, seed=1)
    core.transform(raw, clean)
    raw.unlink()
    with engine.session() as db:
        dates = ", ".join(
            f"strptime({column}, '%m/%d/%Y')::DATE AS {column}" for column in ('"Order Date"', '"Ship Date"')
        )
        read = f"read_csv({engine.text(clean)}, all_varchar = true, header = true)"
        db.execute(f"COPY (SELECT * REPLACE ({dates}) FROM {read}) TO {engine.text(iso)} (FORMAT csv, HEADER)")
    return Data(clean, iso, rows)


def declared(quote: Callable[[str], str], text: str) -> str:
    """The columns of the transformed sales, as a client creates them."""
    types = dataset("sales").transformed().types()
    return ", ".join(
        f"{quote(name)} {text if kind.kind == 'text' else TYPES[kind.kind]}" for name, kind in types.items()
    )


@contextmanager
def databases(data: Data, folder: Path) -> Iterator[list[Load]]:
    with ExitStack() as stack:
        urls = {}
        for kind, private in database_servers.PRIVATE.items():
            home = stack.enter_context(folder_of(UNPRIVILEGED))
            private.make(home)
            urls[kind] = stack.enter_context(private.running(home, free_port()))
        yield [sqlite(data, folder), postgresql(data, urls["postgresql"]), mysql(data, urls["mysql"])]


def sqlite(data: Data, folder: Path) -> Load:
    path = folder / "client.db"
    sql = f"CREATE TABLE client ({declared(engine.name, 'TEXT')});\n.import --csv --skip 1 {data.iso} client\n"
    key = 'CREATE UNIQUE INDEX k ON client ("Order ID");\n'
    return Load(
        name="SQLite",
        client="sqlite3 .import",
        url=f"sqlite:///{folder}/ours.db",
        argv=("sh", "-c", f"rm -f '{path}'; exec sqlite3 '{path}'"),
        stdin=sql + key,
    )


def postgresql(data: Data, url: str) -> Load:
    sql = [
        "SET client_min_messages = error; SET datestyle = 'ISO, MDY'; DROP TABLE IF EXISTS client;",
        f"CREATE TABLE client ({declared(engine.name, 'TEXT')});",
        f"\\copy client FROM '{data.source}' CSV HEADER",
        'CREATE UNIQUE INDEX ON client ("Order ID");\n',
    ]
    return Load(name="PostgreSQL", client="psql \\copy", url=url, argv=("psql", "-q", url), stdin="\n".join(sql))


def mysql(data: Data, url: str) -> Load:
    from core.database.mysql_table import CSV, quoted
    from core.database.server import server

    at = server(url, ())
    text = "VARCHAR(255) CHARACTER SET utf8mb4 COLLATE utf8mb4_nopad_bin"
    sql = [
        "SET unique_checks = 0, foreign_key_checks = 0; DROP TABLE IF EXISTS client;",
        f"CREATE TABLE client ({declared(quoted, text)});",
        f"LOAD DATA LOCAL INFILE '{data.iso}' INTO TABLE client {CSV} IGNORE 1 LINES;",
        "ALTER TABLE client ADD UNIQUE INDEX (`Order ID`);\n",
    ]
    argv = ("mariadb", f"--host={at.host}", f"--port={at.port}", "--user=root", "--local-infile=1", at.name)
    return Load(name="MariaDB", client="mariadb LOAD DATA", url=url, argv=argv, stdin="\n".join(sql))


def loads(data: Data, folder: Path, rounds: int) -> str:
    """Each database's table, loaded by its client and by ours."""
    with databases(data, folder) as found:
        times: dict[tuple[str, str], list[float]] = {}
        chance = random.Random(1)
        for turn in range(rounds + 1):
            runs = [(each, way) for each in found for way in ("client", "ours")]
            for each, way in chance.sample(runs, len(runs)):
                argv = each.argv if way == "client" else (sys.executable, "-c", OURS, str(data.source), each.url)
                took = run(argv, each.stdin if way == "client" else "", folder)
                if turn:  # the first round warms up
                    times.setdefault((each.name, way), []).append(took)
        for each in found:
            check(each, data, folder)
        return load_table(data, found, times)


def run(argv: Sequence[str], stdin: str, folder: Path) -> float:
    """Seconds of a whole process."""
    (folder / "stdin").write_text(stdin)
    started = time.perf_counter()
    with (folder / "stdin").open("rb") as read:
        code = subprocess.run(argv, stdin=read, cwd=ROOT, check=False).returncode
    if code:
        raise SystemExit(f"{argv[0]} failed: {code}")
    return time.perf_counter() - started


def check(load: Load, data: Data, folder: Path) -> None:
    """Both tables answer alike."""
    url = f"sqlite:///{folder}/client.db" if load.name == "SQLite" else load.url
    # What is alike whatever the client's types are.
    sums = [{"function": "count"}, {"function": "max", "column": "Country"}, {"function": "min", "column": "Ship Date"}]
    ours = core.query(load.url, aggregates=sums)
    theirs = core.query(url, aggregates=sums, table="client")
    if ours != theirs or ours[0]["count(*)"] != data.rows:
        raise SystemExit(f"{load.name}: {ours} and {theirs} differ")


def load_table(data: Data, found: list[Load], times: dict[tuple[str, str], list[float]]) -> str:
    lines = [
        f"### Load {data.rows:,} sales records, with a unique key",
        "",
        "| database | client | client s | ours s | ours / client | stored MB |",
        "| --- | --- | ---: | ---: | ---: | ---: |",
    ]
    for each in found:
        client, ours = times[each.name, "client"], times[each.name, "ours"]
        ratios = [own / other for own, other in zip(ours, client, strict=True)]
        stored = f"{connect(each.url).stored_bytes('sales') / 1e6:.0f}"
        spans = [spread(client), spread(ours), spread(ratios)]
        lines.append(f"| {' | '.join([each.name, each.client, *spans, stored])} |")
    return "\n".join(lines) + f"\n\nn = {len(ratios)}."


def spread(values: Sequence[float]) -> str:
    return f"{median(values):.2f} ({min(values):.2f} - {max(values):.2f})"


def objects(folder: Path, rounds: int) -> str:
    """64 MB and 1 KB, by each store's own client and by ours, on one server."""
    lines = [
        "### Objects, on a server on this machine",
        "",
        "| store | what | own client | ours | times as fast |",
        "| --- | --- | ---: | ---: | ---: |",
    ]
    for rig, client, given in RIGS:
        with ExitStack() as stack:
            url = bucket(rig, stack, folder / client)
            own = given(url)
            for what, theirs, ours in pairs(url, own):
                both = interleaved(theirs, ours, rounds)
                ratio = spread([one / other for one, other in both])
                spans = [spread([1e3 * each[way] for each in both]) for way in (0, 1)]
                lines.append(f"| {rig}, {client} | {what} ms | {spans[0]} | {spans[1]} | {ratio} |")
    return "\n".join(lines) + f"\n\nn = {rounds}; small gets are {GETS}, one after the other."


def interleaved(theirs: Callable[[], object], ours: Callable[[], object], rounds: int) -> list[tuple[float, float]]:
    """Seconds of both, in turn, after one of each that is not counted."""
    theirs(), ours()
    found = []
    for turn in range(rounds):
        order = (theirs, ours) if turn % 2 else (ours, theirs)
        taken = {act: timed(act) for act in order}
        found.append((taken[theirs], taken[ours]))
    return found


def timed(act: Callable[[], object]) -> float:
    started = time.perf_counter()
    act()
    return time.perf_counter() - started


def pairs(url: str, own: tuple[Callable[..., Any], Callable[..., Any]]) -> Iterator[tuple[str, Any, Any]]:
    put, get = own
    large, small = os.urandom(LARGE), os.urandom(SMALL)

    def written() -> None:
        with storage.sink(f"{url}/ours") as target:
            for start in range(0, LARGE, 1 << 20):
                target.write(large[start : start + (1 << 20)])

    def read(name: str) -> bytes:
        with storage.opened(f"{url}/{name}") as file:
            return file.read()

    yield "put 64 MB", lambda: put("own", large), written
    yield "get 64 MB", lambda: get("own"), lambda: read("ours")
    put("small", small)
    yield (
        f"get {GETS} times 1 KB",
        lambda: [get("small") for _ in range(GETS)],
        lambda: [read("small") for _ in range(GETS)],
    )
    if get("small") != read("small") or get("own") != large or read("ours") != large:
        raise SystemExit(f"{url}: what was read is not what was written")


def bucket(rig: str, stack: ExitStack, folder: Path) -> str:
    """A new bucket of a server that runs as long as the stack."""
    folder.mkdir(exist_ok=True)
    home = folder / rig
    home.mkdir()
    endpoint = stack.enter_context(store_rigs.SERVERS[rig](home))
    os.environ.update(store_rigs.environment(rig, endpoint))
    store_rigs.make_bucket(rig, endpoint, "benchmark")
    return f"{store_rigs.SCHEMES[rig]}://benchmark"


def amazon(_: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    import boto3

    client = boto3.client("s3", region_name="us-east-1", endpoint_url=os.environ["AWS_ENDPOINT_URL_S3"])
    return (
        lambda key, data: client.put_object(Bucket="benchmark", Key=key, Body=data),
        lambda key: client.get_object(Bucket="benchmark", Key=key)["Body"].read(),
    )


def bare(url: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    """Obstore itself, by the client that ours uses."""
    import obstore

    from core.storage.clients import STORES

    store = STORES[url.partition("://")[0]]("benchmark", "120s")
    return lambda key, data: obstore.put(store, key, data), lambda key: bytes(obstore.get(store, key).bytes())


def google(_: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    from google.cloud.storage import Client

    found = Client(project="emulated").bucket("benchmark")
    return (
        lambda key, data: found.blob(key).upload_from_string(data, "application/octet-stream"),
        lambda key: found.blob(key).download_as_bytes(),
    )


def azure(_: str) -> tuple[Callable[..., Any], Callable[..., Any]]:
    from azure.storage.blob import ContainerClient

    at = f"{os.environ['AZURE_STORAGE_ENDPOINT']}/benchmark"
    key = {name: os.environ[f"AZURE_STORAGE_{name.upper()}"] for name in ("account_name", "account_key")}
    client = ContainerClient.from_container_url(at, credential=key)
    return (
        lambda key, data: client.upload_blob(key, data, overwrite=True),
        lambda key: client.download_blob(key).readall(),
    )


# Each rig with the client that it is measured against.
RIGS = (
    ("seaweedfs", "boto3", amazon),
    ("seaweedfs", "obstore itself", bare),
    ("s3", "boto3", amazon),
    ("gs", "google-cloud-storage", google),
    ("az", "azure-storage-blob", azure),
)


if __name__ == "__main__":
    main()
