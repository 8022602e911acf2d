"""YAML of the plain kind: what is written is read again, and what is dangerous is refused."""

from contextlib import suppress

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from portal.configuration import text
from portal.domain.configuration_files import BadFile
from portal.domain.names import is_printable

scalars = st.one_of(
    st.text(max_size=12).filter(lambda each: each.isprintable() and is_printable(each)),
    st.integers(-(10**9), 10**9),
    st.booleans(),
    st.sampled_from(
        ["yes", "no", "on", "null", "~", "", "007", "1_0", "0x1", "1.5", "- a", "a: b"]
    ),
)
trees = st.recursive(
    scalars,
    lambda inner: (
        st.lists(inner, min_size=1, max_size=4)
        | st.dictionaries(st.text("abc01 ~:-é", max_size=6), inner, min_size=1, max_size=4)
    ),
    max_leaves=12,
)


@given(trees)
def test_what_is_written_is_read_again(tree):
    assert text.parse(text.write({"tree": tree}, "a heading\nof two lines")).tree == {"tree": tree}


@given(st.text(max_size=60))
def test_no_text_breaks_the_reader(words):
    with suppress(BadFile):
        assert text.parse(words).line_of(()) in {None, *range(1, 62)}


BAD = [
    ("a: 1\nb: &x [1]\n", 2, "Tags, anchors and aliases are not read here."),
    ("a: *x\n", 1, "Tags, anchors and aliases are not read here."),
    ("a: !!python/object/apply:os.system [ls]\n", 1, "Tags, anchors and aliases"),
    ("a: 1\nb: 2\na: 3\n", 3, "“a” stands here twice."),
    ("? [a]\n: 1\n", 1, "A name must be a single text."),
    ("a: 1\n---\nb: 2\n", 2, "more than one document"),
    ("a: 1\n\tb: 2\n", 2, "This is not readable as YAML"),
    ("a: [1, 2\n", 2, "This is not readable as YAML"),
    ("a: 1\nb: \x00\n", 2, "This is not readable as YAML"),
    ("a: 1\nb: \ud800\n", 2, "This is not readable as YAML"),
    ('a: 1\nb: "\\0"\n', 2, "invisible control characters"),
    ('a: 1\n"\\ud800": 1\n', 2, ""),
    ("[" * 5000, 1, "nested too deep"),
    ("[" + "1," * 30_000 + "]", 1, "more than 20000 values"),
    ("#" * 200_001, None, "longer than 200000 characters"),
]


@pytest.mark.parametrize(("words", "line", "told"), BAD)
@pytest.mark.parametrize("loader", [yaml.SafeLoader, text._LOADER])
def test_what_is_not_plain_is_refused_with_its_line(words, line, told, loader, monkeypatch):
    monkeypatch.setattr(text, "_LOADER", loader)
    with pytest.raises(BadFile) as error:
        text.parse(words)
    (mistake,) = error.value.mistakes
    assert told in str(mistake.text)
    assert line is None or abs(mistake.line - line) <= 1


def test_lines_are_known_of_every_place():
    found = text.parse("a:\n  b: 1\n  c:\n    - x\n    - y: 2\nd: 3\n")
    assert found.tree == {"a": {"b": 1, "c": ["x", {"y": 2}]}, "d": 3}
    places = [("a",), ("a", "b"), ("a", "c", 0), ("a", "c", 1, "y"), ("d",), ("d", "missing")]
    assert [found.line_of(place) for place in places] == [1, 2, 4, 5, 6, 6]
