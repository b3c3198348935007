"""Step times of the peers beside ours: same network, number of points, precision and constraints.

    pytest tests/benchmarks/test_peers.py -m '' --benchmark-enable --benchmark-only

One round is STEPS Adam steps of the whole training loop as a run pays for it, report included, in a
process of its own (DeepXDE has one backend per process): 3×20 tanh, 2780 + 240 points, float32.
`pinn torch` is what a run of less than two minutes does; a longer one compiles its loss, which
takes most of a minute: `pinn torch compiled`.
"""

import importlib
import importlib.metadata
import itertools
import os
import subprocess
import sys
import timeit
from types import SimpleNamespace

import numpy as np
import pytest

STEPS, ROUNDS = 20, 10
POINTS = 2780 + 240
OURS = f"pinn[depth=3,points={POINTS},redraw=0,optimizer=adam]"
MATCHED = f"preset=matched,depth=3,points={POINTS}"
SHORT, ENDLESS = 1999, 10**9  # limits of steps; compiling pays from 2000 on
CASES = {
    "pinn torch": ((), OURS),
    "pinn torch compiled": ((), OURS),
    "pinn jax": ((), OURS),
    "deepxde torch": (("deepxde",), f"deepxde[{MATCHED}]"),
    "deepxde jax": (("deepxde", "flax"), f"deepxde[{MATCHED}]"),
    "pina torch": (("pina-mathlab",), f"pina[{MATCHED}]"),
    "jinns jax": (("jinns",), f"jinns[{MATCHED},optimizer=adam]"),
}


def skip_unless_installed(*distributions):
    for distribution in distributions:
        try:
            importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{distribution} is not installed")


def train(method, backend, limit):
    """Train up to a limit, STEPS at a time: each time a line comes in, then one goes out."""
    from pdebench_lite.plugins import registry
    from pdebench_lite.runner.run import Run

    marks = itertools.count(STEPS, STEPS)
    runtime = importlib.import_module(registry().backend(backend).runtime)
    state = SimpleNamespace(mark=next(marks))

    def report(self, step, loss, candidate, evaluations=None):
        self.steps = step
        if step >= state.mark:
            runtime.synchronize()
            print("done", flush=True)
            sys.stdin.readline()
            state.mark = step + STEPS
        return False

    Run.report = report
    Run.steps_until_due = property(lambda self: max(1, state.mark - self.steps))
    runtime.prepare("cpu", "float32")
    attempt = importlib.import_module("pdebench_lite.testing.attempt").attempt
    attempt(registry(), "burgers:forward", method, backend, int(limit), dtype="float32")


@pytest.mark.slow
@pytest.mark.parametrize("case", CASES)
def test_adam_step(benchmark, case):
    distributions, method = CASES[case]
    skip_unless_installed(*distributions)
    backend, *compiled = case.split()[1:]
    limit = ENDLESS if compiled or backend == "jax" else SHORT
    benchmark.group = f"{STEPS} Adam steps, {backend}"
    worker = subprocess.Popen(
        [sys.executable, __file__, method, backend, str(limit)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        env={**os.environ, "JAX_ENABLE_X64": "0", "OMP_WAIT_POLICY": "PASSIVE"},
    )  # fmt: skip

    def steps():
        print(flush=True, file=worker.stdin)
        return worker.stdout.readline()

    try:
        first = worker.stdout.readline()  # set-up and compilation are over
        answer = benchmark.pedantic(steps, rounds=ROUNDS, warmup_rounds=2)
    finally:
        worker.kill()
        worker.communicate()
    assert (first, answer) == ("done\n", "done\n")


def gradient_by_phiflow(start, target, x):
    from pdebench_lite.problem import Axis
    from pdebench_peers import phiflow
    from pdebench_peers.phiflow import Simulation, wrap

    phiflow.flow = flow = importlib.import_module("phi.jax.flow")
    flow.math.set_global_precision(64)
    space = Axis("x", -1.0, 1.0, periodic=True)
    loss = Simulation(space, 128, 0.01 / (128 * np.pi), 1 / 32).misfit(x, target, 16)
    gradient = flow.math.jit_compile(flow.math.gradient(loss, "values"))
    values = wrap(start)

    def step():
        value, slope = gradient(values)
        return float(value), slope.numpy("x")

    return step


def gradient_by_scan(start, target, x):
    import jax
    import jax.numpy as jnp

    from pdebench_lite.plugins import registry
    from pdebench_lite.seeding import generator
    from pdebench_lite.view import View

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
@pytest.mark.parametrize("by", [gradient_by_phiflow, gradient_by_scan])
def test_gradient_of_the_published_simulation(benchmark, by):
    skip_unless_installed("phiflow")
    pytest.importorskip("jax")
    benchmark.group = "gradient of 16 steps on 128 cells"
    x = -1.0 + (np.arange(128) + 0.5) / 64
    start, target = -np.sin(np.pi * x), np.zeros(128)
    step = by(start, target, x)
    step()  # compilation
    value, slope = benchmark(step)
    other, slope_of_other = gradient_by_phiflow(start, target, x)()
    assert value == pytest.approx(other, rel=1e-12)
    np.testing.assert_allclose(slope, slope_of_other, atol=1e-14)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")  # PhiFlow's own
def test_gradient_of_the_published_simulation_side_by_side(benchmark):
    """PhiFlow and the scan in turn, so that whatever else the machine does slows both.

    What is timed is a call from Python up to value and gradient in NumPy, float64. Of a round the
    fastest of five calls counts, and of all rounds the median of PhiFlow's time over the scan's.
    """
    skip_unless_installed("phiflow")
    pytest.importorskip("jax")
    x = -1.0 + (np.arange(128) + 0.5) / 64
    start, target = -np.sin(np.pi * x), np.zeros(128)
    theirs, ours = (by(start, target, x) for by in (gradient_by_phiflow, gradient_by_scan))
    ratios = []

    def both():
        theirs_s, ours_s = (min(timeit.repeat(step, number=1, repeat=5)) for step in (theirs, ours))
        ratios.append(theirs_s / ours_s)

    benchmark.group = "five gradients of each, in turn"
    benchmark.pedantic(both, rounds=100, warmup_rounds=5)
    ratio = float(np.median(ratios))
    benchmark.extra_info["PhiFlow over scan"] = round(ratio, 2)
    if not benchmark.disabled:
        assert ratio > 3.0, ratio  # 5.5 to 7.4 on two busy cores; 8 with one thread


if __name__ == "__main__":
    train(*sys.argv[1:])
