"""What pyproject.toml declares: what the code imports, lower bounds, pins within them."""

import ast
import importlib.metadata
import re
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
# Extras with which a package is used, and what it imports besides only where that is installed.
PACKAGES = {
    "pdebench_lite": {"gpu", "dev"},  # where it is there; pytest in `testing`
    "plugins/pdebench_methods": set(),
    "plugins/pdebench_classical": set(),
    "plugins/pdebench_claims": set(),
    "plugins/pdebench_differentiation": {"torch", "jax"},
    "plugins/pdebench_torch": {"operators"},
    "plugins/pdebench_jax": {"jax"},
    "plugins/pdebench_peers": {"peers"},
    "plugins/pdebench_audit": set(),
    "plugins/pdebench_data": {"filters"},
    "plugins/pdebench_doctor": set(),
    "plugins/pdebench_paper": set(),
    "problems/pdebench_problems": set(),
}
# Modules whose names are not those of their distributions.
DISTRIBUTIONS = {"yaml": "pyyaml", "pynvml": "nvidia-ml-py", "neuralop": "neuraloperator",
                 "pina": "pina-mathlab", "phi": "phiflow"}  # fmt: skip
BROUGHT = {"markupsafe": "jinja2", "pydantic-core": "pydantic"}  # which need them for good


def declared(extra: str = "") -> list[Requirement]:
    """Return the requirements of the core, or of an extra with those that it names."""
    listed = PROJECT["optional-dependencies"][extra] if extra else PROJECT["dependencies"]
    found = []
    for requirement in map(Requirement, listed):
        if requirement.name == PROJECT["name"]:
            found += [one for name in requirement.extras for one in declared(name)]
        else:
            found.append(requirement)
    return found


def imported(folder: Path) -> Iterator[str]:
    """Yield the distributions that a package imports from."""
    own = {name.rpartition("/")[2] for name in PACKAGES}
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            modules = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and not node.level:
                modules = [node.module or ""]
            for top in {module.partition(".")[0] for module in modules}:
                if top not in sys.stdlib_module_names and top not in own:
                    yield canonicalize_name(DISTRIBUTIONS.get(top, top))


def test_every_package_is_listed() -> None:
    shipped = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    assert set(PACKAGES) == set(shipped["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"])


@pytest.mark.parametrize("package", PACKAGES)
def test_what_is_imported_is_declared(package: str) -> None:
    names = {canonicalize_name(one.name) for x in ("", *PACKAGES[package]) for one in declared(x)}
    names |= {brought for brought, by in BROUGHT.items() if by in names}
    assert set(imported(ROOT / package)) - names == set()


@pytest.mark.parametrize(("brought", "by"), BROUGHT.items())
def test_what_another_brings_comes_with_it(brought: str, by: str) -> None:
    needs = map(Requirement, importlib.metadata.requires(by) or ())
    always = [one.name for one in needs if one.marker is None or one.marker.evaluate()]
    assert brought in map(canonicalize_name, always)


def test_every_dependency_has_a_lower_bound_and_no_upper_one() -> None:
    for extra in ("", *PROJECT["optional-dependencies"]):
        for one in declared(extra):
            assert [s.operator for s in one.specifier] == [">="], str(one)


def test_the_pins_are_within_the_bounds() -> None:
    text = (ROOT / "constraints.txt").read_text(encoding="utf-8")
    found = re.findall(r"^([\w.-]+)==([^\s#]+)", text, re.MULTILINE)
    pins = {canonicalize_name(name): version for name, version in found}
    for extra in ("", *PROJECT["optional-dependencies"]):
        for one in declared(extra):
            assert one.specifier.contains(pins[canonicalize_name(one.name)]), str(one)


def test_what_builds_is_what_the_tests_build_with() -> None:
    build = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["build-system"]
    assert {Requirement(one) for one in build["requires"]} <= set(declared("dev"))
