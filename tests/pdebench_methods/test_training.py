"""The shared loop: stages, and a killed training that goes on as if nothing had happened."""

import json
import math
from contextlib import nullcontext
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem.solution import Solution
from pdebench_lite.seeding import generator
from pdebench_methods import training
from pdebench_methods.training import Stage, train


class Run:
    """A run without clock and scores, which saves at one step and can be killed there."""

    def __init__(self, max_steps: int, kill_at: int | None = None, restored: Any = None) -> None:
        self.config = SimpleNamespace(learning_rate=1e-2)
        self.dtype, self.device, self.seed = "float64", "cpu", 0
        self.max_steps, self.kill_at, self.restored = max_steps, kill_at, restored
        self.steps = 0 if restored is None else restored.step
        self.losses: list[tuple[int, int, float]] = []
        self.saved: Any = None
        self.time_left = math.inf

    def phase(self, name: str) -> Any:
        return nullcontext()

    def caught_up(self) -> None:
        assert self.restored is not None

    def rng(self, purpose: str = "") -> np.random.Generator:
        return generator("m", purpose)

    def count(self, **amounts: int) -> None:
        assert amounts["gradients"] >= 0

    @property
    def steps_until_due(self) -> int:
        return 1 + self.steps // 2

    @property
    def save_due(self) -> bool:
        return self.kill_at is not None and self.steps >= self.kill_at

    def save(self, arrays: Any, meta: Any) -> None:
        copies = {name: np.array(values) for name, values in arrays.items()}
        text = json.dumps(meta, allow_nan=False)
        self.saved = SimpleNamespace(arrays=copies, meta=json.loads(text), step=self.steps)
        raise KeyboardInterrupt

    def report(self, step: int, loss: Any, candidate: Any, evaluations: int) -> bool:
        self.steps = step
        self.losses.append((step, evaluations, math.nan if loss is None else float(loss)))
        return step >= self.max_steps


class Fit:
    """Fit a tanh layer to a sine, in stages with points of their own."""

    def __init__(self, run: Run, stages: list[dict[str, Any]]) -> None:
        self.run, self.legs = run, stages

    def initial(self) -> dict[str, np.ndarray]:
        rng = self.run.rng("weights")
        return {"w": rng.normal(size=(6, 1)), "b": rng.normal(size=6), "c": rng.normal(size=6)}

    def residuals(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        xp = array_namespace(data["x"])
        h = xp.tanh(parameters["w"] * data["x"][None, :] + parameters["b"][:, None])
        return (parameters["c"] @ h - xp.sin(data["x"])) / 8.0

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        r = self.residuals(parameters, data)
        return array_namespace(r).sum(r * r)

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        index = memo["stage"] = memo.get("stage", -1) + 1
        if index == len(self.legs):
            return None
        x = self.run.rng(f"points{index}").uniform(-3, 3, 64)
        return Stage(data={"x": x}, **self.legs[index])

    def solution(self, parameters: dict[str, np.ndarray], memo: Any) -> Solution:
        return Solution(lambda points: points, weights=parameters, details={"memo": dict(memo)})


def fit(backend: str, run: Run, stages: list[dict[str, Any]]) -> Solution:
    if backend == "torch":
        from pdebench_torch._training import TorchTools as Tools
    else:
        from pdebench_jax._training import JaxTools as Tools
    return train(run, Fit(run, stages), Tools(run))  # type: ignore[arg-type]


@pytest.fixture
def _double():
    """Let JAX compute in double precision, as the runner does for a cell of float64."""
    jax = pytest.importorskip("jax")
    before = jax.config.jax_enable_x64
    jax.config.update("jax_enable_x64", True)
    yield
    jax.config.update("jax_enable_x64", before)


STAGES = {
    "gd": [{"optimizer": "gd", "steps": 40}],
    "adam": [{"optimizer": "adam"}],
    "lbfgs": [{"optimizer": "lbfgs"}],
    "ssbroyden": [{"optimizer": "ssbroyden", "steps": 9}, {"optimizer": "ssbroyden", "keep": True}],
    "lm": [{"optimizer": "lm"}],
    "adam, then lbfgs": [{"optimizer": "adam", "steps": 12}, {"optimizer": "lbfgs"}],
    "fresh points, memory kept": [
        {"optimizer": "adam", "steps": 9},
        {"optimizer": "adam", "steps": 9, "keep": True},
        {"optimizer": "lm", "steps": 9, "tolerance": 1e-9, "patience": 2},
        {"optimizer": "lm", "keep": True},
    ],
}


@pytest.mark.usefixtures("_double")
@pytest.mark.parametrize(
    "kill_at",
    [12, pytest.param(3, marks=pytest.mark.slow), pytest.param(20, marks=pytest.mark.slow)],
)
@pytest.mark.parametrize("stages", STAGES.values(), ids=STAGES)
def test_a_killed_training_ends_where_an_unbroken_one_ends(backend, stages, kill_at):
    unbroken = Run(max_steps=30)
    whole = fit(backend, unbroken, stages)
    killed = Run(max_steps=30, kill_at=kill_at)
    with pytest.raises((KeyboardInterrupt, SystemExit)):  # the second is Lightning's
        fit(backend, killed, stages)
    resumed = Run(max_steps=30, restored=killed.saved)
    again = fit(backend, resumed, stages)
    assert killed.saved.step < resumed.losses[0][0]
    assert killed.losses[1:] + resumed.losses == unbroken.losses[1:]  # steps, calls, losses
    for name, values in whole.weights.items():
        assert np.array_equal(values, again.weights[name])
    assert whole.details == again.details


@pytest.mark.usefixtures("_double")
def test_levenberg_marquardt_fits_to_rounding(backend):
    run = Run(max_steps=200)
    solution = fit(backend, run, [{"optimizer": "lm", "tolerance": 1e-3, "patience": 5}])
    assert run.losses[-1][2] < 1e-9 < run.losses[1][2]
    assert solution.details["ended"] in ("converged", "budget")


@pytest.mark.usefixtures("_double")
def test_memory_is_kept_only_where_the_stage_says_so(backend):
    """Adam's moments make the first step after a change of points another one."""
    ends = []
    for keep in (False, True):
        legs = [{"optimizer": "adam", "steps": 5}, {"optimizer": "adam", "steps": 5, "keep": keep}]
        ends.append(fit(backend, Run(max_steps=20), legs).weights["w"])
    assert np.max(np.abs(ends[0] - ends[1])) > 1e-6


@pytest.mark.usefixtures("_double")
def test_a_stage_ends_when_the_loss_no_longer_falls(backend):
    legs = [
        {"optimizer": "lm", "tolerance": 0.999999, "patience": 1},
        {"optimizer": "gd", "steps": 3},
    ]
    run = Run(max_steps=1000)
    solution = fit(backend, run, legs)
    assert solution.details["ended"] == "converged"
    assert run.steps < 20


class Ticking:
    """Tools whose optimisers take time on a clock of the test's own."""

    def __init__(self, run: Any, seconds: dict[str, float]) -> None:
        self.run, self.seconds = run, seconds

    def minimiser(self, stage: Any, objective: Any, parameters: Any, *_: Any) -> Any:
        def advance(n: int) -> tuple[float, int, int]:
            self.run.now += n * self.seconds[stage.optimizer]
            return 1.0 / (1.0 + self.run.now), n, n

        return SimpleNamespace(advance=advance, parameters=lambda: parameters)

    def drive(self, chunks: Any) -> None:
        for _ in chunks:
            pass


@pytest.mark.parametrize("fast", [1e-4, 2e-3])
@pytest.mark.parametrize("switch", [100, 3000])
def test_a_slow_optimiser_after_a_fast_one_keeps_to_the_time(monkeypatch, fast, switch):
    class Timed(Run):
        now = 0.0

        @property
        def time_left(self) -> float:
            return 30.0 - self.now

        @time_left.setter
        def time_left(self, value: float) -> None: ...

        def report(self, step: int, loss: Any, candidate: Any, evaluations: int) -> bool:
            return super().report(step, loss, candidate, evaluations) or self.time_left <= 0

    run = Timed(max_steps=1 << 40)
    monkeypatch.setattr(training.time, "perf_counter", lambda: run.now)
    legs: list[dict[str, Any]] = [{"optimizer": "adam", "steps": switch}, {"optimizer": "lbfgs"}]
    training.train(run, Fit(run, legs), Ticking(run, {"adam": fast, "lbfgs": 1.0}))  # type: ignore[arg-type]
    assert 30.0 <= run.now <= 31.0, "a step at most beyond the limit"


class Late(Run):
    """A run whose time is nearly over after the third step."""

    @property
    def time_left(self) -> float:
        return 1e-6 if self.steps >= 3 else math.inf

    @time_left.setter
    def time_left(self, value: float) -> None: ...


@pytest.mark.usefixtures("_double")
def test_a_leg_is_not_compiled_when_the_time_is_too_short_for_it(backend):
    run, adam = Late(max_steps=10), {"optimizer": "adam", "steps": 3}
    ended = fit(backend, run, [adam | {"leg": "alone"}, adam | {"leg": "rollout", "effort": 2.0}])
    assert ended.details["ended"] == "no time left to compile adam rollout"
    assert run.steps == 3


@pytest.mark.usefixtures("_double")
def test_what_is_compiled_already_goes_on(backend):
    run, adam = Late(max_steps=5), {"optimizer": "adam", "steps": 3, "leg": "alone"}
    assert fit(backend, run, [adam, adam]).details["ended"] == "budget"
    assert run.steps == 5
