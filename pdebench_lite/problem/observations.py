"""What was measured: in the order of time, as a march through time meets it, and its sizes."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from pdebench_lite.problem import Observation

ROUNDING = 1e3 * float(np.finfo(np.float64).eps)
"""Of a field's size: what is smaller is zero, but for rounding errors."""

_LEAST = 1e-2  # of a field's size: the unit of a misfit to values that are smaller


def rms(values: Any) -> float:
    """Return the root mean square of an array."""
    return float(np.sqrt(np.mean(np.square(np.asarray(values, dtype=float)))))


def scales(
    observations: Sequence[Observation], known: Mapping[str, Any] | None = None
) -> list[float]:
    """Return the units of misfits: the rms of each observation's values, with a floor.

    The floor is a hundredth of the field's own size, the largest rms that is known of it. Else a
    snapshot that is zero but for rounding errors would outweigh everything else. A field that is
    zero wherever it is known has the size of the largest other one; 1 if all are zero.

    Args:
        observations: what was measured.
        known: field -> its values elsewhere, such as an initial state that the task gives.
    """
    sizes = {name: rms(values) for name, values in (known or {}).items()}
    for o in observations:
        sizes[o.field] = max(sizes.get(o.field, 0.0), rms(o.values))
    largest = max(sizes.values(), default=0.0) or 1.0
    sizes = {n: size if size > ROUNDING * largest else largest for n, size in sizes.items()}
    return [max(rms(o.values), _LEAST * sizes[o.field]) for o in observations]


def floored(squares: Any, whole: Any) -> np.ndarray:
    """Return mean squares of parts of a field, each at least (floor · size)²; see `scales`.

    Args:
        squares: mean squares, any shape.
        whole: mean square of the whole field, of a shape that broadcasts.
    """
    return np.maximum(squares, _LEAST**2 * np.asarray(whole))


def by_time(observations: Sequence[Observation], time: str) -> list[Observation]:
    """Split observations by time and sort them; those of one time keep their order.

    Args:
        observations: what was measured.
        time: name of the axis of time.

    Returns:
        Observations whose points all have the same time, one for each time of each of those given.
    """
    split = []
    for o in observations:
        for t in np.unique(o.points[time]):
            here = np.asarray(o.points[time]) == t
            points = {a: np.asarray(p)[here] for a, p in o.points.items()}
            split.append(Observation(o.field, points, np.asarray(o.values)[here], o.noise))
    return sorted(split, key=lambda o: float(o.points[time][0]))
