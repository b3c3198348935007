"""The reference of `darcy` by another method, and its permeability."""

import itertools

import numpy as np
import pytest

from pdebench_lite.problem.volumes import FiniteVolumes
from pdebench_problems.darcy import Darcy


@pytest.fixture(scope="module")
def darcy():
    return Darcy(Darcy.Parameters())


def test_finite_volumes_extrapolated_to_no_spacing_give_the_reference(darcy):
    """Errors in h² and h⁴ go by Richardson's extrapolation; the corners leave less than 1e-6."""
    centres, found = None, []
    for cells in (27, 81, 243):  # thrice as many: old centres stay centres
        grid = darcy.domain.grid(cells)
        equations = FiniteVolumes(darcy.solver(), darcy.domain, darcy.described, grid)
        points = grid.points()
        known = {"a": darcy.permeability(points), "f": darcy.parameters.source}
        fields, _ = equations.solve(known, np.empty(0), True)
        step = cells // 27
        chosen = slice(step // 2, None, step)
        found.append(fields["u"][chosen, chosen])
        centres = centres or {a: np.ravel(x[chosen, chosen]) for a, x in points.items()}
    first = [(9 * fine - coarse) / 8 for coarse, fine in itertools.pairwise(found)]
    best = (81 * first[1] - first[0]) / 80
    truth = darcy.reference().evaluate(centres)["u"].reshape(best.shape)
    errors = [float(np.linalg.norm(u - truth) / np.linalg.norm(truth)) for u in (*found, best)]
    assert errors[-1] < 1e-6, errors
    assert errors[-1] < 0.02 * errors[2]


def test_the_bound_of_the_reference_is_small_and_stated(darcy):
    reference = darcy.reference()
    assert reference.kind == "refined"
    assert not reference.certified
    assert reference.bound < 2e-8


def test_an_instance_is_a_permeability_of_its_own(darcy):
    points = darcy.domain.grid(16).points()
    other = Darcy(Darcy.Parameters(instance=1)).permeability(points)
    assert np.max(np.abs(np.log(other / darcy.permeability(points)))) > 0.1
    np.testing.assert_array_equal(
        darcy.permeability(points), Darcy(Darcy.Parameters()).permeability(points)
    )
