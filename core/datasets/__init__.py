"""The datasets that polyfaas knows, by name."""

from core.datasets.record import Dataset
from core.datasets.sales import SALES
from core.errors import Fault, RequestError

DATASETS: dict[str, Dataset] = {SALES.name: SALES}


def dataset(name: str) -> Dataset:
    """The dataset of that name.

    Raises:
        RequestError: There is none.
    """
    if name not in DATASETS:
        detail = f"there is no dataset {name!r}: use one of {', '.join(DATASETS)}"
        raise RequestError(detail, [Fault(path="$.dataset", detail=detail)])
    return DATASETS[name]
