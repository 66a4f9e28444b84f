"""How the numbers of a calibration read, on the screen and on a page."""

MISSING = "-"
COUNTED = ("byte", "1")
# From where on a number has no decimal, and from where one.
DECIMALS = (10_000, 100)


def amount(value: float | None, unit: str) -> str:
    """A number with the decimals that say something; "-" when there is none."""
    if value is None:
        return MISSING
    decimals = next((digits for digits, least in enumerate(DECIMALS) if abs(value) >= least), len(DECIMALS))
    shown = f"{value:,.{0 if unit in COUNTED else decimals}f}"
    return shown if float(shown.replace(",", "")) else "0"


def error(value: float | None, unit: str) -> str:
    """The same with its sign."""
    shown = amount(value, unit)
    return shown if shown in (MISSING, "0") or shown.startswith("-") else f"+{shown}"
