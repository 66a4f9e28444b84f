"""Whom generated payments go to: a recipient's name, address and specialty are the same in each payment."""

from collections.abc import Sequence
from typing import Any

import msgspec

from core.engine import text
from core.generator.draws import WORD, Lists, draw, mixed
from core.generator.faults import Fault, Piece
from core.generator.record import fields, weighted

RECIPIENTS = 600_000
FIRST_PROFILE = 10_000
FIRST_NPI = 1_000_000_000
NPIS = 900_000_000
# One payment in so many goes to a hospital.
HOSPITAL_EVERY = 200
RECIPIENT, HOSPITAL = 2, 3
# Draws of the recipient, not of the row.
FIRST, MIDDLE, LAST, SUFFIX, HOUSE, STREET, SECOND, PLACE, ZIP, PLUS_4, SPECIALTY, NPI = range(1, 13)
NAMES = ((FIRST, "first_names"), (MIDDLE, "middle_names"), (LAST, "last_names"), (SUFFIX, "suffixes"))
WITH_PRACTITIONERS = 91


def columns(rows: str, seed: int) -> str:
    """The rows with `recipient`, its own mixed number `r`, `place`, `specialty` and `hospital`."""
    recipient = (
        f"SELECT *, {draw(RECIPIENT, RECIPIENTS)} AS recipient, {draw(HOSPITAL, HOSPITAL_EVERY)} = 0 AS at_hospital"
    )
    salted = f"SELECT *, (recipient + {seed})::UBIGINT & {WORD - 1} AS r FROM ({recipient} FROM {rows})"
    return mixed(f"({salted})", "r")


def pieces(parts: dict[str, Any], layout: int, lists: Lists) -> tuple[Piece, ...]:
    """From the first column to the licenses; a hospital has no name, no specialty and no license."""
    texts = _Texts(parts, layout, lists)
    return (_kind(texts), _person(texts), _city(texts), _license(texts))


class _Texts(msgspec.Struct, frozen=True):
    parts: dict[str, Any]
    layout: int
    lists: Lists

    @property
    def has_npi(self) -> bool:
        return self.layout == WITH_PRACTITIONERS

    def of_recipient(self, number: int, texts: Sequence[str]) -> str:
        return self.lists.pick(texts, draw(number, len(texts), "r"))

    def either(self, hospital: Sequence[str], person: str) -> str:
        """What stands in the line of a hospital, and in a person's."""
        return (
            f"CASE WHEN at_hospital THEN {self.lists.pick(hospital, f'recipient % {len(hospital)}')} ELSE {person} END"
        )

    def specialties(self) -> list[tuple[str, str, str]]:
        """Kind of recipient, primary type and specialty, as often as they come up."""
        physicians = [("Covered Recipient Physician", *rest) for _, *rest in weighted(self.parts["specialties"])]
        others = weighted(self.parts["practitioners"]) if self.has_npi else []
        return physicians + [("Covered Recipient Non-Physician Practitioner", *rest) for _, *rest in others]


def _kind(texts: _Texts) -> Piece:
    kinds = [fields("NEW", kind, "", "", "") + "," for kind, _, _ in texts.specialties()]
    hospital = "Covered Recipient Teaching Hospital"
    hospitals = [fields("NEW", hospital, *each[:3]) + "," for each in texts.parts["hospitals"]]
    return Piece(texts.either(hospitals, texts.of_recipient(SPECIALTY, kinds)))


def _person(texts: _Texts) -> Piece:
    """From the profile to the second line of the address."""
    names = [texts.of_recipient(number, _values(texts.parts[part])) for number, part in NAMES]
    street = texts.of_recipient(STREET, [f' {street}",' for street in texts.parts["streets"]])
    second = texts.of_recipient(SECOND, _values(texts.parts["second_lines"]))
    house = f"""'"', 1 + {draw(HOUSE, 9999, "r")}, {street}, {second}"""
    npi = f"""'"', {FIRST_NPI} + {draw(NPI, NPIS, "r")}, '",', """ if texts.has_npi else ""
    person = f"""concat('"', {FIRST_PROFILE} + recipient, '",', {npi}{", ".join(names)}, {house})"""
    blanks = "," * (6 if texts.has_npi else 5)
    return Piece(texts.either([blanks + fields(each[3], "") + "," for each in texts.parts["hospitals"]], person))


def _values(texts: Sequence[str]) -> list[str]:
    return [fields(value) + "," for value in texts]


def _city(texts: _Texts) -> Piece:
    """From the city to the postal code."""
    places = [fields(*place)[:-1] for place in texts.parts["places"]]
    zips = f"""right((100 + {draw(ZIP, 100, "r")})::VARCHAR, 2), '-', 1000 + {draw(PLUS_4, 9000, "r")}"""
    person = f"""concat({texts.of_recipient(PLACE, places)}, {zips}, '",')"""
    hospitals = [places[each[4]] + '01",' for each in texts.parts["hospitals"]]
    country = fields("United States", "", "") + ","
    rest = fields("", "MN", "55401") + "," + country
    # The next quote opens the state, and what follows it can close nothing: the fault shows in this line.
    faults: dict[Fault, str] = {
        "unterminated quote": text('"Minneapolis' + rest),
        "NUL byte": f"""concat('"Minnea', chr(0), {text('polis"' + rest)})""",
    }
    return Piece(f"concat({texts.either(hospitals, person)}, {text(country)})", faults)


def _license(texts: _Texts) -> Piece:
    """Primary types, specialties and the states of the licenses."""
    more = "," * (6 if texts.has_npi else 1)
    practices = [fields(kind) + more + fields(area) + more for _, kind, area in texts.specialties()]
    states = [fields(state) + "," * 5 for _, state, _ in texts.parts["places"]]
    person = f"concat({texts.of_recipient(SPECIALTY, practices)}, {texts.of_recipient(PLACE, states)})"
    return Piece(texts.either([more * 2 + "," * 5], person))
