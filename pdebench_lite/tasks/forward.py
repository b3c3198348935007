"""Task `forward`: the initial state is given, the field is asked."""

from pdebench_lite.problem import Problem
from pdebench_lite.tasks.field import FieldTask


class Forward(FieldTask):
    """Solve the equation from the known initial state.

    An ansatz that knows u₀ is allowed here, because here u₀ is given.
    """

    name = "forward"
    summary = "given the initial state (and boundary conditions), find the field"
    ranked = ("rel_l2",)
    reported = ("linf", "mae", "initial_violation", "mass_violation")

    @classmethod
    def applies(cls, problem: Problem) -> bool:
        """Where time runs and the initial state is stated."""
        return problem.domain.time is not None and problem.starts

    @property
    def gives(self) -> frozenset[str]:
        """Everything but labels of the solution."""
        return super().gives | {"initial_state", "ansatz"}
