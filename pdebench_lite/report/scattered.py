"""Fields on the scattered points of a shape that is not a box, by the triangles between them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:  # take long to import
    import xarray as xr
    from matplotlib.tri import Triangulation

POINT = "point"
_TRIANGLES = "triangles"


@dataclass(frozen=True)
class Mesh:
    """Points of a plane and the triangles between them.

    Attributes:
        across, down: coordinates of the points, (n,), with their names and units.
        triangles: numbers of points, (m, 3).
    """

    across: "xr.DataArray"
    down: "xr.DataArray"
    triangles: np.ndarray

    @property
    def triangulation(self) -> "Triangulation":
        """As matplotlib draws it."""
        from matplotlib.tri import Triangulation

        return Triangulation(np.asarray(self.across), np.asarray(self.down), self.triangles)


def mesh_of(fields: "xr.Dataset | None", values: "xr.DataArray") -> Mesh | None:
    """Return the triangles of a field on scattered points; None if it is on a grid, or in space."""
    if fields is None or POINT not in values.dims or _TRIANGLES not in fields:
        return None
    across, down = str(fields[_TRIANGLES].attrs["plane"]).split()
    return Mesh(fields[across], fields[down], np.asarray(fields[_TRIANGLES]))


def on_grid(values: "xr.DataArray", mesh: Mesh, n: int) -> "xr.DataArray":
    """Interpolate a field linearly to n × n points; NaN outside the triangles."""
    import xarray as xr
    from matplotlib.tri import LinearTriInterpolator

    sides = [np.linspace(float(s.min()), float(s.max()), n) for s in (mesh.across, mesh.down)]
    where = np.meshgrid(*sides, indexing="ij")
    others = [str(dim) for dim in values.dims if dim != POINT]
    rows = np.asarray(values.transpose(*others, POINT)).reshape(-1, values.sizes[POINT])
    triangulation = mesh.triangulation
    found = [LinearTriInterpolator(triangulation, row)(*where).filled(np.nan) for row in rows]
    names = [str(mesh.across.name), str(mesh.down.name)]
    along = {
        name: xr.DataArray(side, dims=name, attrs=of.attrs)
        for name, side, of in zip(names, sides, (mesh.across, mesh.down), strict=True)
    }
    shape = (*(values.sizes[dim] for dim in others), n, n)
    return xr.DataArray(
        np.reshape(found, shape), dims=(*others, *names), attrs=values.attrs,
        coords={**{dim: values[dim] for dim in others}, **along},
    )  # fmt: skip
