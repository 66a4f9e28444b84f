"""On which line of a TOML document a value stands."""

import tomllib
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.datasets.lines import line_of
from core.datasets.node import Path

DOCUMENT = '''# a comment with "quotes" = [ and { brackets
a = 1
"b # c" = "x # y = [" # another

[t]
list = [
  1, # one
  [2, 3],
  { k = "v", "deep.er" = { x = 1.5 } },
]
text = """
[not] a = table
"" quotes ""
""" # ends here
'literal' = \'\'\'
it's ]]
\'\'\'
after.dot."ted" = 1979-05-27 07:32:00

[t."quo\\u0074ed"]
x = 'it is # no comment'
[[many]]
n = 1
[[many]]
n = 2
[many.inner]
z = -0.5
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("a",), 2), (("b # c",), 3), (("t",), 5), (("t", "list"), 6), (("t", "list", 0), 7), (("t", "list", 1), 8),
        (("t", "list", 1, 1), 8), (("t", "list", 2), 9), (("t", "list", 2, "deep.er", "x"), 9), (("t", "text"), 11),
        (("t", "literal"), 15), (("t", "after", "dot", "ted"), 18), (("t", "quoted"), 20), (("t", "quoted", "x"), 21),
        (("many", 0), 22), (("many", 0, "n"), 23), (("many", 1, "n"), 25), (("many", 1, "inner", "z"), 27),
    ],
)  # fmt: skip
def test_a_value_has_the_line_of_its_key(path: Path, line: int) -> None:
    assert line_of(DOCUMENT, path) == line


@pytest.mark.parametrize(("path", "line"), [(("t", "no", "such"), 5), (("no",), 1), ((), 1)])
def test_what_is_missing_has_the_line_of_what_is_around_it(path: Path, line: int) -> None:
    assert line_of(DOCUMENT, path) == line


names = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6)
values = st.recursive(
    st.integers() | st.booleans() | st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=6),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(names, inside, max_size=3),
    max_leaves=6,
)


def quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def written(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{quoted(key)} = {written(each)}" for key, each in value.items()) + " }"
    if isinstance(value, list):
        return "[ # a list\n" + ",\n".join(map(written, value)) + "\n]"
    return quoted(value) if isinstance(value, str) else str(value).lower()


def paths(value: Any, path: Path) -> Iterator[Path]:
    yield path
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, each in pairs:
        yield from paths(each, (*path, key))


@given(st.dictionaries(names, values, max_size=4))
def test_the_walk_ends_where_the_document_ends_and_finds_every_value(content: dict[str, Any]) -> None:
    text = "".join(f"{quoted(key)} = {written(value)}\n" for key, value in content.items()) + "last = 1"
    assert tomllib.loads(text) == content | {"last": 1}
    for key, value in content.items():
        keys_line = line_of(text, (key,))
        assert text.split("\n")[keys_line - 1].startswith(f"{quoted(key)} = ")
        assert all(
            keys_line <= line_of(text, path) <= keys_line + written(value).count("\n") for path in paths(value, (key,))
        )
    assert line_of(text, ("last",)) == text.count("\n") + 1
