"""Settings of the trained methods: presets, and which optimiser a network gets."""

import pytest

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.registry.discovery import registry


def settings(selector):
    return registry().configured(selector)[1]


def test_a_preset_fills_defaults_and_what_is_given_wins():
    published = settings("pinn[preset=raissi]")
    assert (published.optimizer, published.constraints, published.redraw) == (
        "adam+lbfgs",
        "soft",
        0,
    )
    other = settings("pinn[preset=raissi,width=7]")
    assert (other.width, other.depth, other.points) == (7, published.depth, published.points)
    assert settings("pinn[preset=lecture]").optimizer == "gd"
    assert settings("pinn").constraints == "hard"


def test_a_dense_matrix_ends_where_it_would_be_too_large():
    chosen = settings("mlp")
    assert chosen.optimizers(5000) == ["ssbroyden"]
    assert chosen.optimizers(5001) == ["adam", "lbfgs"]
    with pytest.raises(UnsupportedError, match="optimizer=adam\\+lbfgs or a smaller network"):
        settings("mlp[optimizer=adam+ssbroyden]").optimizers(5001)


def test_fewer_candidates_than_points_are_refused():
    with pytest.raises(PdebenchError, match="give more candidates or redraw=0"):
        settings("pinn[candidates=10]")
    assert settings("pinn[candidates=10,redraw=0]").candidates == 10
    with pytest.raises(PdebenchError, match="candidates=5000 are fewer than most_points=8000"):
        settings("pinn[candidates=5000,most_points=8000]")


def test_unknown_presets_are_refused():
    with pytest.raises(PdebenchError, match="preset='best'"):
        settings("pinn[preset=best]")
