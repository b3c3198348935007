from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator


@pytest.fixture
def scores(fakes: Path) -> Callable[..., dict[str, float | None]]:
    """Return a function: (what is predicted, selector, unknowns) -> scores on the final grid."""

    def score(predict: Any, selector: str = "toy", **unknowns: Any) -> dict[str, float | None]:
        known = registry()
        task = known.task(selector)
        observations = task.observations(generator(0))
        solution = Solution(lambda p: {"u": predict(p)}, unknowns=unknowns)
        evaluation = task.evaluate(solution, "final", observations)
        return {m.name: m.compute(evaluation) for m in known.metrics_for(task)}

    return score
