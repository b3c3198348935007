"""Where a cell was run: machine, Python, distributions, commit; and what it was run with."""

import hashlib
import importlib.metadata
import json
import os
import platform
import re
import subprocess
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from pdebench_lite.runner.processors import usable_processors


def cpu_model() -> str:
    """Return the model of the processor, as the system names it."""
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


_NVIDIA = Path("/proc/driver/nvidia")
_SOURCE = Path(__file__).resolve().parents[2]
_PATIENCE = 10.0  # seconds that git may take


def driver(root: Path = _NVIDIA) -> str:
    """Return the version of the NVIDIA driver; empty where there is none."""
    try:
        text = (root / "version").read_text()
    except OSError:
        return ""
    found = re.search(r"Kernel Module\b.*?\s(\d+(?:\.\d+)+)\s", text)
    return found[1] if found else ""


def gpus(root: Path = _NVIDIA) -> list[str]:
    """Return the models of the NVIDIA GPUs that the kernel knows."""
    found = []
    for file in sorted(root.glob("gpus/*/information")):
        try:
            model = re.search(r"^Model:\s*(.+?)\s*$", file.read_text(), re.MULTILINE)
        except OSError:
            continue
        found += [model[1]] if model else []
    return found


def commit(source: Path = _SOURCE) -> dict[str, Any] | None:
    """Return commit and dirty flag of a checkout; None where the source is not a checkout.

    Args:
        source: the folder that would hold `.git`; by default that of this program.
    """
    if not (source / ".git").exists():
        return None
    answers = []
    for words in (("rev-parse", "HEAD"), ("status", "--porcelain", "--untracked-files=no")):
        try:
            done = subprocess.run(
                ["git", "-C", str(source), *words],
                capture_output=True,
                text=True,
                timeout=_PATIENCE,
                check=True,
                env={**os.environ, "GIT_OPTIONAL_LOCKS": "0"},
            )
        except (OSError, subprocess.SubprocessError):
            return None
        answers.append(done.stdout.strip())
    return {"commit": answers[0], "dirty": bool(answers[1])}


def load_average() -> float | None:
    """Return the load average of the last minute, where the system has one."""
    return round(os.getloadavg()[0], 2) if hasattr(os, "getloadavg") else None


@lru_cache(maxsize=1)
def environment() -> tuple[dict[str, Any], str]:
    """Return what stays the same from cell to cell on this machine, and its hash."""
    installed = {
        d.name: d.version for d in importlib.metadata.distributions() if d.name is not None
    }
    description = {
        "cpu": cpu_model(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "ram_mb": round(psutil.virtual_memory().total / 1e6),
        "os": platform.platform(),
        "gpus": gpus(),
        "driver": driver(),
        "python": platform.python_version(),
        "git": commit(),
        "installed": dict(sorted(installed.items(), key=lambda item: item[0].lower())),
    }
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]
    return description, digest


def threads() -> int:
    """Return the number of processors that this process may use."""
    return usable_processors()
