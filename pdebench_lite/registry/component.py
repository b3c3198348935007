"""Components: the parts of a method that are chosen by name, described without importing them.

`pinn[optimizer=adam+lbfgs,network=modified-mlp,weighting=causal[epsilon=0.1]]` names four of them.
What their objects have to be is said by the methods that use them (`pdebench_methods`).
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.registry.method import Named

if TYPE_CHECKING:  # takes long to import, and listing needs none
    from pdebench_lite.selectors import Settings

EVERY = "any"
"""In the place of a backend: an object that serves all of them."""


@dataclass(frozen=True)
class Component:
    """A part of a method, described without its code.

    Attributes:
        name: how it is called, in lower case.
        summary: one line.
        objects: backend name -> "module:object", or `any` -> one object that serves every backend;
            imported in the child process that runs the cell.
        source: where it was published, with a DOI.
        Config: settings of its own, written `name[key=value]`; the class, or "module:Class".
    """

    kind: ClassVar[str] = "component"
    name: str
    summary: str
    objects: Mapping[str, str] = field(default_factory=dict)
    source: str = ""
    Config: "Named[type[Settings]]" = Named("pdebench_lite.selectors:Settings")  # noqa: RUF009

    def load(self, backend: str) -> Any:
        """Import the object for a backend.

        Raises:
            UnsupportedError: there is none for it.
            PdebenchError: it cannot be imported.
        """
        path = self.objects.get(backend) or self.objects.get(EVERY)
        if path is None:
            raise UnsupportedError(
                f"{self.kind} '{self.name}' is for backend {', '.join(self.objects)}, not {backend}"
            )
        module, _, name = path.partition(":")
        try:
            return getattr(import_module(module), name)
        except Exception as error:  # a stranger's plugin never takes us down
            raise PdebenchError(
                f"{self.kind} '{self.name}': '{path}' cannot be imported, "
                f"{type(error).__name__}: {error}; write module:object"
            ) from error

    def modules(self, backend: str) -> tuple[str, ...]:
        """Return the modules that its numbers come from on a backend, for the fingerprint."""
        path = self.objects.get(backend) or self.objects.get(EVERY)
        return (self.Config.__module__, *((path,) if path else ()))


@dataclass(frozen=True)
class Optimizer(Component):
    """A way to lower a loss.

    Attributes:
        needs: `gradient`: value and gradient; `residuals`: residuals and their Jacobian;
            `objective`: the objective of a method brings the search itself.
        first_order: whether it never says that it has converged.
        dense: whether it holds a matrix of parameters × parameters.
        carries: whether what it remembers is of use on other points of the same loss; L-BFGS takes
            differences of gradients of two losses for curvature.
        compilation: how many times as long as Adam's the compilation of a step takes.
    """

    kind: ClassVar[str] = "optimizer"
    needs: Literal["gradient", "residuals", "objective"] = "gradient"
    first_order: bool = False
    dense: bool = False
    carries: bool = True
    compilation: float = 1.0


@dataclass(frozen=True)
class Network(Component):
    """A function with weights, from features to outputs.

    Attributes:
        jets: whether it also takes jets; else its derivatives are taken by nested autodiff.
    """

    kind: ClassVar[str] = "network"
    jets: bool = True


@dataclass(frozen=True)
class Weighting(Component):
    """A rule for the weights of the parts of a loss.

    Attributes:
        time: whether it needs a problem with time.
    """

    kind: ClassVar[str] = "weighting"
    time: bool = False


@dataclass(frozen=True)
class Sampler(Component):
    """A rule for where collocation points lie."""

    kind: ClassVar[str] = "sampler"


COMPONENTS: dict[str, type[Component]] = {
    c.kind: c for c in (Optimizer, Network, Weighting, Sampler)
}
"""Kind -> its class."""
