"""Real methods that are killed end, under a limit of steps, bitwise where unbroken ones end."""

import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest

from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, plan
from pdebench_lite.store.arrays import load_arrays
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.checkpoints import CHECKPOINT, read_checkpoint
from pdebench_lite.store.records import RECORD, WEIGHTS, Record, Store, load_history

TOYS = Path(__file__).parents[1] / "toys"
CASES = {
    "mlp": ("burgers", "mlp[labels=200,adam_steps=40,optimizer=adam+lbfgs]", 120, 60),
    "pinn": ("burgers:forward", "pinn[points=200,adam_steps=40]", 120, 60),
    "pinn-doubling": (
        "burgers:forward", "pinn[points=200,redraw=30,doubling=30,most_points=400]", 120, 60
    ),
    "pinn-lbfgs": (
        "burgers:forward", "pinn[points=200,adam_steps=40,optimizer=adam+lbfgs]", 120, 60
    ),
    "pinn-causal": (
        "burgers:forward",
        "pinn[points=200,redraw=20,network=modified-mlp,weighting=causal[epsilon=10]]", 90, 50
    ),
    "diffphys": ("burgers", "diffphys[cells=64]", 30, 3),
    "own-network": (
        "burgers:forward",
        "pinn[points=100,redraw=30,adam_steps=30,optimizer=adam+ssbroyden,network=own_nets_*:Tanh]",
        90,
        60,
    ),
    "transport": ("advection-density", "diffphys[cells=64,steps=16,optimizer=lbfgs]", 60, 20),
}  # fmt: skip


def kill_once(root: Path, step: int) -> None:
    """Kill the child that runs below a folder once it has saved after that many steps."""
    limit = time.monotonic() + 300
    while time.monotonic() < limit and not any(root.glob(f"*/{RECORD}")):
        for path in root.glob(f".running-*/{CHECKPOINT}"):
            checkpoint = read_checkpoint(path.parent)
            if checkpoint is None or checkpoint.harness["steps"] < step:
                continue
            for process in psutil.process_iter():
                try:
                    if process.environ().get("PDEBENCH_WORKSPACE") == str(path.parent.resolve()):
                        os.kill(process.pid, signal.SIGKILL)
                        return
                except (psutil.Error, OSError):
                    continue
        time.sleep(0.005)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["jax", "torch"])
@pytest.mark.parametrize("case", CASES)
def test_bitwise(case: str, backend: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip(backend)
    monkeypatch.syspath_prepend(str(TOYS))
    monkeypatch.setenv("PDEBENCH_SAVE_EVERY", "0")
    monkeypatch.setenv("PYTHONPATH", str(TOYS))
    problem, method, steps, kill_at = CASES[case]
    method = method.replace("*", backend)
    known = registry()
    cells, devices = plan(known, problem, method, backend, (0,), Budget(max_steps=steps), "cpu")

    def run(folder: str) -> tuple[Record, Store]:
        store = Store(tmp_path / folder)
        (record,) = execute(known, cells, devices, store.root)
        assert record.status == "ok", record.reason
        return record, store

    whole, first = run("whole")
    killer = threading.Thread(target=kill_once, args=(tmp_path / "broken", kill_at))
    killer.start()
    broken, second = run("broken")
    killer.join()
    assert broken.resumed >= 1, "it was killed before its end, and went on"
    assert broken.restarted == 0
    assert broken.metrics == whole.metrics
    assert (broken.steps, broken.evaluations) == (whole.steps, whole.evaluations)
    a, b = (load_arrays(s.folder(r.cell) / WEIGHTS) for r, s in ((whole, first), (broken, second)))
    assert a.keys() == b.keys()
    for name in a:
        np.testing.assert_array_equal(a[name], b[name], err_msg=name)
    histories = [load_history(s.folder(whole.cell)) for s in (first, second)]
    times = {"charged_s", "peak_host_mb"}
    pd.testing.assert_frame_equal(
        *(h.drop(columns=list(times)) for h in histories), check_exact=True
    )
