"""Reference: the truth, with a bound on its error and how that was certified."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeAlias

from pdebench_lite.problem.asked import Arrays

if TYPE_CHECKING:  # takes long to import, and listing needs none
    import numpy as np

Kind: TypeAlias = Literal["exact", "manufactured", "bounded residual", "refined", "tabulated"]
"""exact: a formula. manufactured: the source follows from the solution. bounded residual: an a
posteriori bound, such as by a maximum principle. refined: two resolutions agree. tabulated: a
published table."""


@dataclass(frozen=True)
class Reference:
    """The truth in float64 with an error bound.

    Attributes:
        evaluate: maps points (axis name -> (n,)) to fields and coefficients (name -> (n,)).
        bound: bound on the relative L2 error of `evaluate` over the domain, verified by a test.
        summary: how it was computed, one line.
        kind: how it is certified.
    """

    evaluate: "Callable[[Arrays], dict[str, np.ndarray]]"
    bound: float
    summary: str
    kind: Kind = "exact"

    @property
    def certified(self) -> bool:
        """Whether the bound is proved; that of a refined or tabulated one is an estimate."""
        return self.kind in ("exact", "manufactured", "bounded residual")


@dataclass(frozen=True)
class Carried:
    """Fields that follow from found unknowns by a certified solver.

    Attributes:
        fields: name -> array over the tensor grid that was asked for.
        bound: estimate of the relative L2 error made in carrying.
        paths: further arrays over the same grid that metrics of the problem may read.
    """

    fields: "dict[str, np.ndarray]"
    bound: float
    paths: "Mapping[str, np.ndarray]" = field(default_factory=dict)
