"""A bench of synthetic records whose histories are written down, so that every answer is known."""

from collections.abc import Callable, Sequence
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from pdebench_lite.analysis import Comparison, Source, compare
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import HISTORY, Record, Store

FAMILIES = {"mlp": "supervised", "pinn": "physics-informed", "diffphys": "differentiable physics",
            "etdrk4": "classical"}  # fmt: skip
SEES: dict[str, dict[str, int | bool]] = {
    "mlp": {"labels": 2000, "embedding": True},
    "pinn": {"coefficients": True, "residual": True, "ansatz": True, "embedding": True},
    "diffphys": {"initial_state": True, "coefficients": True, "step": True},
    "etdrk4": {"initial_state": True, "coefficients": True, "step": True},
}
Course = Sequence[tuple[float, float]]


class Bench:
    """A results folder that is filled by hand."""

    def __init__(self, root: Path) -> None:
        self.store = Store(root)
        self._hashes = (f"{n:016x}" for n in count())

    def add(
        self, method: str = "pinn", course: Course = ((1.0, 0.5), (5.0, 0.05)), **values: Any
    ) -> Record:
        """Add a cell whose history is (charged seconds, error), …; its last error is its score."""
        last = course[-1] if course else (0.0, None)
        ok = values.get("status", "ok") == "ok"
        given: dict[str, Any] = {
            "cell": next(self._hashes), "problem": "toy", "task": "forward",
            "problem_params": {"c": 1.0}, "problem_label": "toy", "method": method,
            "family": FAMILIES.get(method, "other"), "config": {}, "label": method,
            "backend": "numpy", "dtype": "float64", "device": "cpu", "seed": 0,
            "budget": Budget(max_time=10.0), "status": "ok", "sees": SEES.get(method, {}),
            "metrics": {"rel_l2": last[1]} if ok else {}, "ranked": ["rel_l2"],
            "reference_bound": 1e-9, "charged_s": last[0], "train_s": last[0],
            "peak_host_mb": 50.0, "params": 100, "steps": len(course), "threads": 2,
            "device_name": "cpu", "environment": "",
        }  # fmt: skip
        record = Record(**given | values)
        folder = self.store.workspace(record.cell)
        if course:
            seconds, errors = zip(*course, strict=True)
            memory = [10.0 * (k + 1) for k in range(len(course))]
            table = {"charged_s": seconds, "rel_l2": errors, "peak_host_mb": memory}
            pd.DataFrame(table).to_parquet(folder / HISTORY)
        self.store.publish(record, folder)
        return record

    def seeds(self, method: str, finals: Sequence[float], **values: Any) -> None:
        """Add one cell per seed, each a straight run to its final error at 10 s."""
        for seed, final in enumerate(finals):
            self.add(method, [(0.5, 1.0), (10.0, final)], seed=seed, **values)

    def compare(self, *others: "Bench", **settings: Any) -> Comparison:
        """Compare what is in the folder, and in others."""
        more = [Source(other.store, other.store.root.name) for other in others]
        return compare([Source(self.store), *more], **settings)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """An empty bench."""
    return Bench(tmp_path / "runs")


@pytest.fixture
def new_bench(tmp_path: Path) -> Callable[[str], Bench]:
    """Return the function that makes another bench by name."""
    return lambda name: Bench(tmp_path / name)
