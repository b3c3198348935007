"""What is installed: Python, distributions, backends, plugins, a compiler."""

import importlib.metadata
import platform
import shutil
from collections.abc import Iterator

from pdebench_doctor.finding import Finding
from pdebench_lite.registry.discovery import PLURALS, Registry

_DISTRIBUTIONS = ("pdebench-lite", "numpy", "scipy", "torch", "pytorch-lightning", "jax", "optax")
_SECTION = "installed"


def installed(known: Registry) -> Iterator[Finding]:
    """Yield versions, and what each backend and plugin lacks."""
    yield Finding(_SECTION, "python", "ok", platform.python_version())
    for name in _DISTRIBUTIONS:
        try:
            yield Finding(_SECTION, name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            continue  # the backends below say what is missing
    yield from _backends(known)
    yield from _plugins(known)
    yield _compiler()


def _backends(known: Registry) -> Iterator[Finding]:
    for name, backend in known.backends.items():
        missing = known.missing(name)
        if not missing:
            yield Finding(_SECTION, f"backend {name}", "ok", "its libraries are there")
            continue
        wanted = f"pdebench-lite[{backend.extra}]" if backend.extra else " ".join(missing)
        yield Finding(
            _SECTION, f"backend {name}", "note", f"lacks {', '.join(missing)}",
            f'pip install "{wanted}"',
        )  # fmt: skip
    if not known.installed_backends():
        yield Finding(
            _SECTION, "backends", "error", "none can be used", 'pip install "pdebench-lite[all]"'
        )


def _plugins(known: Registry) -> Iterator[Finding]:
    for plugin in known.plugins:
        source = f"{plugin.distribution} {plugin.version}".strip()
        if plugin.error:
            remedy = f"pip install --force-reinstall {plugin.distribution}"
            yield Finding(_SECTION, f"plugin {plugin.name}", "error", plugin.error, remedy)
        else:
            what = [
                f"{len(names)} {PLURALS[kind] if len(names) > 1 else kind}"
                for kind, names in plugin.provides.items()
                if names
            ]
            found = f"{', '.join(what) or 'provides nothing'} ({source or plugin.module})"
            yield Finding(_SECTION, f"plugin {plugin.name}", "ok", found)
    for (kind, name), owners in known.clashes.items():
        found = f"provided by {' and '.join(owners)}"
        remedy = "pip uninstall the distribution of one of them; pdebench list plugins names both"
        yield Finding(_SECTION, f"{kind} {name}", "error", found, remedy)


def _compiler() -> Finding:
    for name in ("g++", "clang++"):
        if path := shutil.which(name):
            return Finding(_SECTION, "C++ compiler", "ok", path)
    found = "none; torch.compile needs one on a CPU"
    return Finding(_SECTION, "C++ compiler", "note", found, "sudo apt-get install g++")
