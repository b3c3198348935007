"""The hooks by which plugins bring problems, methods and the rest; ours come in the same way.

A plugin is a module named in the entry-point group `pdebench_lite`. It implements any of these
functions, decorated with `pdebench_lite.hookimpl`.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import pluggy

from pdebench_lite.registry.command import Command
from pdebench_lite.registry.component import Network, Optimizer, Sampler, Weighting
from pdebench_lite.registry.figure import Figure
from pdebench_lite.registry.method import Backend, Method
from pdebench_lite.registry.quantity import Quantity

if TYPE_CHECKING:  # take long to import, and listing the methods needs neither
    from pdebench_lite.metrics import Metric
    from pdebench_lite.problem import Problem, Task

PROJECT = "pdebench_lite"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def pdebench_problems() -> "Sequence[type[Problem]]":
    """Return problem classes."""
    return ()


@hookspec
def pdebench_tasks() -> "Sequence[type[Task]]":
    """Return task classes; each is offered for every problem to which it says it applies."""
    return ()


@hookspec
def pdebench_methods() -> Sequence[Method]:
    """Return method descriptions."""
    return ()


@hookspec
def pdebench_metrics() -> "Sequence[Metric]":
    """Return metrics; each is computed for every task to which it says it applies."""
    return ()


@hookspec
def pdebench_backends() -> Sequence[Backend]:
    """Return backends that solvers may name."""
    return ()


@hookspec
def pdebench_quantities() -> Sequence[Quantity]:
    """Return quantities: columns of every table, read from records."""
    return ()


@hookspec
def pdebench_optimizers() -> Sequence[Optimizer]:
    """Return optimisers that `optimizer=` may name."""
    return ()


@hookspec
def pdebench_figures() -> Sequence[Figure]:
    """Return figures that `pdebench plot` draws from records."""
    return ()


@hookspec
def pdebench_networks() -> Sequence[Network]:
    """Return networks that `network=` may name."""
    return ()


@hookspec
def pdebench_weightings() -> Sequence[Weighting]:
    """Return rules for the weights of a loss that `weighting=` may name."""
    return ()


@hookspec
def pdebench_samplers() -> Sequence[Sampler]:
    """Return rules for collocation points that `sampler=` may name."""
    return ()


@hookspec
def pdebench_commands() -> Sequence[Command]:
    """Return verbs of the command line."""
    return ()


@hookspec
def pdebench_claims() -> Sequence[Any]:
    """Return claims that `pdebench claims` tests (`pdebench_claims.claim.Claim`)."""
    return ()
