"""The recorded adjoint is exact: transposes of every operation and of every shipped step."""

import numpy as np
import pytest

from pdebench_classical import _tape
from pdebench_classical._tape import linearise
from pdebench_lite.numerics import array_namespace
from pdebench_lite.registry.discovery import registry

SCHEMES = [
    ("burgers", "muscl"),
    ("burgers", "etdrk4"),
    ("burgers", "semilagrangian"),
    ("advection-density", "cubic"),
    ("advection-density", "linear"),
    ("advection-density", "upwind"),
]


def evaluated(function, arguments):
    return [_tape._value(result) for result in function(arguments)]


def gap(function, arguments, rows=3, eps=1e-5):
    """Relative difference of ⟨w, J·d⟩ by central differences and ⟨Jᵀ·w, d⟩ by the tape.

    The differences are of fourth order: eps⁴ is nothing, and rounding about 1e-15 / eps.
    """
    random = np.random.default_rng(0)
    values, pullback = linearise(function, arguments)
    for ours, plain in zip(values, evaluated(function, list(arguments)), strict=True):
        np.testing.assert_allclose(ours, plain, rtol=1e-14, atol=1e-14)
    weights = [random.normal(size=(rows, *v.shape)) for v in values]
    directions = [random.normal(size=np.shape(a)) for a in arguments]

    def at(shift):
        return evaluated(
            function, [a + shift * eps * d for a, d in zip(arguments, directions, strict=True)]
        )

    nodes = {shift: at(shift) for shift in (-2, -1, 1, 2)}
    slopes = [
        (8 * (nodes[1][i] - nodes[-1][i]) - (nodes[2][i] - nodes[-2][i])) / (12 * eps)
        for i in range(len(weights))
    ]
    left = sum((w * s).reshape(rows, -1).sum(1) for w, s in zip(weights, slopes, strict=True))
    right = sum(
        (g * d).reshape(rows, -1).sum(1) for g, d in zip(pullback(weights), directions, strict=True)
    )
    return np.abs(left - right).max() / np.abs(left).max()


def through_complex(u):
    xp = array_namespace(u)
    s = xp.fft.rfft(u)
    return xp.fft.irfft((2 + 1j) * s * s / (1 - 0.3j * s) + xp.exp(0.1j * s), n=9)


OPERATIONS = {
    "arithmetic": lambda a, b: (3 - a) * b / (2 + a * a) + a**3 - 1 / (b + 5) + (-b),
    "broadcast": lambda a, b: a[:1] * b + _tape.reshape(a, (9, 1)),
    "functions": lambda a, b: _tape.sin(a) * _tape.cos(b) + _tape.exp(a) + _tape.abs(b),
    "choices": lambda a, b: _tape.maximum(a, b) * _tape.minimum(a, 0.1) + _tape.clip(b, -0.5, 0.5),
    "moves": lambda a, b: _tape.roll(_tape.concat([a, b[2:5]], -1), 2, -1)[3:] * _tape.reshape(
        _tape.reshape(a, (3, 3)), (9,)),
    "gather": lambda a, b: _tape.take_along_axis(a, np.array([3, 3, 0, 8]), -1) * b[:4],
    "spectra": lambda a, b: through_complex(a) * b,
}  # fmt: skip


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_has_its_transpose(name):
    a, b = np.random.default_rng(1).normal(size=(2, 9))
    assert gap(lambda arrays: [OPERATIONS[name](*arrays)], [a, b]) < 3e-10


@pytest.mark.parametrize("n", [16, 17])
@pytest.mark.parametrize(("problem", "name"), SCHEMES)
def test_every_shipped_step(problem, name, n):
    """By the state, and by the motion where that may be sought."""
    task = registry().task(problem)
    problem, random = task.problem, np.random.default_rng(0)
    scheme, grid = problem.schemes()[name], problem.domain.grid(n)
    at = grid.points()
    known = {k: v(at) if callable(v) else v for k, v in problem.coefficient_values().items()}
    sought = [u.name for u in task.unknowns if u.kind == "coefficient"]
    start = problem.initial_state(at)
    arguments = [np.asarray(start[f]) + 0.1 * random.normal(size=n) for f in problem.field_names]
    state = dict(zip(problem.field_names, arguments, strict=True))
    dt = 0.5 * min(scheme.max_dt(state, known, grid), 0.05)

    def step(arrays):
        state = dict(zip(problem.field_names, arrays, strict=False))
        coefficients = known | dict(zip(sought, arrays[len(problem.field_names) :], strict=True))
        after = scheme.step(state, coefficients, 0.0, dt, grid)
        return [after[f] for f in problem.field_names]

    assert gap(step, [*arguments, *(np.asarray(known[c]) for c in sought)]) < 3e-10


def test_what_an_argument_does_not_touch_has_no_cotangent():
    values, pullback = linearise(lambda arrays: [2 * arrays[0]], [np.ones(3), np.ones(2)])
    first, second = pullback([np.eye(3)])
    np.testing.assert_array_equal(first, 2 * np.eye(3))
    np.testing.assert_array_equal(second, np.zeros((3, 2)))
    np.testing.assert_array_equal(values[0], [2, 2, 2])
