"""MethodContract: a description that is light and true, and runs that can be repeated."""

import ast
import importlib.util
import json
import os
import re
import subprocess
import sys
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any, ClassVar, get_args

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError
from pdebench_lite.problem import Task
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.registry.method import Family, Method
from pdebench_lite.runner.api import execute, plan
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import Record, Store, load_fields, load_history
from pdebench_lite.tasks.field import TRIANGLES
from pdebench_lite.testing.attempt import attempt

_HEAVY = ("torch", "jax", "jaxlib", "tensorflow", "pytorch_lightning", "matplotlib")


class _Known:
    @pytest.fixture(scope="class")
    @classmethod
    def known(cls) -> Registry:
        """Return the registry in which names are looked up."""
        return registry()


class MethodDescriptionContract(_Known):
    """What every description of a method owes; nothing is run and no backend is imported.

    Attributes:
        selector: the method, such as `"mlp[width=4]"`.
    """

    selector: str

    @pytest.fixture
    def method(self, known: Registry) -> Method:
        """Return the method."""
        return known.configured(self.selector)[0]

    def test_metadata(self, method: Method) -> None:
        """Name, family and summary are there, and a citation if any is BibTeX."""
        assert re.fullmatch(r"[a-z][a-z0-9_-]*", method.name), f"bad name {method.name!r}"
        assert method.family in get_args(Family), f"no family '{method.family}'"
        assert method.summary, "no summary"
        assert not method.citation or re.search(r"@\w+\{", method.citation), "no BibTeX"

    def test_description_is_light(self, known: Registry, method: Method) -> None:
        """The module that describes the method imports no backend."""
        module = next(
            p.module for p in known.plugins if method.name in p.provides.get("method", ())
        )
        script = (
            "import importlib, json, sys\n"
            f"importlib.import_module({module!r}).pdebench_methods()\n"
            f"print(json.dumps([m for m in {_HEAVY} if m in sys.modules]))"
        )
        assert _python(script) == [], f"{module} imports a backend to describe its methods"

    def test_settings(self, known: Registry, method: Method) -> None:
        """Defaults are valid, every setting is described, a misspelt one is answered with it."""
        method.Config.model_validate(method.Config().model_dump(mode="json"))
        for name, field in method.Config.model_fields.items():
            assert field.description, f"the setting {name} has no description"
            with pytest.raises(PdebenchError, match=f"did you mean '{name}'"):
                known.configured(f"{method.name}[{name}z=1]")
        with pytest.raises(PdebenchError, match="nonsense"):
            known.configured(f"{method.name}[nonsense=1]")

    def test_solvers_resolve(self, known: Registry, method: Method) -> None:
        """Each solver is `module:function` of a known backend, and that function is there."""
        assert method.solvers, "no solver"
        for backend, path in method.solvers.items():
            known.backend(backend)
            module, colon, function = path.partition(":")
            assert colon, f"'{path}' is not module:function"
            spec = importlib.util.find_spec(module)
            assert spec is not None, f"no module '{module}'"
            assert spec.origin is not None, f"'{module}' is not a file"
            tree = ast.parse(Path(spec.origin).read_text(encoding="utf-8"))
            names = {n.name for n in tree.body if isinstance(n, ast.FunctionDef)}
            assert function in names, f"no function '{function}' in {spec.origin}"

    def test_supports_gives_reasons(self, known: Registry, method: Method) -> None:
        """Every task there is gets a yes, or a no with its reason."""
        for problem in known.problems.values():
            for kind in known.tasks_of(problem).values():
                task = kind(problem(problem.Parameters()), kind.Parameters())
                answer = method.supports(task, method.Config())
                assert isinstance(answer.ok, bool)
                assert answer.ok or answer.reason, f"{task.label} is refused without a reason"


class MethodRunContract(_Known):
    """What every run of a method owes: tried on each installed backend, with a tiny budget.

    Attributes:
        selector: the method; choose settings that make a step cheap.
        problem: selector of the problem on which it is tried.
        max_steps: its budget.
        stochastic: whether another seed must give another result.
    """

    selector: str
    problem: ClassVar[str] = "burgers[nu=0.1]"
    max_steps: ClassVar[int] = 3
    stochastic: ClassVar[bool] = True

    @pytest.fixture(scope="class")
    @classmethod
    def results(cls, tmp_path_factory: pytest.TempPathFactory) -> Path:
        """Return the results folder of this class."""
        return tmp_path_factory.mktemp("contract")

    @pytest.fixture(scope="class")
    @classmethod
    def records(cls, known: Registry, results: Path) -> list[Record]:
        """Run the method by the real runner, a child process for each backend."""
        budget = Budget(max_steps=cls.max_steps)
        cells, _ = plan(known, cls.problem, cls.selector, budget=budget, device="cpu")
        return execute(known, cells, {cell.backend: "cpu" for cell in cells}, results)

    def test_runs_are_ok(self, records: list[Record]) -> None:
        """A run is `ok`, or `unsupported` for a reason that it gives."""
        assert records, "no backend of the method is installed"
        for record in records:
            assert record.status in ("ok", "unsupported"), f"{record.backend}: {record.reason}"
            assert record.status == "ok" or record.reason

    def test_records_are_complete(self, records: list[Record], results: Path) -> None:
        """Metrics are finite, fields are float64, limits are kept, what was seen is noted."""
        for record in _ok(records):
            for name, value in record.metrics.items():
                assert value is None or isfinite(value), f"{name}={value}"
            for name in record.ranked:
                assert record.metrics[name] is not None, f"{name} is missing"
            assert record.sees, "the method took nothing from its view"
            assert record.steps is not None
            assert record.steps <= self.max_steps, f"{record.steps} steps"
            assert record.evaluations is not None
            assert record.evaluations >= record.steps
            folder = Store(results).folder(record.cell)
            assert len(load_history(folder)), "the history is empty"
            for variable, values in load_fields(folder).items():
                if variable == TRIANGLES:  # numbers of points
                    continue
                assert values.dtype == np.float64, f"{variable} is stored as {values.dtype}"

    def test_runs_repeat(self, records: list[Record]) -> None:
        """The same seed gives the same metrics to the last bit; another seed gives others."""
        for record in _ok(records):
            again, other = self._rerun(record.backend, (0, 1))
            first = {k: v for k, v in record.metrics.items() if k in again["metrics"]}
            assert again["metrics"] == first, f"{record.backend} does not repeat itself"
            assert again["sees"] == record.sees
            if self.stochastic:
                assert other["metrics"] != first, f"{record.backend} ignores the seed"
            wrong = {k: v for k, v in again["dtypes"].items() if v != "float64"}
            assert not wrong, f"predictions must be NumPy float64, not {wrong}"

    def _rerun(self, backend: str, seeds: tuple[int, ...]) -> list[dict[str, Any]]:
        """Run again with several seeds in one other process."""
        order = {
            "problem": self.problem, "method": self.selector, "backend": backend,
            "max_steps": self.max_steps,
        }  # fmt: skip
        script = (
            "import json, sys\n"
            "from pdebench_lite.testing.method import rerun\n"
            f"print(json.dumps(rerun({order!r}, {seeds!r})))"
        )
        return _python(script)


class MethodContract(MethodDescriptionContract, MethodRunContract):
    """What every method owes: its description, and its runs.

    For a method whose runs are slow, subclass the two parts and mark the second one.
    """


def _ok(records: list[Record]) -> list[Record]:
    found = [record for record in records if record.status == "ok"]
    if not found:
        pytest.skip("; ".join(f"{r.backend}: {r.status}, {r.reason}" for r in records))
    return found


def _python(script: str) -> Any:
    """Run a script in a fresh process that finds what this one finds; returns what it printed."""
    path = os.pathsep.join(p for p in sys.path if p)
    env = {**os.environ, "PYTHONPATH": path, "JAX_ENABLE_X64": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=env, timeout=300
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def rerun(order: dict[str, Any], seeds: tuple[int, ...]) -> list[dict[str, Any]]:
    """Run a cell once for each seed in this process, prepared as a child of the runner is."""
    known = registry()
    runtime = importlib.import_module(known.backend(order["backend"]).runtime)
    runtime.prepare("cpu", "float64")
    found = []
    for seed in seeds:
        done = attempt(known, seed=seed, **order)
        metrics = {k: v for k, v in done.metrics.items() if not known.metric(k).machine}
        dtypes = _dtypes(known.task(order["problem"]), done.solution)
        found.append({"metrics": metrics, "sees": dict(done.sees), "dtypes": dtypes})
    return found


def _dtypes(task: Task, solution: Solution) -> dict[str, str]:
    """Ask a solution what the task asks; returns the dtypes of its answers by name."""
    dtypes: dict[str, str] = {}

    def predict(query: dict[str, Any]) -> dict[str, np.ndarray]:
        answer = solution.predict(query)
        dtypes.update({name: str(np.asarray(values).dtype) for name, values in answer.items()})
        return answer

    task.evaluate(replace(solution, predict=predict), "history")
    return dtypes
