"""Traces and their sweeps: derivatives of every operation, and the tables that are printed."""

import numpy as np
import pytest

from pdebench_differentiation._dual import along, derivative
from pdebench_differentiation._tables import tables
from pdebench_differentiation._trace import BAR, DOT, record
from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Expression
from pdebench_lite.registry.discovery import registry
from pdebench_lite.report.trace import traced


def arithmetic(x, constants):
    xp = array_namespace(x)
    a, b = x[:1], x[1:]
    both = xp.tanh(-a) * 3.0 + 2.0 / b - xp.cos(b) * a
    return (1.0 - both) / (both + 4.0) + xp.exp(constants["w"] @ x) - xp.sin(a) + x[:1]


W = {"w": np.array([[0.3, -0.7]])}


def test_sweeps_agree_with_each_other_and_with_differences():
    x = np.array([[0.4, 1.3, -0.2], [0.9, 0.5, 1.1]])
    trace = record(arithmetic, x, W)
    np.testing.assert_allclose(trace.output.value, arithmetic(x, W), rtol=1e-15)
    forward = derivative(arithmetic(along(x, np.eye(2)[:, None]), W), 1)[:, 0]
    reverse = trace.pull(np.ones((1, 1, 3)))[0]
    np.testing.assert_allclose(forward, reverse, rtol=1e-13)
    h = 1e-6
    for i, slope in enumerate(forward):
        shift = h * np.eye(2)[i][:, None]
        expected = (arithmetic(x + shift, W) - arithmetic(x - shift, W)) / (2 * h)
        np.testing.assert_allclose(slope[None], expected, rtol=1e-7)


def test_nested_dual_numbers_are_the_slope_of_the_slope():
    x = np.array([[0.4, 1.3, -0.2], [0.9, 0.5, 1.1]])
    mixed = np.eye(2)[[[0, 1], [1, 0], [1, 1]]]  # (derivatives, order, inputs)
    found = derivative(arithmetic(along(x, mixed), W), 2)[:, 0]
    np.testing.assert_allclose(found[0], found[1], rtol=1e-12)
    h, shift = 1e-6, np.array([[0.0], [1e-6]])
    slopes = [record(arithmetic, x + s, W).pull(np.ones((1, 1, 3)))[0] for s in (shift, -shift)]
    np.testing.assert_allclose(found[1:], (slopes[0] - slopes[1]) / (2 * h), rtol=1e-6)


def test_what_is_linear_has_no_second_derivative():
    y = along(np.ones((2, 3)), np.eye(2)[[[0, 1]]])[:1] * 2.0
    np.testing.assert_array_equal(derivative(y, 2), 0.0)


def test_operands_of_unlike_shapes():
    def stretched(x, constants):
        return x[:1] * x

    x = np.array([[0.4, 1.3], [0.9, 0.5], [0.2, 0.1]])
    adjoint = record(stretched, x, {}).pull(np.ones((1, 3, 2)))[0]
    np.testing.assert_allclose(adjoint, [x.sum(0) + x[0], x[0], x[0]])


def test_an_input_without_influence_has_no_adjoint():
    x = np.array([[0.4], [0.9]])
    adjoint = record(lambda x, constants: x[:1] * 2.0, x, {}).pull(np.ones((1, 1, 1)))[0]
    np.testing.assert_array_equal(adjoint, [[2.0], [0.0]])


@pytest.fixture(scope="module")
def slide():
    return tables(registry().task("derivatives").expression())


def test_the_tables_end_with_the_derivatives(slide):
    trace = slide["trace"]
    truth = registry().task("derivatives").truth.values.ravel()
    ends = [trace["evaluation"][-1], *(sweep[-1] for sweep in trace["forward"])]
    assert [line["value"] for line in ends] == pytest.approx(truth, rel=1e-14)
    assert [line["value"] for line in trace["reverse"][-2:]] == pytest.approx(truth[1:], rel=1e-14)


def test_the_trace_is_that_of_the_book(slide):
    """Seven intermediate results, in the order in which Griewank and Walther have them."""
    lines = slide["trace"]["evaluation"]
    assert [line["name"] for line in lines] == [f"v{i}" for i in range(-1, 7)] + ["y"]
    assert lines[2]["formula"] == "{a} / {b}"


def test_printed_as_on_the_slides(slide):
    text = "\n".join(" ".join(line.split()) for line in traced(slide))
    for line in (
        "v4 = v1 - v3 = 3.0000 - 1.6487 = 1.3513",
        f"v{DOT}6 = v{DOT}5 * v4 + v5 * v{DOT}4 = 0.0200 * 1.3513 + 1.4924 * 2.0000 = 3.0118",
        f"v{BAR}4 = v{BAR}4 + v{BAR}5 = 1.4924 + 1.3513 = 2.8437",
        f"v{BAR}1 = v{BAR}1 + v{BAR}2 * cos(v1) = 2.8437 + 1.3513 * (-0.9900) = 1.5059",
        "y = v6 = 2.01665",
        f"∂y/∂x1 = v{BAR}-1 = 3.01184",
        f"∂y/∂x2 = v{BAR}0 = -13.72396",
    ):
        assert line in text.splitlines()


@pytest.mark.parametrize(
    "expression",
    [
        Expression(lambda x, c: x[:1], {}, np.ones((2, 3)), 1, ((0,),)),
        Expression(lambda x, c: x, {}, np.ones((2, 1)), 2, ((0,),)),
        Expression(lambda x, c: c["w"] @ x, W, np.ones((2, 1)), 1, ((0,),)),
    ],
)
def test_what_is_no_table_is_left_out(expression):
    assert tables(expression) == {}


def test_a_constant_in_a_table():
    expression = Expression(lambda x, c: 2.0 * x[:1] - x[1:], {}, np.ones((2, 1)), 1, ((0,),))
    text = "\n".join(" ".join(line.split()) for line in traced(tables(expression)))
    assert "v1 = 2 * v-1 = 2.0000 * 1.0000 = 2.0000" in text.splitlines()
    assert f"v{DOT}1 = 0 * v-1 + 2 * v{DOT}-1 = 0.0000 * 1.0000 + 2.0000 * 1.0000 = 2.0000" in text


@pytest.mark.parametrize(
    "details",
    [{}, {"trace": 3}, {"trace": {"evaluation": [{"name": "v"}], "forward": 2, "reverse": None}},
     {"trace": {"evaluation": "abc", "forward": [[3]], "reverse": [[]]}}],
)  # fmt: skip
def test_a_damaged_trace_prints_nothing(details):
    assert list(traced(details)) == []


def test_show_prints_the_tables(tmp_path):
    from pdebench_lite.report.show import describe
    from pdebench_lite.runner.api import execute, plan
    from pdebench_lite.store.cell import Budget
    from pdebench_lite.store.records import Store

    cells, _ = plan(registry(), "derivatives", "forward-mode", backend="numpy",
                    budget=Budget(max_steps=1), device="cpu")  # fmt: skip
    (record_of_cell,) = execute(registry(), cells, {"numpy": "cpu"}, tmp_path)
    text = describe(record_of_cell, Store(tmp_path).folder(record_of_cell.cell))
    assert "= 2.01665" in text
    assert "reverse mode" in text
    assert '"formula"' not in text
