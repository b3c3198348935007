"""`torch.compile` is spent on long trainings only, and its absence is survived."""

import math
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.numerics import array_namespace
from pdebench_methods.host import flatten

torch = pytest.importorskip("torch")


class Curve:
    """Fit a tanh layer to a sine."""

    def initial(self):
        rng = np.random.default_rng(0)
        return {"w": rng.normal(size=(6, 1)), "b": rng.normal(size=6), "c": rng.normal(size=6)}

    def loss(self, parameters, data):
        xp = array_namespace(data["x"])
        h = xp.tanh(parameters["w"] * data["x"][None, :] + parameters["b"][:, None])
        r = parameters["c"] @ h - xp.sin(data["x"])
        return xp.mean(r * r)


def flat_curve(max_steps=None, time_left=math.inf):
    from pdebench_torch._training import TorchFlatObjective, TorchTools

    run = SimpleNamespace(dtype="float64", device="cpu", max_steps=max_steps, time_left=time_left)
    tools, curve = TorchTools(run), Curve()
    data = {"x": np.linspace(-3.0, 3.0, 50)}
    return tools, TorchFlatObjective(tools, curve, curve.initial(), data), flatten(curve.initial())


@pytest.mark.parametrize(
    ("max_steps", "time_left", "pays"),
    [(None, math.inf, True), (None, 299.0, True), (None, 30.0, False), (100, math.inf, False)],
)
def test_only_long_trainings_are_compiled(max_steps, time_left, pays, monkeypatch):
    monkeypatch.setattr(
        torch, "compile", lambda function, **options: lambda x, data: 2.0 * function(x, data)
    )
    _, flat, x = flat_curve(max_steps, time_left)
    value, _ = flat.value_and_gradient(x)
    flat.compile(x)
    assert flat.value_and_gradient(x)[0] == (2.0 * value if pays else value)


def test_without_a_compiler_training_goes_on_and_says_so(monkeypatch):
    def fails(function, **options):
        def compiled(*arguments):
            raise torch._dynamo.exc.TorchDynamoException("no C++ compiler")

        return compiled

    _, flat, x = flat_curve()
    before = flat.value_and_gradient(x)
    monkeypatch.setattr(torch, "compile", fails)
    with pytest.warns(UserWarning, match=r"not compiled.*no C\+\+ compiler"):
        flat.compile(x)
    after = flat.value_and_gradient(x)
    assert after[0] == before[0]
    assert np.array_equal(after[1], before[1])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # torch's own
def test_the_compiled_loss_is_the_same(tmp_path, monkeypatch):
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", str(tmp_path))
    _, flat, x = flat_curve()
    value, gradient = flat.value_and_gradient(x)
    flat.compile(x)
    compiled = flat.value_and_gradient(x)
    assert compiled[0] == pytest.approx(value, rel=1e-12)
    np.testing.assert_allclose(compiled[1], gradient, rtol=1e-9, atol=1e-12)
