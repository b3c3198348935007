"""What a step of every method costs that is installed, as its own record says.

Each runs as a user runs it, in a process of its own and with its default settings, on the first
task that it can do. A new method is measured without a line here.
"""

from collections.abc import Iterator
from typing import Any

import pandas as pd
import pytest

import pdebench_lite
from pdebench_lite.errors import PdebenchError
from pdebench_lite.registry.discovery import registry
from pdebench_lite.text import counted

FIRST = "burgers:forward"  # most methods can do it; the others take their first task
STEPS, TIME, SEEDS = 30, "30s", 1
CASES = [
    (method.name, backend, "")
    for method in registry(("method",)).methods.values()
    for backend in method.solvers
] + [  # what else the steps of a method can be
    (method, backend, problem)
    for method, problem in (
        ("mlp", "burgers:family"),
        ("diffphys[preset=lecture]", "burgers:pbdl"),  # a gradient, not a Jacobian matrix
        ("diffphys[mode=solver-in-the-loop]", "burgers:family"),
    )
    for backend in ("torch", "jax")
]


def tasks() -> Iterator[str]:
    """Yield the selectors of all tasks that can be made with default parameters."""
    yield FIRST
    for problem in registry().problems.values():
        for task in problem.tasks:
            yield f"{problem.name}:{task.name}"


def doable(method: str) -> str:
    """Return the first task that a method can do; skips the test if there is none."""
    chosen, config = registry().configured(method)
    reason = ""
    for selector in tasks():
        try:
            task = registry().task(selector)
        except PdebenchError:  # it needs a file
            continue
        support = chosen.supports(task, config)
        if support.ok:
            return selector
        reason = reason or support.reason
    pytest.skip(reason)


@pytest.mark.slow
@pytest.mark.parametrize(("method", "backend", "problem"), CASES)
def test_steps(benchmark: Any, tmp_path: Any, method: str, backend: str, problem: str) -> None:
    if not benchmark.enabled:
        pytest.skip("tests of contracts run every method")
    problem = problem or doable(method)
    benchmark.group = f"{counted(SEEDS, 'cell')} of at most {STEPS} steps or {TIME}, start to end"

    def race() -> pd.DataFrame:
        return pdebench_lite.run(
            problem, method, backend=backend, max_steps=STEPS, max_time=TIME, seeds=SEEDS,
            results=tmp_path,
        )  # fmt: skip

    table = benchmark.pedantic(race, rounds=1)
    if "unsupported" in set(table.status):
        pytest.skip(table.reason[0])
    assert set(table.status) == {"ok"}, list(table.reason)
    told = ("family", "steps", "evaluations", "data_s", "compile_s", "train_s", "call_s")
    benchmark.extra_info |= {"problem": problem, "method": method, "backend": backend}
    benchmark.extra_info["limit"] = f"{STEPS} steps or {TIME}"
    benchmark.extra_info["records"] = [
        {name: row[name] for name in told if pd.notna(row.get(name))}
        for row in table.to_dict("records")
    ]
