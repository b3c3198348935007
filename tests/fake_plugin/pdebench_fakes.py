"""A plugin that misbehaves on request: problems and methods that need NumPy only.

`tests/conftest.py` puts it on the path with a `.dist-info` folder, as pip would.
"""

import ctypes
import itertools
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
from pydantic import Field

from pdebench_lite import UnsupportedError, hookimpl
from pdebench_lite.metrics import Metric
from pdebench_lite.problem import (
    Arrays,
    Carried,
    Domain,
    Function,
    Interval,
    Periodic,
    Problem,
    Reference,
    Task,
)
from pdebench_lite.problem import Field as SoughtField
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.registry.method import Backend, Method, Support
from pdebench_lite.runner.run import Run
from pdebench_lite.selectors import Settings
from pdebench_lite.tasks import Forward, Reconstruction


class Toy(Problem):
    """u_t + c u_x = 0 on [0, 1], periodic: u = sin 2π(x − ct)."""

    class Parameters(Settings):
        """`c`: speed."""

        c: float = Field(1.0, gt=0, description="speed")

    name = "toy"
    summary = "u_t + c u_x = 0, periodic"
    fields = (SoughtField("u", unit="m"),)
    coefficients: Mapping[str, tuple[str, ...]] = {"c": ()}
    needs = ("u_t", "u_x", "c")
    tasks = (Forward, Reconstruction)

    @cached_property
    def domain(self) -> Domain:
        """X ∈ [0, 1] periodic, t ∈ [0, 1]."""
        return Domain(Interval(x=(0, 1)), (0, 1), Periodic("x"), units={"x": "m", "t": "s"})

    def coefficient_values(self) -> Mapping[str, float | Function]:
        """Return c."""
        return {"c": self.parameters.c}

    def residual(self, d: Arrays) -> Arrays:
        """Return u_t + c u_x."""
        return {"toy": d["u_t"] + d["c"] * d["u_x"]}

    def initial_state(self, points: Arrays) -> Arrays:
        """Return sin 2πx."""
        return {"u": np.sin(2 * np.pi * points["x"])}

    def exact(self, points: Arrays) -> dict[str, np.ndarray]:
        """Return the solution."""
        return {"u": np.sin(2 * np.pi * (points["x"] - self.parameters.c * points["t"]))}

    def reference(self) -> Reference:
        """Return the solution and c."""
        return Reference(
            lambda p: {**self.exact(p), "c": np.full(np.shape(p["x"]), self.parameters.c)},
            1e-15,
            "exact",
        )

    def carry(
        self, found: Mapping[str, Function], axes: Mapping[str, np.ndarray], tolerance: float
    ) -> Carried:
        """Shift the found initial state."""
        x, t = np.meshgrid(axes["x"], axes["t"], indexing="ij")
        start = np.ravel((x - self.parameters.c * t) % 1.0)
        return Carried({"u": np.asarray(found["u_initial"]({"x": start})).reshape(x.shape)}, 0.0)


class FakeSettings(Settings):
    """What to do."""

    act: str = "exact"
    seconds: float = 0.0
    megabytes: int = 0
    before: int = Field(0, description="megabytes allocated before training")
    error: float = 0.0


def _solution(view: View, factor: float = 1.0, **more: Any) -> Solution:
    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        return {"u": factor * np.sin(2 * np.pi * (points["x"] - points["t"]))}

    return Solution(predict, parameters=3, **more)


def _steps(view: View, run: Run, factor: Callable[[int], float] = lambda step: 1.0) -> int:
    """Report steps until told to stop; returns the last one."""
    for step in itertools.count():
        candidate = partial(_solution, view, factor(step))
        if run.report(step, 1.0 / (step + 1), candidate, 2 * step):
            return step
    raise AssertionError


def _exact(view: View, run: Run) -> Solution:
    error = run.config.error
    _steps(view, run, lambda step: 1.0 + error)
    return _solution(view, 1.0 + error, weights={"w": np.arange(3.0)})


def _improving(view: View, run: Run) -> Solution:
    last = _steps(view, run, lambda step: 1.0 + 0.5**step)
    return _solution(view, 1.0 + 0.5**last)


def _sleep(view: View, run: Run) -> Solution:
    """Phases of known length: 1 unit of data, 1.5 of compile, 2 of train, 0.5 outside any."""
    unit = run.config.seconds

    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        note_prediction()
        time.sleep(unit)
        return _solution(view).predict(points)

    with run.phase("data"):
        time.sleep(unit)
    with run.phase("compile"):
        time.sleep(1.5 * unit)
    time.sleep(0.5 * unit)
    with run.phase("train"):
        time.sleep(unit)
        run.report(0, None, lambda: Solution(predict))
        time.sleep(unit)
        run.report(1, None, lambda: Solution(predict))
    return Solution(predict)


def note_prediction() -> None:
    """Count a prediction, for the test to read."""
    with (Path(os.environ["PDEBENCH_FAKES"]) / "predictions").open("a") as file:
        file.write("x")


def _spin(view: View, run: Run) -> Solution:
    """Use a processor for so many seconds of its time."""
    end = time.process_time() + run.config.seconds
    while time.process_time() < end:
        pass
    return _solution(view)


def _one_thread(view: View, run: Run) -> Solution:
    """Tell OpenBLAS to use one thread, as some libraries do when they are imported."""
    maps = Path("/proc/self/maps").read_text().splitlines()
    for path in {line.split(maxsplit=5)[-1] for line in maps if "openblas" in line}:
        library = ctypes.CDLL(path)
        if hasattr(library, "scipy_openblas_set_num_threads64_"):
            library.scipy_openblas_set_num_threads64_(1)
    return _exact(view, run)


def _predict_slowly(view: View, run: Run) -> Solution:
    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        time.sleep(run.config.seconds)
        return _solution(view).predict(points)

    for step in range(4):
        run.report(step, None, lambda: Solution(predict))
    return Solution(predict)


def _memory(view: View, run: Run) -> Solution:
    with run.phase("data"):
        data = np.ones(run.config.before * 125_000)
    with run.phase("compile"):
        compiled = np.ones(2 * run.config.before * 125_000)
        scratch = np.ones(2 * run.config.before * 125_000)
        del scratch
    with run.phase("train"):
        run.report(0, None, lambda: _greedy(view, run.config.before))
        late = np.ones(run.config.megabytes * 125_000)
        run.report(1, None, lambda: _solution(view))
        total = sum(float(a.sum()) for a in (data, compiled, late))
    return _solution(view, details={"sum": total})


def _greedy(view: View, megabytes: int) -> Solution:
    """A solution whose prediction needs memory: evaluation, not training."""

    def predict(points: dict[str, Any]) -> dict[str, np.ndarray]:
        waste = np.ones(megabytes * 125_000)
        answer = _solution(view).predict(points)
        answer["u"] = answer["u"] * waste[0] if megabytes else answer["u"]
        return answer

    return Solution(predict)


def _raise(view: View, run: Run) -> Solution:
    run.report(0, 1.0, lambda: _solution(view))
    run.report(4, 1.0, lambda: _solution(view))
    raise RuntimeError("boom\nof two lines")


def _exit(view: View, run: Run) -> Solution:
    run.report(0, 1.0, lambda: _solution(view))
    os._exit(3)


def _system_exit(view: View, run: Run) -> Solution:
    sys.exit(0)


def _kill(view: View, run: Run) -> Solution:
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def _nan_loss(view: View, run: Run) -> Solution:
    for step in range(100):
        run.report(step, float("nan") if step == 7 else 1.0, lambda: _solution(view))
    raise AssertionError


def _nan_scalar_loss(view: View, run: Run) -> Solution:
    for step in range(100):
        loss = np.asarray(np.nan if step >= 7 else 1.0)  # as a device scalar is: no float
        run.report(step, loss, lambda: _solution(view))
    raise AssertionError


def _nan_field(view: View, run: Run) -> Solution:
    run.report(5, 1.0, lambda: _solution(view, float("nan")))
    raise AssertionError


def _nan_at_the_end(view: View, run: Run) -> Solution:
    run.report(0, 1.0, lambda: _solution(view))
    run.report(1, 1.0, lambda: _solution(view))
    run.steps = 2
    return _solution(view, float("inf"))


def _memory_error(view: View, run: Run) -> Solution:
    np.ones(10**15)
    raise AssertionError


def _hang(view: View, run: Run) -> Solution:
    run.report(0, 0.25, lambda: _solution(view, 1.5), 5)
    view.labels(7)
    (Path(os.environ["PDEBENCH_FAKES"]) / "hanging").write_text(str(os.getpid()))
    while True:
        time.sleep(0.05)


def _stubborn(view: View, run: Run) -> Solution:
    """Fork a child that ignores SIGTERM, ignore it too, and hang."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(0.05)
    (Path(os.environ["PDEBENCH_FAKES"]) / "stubborn").write_text(f"{os.getpid()} {pid}")
    run.report(0, 0.25, lambda: _solution(view))
    while True:
        time.sleep(0.05)


def _noisy(view: View, run: Run) -> Solution:
    print("the first line", flush=True)
    line = b"x" * 999 + b"\n"
    while not run.report(run.steps + 1, 1.0, lambda: _solution(view)):
        os.write(1, 64 * line)
    print("the last line", flush=True)
    return _solution(view)


def _wrong_type(view: View, run: Run) -> Any:
    return {"u": 1}


def _missing_field(view: View, run: Run) -> Solution:
    return Solution(lambda points: {"v": points["x"]})


def _wrong_shape(view: View, run: Run) -> Solution:
    return Solution(lambda points: {"u": points["x"][:-1]})


def _no_dict(view: View, run: Run) -> Solution:
    return Solution(lambda points: points["x"])  # type: ignore[arg-type,return-value]


def _odd_values(view: View, run: Run) -> Solution:
    """NumPy numbers, NaN, and objects where JSON is expected; odd names of weights."""
    run.report(np.int64(3), np.float32(0.5), lambda: _solution(view), np.int64(9))  # type: ignore[arg-type]
    return Solution(
        _solution(view).predict,
        weights={"file": np.arange(2, dtype=np.float32), "../../evil": np.ones((2, 2))},
        parameters=np.int64(6),  # type: ignore[arg-type]
        details={
            "nan": float("nan"),
            "array": np.arange(3),
            "number": np.float32(0.5),
            "object": object,
            "list": [np.inf, (1, 2)],
        },
    )


def _objects(view: View, run: Run) -> Solution:
    return _solution(view, weights={"w": np.array([{}], dtype=object)})


def _thread(view: View, run: Run) -> Solution:
    """Leave a thread behind that never ends."""
    threading.Thread(target=lambda: time.sleep(1000)).start()
    return _solution(view)


def _draws(view: View, run: Run) -> Solution:
    view.observations()
    labels = view.labels(3)
    values = {
        "method": run.rng("points").random(3),
        "other": run.rng("weights").random(3),
        "labels": labels[0].values,
        "environment": os.environ["PYTHONFAULTHANDLER"],
        "cwd": sys.path[0],
        "seed": run.seed,
        "dtype": run.dtype,
        "max_steps": run.max_steps,
    }
    return _solution(view, details=values)


def _silent(view: View, run: Run) -> Solution:
    run.report(0, 1.0, lambda: _solution(view))
    time.sleep(600)
    raise AssertionError


def _not_given(view: View, run: Run) -> Solution:
    view.solver()
    raise AssertionError


def _unsupported(view: View, run: Run) -> Solution:
    view.ansatz()
    raise UnsupportedError("too\nhard")


def _plan(view: View, run: Run) -> Solution:
    """Take as many steps at once as are allowed before a report is due."""
    step, asked = 0, []
    while not run.report(step, None, lambda: _solution(view)):
        asked.append(run.steps_until_due)
        step += run.steps_until_due
    return _solution(view, details={"asked": asked})


def _note(name: str, text: str) -> None:
    with (Path(os.environ["PDEBENCH_FAKES"]) / name).open("a") as file:
        file.write(f"{text}\n")


def _resumable(view: View, run: Run) -> Solution:
    """Iterate a chaotic map, a step every `seconds`; saves after each step where that is due."""
    with run.phase("compile"):
        time.sleep(run.config.seconds)
    saved = run.restored
    x = np.array([0.3]) if saved is None else saved.arrays["x"]
    step = 0 if saved is None else int(saved.meta["step"])
    _note("begun", f"{os.getpid()} {step}")
    candidate = lambda: _solution(view, 1.0 + float(x[0]))  # noqa: E731
    stop = saved is None and run.report(0, float(x[0]), candidate)
    while not stop:
        time.sleep(run.config.seconds)
        x = 3.9 * x * (1.0 - x)
        step += 1
        run.count(gradients=1)
        stop = run.report(step, float(x[0]), candidate)
        if run.save_due and not stop:
            run.save({"x": x}, {"step": step})
    return _solution(view, 1.0 + float(x[0]), weights={"x": x})


def _print(view: View, run: Run) -> Solution:
    print("∂u/∂t")
    return _exact(view, run)


def _fill(view: View, run: Run) -> Solution:
    """Save a small checkpoint, then one that needs room, unless it goes on from one."""
    if run.restored is None:
        run.report(0, None, partial(_solution, view))
        for numbers in (3, 100_000):
            run.save({"x": np.zeros(numbers)}, {"step": 0})
    return _exact(view, run)


def _killed_once(view: View, run: Run) -> Solution:
    """Be killed from outside at the first attempt, without having saved anything."""
    run.report(0, 1.0, lambda: _solution(view))
    note = Path(os.environ["PDEBENCH_FAKES"]) / "killed"
    if not note.exists():
        note.write_text("")
        os.kill(os.getpid(), signal.SIGKILL)
    return _exact(view, run)


def _daemon(view: View, run: Run) -> Solution:
    """Start a process that leaves the session, and go on."""
    pid = os.fork()
    if pid == 0:
        os.setsid()
        time.sleep(600)
        os._exit(0)
    _note("daemon", str(pid))
    if run.config.seconds:
        time.sleep(run.config.seconds)
    return _exact(view, run)


def _hungry(view: View, run: Run) -> Solution:
    """Take 20 MB after another until stopped, at most `megabytes`."""
    run.report(0, 0.5, lambda: _solution(view))
    kept = []
    while 20 * len(kept) < run.config.megabytes:
        kept.append(np.ones(20 * 125_000))
        time.sleep(0.02)
    return _exact(view, run)


def _greedy_for_files(view: View, run: Run) -> Solution:
    """Open files until there are no more handles."""
    kept = [os.open(os.devnull, os.O_RDONLY) for _ in itertools.count()]
    return _solution(view, details={"kept": len(kept)})


ACTS: dict[str, Callable[[View, Run], Any]] = {
    name.removeprefix("_"): value
    for name, value in list(globals().items())
    if name.startswith("_") and callable(value) and getattr(value, "__module__", "") == __name__
}


def solve(view: View, run: Run) -> Any:
    """Do what the configuration says."""
    return ACTS[run.config.act](view, run)


def _never(task: Task, config: Any) -> Support:
    return Support(False, f"{task.label} is beneath it")


def _confused(task: Task, config: Any) -> Support:
    raise ValueError("I do not\nknow")


_SOLVER = {"numpy": "pdebench_fakes:solve"}


@hookimpl
def pdebench_problems() -> Sequence[type[Problem]]:
    """Return the toy problem."""
    return (Toy,)


@hookimpl
def pdebench_methods() -> Sequence[Method]:
    """Return the methods."""
    return (
        Method("fake", "other", "does what `act` says", _SOLVER, FakeSettings),
        Method("twin", "other", "fake by another name", {**_SOLVER, "ghost": "g:s"}, FakeSettings),
        Method("picky", "other", "supports nothing", {"numpy": "no.such:module"}, supports=_never),
        Method("confused", "other", "cannot tell", _SOLVER, FakeSettings, supports=_confused),
        Method("haunted", "other", "needs a ghost", {"ghost": "no.such:module"}),
        Method("lost", "other", "has no module", {"numpy": "no.such:module"}),
        Method("slow", "other", "is imported slowly", {"numpy": "pdebench_fakes_slow:solve"}),
        Method(
            "launcher",
            "other",
            "leaves work on its device",
            {"device": "pdebench_fakes_device:solve"},
            FakeSettings,
        ),
        Method(
            "hungry",
            "other",
            "allocates in each phase",
            {name: f"pdebench_fakes_hungry:{name}" for name in ("numpy", "torch", "jax")},
            FakeSettings,
        ),
    )


@hookimpl
def pdebench_metrics() -> Sequence[Metric]:
    """Return a metric that gives a NumPy number."""
    return (
        Metric(
            "spread",
            "largest minus smallest value",
            lambda e: np.float32(np.ptp(e.fields["u"])),  # type: ignore[arg-type,return-value]
            applies=lambda task: task.problem.name == "toy",
        ),
    )


@hookimpl
def pdebench_backends() -> Sequence[Backend]:
    """Return a backend that is never installed, and one with a device that works on its own."""
    return (
        Backend("ghost", ("no-such-library",), "ghost", "no.such.runtime"),
        Backend("device", (), "", "pdebench_fakes_device"),
    )
