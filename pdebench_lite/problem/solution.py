"""Solution: what a method returns and the harness scores."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:  # takes long to import, and listing needs none
    import numpy as np

Predict: TypeAlias = "Callable[[dict[str, Any]], dict[str, np.ndarray]]"


@dataclass(frozen=True)
class Solution:
    """What a method returns; the harness scores it.

    Attributes:
        predict: maps a query to answers. For field tasks the query is points (axis name -> (n,))
            and the answer field name -> (n,), NumPy float64.
        on_grid: the same on a tensor grid: axis name -> (n,) in the order of the domain, to arrays
            over the grid; None: `predict` is asked for its points. For answers that live on a grid,
            much cheaper than points one by one.
        unknowns: unknown name -> function on points (with the interpolant that the method states);
            a number is a function that ignores its points.
        deviations: unknown name -> the standard deviation that the method states for it, likewise.
        weights: trained parameters, NumPy arrays by name; stored as npz.
        parameters: number of trained parameters (degrees of freedom).
        details: JSON values worth keeping, such as a regularisation weight that was chosen. A
            mapping of names to lists of equal length is shown as a table. Figures are drawn of
            `sweep` (columns `weight`, `misfit` and `norm`, both squared, if need be log-`evidence`
            and index of the `prior`) with `weight`, the one that was taken, and `explained`, the
            misfit that is noise; and of `spectrum` (`singular_value`, `data_coefficient`) with
            `weight`, `noise`, the part of a coefficient that is, and `unreached`, what of the
            squared norm of the data the coefficients leave out.
        unfinished: what the budget left undone, with the remedy, where the answer is only part of
            one, such as a march that was cut off; the cell is then a `timeout`, with its errors.
            Empty where there is an answer, as after any step of a training.
    """

    predict: Predict
    unknowns: "Mapping[str, Callable[[dict[str, Any]], np.ndarray]]" = field(default_factory=dict)
    deviations: "Mapping[str, Callable[[dict[str, Any]], np.ndarray]]" = field(default_factory=dict)
    weights: "Mapping[str, np.ndarray]" = field(default_factory=dict)
    parameters: int = 0
    details: Mapping[str, Any] = field(default_factory=dict)
    on_grid: "Predict | None" = None
    unfinished: str = ""
