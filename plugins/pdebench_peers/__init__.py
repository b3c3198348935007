"""Other people's libraries as methods, so that they stand in the same table.

Two light modules, `descriptions` and `recipes`, say what each library can do here; its solver, in
the module of its name, is imported only in the process that runs a cell. Each library runs twice:
as its own documentation solves this kind of problem, and with `preset=matched`, where network, hard
constraints, number of points and precision are those of `pinn` or `diffphys`, so that the library
can be told apart from its recipe. Both take their problem from the faces of a task.
"""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Method


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the methods, whether or not their libraries are installed."""
    from pdebench_peers.descriptions import DEEPXDE, JINNS, PHIFLOW, PINA

    return (DEEPXDE, JINNS, PINA, PHIFLOW)
