"""Method `fem`: its settings and what it supports."""

from pydantic import Field

from pdebench_lite.problem import Domain, Task
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings

NODES = {1: 512, 2: 96, 3: 16}
"""Nodes an axis where no cells are given, by number of space coordinates."""

_LEAST = 1e-7  # of a block: cells that are smaller are lost to rounding


class FemSettings(Settings):
    """Order and mesh: cost and error."""

    order: int = Field(2, ge=1, le=4, description="degree of the polynomials in each coordinate")
    cells: int = Field(
        0, ge=0, le=1 << 12, description="cells along each side of a block; 0: about 9000 nodes"
    )
    grading: float = Field(
        1.0, ge=1, le=20, description="power by which cells shrink toward the corners of polygons"
    )
    steps: int = Field(0, ge=0, description="time steps; 0: 64")


def cells_of(domain: Domain, config: FemSettings) -> int:
    """Return the cells along each side of a block."""
    d = len(domain.space)
    nodes = NODES[d] / len(domain.geometry.blocks()) ** (1 / d)
    return config.cells or max(2, round(nodes / config.order))


def supports(task: Task, config: FemSettings) -> Support:
    """Say whether a problem states fluxes and sources, and what holds on its whole boundary."""
    problem, domain = task.problem, task.problem.domain
    if "solver" not in task.faces or problem.weak() is None:
        return Support(False, f"{task.label} states no fluxes and sources for finite elements")
    if task.instances or task.unknowns:
        return Support(False, f"{task.label} does not give all of its equation; nothing to solve")
    auxiliary = set(problem.field_names) - set(problem.evolved)
    if auxiliary:
        names = ", ".join(sorted(auxiliary))
        return Support(False, f"{task.label} has auxiliary fields ({names}): no stable pair here")
    if domain.time is not None and problem.order != 1:
        return Support(False, f"{task.label} is of second order in time; fem steps first order")
    if domain.time is not None and "initial_state" not in task.gives:
        return Support(False, f"{task.label} does not give its initial state; nothing to step")
    if len(domain.space) not in NODES:
        return Support(False, f"{task.label} has {len(domain.space)} space axes; fem has up to 3")
    least = cells_of(domain, config) ** -config.grading
    if config.grading > 1 and least < _LEAST:
        return Support(False, f"grading={config.grading:g} makes cells of {least:.0e}; lower it")
    for part in domain.parts:
        for field in problem.field_names:
            if domain.condition(part, field) is None:
                return Support(False, f"{task.label} states nothing for {field} on {part}")
    return Support(True)
