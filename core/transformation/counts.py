"""How many rows came and went."""

import msgspec


class Counts(msgspec.Struct, frozen=True):
    """The rows that fit, and those of them that were dropped.

    Attributes:
        good: Rows that fit the dataset.
        duplicates: Those among them whose key stood in an earlier one.
    """

    good: int
    duplicates: int
