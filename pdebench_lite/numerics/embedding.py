"""Embedding: network inputs that know a domain's extent and periodicity."""

import math
from typing import Any

from pdebench_lite.numerics._namespace import array_namespace


def embed_points(points: dict[str, Any], domain: Any) -> list[Any]:
    """Map points to network inputs, one array or jet per input feature.

    A periodic axis becomes (cos φ, sin φ) with φ = 2π (x − lower) / length, any other axis is
    scaled to [−1, 1].

    Args:
        points: axis name -> array of shape (n,), or jet; only the axes present are embedded.
        domain: object whose `axes` have `name`, `lower`, `length` and `periodic`.

    Returns:
        List of features of shape (n,), in the order of the axes; dimensionless.
    """
    features: list[Any] = []
    for axis in domain.axes:
        if axis.name not in points:
            continue
        x = points[axis.name]
        if axis.periodic:
            xp = array_namespace(x)
            phase = (x - axis.lower) * (2.0 * math.pi / axis.length)
            features += [xp.cos(phase), xp.sin(phase)]
        else:
            features.append((x - axis.lower) * (2.0 / axis.length) - 1.0)
    return features
