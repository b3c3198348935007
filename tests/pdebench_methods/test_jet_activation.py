"""Activations of jets with a reverse pass by hand are those of `jets`, and so are gradients."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.numerics import jets

SPACES = [
    jets.space(("x", "t"), ("x", "xx", "t")),
    jets.space(("x", "t"), ("xxx", "xt")),
    jets.space(("x", "y", "t"), ("xx", "yy", "t")),
    jets.space(("x",), ()),
]


@pytest.fixture
def library(backend):
    """Return activate, asarray and the gradient of a function of a list of arrays."""
    if backend == "jax":
        jax = pytest.importorskip("jax")
        jax.config.update("jax_enable_x64", True)
        from pdebench_jax._jet_activation import activate

        return SimpleNamespace(activate=activate, asarray=jax.numpy.asarray, gradient=jax.grad)
    torch = pytest.importorskip("torch")
    from pdebench_torch._jet_activation import activate

    def gradient(function):
        def of(arrays):
            leaves = [a.detach().requires_grad_() for a in arrays]
            return torch.autograd.grad(function(leaves), leaves)

        return of

    return SimpleNamespace(activate=activate, asarray=torch.tensor, gradient=gradient)


def coefficients(space, rng, absent=()):
    """Draw coefficients of shape (3, 5), the last one a column that is broadcast."""
    kept = [alpha for alpha in space.indices if alpha not in absent]
    shapes = [(3, 5)] * (len(kept) - 1) + [(3, 1) if len(kept) > 1 else (3, 5)]
    return kept, [rng.normal(size=shape) for shape in shapes]


@pytest.mark.parametrize("name", ["tanh", "sigmoid", "softplus"])
@pytest.mark.parametrize("space", SPACES, ids=lambda space: "-".join(space.names))
def test_values_and_gradients_are_those_of_jets(library, name, space):
    rng = np.random.default_rng(3)
    for absent in ((), space.indices[1:2], space.indices[-1:] if len(space.indices) > 2 else ()):
        kept, drawn = coefficients(space, rng, absent)
        arrays = [library.asarray(a) for a in drawn]
        weights = [library.asarray(rng.normal(size=(3, 5))) for _ in space.indices]

        def total(function, arrays, kept=kept, weights=weights):
            y = function(jets.Jet(space, dict(zip(kept, arrays, strict=True))))
            named = dict(zip(space.indices, weights, strict=True))
            return sum((named[alpha] * c).sum() for alpha, c in y.coefficients.items())

        by_hand = lambda x: library.activate(name, x)  # noqa: E731
        generic = getattr(jets, name)
        x = jets.Jet(space, dict(zip(kept, arrays, strict=True)))
        ours, theirs = by_hand(x), generic(x)
        assert set(ours.coefficients) == set(theirs.coefficients)
        for alpha, c in theirs.coefficients.items():
            np.testing.assert_allclose(
                np.asarray(ours.coefficients[alpha]), np.broadcast_to(np.asarray(c), (3, 5)),
                rtol=1e-14,
            )  # fmt: skip
        found = library.gradient(lambda arrays: total(by_hand, arrays))(arrays)  # noqa: B023
        expected = library.gradient(lambda arrays: total(generic, arrays))(arrays)  # noqa: B023
        for a, b in zip(found, expected, strict=True):
            assert tuple(a.shape) == tuple(b.shape)
            np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-12, atol=1e-13)


def test_numbers_among_the_coefficients_are_left_to_jets(library):
    at = jets.variables(SPACES[0], {"x": library.asarray(np.linspace(-1.0, 1.0, 4)), "t": 0.5})
    ours, theirs = library.activate("tanh", at["x"]), jets.tanh(at["x"])
    for alpha, c in theirs.coefficients.items():
        assert np.array_equal(np.asarray(ours.coefficients[alpha]), np.asarray(c))
