"""pdebench-lite: race supervised networks, PINNs and differentiable physics on the same PDEs.

For users: `run`, `load_records`, `load_history`, `load_fields`.
For plugin authors: `hookimpl`, `Problem`, `Task`, `Method`, `Solution`, `Metric`, `Settings`, ….
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    __version__: str
    from pdebench_lite.cli.notebook import run as run
    from pdebench_lite.data_files import DataFile as DataFile
    from pdebench_lite.errors import PdebenchError as PdebenchError
    from pdebench_lite.errors import UnsupportedError as UnsupportedError
    from pdebench_lite.metrics import Metric as Metric
    from pdebench_lite.problem import Axis as Axis
    from pdebench_lite.problem import Domain as Domain
    from pdebench_lite.problem import Problem as Problem
    from pdebench_lite.problem import Reference as Reference
    from pdebench_lite.problem import Scheme as Scheme
    from pdebench_lite.problem import Solution as Solution
    from pdebench_lite.problem import Task as Task
    from pdebench_lite.problem import Unknown as Unknown
    from pdebench_lite.registry.command import Command as Command
    from pdebench_lite.registry.component import Network as Network
    from pdebench_lite.registry.component import Optimizer as Optimizer
    from pdebench_lite.registry.component import Sampler as Sampler
    from pdebench_lite.registry.component import Weighting as Weighting
    from pdebench_lite.registry.figure import Figure as Figure
    from pdebench_lite.registry.hooks import hookimpl as hookimpl
    from pdebench_lite.registry.method import Backend as Backend
    from pdebench_lite.registry.method import Method as Method
    from pdebench_lite.registry.method import Support as Support
    from pdebench_lite.registry.method import Tuning as Tuning
    from pdebench_lite.registry.quantity import Quantity as Quantity
    from pdebench_lite.selectors import Settings as Settings
    from pdebench_lite.store.records import load_fields as load_fields
    from pdebench_lite.store.records import load_history as load_history
    from pdebench_lite.store.records import load_records as load_records

_HOMES = {
    "run": "cli.notebook",
    "DataFile": "data_files",
    "PdebenchError": "errors",
    "UnsupportedError": "errors",
    "hookimpl": "registry.hooks",
    "Backend": "registry.method",
    "Command": "registry.command",
    "Figure": "registry.figure",
    "Method": "registry.method",
    "Quantity": "registry.quantity",
    "Network": "registry.component",
    "Optimizer": "registry.component",
    "Sampler": "registry.component",
    "Weighting": "registry.component",
    "Support": "registry.method",
    "Tuning": "registry.method",
    "Metric": "metrics",
    "Axis": "problem",
    "Domain": "problem",
    "Problem": "problem",
    "Reference": "problem",
    "Scheme": "problem",
    "Solution": "problem",
    "Task": "problem",
    "Unknown": "problem",
    "load_fields": "store.records",
    "load_history": "store.records",
    "load_records": "store.records",
    "Settings": "selectors",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for, so that `pdebench --help` starts fast."""
    if name == "__version__":
        from pdebench_lite.version import VERSION

        return VERSION
    if name in _HOMES:
        return getattr(import_module(f"pdebench_lite.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'pdebench_lite' has no attribute '{name}'")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
