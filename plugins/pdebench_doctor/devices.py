"""Which devices there are; with a probe, whether each backend can use them, and how soon."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from pdebench_doctor.finding import Finding
from pdebench_lite.measure import nvml
from pdebench_lite.measure.energy import POWERCAP, rapl
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.environment import cpu_model, driver, gpus

_SECTION = "devices"
_PATIENCE = 120.0  # seconds that a backend may take to come up
_PROBE = """
import importlib, json, sys
runtime = importlib.import_module(sys.argv[1])
found = []
for device in runtime.devices():
    runtime.prepare(device, "float64")
    runtime.synchronize()
    found.append([device, runtime.device_name()])
print(json.dumps(found))
"""


def devices(known: Registry, probe: bool) -> Iterator[Finding]:
    """Yield processor and GPUs, and what the backends make of them.

    Args:
        known: where backends are looked up.
        probe: start each backend in a process of its own.
    """
    yield Finding(_SECTION, "processor", "ok", cpu_model())
    version = driver()
    for model in gpus():
        yield Finding(_SECTION, "GPU", "ok", f"{model}, driver {version or 'unknown'}")
    if not gpus():
        yield Finding(_SECTION, "GPU", "ok", "no NVIDIA GPU; cells run on the processor")
    for name in known.installed_backends() if probe else ():
        yield probed(name, known.backend(name).runtime)
    yield _energy(POWERCAP)


def probed(backend: str, runtime: str) -> Finding:
    """Start a backend in a process of its own and ask for its devices."""
    began = time.perf_counter()
    title, remedy = f"backend {backend}", f'{sys.executable} -c "import {runtime}"'
    try:
        child = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE, runtime],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return Finding(_SECTION, title, "error", f"no answer within {_PATIENCE:g} s", remedy)
    took = time.perf_counter() - began
    try:
        found = json.loads(child.stdout.strip().splitlines()[-1])
        named = ", ".join(f"{device} ({name})" if name else device for device, name in found)
    except (ValueError, TypeError, IndexError):
        lines = child.stderr.strip().splitlines()
        reason = lines[-1] if lines else f"exit status {child.returncode}"
        return Finding(_SECTION, title, "error", f"does not start: {reason[:300]}", remedy)
    if gpus() and backend != "numpy" and len(found) == 1:
        reinstall = {"jax": 'pip install "jax[cuda12]"', "torch": "pip install torch"}
        found_text = f"works on {named} only, though there is a GPU (up in {took:.1f} s)"
        return Finding(_SECTION, title, "warning", found_text, reinstall.get(backend, remedy))
    return Finding(_SECTION, title, "ok", f"works on {named} (up in {took:.1f} s)")


def _energy(root: Path) -> Finding:
    sources = ["processor packages (RAPL)"] if rapl(root) else []
    sources += ["GPU (NVML)"] if gpus() and nvml.joules("cuda:0") is not None else []
    if sources:
        return Finding(_SECTION, "energy", "ok", f"read from {', '.join(sources)}")
    if any(root.glob("intel-rapl:*")):
        remedy = f"sudo chmod a+r {root}/intel-rapl:*/energy_uj {root}/intel-rapl:*:*/energy_uj"
        return Finding(_SECTION, "energy", "note", "RAPL may not be read: left empty", remedy)
    remedy = 'pip install "pdebench-lite[gpu]"' if gpus() else ""
    return Finding(_SECTION, "energy", "note", "no counter here: left empty", remedy)
