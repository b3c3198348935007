"""What only a CUDA device can show: cells run there, are measured, and agree with the CPU."""

from pathlib import Path

import pytest

import pdebench_lite as pdebench
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.device import devices_of

pytestmark = pytest.mark.gpu


@pytest.mark.parametrize("backend", ["torch", "jax"])
@pytest.mark.parametrize("method", ["mlp[labels=200]", "pinn[points=200]", "diffphys[cells=64]"])
def test_a_cell_runs_on_the_gpu_and_measures_it(backend: str, method: str, tmp_path: Path) -> None:
    known = registry()
    if backend not in known.installed_backends():
        pytest.skip(f"{backend} is not installed")
    if "cuda:0" not in devices_of(known.backend(backend).runtime):
        pytest.skip(f"{backend} sees no CUDA device")
    table = pdebench.run(
        "burgers", method, backend=backend, device="cuda", max_steps=5, results=tmp_path
    )
    cell = table.iloc[0]
    assert cell.status == "ok", cell.reason
    assert cell.device == "cuda"
    assert cell.device_name
    assert 0 < cell.peak_device_mb < 4000
    on_cpu = pdebench.run(
        "burgers", method, backend=backend, device="cpu", max_steps=5, results=tmp_path
    ).iloc[0]
    assert cell.rel_l2 == pytest.approx(on_cpu.rel_l2, rel=1e-6)
