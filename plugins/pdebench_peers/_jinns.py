"""Solver of `jinns`: states the task in jinns, trains by its `solve`, reports.

One call of `solve` is one iteration, compiled as a whole, so that a run can be watched and stopped.
"""

import itertools
import warnings
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jinns
import optax

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run
from pdebench_lite.view import View
from pdebench_peers._statement import Statement
from pdebench_peers.jinns import DISTRIBUTION, DOCUMENTED, DOCUMENTED_STEPS


class Residual(jinns.loss.PDENonStatio):
    """The problem's residual at one point (t, x), with derivatives by nested `jax.grad`."""

    statement: Statement = eqx.field(static=True, kw_only=True)

    def equation(self, t_x: Any, u: Any, params: Any) -> Any:
        """Return the residuals, shape (residuals,)."""
        axes = self.statement.axes
        function = self.statement.one_by_one(
            lambda field: lambda point: u(point, params)[field],
            lambda lower, axis: lambda point: jax.grad(lower)(point)[axes.index(axis)],
        )
        return jnp.stack(self.statement.residuals(t_x, lambda *d: function(*d)(t_x)))


class Periodic(jinns.loss.BoundaryConditionAbstract):
    """Equal values and slopes at both ends of the space axis, as penalties."""

    def equation_u(self, inputs: Any, u: Any, params: Any) -> Any:
        """Return the gaps between both ends, shape (2 · fields,); `inputs` is (2, ends)."""

        def end(facet: int) -> Any:
            at = inputs[..., facet]
            slopes = jax.jacrev(lambda point: u(point, params))(at)[:, 1]
            return jnp.concatenate([u(at, params), slopes])

        return (end(1) - end(0),)

    def equation_f(self, inputs: Any, params: Any, gridify: bool = False) -> Any:
        """Return zero: the gaps are to vanish."""
        return (jnp.zeros(()),)


def _network(statement: Statement, key: Any) -> tuple[Any, Any]:
    layers: list[Any] = []
    for n, m in itertools.pairwise(statement.sizes):
        layers += [(eqx.nn.Linear, n, m), (jax.nn.tanh,)]
    return jinns.nn.PINN_MLP.create(
        key=key,
        eqx_list=tuple(layers[:-1]),
        eq_type="PDENonStatio",
        input_transform=lambda point, params: statement.features(point),
        output_transform=lambda point, out, params: statement.imposed(point, jnp.atleast_1d(out)),
    )


def _loss(statement: Statement, u: Any, params: Any) -> Any:
    soft, start, seen = not statement.recipe.hard, statement.initial_state, statement.observed()
    weights = jinns.loss.LossWeightsPDENonStatio(
        dyn_loss=1.0,
        boundary_loss=1.0 if soft else None,
        initial_condition=1.0 if start else None,
        observations=tuple(weight for *_, weight in seen) or None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that boundary or initial state are hard, or not given
        return jinns.loss.LossPDENonStatio(
            u=u,
            params=params,
            loss_weights=weights,
            dynamic_loss=Residual(statement=statement),
            boundary_condition=Periodic() if soft else None,
            initial_condition_fun=start and (lambda x: statement.initial(jnp.append(0.0, x))),
            t0=statement.time.lower,
            obs_slice=tuple(jnp.s_[i : i + 1] for i, *_ in seen) or None,
        )


def _data(statement: Statement, keys: Any) -> tuple[Any, Any]:
    """Return the generators of points and, if there are any, of observations."""
    recipe, space, time = statement.recipe, statement.space, statement.time
    points = jinns.data.CubicMeshPDENonStatio(
        key=keys[0], n=recipe.points, nb=recipe.sides or None, ni=recipe.initial or 1, dim=1,
        min_pts=(space.lower,), max_pts=(space.upper,), tmin=time.lower, tmax=time.upper,
        method="uniform",
    )  # fmt: skip
    if not statement.observations:
        return points, None
    _, places, values, _ = zip(*statement.observed(), strict=True)
    places, values = (tuple(map(jnp.asarray, arrays)) for arrays in (places, values))
    of = {"observed_pinn_in": places, "observed_values": values}
    return points, jinns.data.DataGeneratorObservations(key=keys[1], **of)


def _optimizer(name: str) -> tuple[Any, Any]:
    """Return an optimiser of jinns and the further arguments that `solve` hands to it."""
    if name != "ssbroyden":
        return jinns.optimizers.vanilla_ngd() if name == "ngd" else optax.adam(1e-3), None
    given = {"value": "train_loss_value", "grad_pt": "grads", "batch": "batch", "loss": "loss"}
    extra = {name: jinns.solver.GetJinnsVariableName(theirs) for name, theirs in given.items()}
    extra |= {"value_fn": callback_value, "grad_fn": callback_gradient}
    return jinns.optimizers.scale_by_SSBroyden_family(), extra


def callback_value(params: Any, batch: Any, loss: Any) -> Any:
    """Return the loss; jinns finds callbacks by this beginning of their names."""
    return loss.evaluate(params, batch)[0]


def callback_gradient(params: Any, batch: Any, loss: Any) -> Any:
    """Return the gradient of the loss."""
    return loss.ponderate_and_sum_gradient(loss.values_and_grads(params, batch)[1])


def solve(view: View, run: Run) -> Solution:
    """Train as configured until the recipe or the budget ends."""
    key, *keys = jax.random.split(jax.random.PRNGKey(int(run.rng("seed").integers(2**31))), 3)
    with run.phase("data"):
        axes = view.domain.names[::-1]  # jinns puts time first
        statement = Statement(view, axes, run.config.recipe(DOCUMENTED))
        u, start = _network(statement, key)
        params = jinns.parameters.Params(nn_params=start, eq_params={"none": jnp.zeros(())})
        points, seen = _data(statement, keys)
        fixed = {"data": points, "obs_data": seen, "loss": _loss(statement, u, params)}
    optimizer, extra = _optimizer(run.config.optimizer)
    state, evaluate = optimizer.init(params), jax.jit(jax.vmap(u, (0, None)))
    once = {"n_iter": 1, "optimizer": optimizer, "extra_optax_args_and_kwargs": extra}
    once |= {"verbose": False, "ahead_of_time": False}

    def candidate() -> Solution:
        now = params
        linear = (x for x in now.nn_params.layers if isinstance(x, eqx.nn.Linear))
        layers, predict = ((x.weight, x.bias) for x in linear), lambda at: evaluate(at, now)
        return statement.solution(predict, layers, "jinns", DISTRIBUTION)

    def iterate(params: Any, state: Any, fixed: Any) -> Any:
        found = jinns.solve(init_params=params, opt_state=state, **fixed, **once)
        return found[0], found[5], found[1][0]  # parameters, state, loss

    if run.report(0, None, candidate):
        return candidate()
    with run.phase("compile"):
        compiled = eqx.filter_jit(iterate).lower(params, state, fixed).compile()
    last = DOCUMENTED_STEPS if run.config.preset == "documentation" else None
    for step in itertools.count(1):
        params, state, value = compiled(params, state, fixed)
        if run.report(step, value, candidate) or step == last:
            break
    return candidate()
