"""Boundary conditions: stated once, read by every face.

Of one statement `α u + β ∂u/∂n = value` are made the residual at points of the boundary (`gap`),
the ghost cells of a grid (`Domain.ghosts`), the function that a network is multiplied with
(`Domain.hard`), and, of `Periodic`, the embedding.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Value: TypeAlias = "float | Callable[[dict[str, Any]], Any]"
"""A number, or a function of points (space and time; arrays of any backend, or jets)."""


@dataclass(frozen=True, init=False)
class Periodic:
    """Along these axes the domain closes on itself: `Periodic("x", "y")`."""

    axes: tuple[str, ...]

    def __init__(self, *axes: str) -> None:
        object.__setattr__(self, "axes", axes)


@dataclass(frozen=True)
class Condition:
    """α u + β ∂u/∂n = value on parts of the boundary, n the outward normal.

    A value that is a function is called at points of the boundary; where a hard constraint is made
    of it, also inside the domain.

    Attributes:
        value: right-hand side, in the unit of the left.
        on: names of the parts of the boundary; empty for all that are not periodic.
        fields: names of the fields; empty for all that are not auxiliary.
        alpha, beta: the weights α and β.
    """

    value: Value = 0.0
    on: tuple[str, ...] = ()
    fields: tuple[str, ...] = ()
    alpha: float = 1.0
    beta: float = 0.0

    def needs(self, field: str, names: tuple[str, ...]) -> tuple[str, ...]:
        """Return the named derivatives of a field that `gap` reads.

        Args:
            field: the field.
            names: the space coordinates.
        """
        slopes = tuple(f"{field}_{a}" for a in names) if self.beta else ()
        return ((field,) if self.alpha else ()) + slopes

    def at(self, points: dict[str, Any]) -> Any:
        """Return the right-hand side at points."""
        return self.value(points) if callable(self.value) else self.value

    def gap(
        self,
        field: str,
        d: Mapping[str, Any],
        points: dict[str, Any],
        normals: Mapping[str, Any],
    ) -> Any:
        """Return α u + β ∂u/∂n − value, which vanishes on the boundary.

        Args:
            field: the field.
            d: the derivatives that `needs` names, each of shape (n,).
            points: coordinate name -> (n,), time included.
            normals: coordinate name -> component of the outward normal, (n,).
        """
        total = -self.at(points)
        if self.alpha:
            total = total + self.alpha * d[field]
        if self.beta:
            slope = sum(normals[a] * d[f"{field}_{a}"] for a in normals)
            total = total + self.beta * slope
        return total


def Dirichlet(
    value: Value = 0.0, on: tuple[str, ...] = (), fields: tuple[str, ...] = ()
) -> Condition:
    """Return u = value."""
    return Condition(value, on, fields, 1.0, 0.0)


def Neumann(
    value: Value = 0.0, on: tuple[str, ...] = (), fields: tuple[str, ...] = ()
) -> Condition:
    """Return ∂u/∂n = value, in units of u per length."""
    return Condition(value, on, fields, 0.0, 1.0)


def Robin(
    alpha: float,
    beta: float,
    value: Value = 0.0,
    on: tuple[str, ...] = (),
    fields: tuple[str, ...] = (),
) -> Condition:
    """Return α u + β ∂u/∂n = value."""
    return Condition(value, on, fields, alpha, beta)
