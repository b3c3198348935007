"""Step times of the peers beside ours: same network, number of points, precision and constraints.

One round is STEPS Adam steps of the whole training loop, without reports, by each in turn, and each
in a process of its own (DeepXDE has one backend per process): 3×20 tanh,
2780 + 240 points, float32. `pinn` is what a run of less than two minutes does in torch; a longer
one compiles its loss, which takes most of a minute: `pinn, compiled`.
"""

import contextlib
import importlib
import importlib.metadata
import itertools
import os
import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

STEPS, ROUNDS = 20, 15
POINTS = 2780 + 240
OURS = f"pinn[depth=3,points={POINTS},redraw=0,optimizer=adam]"
MATCHED = f"preset=matched,depth=3,points={POINTS}"
SHORT, ENDLESS = 1999, 10**9  # limits of steps; compiling pays from 2000 on
RACES = {  # backend -> contender -> distributions, selector, limit of steps
    "torch": {
        "pinn": ((), OURS, SHORT),
        "pinn, compiled": ((), OURS, ENDLESS),
        "deepxde": (("deepxde",), f"deepxde[{MATCHED}]", SHORT),
        "pina": (("pina-mathlab",), f"pina[{MATCHED}]", SHORT),
    },
    "jax": {
        "pinn": ((), OURS, ENDLESS),
        "deepxde": (("deepxde", "flax"), f"deepxde[{MATCHED}]", ENDLESS),
        "jinns": (("jinns",), f"jinns[{MATCHED},optimizer=adam]", ENDLESS),
    },
}


def missing(*distributions):
    """Return the first distribution that is not installed; None where all are."""
    for distribution in distributions:
        try:
            importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            return distribution
    return None


def train(method, backend, limit):
    """Train up to a limit, STEPS at a time: each time a line comes in, then one goes out."""
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.run import Run

    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever the libraries print
    marks = itertools.count(STEPS, STEPS)
    runtime = importlib.import_module(registry().backend(backend).runtime)
    state = SimpleNamespace(mark=next(marks))

    def report(self, step, loss, candidate, evaluations=None):
        self.steps = step
        if step >= state.mark:
            runtime.synchronize()
            print("done", file=answers, flush=True)
            sys.stdin.readline()
            state.mark = step + STEPS
        return False

    Run.report = report
    Run.steps_until_due = property(lambda self: max(1, state.mark - self.steps))
    runtime.prepare("cpu", "float32")
    attempt = importlib.import_module("pdebench_lite.testing.attempt").attempt
    attempt(registry(), "burgers:forward", method, backend, int(limit), dtype="float32")


class Trainer:
    """A process that trains, and goes on for STEPS when it is told to."""

    def __init__(self, method, backend, limit):
        self.process = subprocess.Popen(
            [sys.executable, __file__, method, backend, str(limit)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
            env={**os.environ, "JAX_ENABLE_X64": "0", "OMP_WAIT_POLICY": "PASSIVE"},
        )  # fmt: skip

    def wait(self):
        assert self.process.stdout.readline() == "done\n", f"{self.process.args} has ended"

    def go_on(self):
        print(flush=True, file=self.process.stdin)
        self.wait()

    def end(self):
        self.process.kill()
        self.process.communicate()


@pytest.mark.slow
@pytest.mark.parametrize("backend", RACES)
def test_adam_step(benchmark, race, backend):
    benchmark.group = f"{STEPS} Adam steps of each, {backend}, float32"
    benchmark.extra_info |= {"backend": backend, "steps": STEPS}
    with contextlib.ExitStack() as stack:
        trainers = {}
        for name, (distributions, method, limit) in RACES[backend].items():
            if not missing(*distributions):
                trainers[name] = Trainer(method, backend, limit)
                stack.callback(trainers[name].end)
        if trainers.keys() <= {"pinn", "pinn, compiled"}:
            pytest.skip("no peer is installed: extra `peers`")
        for trainer in trainers.values():
            trainer.wait()  # set-up and compilation are over
        race({name: trainer.go_on for name, trainer in trainers.items()}, ROUNDS)


def phiflow_and_gradient(target, x):
    """Return PhiFlow and its gradient of the published simulation, not jitted yet."""
    from pdebench_lite.problem import Axis
    from pdebench_peers import phiflow

    phiflow.flow = flow = importlib.import_module("phi.jax.flow")
    flow.math.set_global_precision(64)
    space = Axis("x", -1.0, 1.0, periodic=True)
    loss = phiflow.Simulation(space, 128, 0.01 / (128 * np.pi), 1 / 32).loss(x, target, 16)
    return flow, flow.math.gradient(loss, "values")


def gradient_by_phiflow(start, target, x):
    from pdebench_peers.phiflow import wrap

    flow, gradient = phiflow_and_gradient(target, x)
    gradient, values = flow.math.jit_compile(gradient), wrap(start)

    def step():
        value, slope = gradient(values)
        return float(value), slope.numpy("x")

    return step


def gradient_by_scan(start, target, x):
    import jax
    import jax.numpy as jnp

    from pdebench_lite.problem.view import View
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.seeding import generator

    view = View(registry().task("burgers:pbdl"), lambda purpose: generator("data", purpose))
    scheme, grid = view.solver("pbdl"), view.domain.grid(128)

    def loss(u):
        def advance(state, t):
            return scheme.step(state, {}, t, 1 / 32, grid), None

        state, _ = jax.lax.scan(advance, {"u": u}, jnp.arange(16.0) / 32)
        return jnp.mean((state["u"] - target) ** 2)

    @jax.jit
    def joined(u):  # in one array, as our optimisers fetch them: each array costs a wait
        value, slope = jax.value_and_grad(loss)(u)
        return jnp.concatenate([value[None], slope])

    values = jnp.asarray(start)

    def step():
        found = np.asarray(joined(values))
        return float(found[0]), found[1:]

    return step


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PhiFlow's own
def test_gradient_of_the_published_simulation(benchmark, race):
    """PhiFlow and the scan in turn, from Python up to value and gradient in NumPy, float64."""
    if lacking := missing("phiflow"):
        pytest.skip(f"{lacking} is not installed")
    pytest.importorskip("jax")
    x = -1.0 + (np.arange(128) + 0.5) / 64
    start, target = -np.sin(np.pi * x), np.zeros(128)
    theirs, ours = (by(start, target, x) for by in (gradient_by_phiflow, gradient_by_scan))
    (value, slope), (other, slope_of_other) = ours(), theirs()
    assert value == pytest.approx(other, rel=1e-12)
    np.testing.assert_allclose(slope, slope_of_other, atol=1e-14)
    benchmark.group = "gradient of 16 steps on 128 cells"
    benchmark.extra_info |= {"what": "a gradient, from Python up to NumPy", "steps": 1}
    seconds = race({"scan": ours, "PhiFlow": theirs}, rounds=100, calls=5, warmup=5)
    ratio = np.median(np.divide(seconds["PhiFlow"], seconds["scan"]))
    if benchmark.enabled:
        assert ratio > 3.0, ratio  # 4.6 to 6.5 on two cores


def descent_by_diffphys(config, view):
    """What `diffphys[preset=lecture]` does between two reports: its steps are a compiled loop."""
    from pdebench_jax.diffphys import DiffphysTools
    from pdebench_methods.objectives.diffphys import DiffphysObjective

    run = SimpleNamespace(config=config, dtype="float64", time_left=np.inf)
    tools = DiffphysTools(run)
    objective = DiffphysObjective(view, run, tools)
    start = objective.initial()
    stage = objective.next_stage(start, {})
    minimiser = tools.minimiser(
        replace(stage, optimizer="gd"), objective, start, config.learning_rate
    )

    def descend():
        loss, _, _ = minimiser.advance(config.iterations)
        return float(loss), minimiser.parameters()["u_initial"]

    return descend


def descent_by_phiflow(config, view, whole):
    """Its gradient jitted and the update by its own tensors, or both jitted as one function."""
    from pdebench_peers.phiflow import wrap

    (seen,) = view.observations()
    flow, gradient = phiflow_and_gradient(seen.values, seen.points["x"])
    gradient = gradient if whole else flow.math.jit_compile(gradient)

    def step(values):
        value, slope = gradient(values)
        return value, values - config.learning_rate * slope

    step = flow.math.jit_compile(step) if whole else step
    values = wrap(np.zeros(128))

    def descend():
        nonlocal values
        for _ in range(config.iterations):
            value, values = step(values)
        return float(value), values.numpy("x")

    return descend


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PhiFlow's own
def test_gradient_descent_through_the_published_simulation(benchmark, race):
    """The steps of the published notebook, 50 at a time, by ours and PhiFlow in turn, float64."""
    if lacking := missing("phiflow"):
        pytest.skip(f"{lacking} is not installed")
    pytest.importorskip("jax")
    from pdebench_lite.problem.view import View
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.seeding import generator

    _, config = registry().configured("diffphys[preset=lecture]")
    view = View(registry().task("burgers:pbdl"), lambda purpose: generator("data", purpose))
    contenders = {
        "diffphys[preset=lecture]": descent_by_diffphys(config, view),
        "PhiFlow": descent_by_phiflow(config, view, whole=False),
        "PhiFlow, gradient and update jitted as one": descent_by_phiflow(config, view, whole=True),
    }
    (loss, values), *others = (descend() for descend in contenders.values())
    for other, theirs in others:
        assert loss == pytest.approx(other, rel=1e-10)
        np.testing.assert_allclose(values, theirs, atol=1e-10)
    benchmark.group = f"{config.iterations} steps of gradient descent through 16 steps on 128 cells"
    benchmark.extra_info |= {"what": "a step of gradient descent", "steps": config.iterations}
    seconds = race(contenders, rounds=30, calls=2, warmup=2)
    mine, plain, whole = seconds.values()
    if benchmark.enabled:  # 11 to 12 and 7.5 to 9 on two cores
        assert np.median(np.divide(plain, mine)) > 5.0
        assert np.median(np.divide(whole, mine)) > 4.0


if __name__ == "__main__":
    train(*sys.argv[1:])
