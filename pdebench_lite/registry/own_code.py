"""A user's own objects, named by a path such as `my_package.nets:Siren`.

They are looked for where Python imports from, then in the working directory: last, because a
`torch.py` where the user stands is not meant when something imports torch.
"""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from typing import Any

from pdebench_lite.errors import PdebenchError, unknown_name


def is_path(text: str) -> bool:
    """Say whether a text has the form `package.module:object`."""
    module, colon, name = text.partition(":")
    return bool(colon) and all(part.isidentifier() for part in (*module.split("."), name))


def find(module: str) -> ModuleSpec | None:
    """Return where a module is, None if nowhere; neither it nor its packages are imported."""
    name, *inner = module.split(".")
    if name == "__main__":  # in the process that runs a cell it is another one
        return None
    with _working_directory():
        spec = importlib.util.find_spec(name)
    for part in inner:
        name = f"{name}.{part}"
        within = spec.submodule_search_locations if spec else None
        spec = PathFinder.find_spec(name, list(within)) if within else None
    return spec


def missing(path: str) -> str:
    """Say that the module of a path is nowhere; empty if it is found. Nothing is imported."""
    module = path.partition(":")[0]
    if find(module) is not None:
        return ""
    here = Path.cwd().name or "/"  # a record keeps this line, and others read it
    return (
        f"no module '{module}', neither installed nor in the folder '{here}'; start where "
        f"{module.replace('.', '/')}.py is, or add its folder to PYTHONPATH"
    )


def load(path: str) -> Any:
    """Import the object that a path names; the working directory stays importable.

    Raises:
        PdebenchError: the module is not found, fails when it is imported, or has no such object.
    """
    module, _, name = path.partition(":")
    if reason := missing(path):
        raise PdebenchError(reason)
    if os.getcwd() not in sys.path:
        sys.path.append(os.getcwd())
    try:
        imported = importlib.import_module(module)
    except Exception as error:
        text = f"{type(error).__name__}: {error}"
        raise PdebenchError(f"module '{module}' cannot be imported, {text}") from error
    if not hasattr(imported, name):
        public = [n for n, v in vars(imported).items() if callable(v) and not n.startswith("_")]
        raise unknown_name(f"object of module {module}:", name, public)
    return getattr(imported, name)


@contextmanager
def _working_directory() -> Iterator[None]:
    """Let the working directory be searched, after everything else."""
    before = list(sys.path)
    sys.path.append("")
    try:
        yield
    finally:
        sys.path[:] = before
