"""Task `solve`: a stationary problem is stated, its fields are asked."""

from pdebench_lite.problem import Problem
from pdebench_lite.tasks.field import FieldTask


class Solve(FieldTask):
    """Solve a stationary equation with its boundary conditions."""

    name = "solve"
    summary = "given the equation and the boundary conditions, find the fields"
    ranked = ("rel_l2",)
    reported = ("linf", "mae")

    @classmethod
    def applies(cls, problem: Problem) -> bool:
        """Where there is no time, and a residual or a solver is stated."""
        return problem.domain.time is None and bool(problem.needs or problem.solver() is not None)
