"""The design holds for what is to come: systems, elliptic problems, unknown numbers, families.

The toys of `tests/toys/` need no change of the core; the methods that ship solve them unchanged.
"""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from importlib import import_module
from pathlib import Path

import pytest

from pdebench_lite.errors import NotGivenError
from pdebench_lite.registry.discovery import Plugin, Registry, collect
from pdebench_lite.testing import MetricContract, ProblemContract, attempt

TOYS = Path(__file__).parents[1] / "toys"
MODULES = ("pdebench_methods", "pdebench_torch", "pdebench_jax", "pdebench_classical")

pytestmark = [
    # said by Lightning and torch within this process; a run's own child logs them
    pytest.mark.filterwarnings("ignore:.*configure_optimizers.*"),
    pytest.mark.filterwarnings("ignore:.*LeafSpec.*"),
    pytest.mark.filterwarnings("ignore:.*not writable.*"),
]


@pytest.fixture(scope="module")
def toys() -> Iterator[Registry]:
    """The registry of the built-in methods and the toys."""
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(str(TOYS))
        names = (*MODULES, "pdebench_toys")
        yield collect([(Plugin(name, name), partial(import_module, name)) for name in names])


class Toy:
    @pytest.fixture(scope="class")
    @classmethod
    def known(cls, toys):
        return toys


class TestWaves(Toy, ProblemContract):
    selector = "waves"


class TestPoisson(Toy, ProblemContract):
    selector = "poisson"


class TestHeat(Toy, ProblemContract):
    selector = "heat"


class TestHeatFamily(Toy, ProblemContract):
    selector = "heat-family"


class TestKError(Toy, MetricContract):
    selector = "k_error"
    problem = "heat"


DIFFPHYS = "diffphys[cells=32,modes=4,steps=8,weight=1e-9]"
PINN = "pinn[width=16,depth=2,points=200,side_points=40,optimizer=lbfgs]"
MLP = "mlp[width=16,depth=1,labels=300,optimizer=lbfgs]"
CASES = {
    "system by diffphys": ("waves", DIFFPHYS, 15, "rel_l2_carried", 2e-3),
    "a zero snapshot by diffphys": ("standing-waves", DIFFPHYS, 15, "rel_l2_carried", 2e-3),
    "a zero snapshot by pinn": ("standing-waves", PINN, 300, "rel_l2", 0.1),
    "system by pinn": ("waves", PINN, 200, "rel_l2", 0.1),
    "system by pinn, forward": ("waves:forward", PINN, 100, "rel_l2", 0.1),
    "system by mlp": ("waves", MLP, 100, "rel_l2", 0.1),
    "elliptic by pinn": ("poisson", PINN, 100, "rel_l2", 0.1),
    "elliptic by pinn, by an ansatz": ("poisson:by-ansatz", PINN, 60, "rel_l2", 0.05),
    "function by diffphys": ("conductivity", "diffphys", 100, "field_error", 0.05),
    "function by pinn": ("conductivity[noise=0]", PINN, 300, "rel_l2", 0.05),
    "elliptic by mlp": ("poisson", MLP, 100, "rel_l2", 0.05),
    "number by diffphys": ("heat", DIFFPHYS, 15, "k_error", 0.05),
    "number by pinn": ("heat", PINN, 60, "k_error", 0.05),
}
QUICK_IN_JAX = ("number by diffphys",)  # the others compile for 5 s and more
QUICK_IN_TORCH = (
    "system by diffphys", "a zero snapshot by diffphys", "elliptic by mlp", "number by diffphys",
    "number by pinn",
)  # fmt: skip


@pytest.mark.parametrize(
    ("case", "backend"),
    [
        pytest.param(case, backend, marks=() if case in quick else pytest.mark.slow)
        for backend, quick in (("torch", QUICK_IN_TORCH), ("jax", QUICK_IN_JAX))
        for case in CASES
    ],
)
def test_learned(toys, case, backend):
    problem, method, steps, metric, bound = CASES[case]
    done = attempt(toys, problem, method, backend, steps)
    assert done.metrics[metric] < bound
    assert done.steps <= steps


def test_a_system_hands_out_every_field(toys):
    done = attempt(toys, "waves", "diffphys[cells=32,modes=4,steps=8]", "torch", 1)
    assert set(done.solution.unknowns) == {"u_initial", "v_initial"}
    assert done.sees["snapshots"] == 2
    assert "labels" not in done.sees


@pytest.mark.parametrize(
    ("problem", "method", "reason"),
    [
        ("poisson", "diffphys", "poisson states no solver of fields"),
        ("waves:forward", "diffphys", "nothing to optimise"),
        ("heat-family", "mlp", "no labelled fields on points"),
        ("heat-family", "pinn", "no residual"),
        ("heat-family", "diffphys", "states no solver of fields"),
        ("poisson", "operator", "not a family"),
    ],
)
def test_unsupported_for_a_reason(toys, problem, method, reason):
    chosen, config = toys.configured(method)
    answer = chosen.supports(toys.task(problem), config)
    assert not answer.ok
    assert reason in answer.reason


def test_an_elliptic_problem_has_no_solver(toys):
    from pdebench_lite.problem.view import View

    task = toys.task("poisson")
    assert task.faces == {"data", "equation"}
    with pytest.raises(NotGivenError, match="no solver face"):
        View(task, lambda purpose: None).solver()  # type: ignore[arg-type, return-value]


def test_a_family_is_scored_on_instances_that_come_with_the_query(toys):
    done = attempt(toys, "heat-family[test=17]", "operator", "numpy", 1)
    assert done.sees == {"labels": 20}
    assert done.metrics == {"rel_l2": pytest.approx(0.0, abs=1e-9)}
    task = toys.task("heat-family[test=17]")
    answers = {p: task.evaluate(done.solution, p).fields["u"] for p in ("history", "final")}
    assert answers["history"].shape == (10, 24)
    assert answers["final"].shape == (17, 24)
    too_few = attempt(toys, "heat-family", "operator[instances=3]", "numpy", 1)
    assert too_few.metrics["rel_l2"] > 0.1


def test_a_family_goes_through_the_runner(distribution, tmp_path, monkeypatch):
    """Record, table and stored fields of a query that is not a list of points."""
    site, results = tmp_path / "site", tmp_path / "results"
    source = (TOYS / "pdebench_toys.py").read_text(encoding="utf-8")
    distribution(site, "pdebench-toys", {"toys": "pdebench_toys"}, {"pdebench_toys.py": source})
    monkeypatch.setenv("PYTHONPATH", str(site))
    pdebench = Path(sys.executable).with_name("pdebench")
    for command in (
        "run --problem heat-family --methods operator,mlp,pinn,diffphys --max-steps 1 --quiet",
        "table --format json",
    ):
        done = subprocess.run(
            [pdebench, *command.split(), "--results", results], capture_output=True, text=True
        )
        assert done.returncode == 0, done.stderr
    rows = {(row["method"], row["backend"]): row for row in json.loads(done.stdout)}
    found = rows.pop(("operator", "numpy"))
    assert (found["status"], found["sees"]) == ("ok", {"labels": 20})
    assert found["rel_l2"] < 1e-9
    assert {row["status"] for row in rows.values()} == {"unsupported"}

    from pdebench_lite import load_fields

    fields = load_fields(results / found["cell"])
    assert fields["u"].sizes == {"instance": 40, "x": 24}
