"""Sources of a cell: the files that its modules reach by import, found without importing them.

Followed are import statements at any depth, those in functions too, and `import_module` of a
literal; not what only type checkers read, nor the hooks of a plugin, which list what there is: so
one more method in a plugin changes the sources of no other. A module whose imports cannot be read
from its text (`import_module` of a variable, `exec`) may need any module of its package: then all
files of its outermost package count.
"""

import ast
import hashlib
import importlib.metadata
import importlib.util
import os
import pkgutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from time import monotonic

import pdebench_lite
from pdebench_lite.registry import own_code

CORE = "pdebench_lite"
CHILD = f"{CORE}.runner.child"  # runs a cell: of the core, what it reaches can change numbers

# Parts of the core that find, keep, plan, or talk to people: no number comes from them.
_APART = tuple(
    f"{CORE}.{part}"
    for part in (
        "aside", "cli", "report", "testing", "analysis", "registry", "store", "errors", "files",
        "text", "version",
    )
)  # fmt: skip
_COUNTED = tuple(f"{CORE}.store.{part}" for part in ("arrays", "cell", "checkpoints"))
_DESCRIPTIONS = (  # what they name of a cell's is a root
    "Method", "Backend", "Claim", "Command", "Tuning",
    "Optimizer", "Network", "Weighting", "Sampler", "Quantity", "Figure",
)  # fmt: skip
_ANY = "*"
_LOADERS = ("import_module", "__import__")
_RUNNERS = ("run_path", "run_module", "spec_from_file_location", "walk_packages", "iter_modules")


def marks_of(roots: Iterable[str], libraries: Iterable[str] = ()) -> dict[str, str]:
    """Return a hash of each file that modules reach by import, as it is now.

    Files are looked at no more than once a second. What was installed with the plugin is left
    out, and so is what cannot be found.

    Args:
        roots: names such as `package.module` or `package.module:function`.
        libraries: distributions that are left out wherever they lie.

    Returns:
        Name of the file, such as `package/module.py`, wherever that lies -> 12 hexadecimal digits.
    """
    place = ""
    with suppress(OSError):  # the folder may be gone
        place = os.getcwd()
    names = frozenset(root.partition(":")[0] for root in roots)
    apart = frozenset(library.replace("-", "_") for library in libraries)
    return dict(_marks(names, apart, (place, int(monotonic()))))


_Now = tuple[str, int]  # where we stand, and the second: what was found is looked for again then


@lru_cache(maxsize=128)
def _marks(roots: frozenset[str], apart: frozenset[str], now: _Now) -> dict[str, str]:
    tops = frozenset(map(_first, roots))
    own = tops.union(*map(_distributed_with, tops))
    marks: dict[str, str] = {}
    seen, waiting = set[str](), list(roots)
    while waiting:
        name = waiting.pop()
        if name in seen or not _counts(name, own, apart, now):
            continue
        seen.add(name)
        module = _module(name, now)
        if module is None:
            continue
        waiting.append(name.rpartition(".")[0])
        if module.file:
            marks[module.file] = module.digest
        for source, item in module.imports:
            waiting.append(source)
            if item == _ANY:
                waiting += _within(source, now) if _counts(source, own, apart, now) else ()
            elif source == CORE:  # it imports the homes of its names when it is asked for them
                waiting.append(f"{CORE}.{pdebench_lite._HOMES.get(item, item)}")
            elif item:
                waiting.append(f"{source}.{item}")
        if module.dynamic and _first(name) != CORE:  # the core imports what a cell names: roots
            waiting += _within(_outermost(name, now), now)
    return marks


# ---- which modules count ---------------------------------------------------------------------


def _counts(name: str, own: frozenset[str], apart: frozenset[str], now: _Now) -> bool:
    """Whether a module is the plugin's or the user's own, or a part of the core that computes."""
    top = _first(name)
    if top == CORE:
        apart_too = any(name == part or name.startswith(f"{part}.") for part in _APART)
        return name in _COUNTED or (name != CORE and not apart_too)
    return bool(top) and (top in own or not (top in apart or _is_library(top, now)))


@lru_cache(maxsize=4096)
def _is_library(top: str, now: _Now) -> bool:
    """Whether a package is Python's, or was installed, as a user's own files were not."""
    spec = None if top in sys.stdlib_module_names else _spec(top, now)
    if spec is None:
        return True
    places = spec.submodule_search_locations or [spec.origin or ""]
    return any(_installs(str(Path(place).parent), now) for place in places)


@lru_cache(maxsize=256)
def _installs(folder: str, now: _Now) -> bool:
    """Whether distributions are installed in a folder; true where that is not a folder."""
    if Path(folder).name in ("site-packages", "dist-packages"):
        return True
    try:  # where `pip install --target` put them
        return any(name.endswith(".dist-info") for name in os.listdir(folder))
    except OSError:
        return True


@lru_cache(maxsize=256)
def _distributed_with(top: str) -> frozenset[str]:
    """Return the other packages of the distributions that have a package as their plugin."""
    found: set[str] = set()
    points = [p for p in importlib.metadata.entry_points(group=CORE) if p.dist]
    for name in {p.dist.name for p in points if p.dist and _first(p.module) == top}:
        files = importlib.metadata.files(name) or ()
        found |= {Path(path.parts[0]).stem for path in files if path.suffix == ".py"}
        found |= {_first(p.module) for p in points if p.dist and p.dist.name == name}
    return frozenset(found - {CORE})


def _first(name: str) -> str:
    return name.partition(".")[0]


# ---- where modules are -----------------------------------------------------------------------


@lru_cache(maxsize=8192)
def _spec(name: str, now: _Now) -> ModuleSpec | None:
    """Return where a module is; neither it nor its packages are imported."""
    package, _, last = name.rpartition(".")
    if not last.isidentifier():
        return None
    try:
        if not package:
            return own_code.find(name)
        around = _spec(package, now)
        folders = around.submodule_search_locations if around else None
        return PathFinder.find_spec(name, list(folders)) if folders else None
    except (ImportError, ValueError, AttributeError):  # as for a module that was made by hand
        return None


def _outermost(name: str, now: _Now) -> str:
    """Return the outermost package around a module, a regular one if there is one, or itself."""
    parts = name.split(".")
    around = [(p, _spec(p, now)) for p in (".".join(parts[: i + 1]) for i in range(len(parts)))]
    packages = [(p, s) for p, s in around if s and s.submodule_search_locations is not None]
    regular = [p for p, s in packages if s.has_location]
    return (regular or [p for p, _ in packages] or [name])[0]


def _within(package: str, now: _Now) -> Iterator[str]:
    """Yield the names of all modules of a package."""
    spec = _spec(package, now)
    for location in (spec.submodule_search_locations or ()) if spec else ():
        folder = Path(location)
        if folder.is_dir():
            for file in folder.rglob("*.py"):
                inside = file.relative_to(folder).with_suffix("").parts
                yield ".".join((package, *(part for part in inside if part != "__init__")))
        else:  # in an archive
            for found in pkgutil.iter_modules([location]):
                yield f"{package}.{found.name}"
                yield from _within(f"{package}.{found.name}", now)


# ---- what a module is made of ----------------------------------------------------------------


@dataclass(frozen=True)
class _Module:
    """A module.

    Attributes:
        file: name of its file; empty for a namespace package, which has none.
        digest: hash of its text.
        imports: pairs of a module and a name in it, which may be a module; `*` for any.
        dynamic: whether it may import more than that.
    """

    file: str
    digest: str
    imports: tuple[tuple[str, str], ...] = ()
    dynamic: bool = False


@lru_cache(maxsize=8192)
def _module(name: str, now: _Now) -> _Module | None:
    spec = _spec(name, now)
    if spec is None:
        return None
    if not spec.has_location or spec.origin is None:
        return _Module("", "")
    try:
        state = os.stat(getattr(spec.loader, "archive", spec.origin))
    except OSError:  # it has just gone
        return None
    key = (name, spec.origin, state.st_size, state.st_mtime_ns)
    if key not in _READ:
        package = name if spec.submodule_search_locations is not None else name.rpartition(".")[0]
        stem = f"{name.replace('.', '/')}{'/__init__' if package == name else ''}"
        try:
            data = spec.loader.get_data(spec.origin)  # type: ignore[union-attr]
        except (OSError, AttributeError):  # it has gone, or its loader has no files
            return None
        _READ[key] = _parse(data, f"{stem}{Path(spec.origin).suffix}", package)
    return _READ[key]


_READ: dict[tuple[str, str, int, int], _Module] = {}  # as long as size and time are the same


def _parse(data: bytes, file: str, package: str) -> _Module:
    if not file.endswith(".py"):  # compiled: byte code may import anything of its package
        return _Module(file, _hash(data), dynamic=file.endswith(".pyc"))
    try:
        tree = ast.parse(data)
    except (SyntaxError, ValueError):  # it cannot be imported either
        return _Module(file, _hash(data))
    if left_out := _only_for_hooks(tree):
        lines = data.splitlines()
        for node in left_out:
            first = min(n.lineno for n in (node, *getattr(node, "decorator_list", ())))
            for i in range(first - 1, node.end_lineno or first):
                lines[i] = b""
        data = b"\n".join(line for line in lines if line.strip())
        tree.body = [node for node in tree.body if node not in left_out]
    reader = _Reader(package)
    reader.visit(tree)
    return _Module(file, _hash(data), tuple(dict.fromkeys(reader.imports)), reader.dynamic)


def _hash(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:12]


def _only_for_hooks(tree: ast.Module) -> list[ast.stmt]:
    """Return the hooks of a plugin, and imports and descriptions that nothing but hooks uses."""
    gone: list[ast.stmt] = [node for node in tree.body if _is_hook(node)]
    before = 0
    while len(gone) > before:
        before = len(gone)
        used = set[str]().union(*map(_names, gone))
        kept = [node for node in tree.body if node not in gone]
        for node in kept:
            made = _made(node)
            elsewhere = set[str]().union(*(_names(other) for other in kept if other is not node))
            if made & used and not made & elsewhere:
                gone.append(node)
    return gone


def _is_hook(node: ast.stmt) -> bool:
    if not isinstance(node, ast.FunctionDef) or not node.name.startswith("pdebench_"):
        return False
    marked = (d.func if isinstance(d, ast.Call) else d for d in node.decorator_list)
    return any(getattr(d, "attr", getattr(d, "id", "")) == "hookimpl" for d in marked)


def _names(node: ast.AST) -> set[str]:
    return {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}


def _made(node: ast.stmt) -> set[str]:
    """Return the names that an import, a description or a list of them makes; else none."""
    if isinstance(node, ast.Import | ast.ImportFrom):
        return {alias.asname or _first(alias.name) for alias in node.names}
    if not isinstance(node, ast.Assign) or not isinstance(
        node.value, ast.Tuple | ast.List | ast.Dict | ast.Call
    ):
        return set()
    calls = (part.func for part in ast.walk(node.value) if isinstance(part, ast.Call))
    plain = all(getattr(f, "attr", getattr(f, "id", "")) in _DESCRIPTIONS for f in calls)
    return {t.id for t in node.targets if plain and isinstance(t, ast.Name)}


class _Reader(ast.NodeVisitor):
    """Gathers what a module imports.

    Args:
        package: the package that relative imports start from.
    """

    def __init__(self, package: str) -> None:
        self.package = package
        self.imports: list[tuple[str, str]] = []
        self.dynamic = False

    def visit_If(self, node: ast.If) -> None:
        """Leave out what is for type checkers only."""
        if getattr(node.test, "id", getattr(node.test, "attr", "")) == "TYPE_CHECKING":
            for other in node.orelse:
                self.visit(other)
        else:
            self.generic_visit(node)

    def visit_Import(self, node: ast.Import) -> None:
        """Note `import a.b`."""
        self.imports += [(alias.name, "") for alias in node.names]

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        """Note `from a import b`; `from a import *` may import any module of a package."""
        module = self._absolute("." * node.level + (node.module or ""))
        self.imports += [(module, alias.name) for alias in node.names]

    def visit_Call(self, node: ast.Call) -> None:
        """Note `import_module("a.b")`, and calls that may import anything."""
        self.generic_visit(node)
        plain = isinstance(node.func, ast.Name)  # `model.eval()` is not Python's
        called = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if called in _LOADERS:
            self._load(node)
        elif called in _RUNNERS or (plain and called in ("exec", "eval")):
            self.dynamic = True

    def _load(self, node: ast.Call) -> None:
        name = node.args[0] if node.args else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            self.imports.append((self._absolute(name.value), ""))
            return
        start = name.values[0] if isinstance(name, ast.JoinedStr) and name.values else None
        text = start.value if isinstance(start, ast.Constant) else None
        if isinstance(text, str) and "." in text.lstrip("."):  # f"package.{…}": any of its modules
            self.imports.append((self._absolute(text.rpartition(".")[0]), _ANY))
        else:
            self.dynamic = True

    def _absolute(self, name: str) -> str:
        try:
            return importlib.util.resolve_name(name, self.package)
        except ImportError:  # beyond the outermost package: it cannot be imported either
            return ""
