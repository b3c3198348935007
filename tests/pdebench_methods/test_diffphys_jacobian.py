"""torch's Jacobian of a rollout, row by row in one reverse pass, against forward tangents."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.host import flatten
from pdebench_methods.objectives.diffphys import DiffphysObjective
from pdebench_methods.training import split

CASES = [
    ("burgers[nu=0.1,points=8]", "diffphys[cells=16,modes=6,steps=8]"),
    ("burgers:viscosity[nu=0.1,sensors=4,times=2]", "diffphys[cells=16,modes=6,steps=16]"),
    ("advection-density[instance=1]", "diffphys[cells=16,modes=4,steps=4]"),  # few unknowns
]


@pytest.mark.parametrize(("problem", "method"), CASES)
def test_both_ways_agree(problem, method):
    pytest.importorskip("torch")
    from pdebench_torch._training import TorchFlatObjective
    from pdebench_torch.diffphys import DiffphysTools

    task, (_, config) = registry().task(problem), registry().configured(method)
    run = SimpleNamespace(
        config=config, dtype="float64", device="cpu", rng=lambda p: generator("m", p)
    )
    tools = DiffphysTools(run)
    objective = DiffphysObjective(View(task, lambda p: generator("d", p)), run, tools)
    start = objective.initial()
    data = objective.data(1.0, objective.cells, None)
    x = flatten(start) + 0.1 * generator("x").normal(size=flatten(start).size)
    r, jacobian = tools.flat_objective(objective, start, data).linearise(x)
    same, forward = TorchFlatObjective(tools, objective, start, *split(data)).linearise(x)
    np.testing.assert_allclose(r, same, atol=1e-13)
    np.testing.assert_allclose(jacobian, forward, atol=1e-12 * np.abs(forward).max())
    assert np.abs(forward).max() > 0
