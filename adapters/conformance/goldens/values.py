"""JSON values there and back: texts, numbers at the edges, null and false."""

from collections.abc import Iterator
from typing import TypeAlias

from adapters.conformance.goldens.hand import no_view
from adapters.conformance.record import Golden
from core.message import Request

Value: TypeAlias = tuple[str, str | None]

# Sent, and how it comes back where that is something else.
TEXTS: dict[str, Value] = {
    "letters with accents": ('"Größe, Åland, naïve"', None),
    "other scripts": ('"日本語 Ελληνικά العربية עברית"', None),
    "beyond the basic plane": ('"\U0001d518😀🇪🇺"', None),
    "beyond the basic plane, escaped": (r'"\ud83d\ude00"', '"😀"'),
    "combining marks stay as they are": ('"e\u0301 é ﬁ"', None),
    "escapes of letters": (r'"\u00fc\u0041\/"', '"üA/"'),
    "NUL, escaped": (r'"a\u0000b"', None),
    "control characters, escaped": (r'"\b\f\n\r\t\u001f"', None),
    "quotes and backslashes": (r'"\"\\ \\u0041"', None),
    "line separators": ('"\u2028\u2029\u0085"', None),
    "what HTML would change": ('"<b>&amp;</b>"', None),
    "direction marks and zero widths": ('"\u202e\u200b\ufeff"', None),
}
NUMBERS: dict[str, Value] = {
    "2^53 - 1": ("9007199254740991", None),
    "2^53": ("9007199254740992", None),
    "2^53 + 1": ("9007199254740993", None),
    "-(2^53 + 1)": ("-9007199254740993", None),
    "2^63": ("9223372036854775808", None),
    "2^64 - 1": ("18446744073709551615", None),
    "30 digits": ("123456789012345678901234567890", None),
    "1e308": ("1e308", None),
    "the least double": ("5e-324", None),
    "-0.0": ("-0.0", None),
    "0.1": ("0.1", None),
    "1.0 is no whole number": ("1.0", None),
    "17 digits of a double": ("0.30000000000000004", None),
}
NOTHINGS: dict[str, Value] = {
    "null": ("null", None),
    "false": ("false", None),
    "true": ("true", None),
    "an empty text": ('""', None),
    "an empty array": ("[]", None),
    "an empty object": ("{}", None),
    "null and false in an object": ('{"a":null,"b":false,"c":[null,false]}', None),
    "the order of members": ('{"z":1,"a":2,"m":3}', None),
    "members without a name": ('{"":0," ":1}', None),
}


GROUPS = {
    "unicode": TEXTS,
    "numbers": NUMBERS,
    "null and false": NOTHINGS,
}


def _goldens() -> Iterator[Golden]:
    for group, values in GROUPS.items():
        for name, (sent, back) in values.items():
            request = Request(body=f'{{"profile":{sent}}}'.encode())
            yield Golden(name=name, group=group, requests=(request,), by_hand=no_view(back or sent))
    null = Request(path="/query", body=b'{"service":null,"profile":0}')
    yield Golden(name="null for the service", group="null and false", requests=(null,), by_hand=no_view("0", "/query"))


GOLDENS = tuple(_goldens())
