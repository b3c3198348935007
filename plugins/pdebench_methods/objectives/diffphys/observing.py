"""What is observed of a state, and the blur by which coarse comes before fine."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pdebench_lite.numerics import Grid, Stencil, array_namespace
from pdebench_lite.numerics._namespace import as_index
from pdebench_lite.numerics.interpolation import read, stencil
from pdebench_lite.problem import Domain, Observation
from pdebench_methods.search.channels import ChannelAverage, channel_average
from pdebench_methods.search.gaussian_average import gaussian_average


def observed_nodes(o: Observation, domain: Domain, grid: Grid) -> Stencil:
    """Return the nodes of a grid around the n observed points, and their weights, by cubics.

    Between a wall and the first centre the cubic is continued.
    """
    return stencil(observed_places(o, domain, grid), grid.cells, "cubic", grid.periodic)


def observed_places(o: Observation, domain: Domain, grid: Grid) -> list[np.ndarray]:
    """Return where the n observed points are, in cells, axis by axis; cell i is centred at i.

    Points within rounding of a cell centre are put on it, where interpolation is exact.
    """
    places = []
    for axis in domain.space:
        place = (np.asarray(o.points[axis.name]) - axis.lower) / grid.spacing[axis.name] - 0.5
        whole = np.rint(place)
        places.append(np.where(np.abs(place - whole) < 1e-9, whole, place))
    return places


def observe(values: Any, nodes: Any, weights: Any, axes: int) -> Any:
    """Return what is observed of values (*batch, *cells) on a grid: (*batch, n).

    Args:
        values: on the grid.
        nodes: of `observed_nodes`, in the dtype of the values, as backends move them.
        weights: likewise.
        axes: of the grid.
    """
    return read(values, Stencil(as_index(array_namespace(nodes), nodes), weights), axes)


def blur_matrices(o: Observation, domain: Domain, blur: float) -> list[np.ndarray]:
    """Return Gaussian averages over observed points, width in domain lengths; 0: identities.

    Returns:
        One matrix an axis where the points are a tensor grid, which `apply_blur` applies in turn;
        one matrix over all points where they are scattered.
    """
    coordinates = [np.asarray(o.points[a.name]) for a in domain.space]
    nodes = [np.unique(x) for x in coordinates]
    mesh = [m.ravel() for m in np.meshgrid(*nodes, indexing="ij")]
    if len(mesh[0]) == o.values.size and all(map(np.array_equal, mesh, coordinates)):
        return [
            gaussian_average({axis.name: x}, (axis,), blur)
            for x, axis in zip(nodes, domain.space, strict=True)
        ]
    return [gaussian_average(o.points, domain.space, blur)]


def blur_data(o: Observation, domain: Domain, blur: float, i: int) -> dict[str, np.ndarray]:
    """Return the arrays of the i-th observation's blur, which `blurred_gap` finds by their names.

    Where one matrix averages over all points, values are told apart by channels first. On a tensor
    grid they are not: all channels would take several times as long.
    """
    matrices = blur_matrices(o, domain, blur)
    if len(matrices) > 1:
        return {f"blur{i}.{j}": m for j, m in enumerate(matrices)}
    average = channel_average(o.values, matrices[0] if blur else None)
    return {
        f"blur{i}.channels": average.channels,
        f"blur{i}.averages": average.averages,
        f"blur{i}.observed": average(o.values),
    }


def blurred_gap(values: Any, data: Mapping[str, Any], i: int) -> Any:
    """Return by how much values miss the i-th observation, blurred: (*batch, n) -> (*batch, m)."""
    if f"blur{i}.channels" in data:
        average = ChannelAverage(data[f"blur{i}.channels"], data[f"blur{i}.averages"])
        return average(values) - data[f"blur{i}.observed"]
    gap = values - data[f"values{i}"]
    blurs = [data[f"blur{i}.{j}"] for j in range(3) if f"blur{i}.{j}" in data]
    return apply_blur(blurs, gap) if blurs else gap


def apply_blur(matrices: list[Any], values: Any) -> Any:
    """Average values (*batch, n) at observed points by `blur_matrices`; same shape."""
    xp, batch = array_namespace(values), tuple(values.shape[:-1])
    values = xp.reshape(values, batch + tuple(m.shape[0] for m in matrices))
    for matrix in matrices:  # each turns the axes by one, so that all come round
        values = xp.tensordot(values, matrix, axes=((len(batch),), (1,)))
    return xp.reshape(values, (*batch, -1))
