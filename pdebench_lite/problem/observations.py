"""What was measured, in the order of time, as a march through time meets it."""

from collections.abc import Sequence

import numpy as np

from pdebench_lite.problem import Observation


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
