"""Networks of jets with a reverse pass by hand are those of `jets`, and so are gradients."""

import numpy as np
import pytest

from pdebench_lite.numerics import jets
from pdebench_methods.networks import propagate as layer_by_layer

torch = pytest.importorskip("torch")

SPACES = [
    jets.space(("x", "t"), ("x", "xx", "t")),
    jets.space(("x", "t"), ("xt", "tt")),
    jets.space(("x", "y", "t"), ("xx", "yy", "t")),
    jets.space(("x",), ()),
]


def by_jets(activation, layers, x):
    return layer_by_layer(lambda name, h: getattr(jets, name)(h), activation, layers, x)


def drawn(space, points, absent=()):
    """Draw three layers and a jet of two features, the last coefficient a column for all points."""
    rng = np.random.default_rng(5)
    layers = [
        (torch.tensor(rng.normal(size=(o, i)) / i**0.5), torch.tensor(rng.normal(size=o)))
        for i, o in ((2, 7), (7, 5), (5, 3))
    ]
    kept = [alpha for alpha in space.indices if alpha not in absent]
    shapes = [(2, points)] * len(kept)
    if len(kept) > 1:
        shapes[-1] = (2, 1)
    x = {a: torch.tensor(rng.normal(size=s)) for a, s in zip(kept, shapes, strict=True)}
    return layers, jets.Jet(space, x)


def of_everything(propagate, layers, x, weights):
    """Return the outputs, and the gradient of a weighted sum of them by weights and features."""
    layers = [tuple(a.clone().requires_grad_() for a in layer) for layer in layers]
    features = {a: c.clone().requires_grad_() for a, c in x.coefficients.items()}
    y = propagate("tanh", layers, jets.Jet(x.space, features))
    total = sum((weights[alpha] * c).sum() for alpha, c in y.coefficients.items())
    leaves = [a for layer in layers for a in layer] + list(features.values())
    return y, torch.autograd.grad(total, leaves)


@pytest.fixture(params=[1, 2])
def cores(request):
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.mark.usefixtures("cores")
@pytest.mark.parametrize("space", SPACES, ids=lambda space: "-".join(space.names))
@pytest.mark.parametrize("block_bytes", [1 << 30, 5000])
def test_values_and_gradients_are_those_of_jets(space, block_bytes, monkeypatch):
    from pdebench_torch import _jet_network

    monkeypatch.setattr(_jet_network, "BLOCK_BYTES", block_bytes)
    for absent in ((), space.indices[1:2]) if len(space.indices) > 1 else ((),):
        layers, x = drawn(space, 101, absent)
        rng = np.random.default_rng(6)
        weights = {alpha: torch.tensor(rng.normal(size=(3, 101))) for alpha in space.indices}
        ours, found = of_everything(_jet_network.propagate, layers, x, weights)
        theirs, expected = of_everything(by_jets, layers, x, weights)
        assert type(ours.value.grad_fn).__name__ == "UnbindBackward0"  # not layer by layer
        assert set(ours.coefficients) == set(theirs.coefficients)
        for alpha, c in theirs.coefficients.items():
            torch.testing.assert_close(ours.coefficients[alpha], c, rtol=1e-12, atol=1e-13)
        for a, b in zip(found, expected, strict=True):
            torch.testing.assert_close(a, b, rtol=1e-11, atol=1e-12)


@pytest.mark.parametrize(
    ("activation", "space", "points"),
    [
        ("sigmoid", SPACES[0], 100),
        ("tanh", jets.space(("x",), ("xxx",)), 100),
        ("tanh", SPACES[0], 10),
    ],
)
def test_what_is_left_to_single_layers(activation, space, points):
    from pdebench_torch._jet_network import propagate

    layers, x = drawn(space, points)
    for alpha, c in propagate(activation, layers, x).coefficients.items():
        expected = by_jets(activation, layers, x).coefficients[alpha]
        torch.testing.assert_close(c, expected, rtol=1e-12, atol=1e-13)


def test_a_jacobian_point_by_point_is_the_gradient():
    """As Levenberg–Marquardt takes it: a map over points, each of them alone."""
    from pdebench_torch._jet_network import propagate

    layers, x = drawn(SPACES[0], 80)
    full = {a: c.expand(2, 80) for a, c in x.coefficients.items()}

    def value(weight, point):
        one = jets.Jet(x.space, {a: c[:, None] for a, c in zip(full, point, strict=True)})
        return propagate("tanh", [(weight, layers[0][1]), *layers[1:]], one).derivative("xx")[0, 0]

    by_point = torch.func.vmap(torch.func.grad(value), (None, 0))
    rows = by_point(layers[0][0], tuple(c.T for c in full.values()))
    weight = layers[0][0].clone().requires_grad_()
    y = propagate("tanh", [(weight, layers[0][1]), *layers[1:]], jets.Jet(x.space, full))
    (whole,) = torch.autograd.grad(y.derivative("xx")[0].sum(), weight)
    torch.testing.assert_close(rows.sum(0), whole, rtol=1e-11, atol=1e-12)
