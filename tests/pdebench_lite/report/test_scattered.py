"""Fields on scattered points: their triangles keep out of holes, and they are drawn on them."""

import numpy as np
import pytest
import xarray as xr

from pdebench_lite.registry.discovery import registry
from pdebench_lite.report.figures.data import Entry
from pdebench_lite.report.figures.maps import _paint, _sides, plane
from pdebench_lite.report.scattered import mesh_of, on_grid
from pdebench_lite.selectors import parse_selector
from pdebench_lite.testing.attempt import true_solution


@pytest.fixture(scope="module")
def fields():
    """What is stored of the true solution on a square with four holes."""
    task = registry().task(parse_selector("poisson[shape=holes]"))
    stored = task.evaluate(true_solution(task), "final").arrays()
    return xr.Dataset({k: (dims, v, attrs) for k, (dims, v, attrs) in stored.items()})


def test_the_triangles_fill_the_shape_and_no_hole(fields):
    mesh = mesh_of(fields, fields["u"])
    x, y = (np.asarray(side)[mesh.triangles] for side in (mesh.across, mesh.down))
    sides = (x[:, 1] - x[:, 0]) * (y[:, 2] - y[:, 0]) - (x[:, 2] - x[:, 0]) * (y[:, 1] - y[:, 0])
    assert np.sum(np.abs(sides)) / 2 == pytest.approx(1 - 0.04 * np.pi, rel=0.03)
    middle = np.hypot(np.abs(x.mean(axis=1)) - 0.3, np.abs(y.mean(axis=1)) - 0.3)
    assert middle.min() > 0.1


def test_on_a_grid_they_are_interpolated_and_nan_in_the_holes(fields):
    found = on_grid(fields["u"], mesh_of(fields, fields["u"]), 41)
    assert found.dims == ("x", "y")
    assert np.isnan(found.sel(x=0.3, y=0.3, method="nearest"))
    assert float(found.sel(x=0, y=0, method="nearest")) == pytest.approx(0.2336, abs=2e-3)


def test_a_map_is_drawn_of_the_triangles(fields, tmp_path):
    from matplotlib.colors import Normalize
    from matplotlib.figure import Figure

    entry = Entry(None, tmp_path)
    entry.__dict__["fields"] = fields
    values = plane(entry, "u")
    down, across = _sides(values)
    assert (down.name, across.name) == ("y", "x")
    axes = Figure().subplots()
    _paint(axes, values, Normalize(0, 1), "viridis")
    assert len(axes.collections[0].get_paths()) > 0 or axes.collections[0].get_array().size > 0
