"""Claims about the effort of implementation, counted in the sources that are installed."""

import inspect
import io
import tokenize
from collections.abc import Sequence
from functools import lru_cache
from importlib import import_module

from pdebench_claims.claim import Claim, Part
from pdebench_claims.evidence import Evidence, exactly
from pdebench_claims.source import LECTURE
from pdebench_lite.registry.discovery import registry

_SILENT = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENCODING,
    tokenize.ENDMARKER,
}


@lru_cache
def lines_of(package: str, word: str) -> int:
    """Return the lines of code of a package's modules that are named by a word.

    Lines that hold a token other than comments and docstrings.
    """
    import pkgutil

    root = import_module(package)
    names = [
        module.name
        for module in pkgutil.walk_packages(root.__path__, f"{package}.")
        if word in module.name.split(".")[1:]
    ]
    return sum(_lines(inspect.getsource(import_module(name))) for name in names)


def _lines(source: str) -> int:
    lines: set[int] = set()
    statement_begins = True
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.STRING and statement_begins:
            continue  # a docstring
        if token.type not in _SILENT:
            lines.update(range(token.start[0], token.end[0] + 1))
            statement_begins = False
        elif token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT):
            statement_begins = True
    return len(lines)


def _implementation(evidence: Evidence) -> Sequence[Part]:
    known, parts = registry(), []
    for backend in ("torch", "jax"):
        shared, own = "pdebench_methods", f"pdebench_{backend}"
        counts = {
            method: lines_of(shared, method) + lines_of(own, method)
            for method in ("pinn", "diffphys")
        }
        ratio = counts["diffphys"] / counts["pinn"]
        words = f"lines of code, {backend} ({counts['diffphys']} against {counts['pinn']})"
        parts.append(Part(words, exactly(ratio), 1.0, exact=True))
    settings = {name: len(known.method(name).Config.model_fields) for name in ("pinn", "diffphys")}
    words = f"configuration entries ({settings['diffphys']} against {settings['pinn']})"
    ratio = settings["diffphys"] / settings["pinn"]
    return [*parts, Part(words, exactly(ratio), 1.0, exact=True)]


CLAIMS = (
    Claim(
        "effort",
        "Differentiable physics is more complicated to implement than a physics-informed network.",
        LECTURE,
        (),
        "diffphys over pinn: lines of code that are theirs alone, configuration entries",
        "supported where the ratio is above 1; the step of the solver, which diffphys also needs, "
        "is part of the problem and not counted",
        _implementation,
    ),
)
