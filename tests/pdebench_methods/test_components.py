"""Registered parts of methods: each keeps the formula of its paper, in both backends."""

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.numerics import jets
from pdebench_lite.problem import Domain, Interval
from pdebench_lite.registry.component import Optimizer
from pdebench_lite.registry.discovery import registry
from pdebench_lite.testing._libraries import LIBRARIES, library
from pdebench_methods.fourier_features import FourierFeatures, FourierSettings
from pdebench_methods.host import StepByStep
from pdebench_methods.modified_mlp import ModifiedMlp
from pdebench_methods.networks import Layer, RegisteredNetworks
from pdebench_methods.samplers import Draw, latin_hypercube, residual, uniform
from pdebench_methods.settings import NetworkSettings
from pdebench_methods.weightings import (
    CausalSettings,
    GradientSettings,
    Part,
    causal,
    gradient_norm,
)

X, T = np.linspace(-0.9, 0.8, 7), np.linspace(0.1, 0.7, 7)
SHAPE = NetworkSettings(width=5, depth=2)

# ---- names -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("selector", "message"),
    [
        ("pinn[optimizer=adm]", "unknown optimizer 'adm'; did you mean 'adam'"),
        ("mlp[optimizer=adam+lbgfs]", "did you mean 'lbfgs'"),
        ("pinn[network=modified]", "did you mean 'modified-mlp'"),
        ("pinn[weighting=casual]", "did you mean 'causal'"),
        ("pinn[sampler=unifrom]", "did you mean 'uniform'"),
        ("pinn[weighting=causal[eps=1]]", "did you mean 'epsilon'"),
        ("pinn[weighting=causal,redraw=0]", "give redraw above 0"),
        ("pinn[optimizer=gauss-newton]", "does not fit this method"),
        ("diffphys[optimizer=lm]", "does not fit this method"),
    ],
)
def test_a_wrong_name_is_an_error_before_anything_runs(selector, message):
    with pytest.raises(PdebenchError, match="method ") as raised:
        registry().configured(selector)
    assert message in str(raised.value)


def test_settings_at_their_defaults_are_left_out():
    config = registry().configured("pinn[weighting=causal[epsilon=0.01],sampler=residual]")[1]
    assert config.weighting == "causal"
    assert "sampler" not in config.model_dump()
    assert registry().configured("pinn[optimizer=adam+ssbroyden]")[1].optimizers(10) == [
        "adam", "ssbroyden",
    ]  # fmt: skip


def test_what_is_for_one_backend_says_so():
    only = Optimizer("soap", "", {"torch": "torch:optim"})
    with pytest.raises(UnsupportedError, match="optimizer 'soap' is for backend torch, not jax"):
        only.load("jax")


def test_its_modules_count_in_the_fingerprint():
    config = registry().configured("pinn")[0].Config
    found = config.code_paths({"weighting": "causal", "optimizer": "adam"}, "jax")
    assert "pdebench_methods.weightings:causal" in found
    assert "pdebench_jax.optimizers:adam" in found
    assert not any(path.startswith("pdebench_torch") for path in found)


# ---- an optimiser ----------------------------------------------------------------------------


def momentum(x, memory, value_and_gradient, rate, config):
    """Polyak 1964: x ← x − rate·v, v ← 0.9 v + ∇f."""
    value, gradient = value_and_gradient(x)
    v = 0.9 * memory.get("v", 0.0) + gradient
    return x - rate * v, value, {"v": v}


def test_a_step_that_is_a_function_goes_on_bit_by_bit():
    evaluate = lambda x: (float(x @ (x * [1.0, 5.0])), 2.0 * x * [1.0, 5.0])  # noqa: E731
    make = lambda: StepByStep(momentum, evaluate, np.array([3.0, -2.0]), 0.02, None)  # noqa: E731
    whole, first, second = make(), make(), make()
    assert all(whole.step() for _ in range(300))
    np.testing.assert_allclose(whole.x, 0.0, atol=1e-5)
    for _ in range(100):
        first.step()
    second.restore(first.state())
    for _ in range(200):
        second.step()
    np.testing.assert_array_equal(second.x, whole.x)
    assert (second.loss, second.evaluations) == (whole.loss, whole.evaluations)


# ---- networks --------------------------------------------------------------------------------

NETWORKS = {
    "modified-mlp": ModifiedMlp(SHAPE),
    "fourier-features": FourierFeatures(SHAPE, FourierSettings(waves=3, scale=2.0)),
}


@pytest.mark.parametrize("kind", NETWORKS)
@pytest.mark.parametrize("name", LIBRARIES)
def test_jets_of_a_network_are_its_derivatives(kind, name):
    networks = RegisteredNetworks(NETWORKS[kind], Layer())
    weights = networks.initial(np.random.default_rng(0), "fields", 2, 1)
    plain = lambda x, t: networks.apply(weights, "fields", [x, t])[0]  # noqa: E731
    h = 1e-4
    u_xx = (plain(X + h, T) - 2 * plain(X, T) + plain(X - h, T)) / h**2
    with library(name) as lib:
        here, at = lib.arrays(weights), lib.arrays({"x": X, "t": T})
        value = networks.apply(here, "fields", [at["x"], at["t"]])[0]
        np.testing.assert_allclose(np.asarray(value), plain(X, T), rtol=1e-10, atol=1e-12)
        lifted = jets.variables(jets.space(("x", "t"), ("xx", "t")), at)
        jet = networks.apply(here, "fields", [lifted["x"], lifted["t"]])[0]
        np.testing.assert_allclose(np.asarray(jet.value), plain(X, T), rtol=1e-10, atol=1e-12)
        np.testing.assert_allclose(np.asarray(jet.derivative("xx")), u_xx, atol=1e-5)


def test_the_modified_mlp_is_gated():
    """With gates U = V the hidden layers have no say."""
    network = ModifiedMlp(SHAPE)
    w = network.initial(np.random.default_rng(0), 2, 1)
    x = np.stack([X, T])
    u, v = (np.tanh(w[f"{n}.weight"] @ x) for n in "uv")
    h = x
    for layer in ("0", "1"):
        z = np.tanh(w[f"{layer}.weight"] @ h)
        h = z * u + (1.0 - z) * v
    np.testing.assert_allclose(network(w, x, Layer()), w["out.weight"] @ h, rtol=1e-12)
    w["v.weight"] = w["u.weight"]
    np.testing.assert_allclose(network(w, x, Layer()), w["out.weight"] @ u, rtol=1e-12)


def test_fourier_features_are_cosines_and_sines():
    network = NETWORKS["fourier-features"]
    w = network.initial(np.random.default_rng(0), 2, 1)
    phase = w["waves"] @ np.stack([X, T])
    h = np.concatenate([np.cos(phase), np.sin(phase)])
    for layer in ("0", "1"):
        h = np.tanh(w[f"{layer}.weight"] @ h)
    np.testing.assert_allclose(network(w, np.stack([X, T]), Layer()), w["2.weight"] @ h, rtol=1e-10)


# ---- weightings ------------------------------------------------------------------------------


def part(squares=None, gradient=None, elapsed=None, weight=1.0):
    return Part(weight, elapsed, lambda: np.asarray(squares), lambda: np.asarray(gradient))


def test_causal_weights_are_those_of_the_paper():
    """Algorithm 1 for three times with residuals 4, 2, 1: w = 1, e^(−4ε), e^(−6ε)."""
    times, squares = np.array([0.1, 0.5, 0.9, 0.2]), [3.0, 2.0, 1.0, 5.0]
    memo, config = {}, CausalSettings(epsilon=0.5, chunks=3)
    found = causal({"residual": part(squares, elapsed=times)}, memo, config)["residual"]
    np.testing.assert_allclose(found, np.exp([0.0, -2.0, -3.0, 0.0]), rtol=1e-12)
    assert memo == {"epsilon": 0.5}
    solved = {"residual": part(np.full(4, 1e-4), elapsed=times)}
    np.testing.assert_allclose(causal(solved, memo, config)["residual"].min(), np.exp(-1e-3))
    assert memo == {"epsilon": 5.0}, "ε grows when every weight is above δ"
    for _ in range(3):
        causal(solved, memo, config)
    assert memo == {"epsilon": 100.0}


def test_gradient_norms_become_alike():
    """λ = max |∇L_r|/mean |∇L_i| when the average takes the new value only, λ·mean = max."""
    parts = {
        "residual": part(gradient=[8.0, -2.0], weight=0.5),
        "initial": part(gradient=[0.1, -0.3], weight=100.0),
    }
    memo = {}
    factors = gradient_norm(parts, memo, GradientSettings(alpha=1.0))
    assert factors["initial"] * 100.0 * 0.2 == pytest.approx(4.0)
    averaged = {}
    gradient_norm(parts, averaged, GradientSettings(alpha=0.1))
    assert averaged["initial"] == pytest.approx(0.9 * 1.0 + 0.1 * 20.0)


# ---- samplers --------------------------------------------------------------------------------

DOMAIN = Domain(Interval(x=(-1, 1)), (0, 2))


def test_samplers_keep_to_the_domain_and_to_their_seed():
    for sampler in (uniform, latin_hypercube, residual):
        draws = [sampler(Draw(DOMAIN, np.random.default_rng(3), 64, 256), None) for _ in "ab"]
        (points, weights), (again, _) = draws
        assert weights is None
        assert set(points) == {"x", "t"}
        assert np.all(np.abs(points["x"]) <= 1)
        assert np.all((points["t"] >= 0) & (points["t"] <= 2))
        np.testing.assert_array_equal(points["t"], again["t"])
    even, _ = latin_hypercube(Draw(DOMAIN, np.random.default_rng(3), 64, 256), None)
    np.testing.assert_array_equal(np.sort((32 * even["t"]).astype(int)), np.arange(64))
