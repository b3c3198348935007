"""Variables of the shell that change how fast a cell runs, or its numbers.

The rule: the harness sets the number of threads, to the processors that the cell is given, and
what else it has to set (precision, caches). Whatever changes speed or numbers besides is passed on
to the cell and kept in its record; tables mark rows that had it where not all had.
"""

import os
import re
from collections.abc import Mapping
from pathlib import Path

from pdebench_lite.store.cell import Cell

THREADS = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "BLIS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "NUMBA_NUM_THREADS",
    "PJRT_NPROC",  # XLA's pools on a CPU
)
_DEFAULTS = {
    # Threads that spin while they wait make small steps several times slower on a busy machine.
    "OMP_WAIT_POLICY": "PASSIVE",
    "OPENBLAS_THREAD_TIMEOUT": "4",  # 2⁴ cycles
}
_OWNED = {  # variables that one backend reads, and no other
    "jax": re.compile(r"(JAX|XLA|PJRT|TF_XLA)_\w+"),
    "torch": re.compile(r"(TORCH\w*|PYTORCH|ATEN)_\w+"),
}
_SHARED = re.compile(
    r"(OMP|KMP|GOMP|MKL|OPENBLAS|BLIS|VECLIB|NUMEXPR|NUMBA|DNNL|ONEDNN|NPY|CUBLAS|CUDNN|MALLOC)_\w+"
    r"|CUDA_LAUNCH_BLOCKING|NVIDIA_TF32_OVERRIDE|LD_PRELOAD|GLIBC_TUNABLES"
    r"|PYTHON(DEVMODE|MALLOC|OPTIMIZE|PROFILEIMPORTTIME|TRACEMALLOC|_GIL|_JIT)"
)
_HARMLESS = re.compile(r"\w+_(DIR|HOME|PATH|ROOT|LOGS|LEVEL|VERBOSE|TRACE)")  # places, and talk
_FOLDERS = re.compile(r"[^\s:;,='\"]*/")
_STAMP = re.compile(r"[A-Z]\d{4} \S+ +\d+ \S+\] ")  # of a line that XLA logs
_LONGEST = 200  # characters of a value that are kept


def passed_on(backend: str = "", shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that are passed on and change speed or numbers, with their values.

    Folders in values are left out: they are nobody's business.

    Args:
        backend: leaves out what only another backend reads; empty: of every backend.
        shell: the variables of the shell.
    """
    patterns = [p for name, p in _OWNED.items() if backend in ("", name)] + [_SHARED]
    return {
        name: _FOLDERS.sub("", " ".join(value.split()))[:_LONGEST]
        for name, value in sorted(shell.items())
        if value
        and name not in {*THREADS, *_fixed("")}
        and value != _DEFAULTS.get(name)
        and not _HARMLESS.fullmatch(name)
        and any(pattern.fullmatch(name) for pattern in patterns)
    }


def not_used(threads: int, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the numbers of threads that the shell asks for and that a cell does not get.

    Args:
        threads: those that the harness sets.
        shell: the variables of the shell.
    """
    return {n: shell[n] for n in THREADS if shell.get(n, "") not in ("", str(threads))}


def for_child(cell: Cell, threads: int, shell: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the variables that the child of a cell is started with.

    Args:
        cell: the cell.
        threads: of every library.
        shell: the variables of the shell.
    """
    return {
        **_DEFAULTS,
        **shell,
        **_fixed(cell.dtype),
        **dict.fromkeys(THREADS, str(threads)),
    }


def _fixed(dtype: str) -> dict[str, str]:
    """What the harness sets, whatever the shell says: precision, memory policy, no stray plots."""
    return {
        "JAX_ENABLE_X64": "1" if dtype == "float64" else "0",
        "JAX_ENABLE_COMPILATION_CACHE": "0",
        "XLA_PYTHON_CLIENT_PREALLOCATE": "false",
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "MPLBACKEND": "agg",
        "PYTHONIOENCODING": "utf-8:backslashreplace",  # of the log, whatever a terminal shows
        "PYTHONUNBUFFERED": "1",
        "PYTHONFAULTHANDLER": "1",
    }


def advice(variables: Mapping[str, str]) -> str:
    """Say which variables the shell sets and how to unset them; empty where there are none."""
    named = " ".join(f"{name}={value}" for name, value in variables.items())
    return f"the shell sets {named}; to run without: unset {' '.join(variables)}" if named else ""


def blamed(reason: str, variables: Mapping[str, str], log: Path) -> str:
    """Add to the reason of a failure under which variables it was, and how to unset them.

    Args:
        reason: why a cell failed.
        variables: those of `passed_on`; none: nothing is added.
        log: what the process printed; where the reason names none of the variables, a line that
            does is quoted.
    """
    if not variables:
        return reason
    said = [reason]
    if not any(name in reason for name in variables):
        with log.open(encoding="utf-8", errors="replace") as lines:
            line = next((line for line in lines if any(name in line for name in variables)), "")
        said.append(_STAMP.sub("", " ".join(line.split()))[:_LONGEST])
    return "; ".join(filter(None, [*said, advice(variables)]))
