"""The uniform cell-centred grid on which the operators of this package work."""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from jaxtyping import Float

from ._namespace import Array, along, arange, array_namespace


@dataclass(frozen=True)
class Grid:
    """A uniform, cell-centred grid on a box; hashable, and made of Python numbers only.

    Centre i of an axis lies at `lower + (i + ½)·spacing`. A state on the grid has the shape
    `(*batch, *cells)`: grid axes are the *last* array axes, in the order of `axes`.

    Attributes:
        axes: names of the axes, such as `("x",)` or `("x", "y")`.
        lower: lower end of each axis, in the problem's units of length.
        upper: upper end of each axis, in the same units.
        cells: number of cells along each axis.
        periodic: whether each axis is periodic.

    Raises:
        ValueError: fields of unequal length, no axis, a repeated name, bounds that are infinite
            or out of order, or less than one cell.
    """

    axes: tuple[str, ...]
    lower: tuple[float, ...]
    upper: tuple[float, ...]
    cells: tuple[int, ...]
    periodic: tuple[bool, ...]

    def __post_init__(self) -> None:
        kinds = {"axes": str, "lower": float, "upper": float, "cells": int, "periodic": bool}
        for name, kind in kinds.items():  # NumPy scalars out: they promote JAX's float32
            given = getattr(self, name)
            if isinstance(given, str):
                raise ValueError(f"{name} must be a tuple with one entry per axis, got {given!r}")
            values = tuple(map(kind, given))
            if any(value != other for value, other in zip(values, given, strict=True)):
                raise ValueError(f"{name} must hold values of type {kind.__name__}, got {given}")
            if len(values) != len(self.axes) or not values:
                raise ValueError(f"{name} must have one entry per axis of {self.axes}, got {given}")
            object.__setattr__(self, name, values)
        if len(set(self.axes)) != len(self.axes):
            raise ValueError(f"axes must have different names, got {self.axes}")
        for axis, low, high, n in zip(self.axes, self.lower, self.upper, self.cells, strict=True):
            if not -math.inf < low < high < math.inf:
                raise ValueError(f"axis {axis!r} needs finite lower < upper, got {low} and {high}")
            if n < 1:
                raise ValueError(f"axis {axis!r} needs at least one cell, got {n}")

    @property
    def length(self) -> dict[str, float]:
        """Length of each axis."""
        bounds = zip(self.axes, self.lower, self.upper, strict=True)
        return {axis: high - low for axis, low, high in bounds}

    @property
    def spacing(self) -> dict[str, float]:
        """Distance of neighbouring centres along each axis."""
        return {a: self.length[a] / n for a, n in zip(self.axes, self.cells, strict=True)}

    def longest_step(self, span: float) -> float:
        """Return the longest step with which to march a span of time: four spans over the cells.

        A scheme that is stable at any step is thus refined in time together with space.
        """
        return 4.0 * span / max(self.cells)

    def axis(self, axis: str | None = None) -> str:
        """Return the name of an axis, checked; None means the only axis of a 1-D grid.

        Raises:
            ValueError: unknown name, or None on a grid of several axes.
        """
        if axis is None and len(self.axes) == 1:
            return self.axes[0]
        if axis not in self.axes:
            raise ValueError(f"axis must be one of {self.axes}, got {axis!r}")
        return axis

    def index(self, axis: str | None = None) -> int:
        """Return the array axis of a grid axis, counted from the end: −1 for the last."""
        return self.axes.index(self.axis(axis)) - len(self.axes)

    def centres(self, axis: str | None = None, like: Array | None = None) -> Float[Array, " n"]:
        """Return the cell centres of an axis.

        Args:
            axis: name of the axis; None for the only one.
            like: real floating-point array whose library, dtype and device the result takes;
                None gives NumPy float64.

        Returns:
            Centres in ascending order, shape `(n,)`.

        Raises:
            ValueError: see `axis`.
        """
        like = np.empty(0) if like is None else like
        name, i = self.axis(axis), self.index(axis)
        steps = arange(array_namespace(like), self.cells[i], like) + 0.5
        return self.lower[i] + self.spacing[name] * steps

    def points(self, like: Array | None = None) -> dict[str, Float[Array, "..."]]:
        """Return the coordinates of all centres: axis name -> array of the shape `cells`.

        Args:
            like: see `centres`.
        """
        coordinates = {}
        for name in self.axes:
            centres = self.centres(name, like)
            xp = array_namespace(centres)
            shaped = along(xp, centres, self.index(name))
            coordinates[name] = xp.broadcast_to(shaped, self.cells)
        return coordinates

    def check(self, *arrays: Any, axis: str | None = None) -> None:
        """Refuse arrays that do not live on this grid, and axes that are not periodic.

        Args:
            arrays: states, shape `(*batch, *cells)`.
            axis: the only axis that must be periodic; None for all.

        Raises:
            ValueError: another shape, or an axis that is not periodic.
        """
        self.check_shape(*arrays)
        for name, periodic in zip(self.axes, self.periodic, strict=True):
            if not periodic and axis in (None, name):
                raise ValueError(f"this operator needs a periodic axis, and {name!r} is not")

    def check_shape(self, *arrays: Any) -> None:
        """Refuse arrays that do not live on this grid.

        Raises:
            ValueError: another shape.
        """
        for array in arrays:
            if tuple(array.shape[-len(self.cells) :]) != self.cells:
                raise ValueError(
                    f"the last axes of the array must be {self.axes} with {self.cells} cells, "
                    f"got an array of shape {tuple(array.shape)}"
                )
