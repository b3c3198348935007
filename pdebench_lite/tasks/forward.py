"""Task `forward`: the initial state is given, the field is asked."""

from pdebench_lite.tasks.field import FieldTask


class Forward(FieldTask):
    """Solve the equation from the known initial state.

    The ansatz u₀(x) + (t − t₀)·N(x, t) is allowed here, because here u₀ is given.
    """

    name = "forward"
    summary = "given the initial state (and boundary conditions), find the field"
    ranked = ("rel_l2",)
    reported = ("linf", "mae", "initial_violation", "mass_violation")

    @property
    def gives(self) -> frozenset[str]:
        """Everything but labels of the solution."""
        return super().gives | {"initial_state", "ansatz"}
