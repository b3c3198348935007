"""Where a cell was run: machine, Python, installed distributions; and what it was run with."""

import hashlib
import importlib.metadata
import json
import os
import platform
from functools import lru_cache
from pathlib import Path
from typing import Any

import psutil

from pdebench_lite.plugins import module_file


def _cpu_model() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


@lru_cache(maxsize=1)
def environment() -> tuple[dict[str, Any], str]:
    """Return what stays the same from cell to cell on this machine, and its hash."""
    installed = {
        d.name: d.version for d in importlib.metadata.distributions() if d.name is not None
    }
    description = {
        "cpu": _cpu_model(),
        "cores": psutil.cpu_count(logical=False),
        "logical_cores": psutil.cpu_count(),
        "ram_mb": round(psutil.virtual_memory().total / 1e6),
        "os": platform.platform(),
        "python": platform.python_version(),
        "installed": dict(sorted(installed.items(), key=lambda item: item[0].lower())),
    }
    digest = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()[:12]
    return description, digest


def threads() -> int:
    """Return the number of processors that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


@lru_cache
def _source_hash(package: str) -> str:
    file = module_file(package)
    if file is None:
        return ""
    path = Path(file)
    files = sorted(path.parent.rglob("*.py")) if path.name == "__init__.py" else [path]
    digest = hashlib.sha256()
    for source in files:
        digest.update(source.relative_to(path.parent).as_posix().encode())
        digest.update(source.read_bytes())
    return digest.hexdigest()[:12]


def fingerprint(modules: list[str]) -> dict[str, str]:
    """Return hashes of the sources of the core and of modules, and versions of array libraries.

    Args:
        modules: names such as `package.module` or `package.module:function`.
    """
    tops = {name.partition(":")[0].partition(".")[0] for name in modules}
    packages = sorted({"pdebench_lite", *tops})
    marks = {name: _source_hash(name) for name in packages}
    for library in ("numpy", "jax", "torch"):
        try:
            marks[library] = importlib.metadata.version(library)
        except importlib.metadata.PackageNotFoundError:
            continue
    return marks
