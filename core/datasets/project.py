"""A project's own settings: the datasets that it calls by name.

They stand in `polyfaas.toml`, in the folder that the process works in or in one above; POLYFAAS_PROJECT names another
file.
"""

import os
from functools import lru_cache
from pathlib import Path

import msgspec

from core.datasets.record import SHIPPED
from core.errors import RequestError

FILE = "polyfaas.toml"
VARIABLE = "POLYFAAS_PROJECT"
KEYS = ("dataset", "datasets")
PROJECTS_REMEMBERED = 4


class Project(msgspec.Struct, frozen=True):
    """What a project says.

    Attributes:
        dataset: The dataset that the commands take when none is named.
        datasets: The TOML file of each dataset of the project, by its name there.
    """

    dataset: str = "sales"
    datasets: dict[str, Path] = {}


def project() -> Project:
    """The project that this process works in; without a `polyfaas.toml`, an empty one.

    Raises:
        RequestError: The file is wrong; the message names the line. Or POLYFAAS_PROJECT names a file that is not there.
    """
    file = project_file()
    if file is None:
        return Project()
    found = file.stat()
    return _read(file, found.st_mtime_ns, found.st_size)


def project_file() -> Path | None:
    """The `polyfaas.toml` that holds for this process, None where there is none.

    Raises:
        RequestError: POLYFAAS_PROJECT names a file that is not there.
    """
    if named := os.environ.get(VARIABLE):
        if not Path(named).is_file():
            raise RequestError(f"{VARIABLE} is {named!r}, and there is no such file: correct or unset it")
        return Path(named).absolute()
    folder = Path.cwd()
    return next((each / FILE for each in (folder, *folder.parents) if (each / FILE).is_file()), None)


@lru_cache(PROJECTS_REMEMBERED)
def _read(file: Path, _modified_ns: int, _size: int) -> Project:
    """What a file says, as long as it stays as it is."""
    from core.datasets.document import parsed, text_of

    with parsed(text_of(file, str(file)), str(file)) as node:
        fields = node.fields(KEYS)
        named = fields["datasets"].table() if "datasets" in fields else {}
        for name, each in named.items():
            if name in SHIPPED or name.endswith(".toml"):
                raise each.wrong(f"{name!r} is taken: give the dataset another name")
            if not (file.parent / each.text()).is_file():
                raise each.wrong(f"there is no file {each.text()!r} beside {FILE}: correct the path")
        datasets = {name: file.parent / each.text() for name, each in named.items()}
        default = fields["dataset"].text() if "dataset" in fields else "sales"
        if default not in (*SHIPPED, *datasets):
            raise fields["dataset"].wrong(f"there is no dataset {default!r}: name it under [datasets] too")
        return Project(default, datasets)
