"""Selectors: what is read, what is refused and how, and the canonical form."""

from contextlib import suppress
from typing import Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field, model_validator

from pdebench_lite.errors import PdebenchError
from pdebench_lite.selectors import (
    Selector,
    Settings,
    canonical,
    changed,
    fill,
    parse_selector,
    parse_selectors,
    parse_value,
    split_outside,
)


class Example(Settings):
    """Settings of every kind."""

    width: int = Field(20, ge=1)
    rate: float = 1e-3
    optimizer: Literal["adam", "lbfgs"] = "adam"
    name: str = ""
    layers: tuple[int, ...] = (20, 20)
    anything: Any = None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("burgers", Selector("burgers")),
        (" burgers ", Selector("burgers")),
        ("burgers:forward", Selector("burgers", "forward")),
        ("a-b_c[]", Selector("a-b_c")),
        ("b:f[nu=0.02]", Selector("b", "f", {"nu": 0.02})),
        ("p[a=1, b = two ,c=true]", Selector("p", "", {"a": 1, "b": "two", "c": True})),
        ("p[a=[1,2,[3]]]", Selector("p", "", {"a": [1, 2, [3]]})),
        ("p[a=[x,y z]]", Selector("p", "", {"a": ["x", "y z"]})),
        ("p[a='x,]y']", Selector("p", "", {"a": "x,]y"})),
        (r'p[a="x,\"y"]', Selector("p", "", {"a": 'x,"y'})),
        ("p[a=x=y]", Selector("p", "", {"a": "x=y"})),
        ('p[a={"b": [1, 2]}]', Selector("p", "", {"a": {"b": [1, 2]}})),
        ("p[a=None,b=null,c=False]", Selector("p", "", {"a": None, "b": None, "c": False})),
        ("p[a=-1e-3,b=1.,c=.5]", Selector("p", "", {"a": -1e-3, "b": "1.", "c": ".5"})),
        ("p[a=adam+lbfgs]", Selector("p", "", {"a": "adam+lbfgs"})),
        ("p[a=1,]", Selector("p", "", {"a": 1})),
    ],
)
def test_what_is_read(text: str, expected: Selector) -> None:
    assert parse_selector(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a selector; write name[:task][key=value,…]"),
        ("[a=1]", "is not a selector"),
        ("a:", "is not a selector"),
        ("a:b:c", "is not a selector"),
        ("a b", "is not a selector"),
        ("a/../b", "is not a selector"),
        ("p[a=1", "does not end with ']'; write name[key=value,…]"),
        ("p[a=1]x", "does not end with ']'"),
        ("p[a=1][b=2]", "']' closes nothing"),
        ("p[a=[1]", "bracket not closed"),
        ("p[a='1]", "quote not closed"),
        ("p[a]", "'a' in 'p[a]' is not key=value"),
        ("p[a=]", "is not key=value"),
        ("p[=1]", "is not key=value"),
        ("p[a=1,a=2]", "'a' is given twice"),
        ("p[a=" + "[" * 20_000 + "]" * 20_000 + "]", "is nested too deeply"),
    ],
)
def test_what_is_refused(text: str, message: str) -> None:
    with pytest.raises(PdebenchError) as caught:
        parse_selector(text)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lists_split_outside_brackets_and_quotes_only() -> None:
    text = " burgers:forward[nu=0.02,ic='a,b'] , pinn[layers=[1,2]],,mlp"
    names = [(s.name, s.task, dict(s.values)) for s in parse_selectors(text)]
    assert names == [
        ("burgers", "forward", {"nu": 0.02, "ic": "a,b"}),
        ("pinn", "", {"layers": [1, 2]}),
        ("mlp", "", {}),
    ]
    with pytest.raises(PdebenchError, match="names nothing"):
        parse_selectors(" , ")


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = st.from_regex(r"[a-z][a-z0-9_]{0,5}", fullmatch=True)


@given(KEYS, st.dictionaries(KEYS, JSON, max_size=4))
def test_the_canonical_form_is_read_back_as_it_was(name: str, values: dict[str, Any]) -> None:
    text = canonical(name, values)
    assert "\n" not in text
    read = parse_selector(text)
    assert (read.name, dict(read.values)) == (name, values)
    assert canonical(read.name, read.values) == text
    assert [dict(s.values) for s in parse_selectors(f"{text},{text}")] == [values, values]


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    with suppress(PdebenchError):
        parse_selectors(text)
    with suppress(PdebenchError):
        split_outside(text)


@given(st.text(st.sampled_from("ab=,:[]{}\"'\\ 0.e-\n"), max_size=30))
def test_nasty_texts(text: str) -> None:
    try:
        selectors = parse_selectors(text)
    except PdebenchError:
        return
    for selector in selectors:
        assert parse_selector(canonical(selector.name, selector.values)).values == selector.values


def test_the_canonical_form() -> None:
    assert canonical("p", {}) == "p"
    assert canonical("p", {"b": True, "a": "adam", "c": [1, "x"]}) == 'p[a=adam,b=true,c=[1,"x"]]'
    assert canonical("p", {"a": "1", "b": "", "c": "true", "d": "x,y"}) == (
        'p[a="1",b="",c="true",d="x,y"]'
    )
    assert canonical("p", {"a": 1e-05}) == "p[a=1e-05]"


def test_equal_settings_have_one_label_however_they_were_written() -> None:
    texts = ["rate=0.01,width=30", "width=30,rate=1e-2", "width=30.0,rate=.01"]
    labels = set()
    for text in texts:
        values = parse_selector(f"m[{text}]").values
        labels.add(canonical("m", changed(fill(Example, values, "method m"))))
    assert labels == {"m[rate=0.01,width=30]"}
    assert canonical("m", changed(Example(width=20, layers=(20, 20)))) == "m"
    assert canonical("m", changed(Example(layers=(5,)))) == "m[layers=[5]]"


class WithPreset(Settings):
    """A preset that brings a rate and a width with it."""

    preset: str = ""
    rate: float = 0.1
    width: int = 20

    @model_validator(mode="before")
    @classmethod
    def _fill(cls, values: Any) -> Any:
        return {**({"rate": 5.0, "width": 7} if values.get("preset") else {}), **values}


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("preset=old", "m[preset=old]"),
        ("preset=old,rate=5.0,width=7", "m[preset=old]"),
        ("preset=old,rate=0.1", "m[preset=old,rate=0.1]"),
        ("rate=5.0,width=7", "m[rate=5.0,width=7]"),
    ],
)
def test_a_label_leaves_out_what_a_preset_brings(text: str, label: str) -> None:
    settings = fill(WithPreset, parse_selector(f"m[{text}]").values, "method m")
    assert canonical("m", changed(settings)) == label
    assert fill(WithPreset, parse_selector(label).values, "method m") == settings


def test_unknown_keys_suggest_the_nearest() -> None:
    with pytest.raises(PdebenchError) as caught:
        fill(Example, {"widht": 3}, "method m")
    assert str(caught.value) == (
        "unknown parameter of method m: 'widht'; did you mean 'width'? "
        "(known: anything, layers, name, optimizer, rate, width)"
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"width": 0}, "method m: width=0: input should be greater than or equal to 1"),
        ({"width": "wide"}, "method m: width='wide': input should be a valid integer"),
        ({"width": 1.5}, "method m: width=1.5: input should be a valid integer"),
        ({"optimizer": "sgd"}, "method m: optimizer='sgd': input should be 'adam' or 'lbfgs'"),
        ({"rate": float("nan")}, "method m: rate=nan: input should be a finite number"),
        ({"rate": "a\nb"}, r"method m: rate='a\nb': input should be a valid number"),
        ({"layers": [1, "x"]}, "method m: layers.1='x': input should be a valid integer"),
    ],
)
def test_bad_values_are_one_line(values: dict[str, Any], message: str) -> None:
    with pytest.raises(PdebenchError) as caught:
        fill(Example, values, "method m")
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


def test_numbers_beyond_reason_are_words() -> None:
    assert parse_value("1" * 5000) == "1" * 5000
    with pytest.raises(PdebenchError, match="finite"):
        fill(Example, {"rate": parse_value("1e999")}, "method m")


def test_settings_cannot_be_changed() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Example().width = 3  # type: ignore[misc]
