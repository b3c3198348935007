"""Random streams: the same data for every method, the same draws for every backend."""

import pytest

from pdebench_lite.runner.streams import data_stream, method_stream
from pdebench_lite.store.cell import Budget, Cell

CELL = Cell(
    problem="burgers", task="forward", problem_params={"nu": 0.1}, problem_label="burgers:forward",
    method="pinn", family="physics-informed", config={"width": 20}, label="pinn", backend="torch",
    dtype="float64", device="cpu", budget=Budget(max_time=1.0), seed=0,
)  # fmt: skip

DATA = {"problem": "other", "task": "x", "problem_params": {"nu": 0.2}, "seed": 1}
METHOD = DATA | {"method": "mlp"}
NEITHER = {
    "backend": "jax", "dtype": "float32", "device": "cuda", "config": {"width": 21},
    "budget": Budget(max_steps=3), "label": "x", "problem_label": "y",
}  # fmt: skip


def draws(cell: Cell, purpose: str = "") -> tuple[bytes, bytes]:
    """What the two streams give."""
    return tuple(
        stream(cell)(purpose).random(4).tobytes() for stream in (data_stream, method_stream)
    )  # type: ignore[return-value]


@pytest.mark.parametrize("field", [*METHOD, *NEITHER])
def test_a_stream_depends_on_its_identity_and_on_nothing_else(field: str) -> None:
    data, method = draws(CELL)
    new_data, new_method = draws(CELL.model_copy(update={field: {**METHOD, **NEITHER}[field]}))
    assert (new_data != data) == (field in DATA)
    assert (new_method != method) == (field in METHOD)


def test_streams_differ_by_purpose_and_from_each_other() -> None:
    assert draws(CELL, "a") != draws(CELL, "b")
    assert draws(CELL)[0] != draws(CELL)[1]
    assert draws(CELL) == draws(CELL)


def test_streams_are_the_same_everywhere_and_for_ever() -> None:
    """Written down: records that were made before must be reproduced."""
    assert data_stream(CELL)("labels").integers(0, 1 << 30, 3).tolist() == DRAWN["data"]
    assert method_stream(CELL)("weights").integers(0, 1 << 30, 3).tolist() == DRAWN["method"]


DRAWN = {"data": [443137189, 70832828, 694572923], "method": [322259877, 725276036, 844357298]}
