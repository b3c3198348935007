"""The residual that a library computes with its own derivatives equals ours, by jets.

Each library is asked in a process of its own, as DeepXDE has one backend per process; run as a
script, this file prints the largest gap on one random network.
"""

import importlib.metadata
import os
import subprocess
import sys
from importlib import import_module

import numpy as np
import pytest

from pdebench_lite.numerics import jets
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.networks import FullyConnected, Layer, RegisteredNetworks
from pdebench_methods.settings import NetworkSettings
from pdebench_peers._statement import Statement
from pdebench_peers.settings import Recipe

LIBRARIES = {
    "deepxde torch": ("deepxde", "torch"),
    "deepxde jax": ("deepxde", "flax"),
    "jinns jax": ("jinns",),
    "pina torch": ("pina-mathlab",),
}


TASKS = ("burgers:forward", "burgers:viscosity[initial=given]")
RAW = {"nu": 0.7}  # logarithm of its ratio to the guess


def stated(task, axes):
    view = View(registry().task(task), lambda purpose: generator("data", purpose))
    return Statement(view, axes, Recipe(hidden=(20,), points=1, hard=True))


def raw(statement, as_array=np.asarray):
    return {name: as_array(np.asarray(RAW[name])) for name in statement.sought}


NETWORKS = RegisteredNetworks(FullyConnected(NetworkSettings()), Layer())


def network():
    return NETWORKS.initial(np.random.default_rng(0), "fields", 3, 1)


def fields(statement, parameters, columns):
    features = statement.features(columns)
    rows = [features[..., i] for i in range(statement.inputs)]
    outputs = NETWORKS.apply(parameters, "fields", rows)
    return statement.imposed(columns, outputs[0][..., None])[..., 0]


def by_jets(statement, columns):
    space = jets.space(statement.axes, ("x", "t", "xx"))
    at = jets.variables(space, statement.points(columns))
    outputs = NETWORKS.apply(network(), "fields", statement.embedding(at))
    u = statement.ansatz({"u": outputs[0]}, at)["u"]
    found = lambda field, suffix: u.derivative(suffix)  # noqa: E731
    return statement.residuals(columns, found, raw(statement))[0]


def by_deepxde(statement, columns, backend):
    import_module(backend)  # as the harness does, before the adapter that asks what is there
    from pdebench_peers import deepxde

    deepxde.dde.config.set_default_float("float64")
    if backend == "torch":
        import torch

        parameters = {k: torch.tensor(v) for k, v in network().items()}
        x = torch.tensor(columns, requires_grad=True)
        pde = deepxde.equation(statement, raw(statement, torch.tensor))
        return pde(x, fields(statement, parameters, x)[:, None])[0].detach().numpy()
    import jax.numpy as jnp

    parameters = {k: jnp.asarray(v) for k, v in network().items()}

    def function(x):
        return jnp.atleast_1d(fields(statement, parameters, jnp.atleast_2d(x))[0])

    x, sought = jnp.asarray(columns), raw(statement, jnp.asarray)
    pde = deepxde.equation(statement, dict.fromkeys(sought))
    y = fields(statement, parameters, x)[:, None], function
    return np.asarray(pde(x, y, unknowns=list(sought.values()))[0])


def by_jinns(statement, columns, backend):
    import jax
    import jax.numpy as jnp
    import jinns

    from pdebench_peers.jinns import Residual

    parameters = {k: jnp.asarray(v) for k, v in network().items()}

    def u(point, params):
        return fields(statement, params.nn_params, point[None])

    residual = Residual(statement=statement)
    sought = raw(statement, jnp.asarray) or {"none": jnp.zeros(())}
    params = jinns.parameters.Params(parameters, sought)
    return np.asarray(jax.vmap(lambda p: residual.equation(p, u, params)[0])(jnp.asarray(columns)))


def by_pina(statement, columns, backend):
    import torch
    from pina import LabelTensor

    from pdebench_peers.pina import equation

    parameters = {k: torch.tensor(v) for k, v in network().items()}
    points = LabelTensor(torch.tensor(columns), list(statement.axes)).requires_grad_()
    values = fields(statement, parameters, points.as_subclass(torch.Tensor))[:, None]
    residual = equation(statement, raw(statement, torch.tensor)).residual
    found = residual(points, LabelTensor(values, ["u"]))
    return found[:, 0].detach().numpy()


def gap(library, backend, task):
    statement = stated(task, ("t", "x") if library == "jinns" else ("x", "t"))
    rng = np.random.default_rng(1)
    points = {"x": rng.uniform(-1, 1, 50), "t": rng.uniform(0, 1, 50)}
    columns = statement.columns(points)
    found = globals()[f"by_{library}"](statement, columns, backend)
    ours = by_jets(statement, columns)
    return float(np.max(np.abs(found - ours)) / np.max(np.abs(ours)))


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
@pytest.mark.parametrize("case", LIBRARIES)
def test_the_library_computes_our_residual(case, task):
    for distribution in LIBRARIES[case]:
        try:
            importlib.metadata.version(distribution)
        except importlib.metadata.PackageNotFoundError:
            pytest.skip(f"{distribution} is not installed")
    done = subprocess.run(
        [sys.executable, __file__, *case.split(), task],
        capture_output=True, text=True, env={**os.environ, "JAX_ENABLE_X64": "1"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout.splitlines()[-1]) < 1e-10


if __name__ == "__main__":
    print(gap(*sys.argv[1:]))
