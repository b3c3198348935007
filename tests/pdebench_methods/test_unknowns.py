"""Sought functions of networks: where a search for them starts, and that positive ones stay so."""

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.numerics import jets
from pdebench_lite.numerics.embedding import embed_points
from pdebench_lite.problem import Domain, Interval, Periodic, Unknown
from pdebench_lite.testing._libraries import LIBRARIES, library
from pdebench_methods.networks import FullyConnected, Layer, Model, RegisteredNetworks
from pdebench_methods.settings import NetworkSettings

DOMAIN = Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"))
X = np.linspace(0.0, 1.0, 9)


def model(unknown: Unknown) -> Model:
    """Networks for a field u and that unknown."""
    networks = RegisteredNetworks(FullyConnected(NetworkSettings(width=6, depth=2)), Layer())
    embedding = lambda points: embed_points(points, DOMAIN)  # noqa: E731
    return Model(("u",), (unknown,), DOMAIN, embedding, networks)


@pytest.mark.parametrize("name", LIBRARIES)
@pytest.mark.parametrize("positive", [False, True])
def test_a_function_starts_at_its_guess(name, positive):
    unknown = Unknown("k", "coefficient", ("x",), guess=0.02, positive=positive)
    it = model(unknown)
    parameters = it.initial(np.random.default_rng(0))
    with library(name) as lib:
        here = lib.arrays(parameters)
        found = np.asarray(it.unknown(here, unknown, lib.arrays({"x": X})))
        np.testing.assert_allclose(found, 0.02, rtol=1e-12)
        random = np.random.default_rng(1)
        other = lib.arrays({k: 3.0 * random.normal(size=v.shape) for k, v in parameters.items()})
        values = np.asarray(it.unknown(other, unknown, lib.arrays({"x": X})))
        assert bool(values.min() > 0.0) is positive
        space = jets.space(("x",), ("x",))
        lifted = it.unknown(other, unknown, jets.variables(space, lib.arrays({"x": X})))
        np.testing.assert_allclose(np.asarray(lifted.value), values, rtol=1e-10)


def test_without_a_guess_a_function_starts_as_its_network_does():
    unknown = Unknown("v", "coefficient", ("x",))
    it = model(unknown)
    values = it.unknown(it.initial(np.random.default_rng(0)), unknown, {"x": X})
    assert np.ptp(values) > 0.01


def test_a_positive_unknown_needs_a_guess_above_zero():
    with pytest.raises(PdebenchError, match=r"the unknown k is positive, but its guess is 0; give"):
        Unknown("k", "coefficient", ("x",), positive=True)
