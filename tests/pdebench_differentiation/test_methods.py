"""What the methods find on each library, what they count, and what they refuse."""

from importlib import import_module

import numpy as np
import pytest

from pdebench_differentiation._finite_differences import best_step, stencil
from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.testing import attempt

# said by torch of itself, at the first forward mode
pytestmark = pytest.mark.filterwarnings("ignore:.*torch.jit.script.*")

BACKENDS = ("numpy", "torch", "jax")
EXACT = ("forward-mode", "reverse-mode", "taylor-mode")
ROUNDING = 1e-13
SMALL = "width=4,points=5"


@pytest.fixture(params=BACKENDS)
def backend(request):
    pytest.importorskip(request.param)
    return request.param


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    """Timing is tested elsewhere."""
    monkeypatch.setattr("pdebench_lite.measure.calls._SECONDS", 0.0)


def run(problem, method, backend, dtype="float64"):
    runtime = import_module(registry().backend(backend).runtime)
    runtime.prepare("cpu", dtype)
    try:
        return attempt(registry(), problem, method, backend, 1, dtype=dtype)
    finally:
        runtime.prepare("cpu", "float64")


@pytest.mark.parametrize("method", [*EXACT, "complex-step"])
@pytest.mark.parametrize(
    "problem",
    ["derivatives", "derivatives:jacobian[m=3,n=2,width=4,points=5]",
     pytest.param(f"derivatives:network[order=1,inputs=3,{SMALL}]", marks=pytest.mark.slow)],
)  # fmt: skip
def test_first_derivatives_are_exact_to_rounding(problem, method, backend):
    done = run(problem, method, backend)
    assert done.metrics["rel_l2"] < ROUNDING
    assert done.sees == {"expression": True}


@pytest.mark.parametrize("method", EXACT)
@pytest.mark.parametrize("order", [2, pytest.param(3, marks=pytest.mark.slow),
                                   pytest.param(4, marks=pytest.mark.slow)])  # fmt: skip
def test_higher_derivatives_are_exact_to_rounding(order, method, backend):
    problem = f"derivatives:network[order={order},inputs=2,{SMALL}]"
    if backend == "numpy" and method == "reverse-mode":
        with pytest.raises(UnsupportedError, match=f"order 1, not {order}"):
            run(problem, method, backend)
        return
    assert run(problem, method, backend).metrics["rel_l2"] < ROUNDING


@pytest.mark.parametrize("method", EXACT)
def test_mixed_derivatives_are_exact_to_rounding(method):
    backend = "torch" if method == "reverse-mode" else "numpy"
    pytest.importorskip(backend)
    problem = f"derivatives:network[order=3,inputs=3,partials=all,{SMALL}]"
    assert run(problem, method, backend).metrics["rel_l2"] < ROUNDING


@pytest.mark.parametrize(("scheme", "order"), [("forward", 1), ("central", 2)])
@pytest.mark.parametrize("k", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_finite_differences_converge_with_their_order(scheme, order, k, backend):
    errors = [
        run(f"derivatives:network[order={k},{SMALL}]",
            f"finite-differences[scheme={scheme},h={h}]", backend).metrics["rel_l2"]
        for h in (4e-2, 1e-2)
    ]  # fmt: skip
    assert np.log(errors[0] / errors[1]) / np.log(4) == pytest.approx(order, abs=0.15)


@pytest.mark.parametrize("scheme", ["forward", "central"])
@pytest.mark.parametrize("k", [1, *(pytest.param(k, marks=pytest.mark.slow) for k in (2, 3, 4))])
def test_the_automatic_step_is_near_the_best(scheme, k):
    """Neither ten times the step nor a tenth of it is much better."""
    h = best_step(k, {"forward": 1, "central": 2}[scheme], "float64")
    errors = [
        run(f"derivatives:network[order={k},{SMALL}]",
            f"finite-differences[scheme={scheme},h={step}]", "numpy").metrics["rel_l2"]
        for step in (10 * h, h, h / 10)
    ]  # fmt: skip
    assert errors[1] < 10 * min(errors)


@pytest.mark.parametrize("scheme", ["forward", "central"])
@pytest.mark.parametrize("k", [0, 1, 2, 3, 4])
def test_stencils_are_exact_for_powers(scheme, k):
    """On unit spacing x^j has at 0 the k-th derivative k! for j = k, and 0 for j < k."""
    weights = stencil(scheme, k)
    for j in range(k + 1 + (scheme == "central" and k > 0)):
        found = sum(w * float(node) ** j for node, w in weights.items())
        assert found == pytest.approx(float(np.prod(np.arange(1, k + 1))) if j == k else 0.0)


def test_single_precision_rounds_as_such(backend):
    problem = f"derivatives:network[order=1,{SMALL}]"
    assert 1e-9 < run(problem, "reverse-mode", backend, "float32").metrics["rel_l2"] < 1e-5


@pytest.mark.parametrize(
    "passes",
    [{"forward-mode": 2, "reverse-mode": 3},
     pytest.param({"taylor-mode": 1, "complex-step": 2, "finite-differences": 4,
                   "finite-differences[scheme=forward]": 3}, marks=pytest.mark.slow)],
)  # fmt: skip
def test_forward_costs_columns_and_reverse_rows(passes, tmp_path):
    """A map from two inputs to three outputs, in passes through the expression."""
    from pdebench_lite.runner.api import execute, plan
    from pdebench_lite.store.cell import Budget

    known = registry()
    cells, _ = plan(known, "derivatives:jacobian[m=3,n=2,width=4,points=5]", ",".join(passes),
                    backend="numpy", budget=Budget(max_steps=1), device="cpu")  # fmt: skip
    records = execute(known, cells, {"numpy": "cpu"}, tmp_path)
    assert {record.label: record.costs["passes"] for record in records} == passes
    assert all(record.metrics["call_s"] > 0 for record in records)


def test_a_complex_step_refuses_higher_orders():
    method, config = registry().configured("complex-step")
    answer = method.supports(registry().task("derivatives:network[order=2]"), config)
    assert not answer.ok
    assert "not those of order 2" in answer.reason


@pytest.mark.parametrize("method", ["taylor-mode", "finite-differences", "complex-step"])
def test_pdes_give_no_expression(method):
    chosen, config = registry().configured(method)
    answer = chosen.supports(registry().task("burgers"), config)
    assert not answer.ok
    assert "gives no expression" in answer.reason


@pytest.mark.parametrize("value", ["0", "-1", "small"])
def test_a_bad_step_is_refused(value):
    with pytest.raises(PdebenchError, match="method finite-differences: h"):
        registry().configured(f"finite-differences[h={value}]")
