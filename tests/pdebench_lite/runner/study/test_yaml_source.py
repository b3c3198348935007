"""YAML: what is read, with its lines, and everything that is refused, with its line."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from pdebench_lite.errors import PdebenchError
from pdebench_lite.runner.study.yaml_source import DEPTH_LIMIT, SIZE_LIMIT, parse, read

TEXT = """\
# a comment
problem: burgers[ic=random,noise=0.01]
methods:
  - mlp
  - pinn:
      width: [20,
              40]
max-time: 30s
"""


def test_data_and_lines() -> None:
    source = parse(TEXT, "s.yaml")
    assert source.data == {
        "problem": "burgers[ic=random,noise=0.01]",
        "methods": ["mlp", {"pinn": {"width": [20, 40]}}],
        "max-time": "30s",
    }
    assert source.lines[("methods",)] == 3
    assert source.lines[("methods", 1, "pinn", "width")] == 6
    assert source.lines[("methods", 1, "pinn", "width", 1)] == 7
    assert str(source.error(("methods", 1, "pinn", "depth"), "odd")) == "s.yaml:5: odd"
    assert str(source.error(("max-time",), "odd")) == "s.yaml:8: odd"
    assert str(source.error((), "odd")) == "s.yaml:2: odd"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("1e-3", 1e-3), ("1E5", 1e5), ("20", 20), ("-0.5", -0.5), ("true", True), ("yes", "yes"),
        ("on", "on"), ("null", None), ("~", None), ("", None), ("'20'", "20"), ('"true"', "true"),
        ("0x10", "0x10"), ("012", "012"), ("1_000", "1_000"), ("12:30:45", "12:30:45"),
        ("2026-01-01", "2026-01-01"), ("30s", "30s"), ("adam+lbfgs", "adam+lbfgs"),
        ("burgers:forward", "burgers:forward"), ("|-\n  a\n  b", "a\nb"), ("=", "="), ("<<", "<<"),
        ("[[20, 20]]", [[20, 20]]), ("{a: 1}", {"a": 1}),
    ],
)  # fmt: skip
def test_scalars_are_read_as_in_selectors(text: str, value: Any) -> None:
    assert parse(f"key: {text}\n", "s").data == {"key": value}


BAD = {
    "tag": ("a: 1\nb: !!python/object/apply:os.system [ls]\n", "s:2: tags (!) are not read"),
    "own tag": ("a: !x 1\n", "s:1: tags (!) are not read"),
    "tag of a key": ("!!str a: 1\n", "s:1: tags (!) are not read"),
    "anchor": ("a: &x 1\nb: 2\n", "s:1: anchors and aliases (& and *) are not read"),
    "alias": ("a: 1\nb: *x\n", "s:2: anchors and aliases"),
    "twice": ("a: 1\nb: 2\na: 3\n", "s:3: 'a' is given twice"),
    "key": ("? [a, b]\n: 1\n", "s:1: a key must be a word"),
    "two documents": ("a: 1\n---\nb: 2\n", "s:2: a second document begins"),
    "not closed": ("a: 1\nb: [1, 2\n", "s:3: expected ',' or ']', but got '<stream end>'"),
    "selector": ("a: [pinn[width=20], mlp]\n", "; put selectors that stand inside [ ] or { } in"),
    "tab": ("a:\n\t- b\n", r"s:2: found character '\t' that cannot start any token; indent with"),
    "indent": ("a: 1\n  b: 2\n", "s:2: mapping values are not allowed here"),
    "control": ("a: 1\nb: \x07\n", "s:2: the character #x0007 is not allowed"),
    "escape": ('a: 1\nb: "\\U0FFFFFFF"\n', "s:2: "),
    "surrogate": ('a: "\\ud800"\n', "s:1: half of a surrogate pair is not a character"),
    "deep": ("[" * 30 + "]" * 30, f"s:1: nested more than {DEPTH_LIMIT} levels deep"),
    "very deep": ("[" * 20_000, "s:1: "),
}


@pytest.mark.parametrize("kind", BAD)
def test_what_is_refused(kind: str) -> None:
    text, message = BAD[kind]
    with pytest.raises(PdebenchError) as caught:
        parse(text, "s")
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_aliases_cannot_blow_up() -> None:
    laughs = "a: &a [x, x]\n" + "".join(
        f"{b}: &{b} [*{a}, *{a}]\n" for a, b in zip("abcdefgh", "bcdefghi", strict=True)
    )
    with pytest.raises(PdebenchError, match="anchors and aliases"):
        parse(laughs, "s")


def test_files(tmp_path: Path) -> None:
    file = tmp_path / "s.yaml"
    file.write_bytes(b"\xef\xbb\xbfa: 1\n")
    assert read(file).data == {"a": 1}
    file.write_bytes(b"a: 1\nb: \xff\n")
    with pytest.raises(PdebenchError, match=r"s\.yaml:2: not UTF-8"):
        read(file)
    file.write_bytes(b"#" * (SIZE_LIMIT + 1))
    with pytest.raises(PdebenchError, match=f"over {SIZE_LIMIT} bytes"):
        read(file)
    for place in (tmp_path, tmp_path / "missing", Path("odd\0name")):
        with pytest.raises(PdebenchError, match="cannot read '"):
            read(place)
    with pytest.raises(PdebenchError, match="too large"):
        read(Path("/dev/zero"))


TEXTS = st.text(st.characters(max_codepoint=0xFFFF, exclude_categories=["Cs"]))
KEYS = TEXTS.filter(lambda key: len(json.dumps(key)) < 1000)  # YAML's own limit (1.2, 7.4.2): 1024
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)


@given(VALUES)
def test_json_is_yaml(value: Any) -> None:
    text = json.dumps(value)
    assume("Infinity" not in text)  # which is not JSON
    assert parse(text, "s").data == value


@given(st.text() | st.text(st.sampled_from("ab01:-?[]{},&*!|>'\"%@#~ \t\n\\"), max_size=60))
def test_any_text_is_read_or_refused(text: str) -> None:
    try:
        parse(text, "s")
    except PdebenchError as error:
        assert str(error).startswith("s:")  # noqa: PT017
        assert "\n" not in str(error)  # noqa: PT017
