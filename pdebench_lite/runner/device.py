"""Devices: which one is asked for, whether it is there, and what that means for each backend."""

import json
import re
import subprocess
import sys
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import Registry
from pdebench_lite.runner.shell import advice, passed_on

_PROBE = (
    "import importlib, json, sys;print(json.dumps(importlib.import_module(sys.argv[1]).devices()))"
)
_PATIENCE = 120.0  # seconds
DEVICE_PATTERN = r"^(auto|cpu|cuda(:[0-9]+)?)$"


def _gpu_present() -> bool:
    """Say whether the kernel shows an NVIDIA device; costs nothing and imports nothing."""
    return any(Path("/dev").glob("nvidia[0-9]*"))


@lru_cache
def devices_of(runtime: str) -> tuple[str, ...]:
    """Return the devices that a backend sees, asked in a process of its own.

    Raises:
        PdebenchError: it does not answer.
    """
    if not _gpu_present():
        return ("cpu",)
    try:
        probe = subprocess.run(
            [sys.executable, "-P", "-c", _PROBE, runtime],
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise PdebenchError(
            f"{runtime} did not name its devices within {_PATIENCE:g} s; use --device cpu"
        ) from None
    lines = probe.stdout.strip().splitlines()
    return tuple(json.loads(lines[-1])) if probe.returncode == 0 and lines else ("cpu",)


def resolve_devices(registry: Registry, request: str, backends: Sequence[str]) -> dict[str, str]:
    """Return backend -> device for a request of the command line.

    `cpu`, `cuda:N`, or `cuda`: any GPU, the first one where cells run one at a time.

    NumPy has no GPU and always runs on the CPU, which its records say.

    Args:
        registry: where backends are looked up.
        request: `auto`, `cpu`, `cuda` or `cuda:N`.
        backends: names of the backends that will be used.

    Raises:
        PdebenchError: the request is malformed, or names a device that is absent.
    """
    if not re.fullmatch(DEVICE_PATTERN, request):
        raise PdebenchError(f"no device '{request}'; write auto, cpu, cuda or cuda:N")
    chosen: dict[str, str] = {}
    for backend in backends:
        runtime = registry.backend(backend).runtime
        seen = ("cpu",) if request == "cpu" else devices_of(runtime)
        gpus = [device for device in seen if device != "cpu"]
        if backend == "numpy" or request == "cpu" or (request == "auto" and not gpus):
            chosen[backend] = "cpu"
        elif gpus and request in ("auto", "cuda"):
            chosen[backend] = "cuda"
        elif request in gpus:
            chosen[backend] = request
        else:
            hiding = {k: v for k, v in passed_on(backend).items() if k.startswith("JAX_PLATFORM")}
            raise PdebenchError(
                f"device '{request}' is not there for {backend}, which sees: {', '.join(seen)}; "
                + (advice(hiding) or "use --device cpu")
            )
    return chosen


def devices_for(registry: Registry, request: str, backends: Sequence[str] = ()) -> dict[str, str]:
    """Return the device of every installed backend for a request of the command line.

    Args:
        registry: where backends are looked up.
        request: `auto`, `cpu`, `cuda` or `cuda:N`.
        backends: names that were asked for; none or `all` means every installed one. The others
            stay on the CPU.

    Raises:
        PdebenchError: the request is malformed, or names a device that is absent.
    """
    installed = registry.installed_backends()
    wanted = [name for name in backends if name in installed] or installed
    return {**dict.fromkeys(installed, "cpu"), **resolve_devices(registry, request, wanted)}
