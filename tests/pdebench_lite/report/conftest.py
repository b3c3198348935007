"""Synthetic records with fields and histories: every status, seeds, backends; nothing trains."""

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest
import xarray as xr

from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import FIELDS, HISTORY, LOG, Record, Store

FAMILIES = {"mlp": "supervised", "pinn": "physics-informed", "diffphys": "differentiable physics",
            "etdrk4": "classical"}  # fmt: skip
SEES: dict[str, dict[str, int | bool]] = {
    "mlp": {"labels": 2000, "embedding": True},
    "pinn": {"snapshots": 1, "observed_values": 128, "residual": True, "embedding": True},
    "diffphys": {"snapshots": 1, "observed_values": 128, "step": True},
    "etdrk4": {"initial_state": True, "step": True},
}
ENVIRONMENT = {
    "cpu": "Test CPU",
    "cores": 2,
    "python": "3.11.2",
    "installed": {"numpy": "2.4", "torch": "2.13", "jax": "0.10"},
}
_counter = iter(range(10**6))


def make_record(method: str = "pinn", backend: str = "jax", **values: Any) -> Record:
    """Make a record; everything can be set by name."""
    ran = values.get("status", "ok") != "unsupported"
    given: dict[str, Any] = {
        "cell": f"{next(_counter):016x}", "problem": "burgers", "task": "reconstruction",
        "problem_params": {"nu": 0.003}, "problem_label": "burgers", "method": method,
        "family": FAMILIES.get(method, "other"), "config": {"width": 20}, "label": method,
        "backend": backend, "dtype": "float64", "device": "cpu", "seed": 0,
        "budget": Budget(max_time=30.0), "status": "ok", "sees": SEES.get(method, {}),
        "metrics": {"rel_l2": 0.0132, "rel_l2_carried": 0.02, "mae": 0.004, "linf": 0.5},
        "ranked": ["rel_l2", "rel_l2_carried", "mae"], "reference_bound": 1.2e-13,
        "carried_bound": 1e-6, "data_s": 0.2, "compile_s": 4.0, "train_s": 20.0, "charged_s": 24.2,
        "peak_host_mb": 190.0, "params": 941, "steps": 1000, "evaluations": 1100, "threads": 2,
        "device_name": "cpu", "environment": "abc123",
        "profile": {"t": [0.0, 0.5, 1.0], "rel_l2": [0.01, 0.02, 0.03]},
    }  # fmt: skip
    if not ran:
        timed = ("data_s", "compile_s", "train_s", "charged_s", "peak_host_mb")
        given |= dict.fromkeys((*timed, "params", "steps", "evaluations", "reference_bound"))
        given["sees"] = {}
    if values.get("status", "ok") != "ok":
        given |= {"metrics": {}, "profile": {}}
    return Record(**given | values)


def field(x: np.ndarray, t: np.ndarray, nu: float = 0.02) -> np.ndarray:
    """A steepening wave, much like Burgers' solution."""
    return (
        -np.sin(np.pi * x[:, None]) * np.exp(-0.3 * t)
        + 0.2 * np.tanh(-x[:, None] / (nu + 0.3 * (1 - t))) * t
    )


def add_files(
    store: Store, record: Record, error: float = 0.01, unknown: str = "u_initial"
) -> None:
    """Publish a record with fields and a history whose error falls to `error`."""
    folder = store.workspace(record.cell)
    rng = np.random.default_rng(int(record.cell, 16))
    (folder / LOG).write_text("\n".join(f"line {i}" for i in range(30)) + "\n")
    store.keep_environment(ENVIRONMENT, "abc123")
    if record.status != "unsupported":
        n = 40 if record.status == "ok" else 12
        t = np.linspace(0.1, (record.charged_s or 24.0), n)
        curve = (error + np.exp(-t / 3.0)) * (1 + 0.1 * rng.random(n))
        errors = {m: curve * (1 + k) for k, m in enumerate(record.ranked)}
        pd.DataFrame({"step": np.arange(n), "charged_s": t, "loss": curve**2, **errors}).to_parquet(
            folder / HISTORY
        )
    if record.status == "ok":
        x, t = np.linspace(-1, 1, 128), np.linspace(0, 1, 51)
        truth = field(x, t)
        wrong = error * np.sin(3 * np.pi * x[:, None] + rng.random()) * (0.2 + t)
        xo = np.linspace(-1, 1, 32)
        data: dict[str, Any] = {
            "u": (("x", "t"), truth + wrong), "u_reference": (("x", "t"), truth),
            "u_observed": (("u_observation",), field(xo, np.array([0.5]))[:, 0]),
            "u_observed_x": (("u_observation",), xo),
            "u_observed_t": (("u_observation",), np.full(32, 0.5)),
        }  # fmt: skip
        if unknown:
            data[f"{unknown}_found"] = (("x",), truth[:, 0] + 3 * wrong[:, -1])
            data[f"{unknown}_true"] = (("x",), truth[:, 0])
        units = {"units": "dimensionless"}
        fields = xr.Dataset(data, {"x": ("x", x, units), "t": ("t", t, units)})
        fields.to_netcdf(folder / FIELDS, engine="h5netcdf")
    store.publish(record, folder)


def add_plane(store: Store, record: Record, error: float = 0.1) -> None:
    """Publish a record with a density over a plane and time, and the motion that was found."""
    folder = store.workspace(record.cell)
    x, y, t = np.linspace(0, 1, 24), np.linspace(0, 1, 20), np.linspace(0, 1, 5)
    turned = x[:, None, None] + 0.3 * t, y[None, :, None] - 0.2 * t
    density = np.exp(-20 * ((turned[0] - 0.5) ** 2 + (turned[1] - 0.5) ** 2))
    motion = {"u": np.sin(np.pi * x)[:, None] + 0 * y, "v": 0 * x[:, None] - np.cos(np.pi * y)}
    data: dict[str, Any] = {
        "d": (("x", "y", "t"), density * (1 + error)), "d_reference": (("x", "y", "t"), density),
    }  # fmt: skip
    for name, truth in motion.items():
        data[f"{name}_found"] = (("x", "y"), truth * (1 - error))
        data[f"{name}_true"] = (("x", "y"), truth)
    coords = {"x": ("x", x, {"units": "widths"}), "y": ("y", y), "t": ("t", t)}
    xr.Dataset(data, coords).to_netcdf(folder / FIELDS, engine="h5netcdf")
    store.publish(record, folder)


def study() -> list[tuple[Record, float]]:
    """The main job, with two seeds of one method and one failure of each kind."""
    cases = []
    for method, error in (("mlp", 0.004), ("pinn", 0.03), ("diffphys", 0.012)):
        for backend in ("torch", "jax"):
            for seed in (0, 1) if method == "pinn" else (0,):
                off = error * (1 + 0.3 * seed + 0.1 * (backend == "jax"))
                metrics = {"rel_l2": off, "rel_l2_carried": 1.5 * off, "mae": off / 3}
                cases.append((make_record(method, backend, seed=seed, metrics=metrics), off))
    reason = "the loss is nan at step 120"
    failed = {"diverged": reason, "crashed": "RuntimeError: boom", "timeout": "did not stop"}
    for status, why in failed.items():
        label = f"pinn[optimizer={status[:4]},width=9]"
        cases.append((make_record("pinn", label=label, status=status, reason=why), 1.0))
    why = "burgers does not give its initial state; nothing to march"
    cases.append((make_record("etdrk4", "numpy", status="unsupported", reason=why), 1.0))
    return cases


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A results folder with the study."""
    made = Store(tmp_path_factory.mktemp("results"))
    for record, error in study():
        add_files(made, record, error)
    return made


@pytest.fixture
def make() -> Any:
    """Return the function that makes a record."""
    return make_record


@pytest.fixture(scope="session")
def make_one() -> Any:
    """Return the function that makes a record, for fixtures that live long."""
    return make_record


@pytest.fixture
def publish() -> Any:
    """Return the function that writes a record with its files."""
    return add_files


@pytest.fixture(scope="session")
def in_a_plane(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """A results folder of two methods that looked for a motion in the plane."""
    made = Store(tmp_path_factory.mktemp("plane"))
    for method, error in (("pinn", 0.1), ("diffphys", 0.02)):
        given = {"metrics": {"rel_l2": error}, "ranked": ["rel_l2"], "problem_label": "motion"}
        add_plane(made, make_record(method, **given), error)
    return made


@pytest.fixture
def parsed() -> Any:
    """Return a strict JSON parser: NaN and Infinity are errors."""

    def refuse(constant: str) -> float:
        raise ValueError(constant)

    def load(text: str) -> Any:
        return json.loads(text, parse_constant=refuse)

    return load
