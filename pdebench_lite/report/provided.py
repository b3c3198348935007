"""What the reports themselves bring, by the hooks that plugins use."""

from collections.abc import Sequence

from pdebench_lite.registry.figure import Figure
from pdebench_lite.registry.hooks import hookimpl
from pdebench_lite.registry.quantity import Quantity


@hookimpl
def pdebench_quantities() -> Sequence[Quantity]:
    """Return what records hold."""
    from pdebench_lite.report.quantities import QUANTITIES

    return QUANTITIES


@hookimpl
def pdebench_figures() -> Sequence[Figure]:
    """Return our figures."""
    from pdebench_lite.report.figures import FIGURES

    return FIGURES
