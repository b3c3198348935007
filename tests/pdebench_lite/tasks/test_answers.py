"""Answers of strangers' methods: read without loss, or refused in one line."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import DivergedError, PdebenchError
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.tasks._answers import checked
from pdebench_lite.tasks.field import query

AXES = {"x": np.linspace(0.0, 1.0, 4), "t": np.linspace(0.0, 1.0, 3)}
SAME = np.repeat(AXES["x"], 3) + np.tile(AXES["t"], 4)


def asked(change: Callable[[np.ndarray], Any]) -> np.ndarray:
    """Return the field of a method whose answer is changed."""
    solution = Solution(lambda points: {"u": change(points["x"] + points["t"])})
    return query(solution, AXES, ("u",))["u"]


def of_torch(u: np.ndarray, **options: Any) -> Any:
    torch = pytest.importorskip("torch")
    return torch.tensor(u, **options)


def of_pandas(u: np.ndarray) -> Any:
    return pytest.importorskip("pandas").Series(u)


LOSSLESS: dict[str, Callable[[np.ndarray], Any]] = {
    "list": lambda u: u.tolist(),
    "column": lambda u: u[:, None],
    "row": lambda u: u[None],
    "grid": lambda u: u.reshape(4, 3),
    "no mask": lambda u: np.ma.masked_invalid(u),
    "no imaginary part": lambda u: u.astype(complex),
    "objects": lambda u: u.astype(object),
    "Series": of_pandas,
    "torch": of_torch,
    "torch, with gradient": lambda u: of_torch(u, requires_grad=True),
    "jax": lambda u: pytest.importorskip("jax.numpy").asarray(u),
}


@pytest.mark.parametrize("how", LOSSLESS)
def test_what_loses_nothing_is_read(how: str) -> None:
    found = asked(LOSSLESS[how])
    assert found.dtype == np.float64
    np.testing.assert_array_equal(found, SAME.reshape(4, 3))


@pytest.mark.parametrize(
    "kind", [np.float32, np.float16, np.int64, np.bool_, np.longdouble, "bfloat16"]
)
def test_numbers_of_other_types_are_read(kind: Any) -> None:
    if kind == "bfloat16":
        kind = pytest.importorskip("ml_dtypes").bfloat16
    np.testing.assert_array_equal(asked(lambda u: np.ones(u.shape, kind)), np.ones((4, 3)))


LOST: list[tuple[Callable[[np.ndarray], Any], str]] = [
    (lambda u: np.ma.masked_where(u > 1.5, u), "'u' has 2 masked values; return a number at every"),
    (lambda u: u + 0.5j, "'u' is complex, with imaginary parts up to 0.5; return real numbers"),
    (lambda u: u + complex(0, np.nan), "'u' is complex, with imaginary parts up to nan"),
    (lambda u: u.astype(str), "'u' holds values of type <U32; return numbers"),
    (lambda u: [*u[:-1], None], "'u' holds values of type NoneType; return numbers"),
    (lambda u: [*u[:-1], "1.5"], "'u' holds values of type .*return numbers"),
    (lambda u: [*u[:-1], 1j], "'u' is complex, with imaginary parts up to 1"),
    (lambda u: u[:-1], r"'u' has the shape \(11,\); return \(12,\) or \(4, 3\)"),
    (lambda u: u.reshape(4, 3).T, r"'u' has the shape \(3, 4\); return \(12,\) or \(4, 3\)"),
    (lambda u: 0.0, r"'u' has the shape \(\); return \(12,\)"),
    (lambda u: u[:, None] - u, r"'u' has the shape \(12, 12\); return \(12,\)"),
    (lambda u: (v for v in u), "'u' is generator, not an array; return an array"),
    (lambda u: [[1.0], [1.0, 2.0]], "'u' cannot be read as an array of numbers, ValueError"),
    (lambda u: {"values": u}, "'u' holds values of type dict; return numbers"),
]


@pytest.mark.parametrize(("change", "message"), LOST)
def test_what_would_be_lost_is_refused(change: Callable[[np.ndarray], Any], message: str) -> None:
    with pytest.raises(PdebenchError) as caught:
        asked(change)
    assert re.match(message, str(caught.value)), str(caught.value)


@pytest.mark.parametrize("answer", [None, np.ones(12), (np.ones(12),), iter([1.0])])
def test_an_answer_that_names_nothing_is_refused(answer: Any) -> None:
    message = f"predict returned {type(answer).__name__}, not a dict; return {{'u': values}}"
    with pytest.raises(PdebenchError, match=re.escape(message)):
        query(Solution(lambda points: answer), AXES, ("u",))
    with pytest.raises(PdebenchError, match=r"lacks the field 'u'; it has \['1', 'U'\]"):
        query(Solution(lambda points: {"U": SAME, 1: SAME}), AXES, ("u",))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_what_is_not_finite_has_diverged(bad: float) -> None:
    with pytest.raises(DivergedError, match="'u' is not finite"):
        asked(lambda u: np.where(u > 1.5, bad, u))


def test_unknowns_are_read_as_fields_are() -> None:
    x = {"x": AXES["x"]}
    column = checked("k", lambda points: points["x"][:, None])(x)
    np.testing.assert_array_equal(column, AXES["x"])
    assert checked("nu", lambda points: 0.5)({}) == 0.5
    assert checked("nu", lambda points: [0.5])(x).size == 1
    for value, message in [
        (0.5 + 1j, "'nu' is complex"),
        (np.ma.masked, "'nu' has 1 masked values"),
        (np.ones(3), r"'nu' has the shape \(3,\); return \(4,\)"),
    ]:
        with pytest.raises(PdebenchError, match=message):
            checked("nu", lambda points, value=value: value)(x)  # type: ignore[misc]
    with pytest.raises(DivergedError, match="'nu' is not finite"):
        checked("nu", lambda points: np.nan)({})


def test_a_sought_number_that_is_complex_is_not_scored() -> None:
    task = registry().task("burgers:viscosity")
    solution = Solution(
        lambda points: {"u": np.zeros_like(points["x"])}, unknowns={"nu": lambda points: 0.01 + 1j}
    )
    evaluation = task.evaluate(solution, "history")
    with pytest.raises(PdebenchError, match="'nu' is complex, with imaginary parts up to 1;"):
        _ = evaluation.found_on_grid


def test_a_family_s_instances_outlast_a_method_that_overwrites_its_query() -> None:
    task = registry().task("burgers:family[validation=1,test=1]")
    before = {name: np.array(v) for name, v in task.ensemble("validation").query().items()}

    def predict(given: dict[str, Any]) -> dict[str, np.ndarray]:
        answer = np.ones((given["u"].shape[0], given["x"].size, given["t"].size), complex)
        for values in given.values():
            values *= 0.0
        return {"u": answer}

    evaluation = task.evaluate(Solution(predict), "history")
    assert evaluation.fields["u"].dtype == np.float64
    for name, values in task.ensemble("validation").query().items():
        np.testing.assert_array_equal(values, before[name])
