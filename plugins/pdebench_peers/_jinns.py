"""Solver of `jinns`: states the task in jinns, trains by its `solve`, reports.

One call of `solve` is one iteration, compiled as a whole, so that a run can be watched and stopped.
"""

import importlib.metadata
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
from pdebench_peers.settings import Recipe


class Residual(jinns.loss.PDENonStatio):
    """The problem's residual at one point (t, x), with derivatives by nested `jax.grad`."""

    statement: Statement = eqx.field(static=True, kw_only=True)

    def equation(self, t_x: Any, u: Any, params: Any) -> Any:
        """Return the residuals, shape (residuals,)."""

        def derivative(field: int, suffix: str) -> Any:
            function = lambda point: u(point, params)[field]  # noqa: E731
            for axis in suffix:
                function = _along(function, self.statement.axes.index(axis))
            return function(t_x)

        return jnp.stack(self.statement.residuals(t_x, derivative))


def _along(function: Any, axis: int) -> Any:
    return lambda point: jax.grad(function)(point)[axis]


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


def _network(statement: Statement, recipe: Recipe, key: Any) -> tuple[Any, Any]:
    sizes = [statement.inputs, *recipe.hidden, len(statement.fields)]
    layers: list[Any] = []
    for n, m in itertools.pairwise(sizes):
        layers += [(eqx.nn.Linear, n, m), (jax.nn.tanh,)]
    return jinns.nn.PINN_MLP.create(
        key=key,
        eqx_list=tuple(layers[:-1]),
        eq_type="PDENonStatio",
        input_transform=lambda point, params: statement.features(point),
        output_transform=lambda point, out, params: statement.imposed(point, jnp.atleast_1d(out)),
    )


def _loss(statement: Statement, recipe: Recipe, u: Any, params: Any) -> Any:
    soft = not recipe.hard
    start = statement.initial_state
    observed = statement.observed()
    weights = jinns.loss.LossWeightsPDENonStatio(
        dyn_loss=1.0,
        boundary_loss=1.0 if soft else None,
        initial_condition=1.0 if start else None,
        observations=tuple(weight for *_, weight in observed) if observed else None,
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that boundary or initial state are hard, or not given
        return jinns.loss.LossPDENonStatio(
            u=u,
            loss_weights=weights,
            dynamic_loss=Residual(statement=statement),
            boundary_condition=Periodic() if soft else None,
            initial_condition_fun=_start(statement) if start else None,
            t0=statement.time.lower,
            obs_slice=tuple(jnp.s_[i : i + 1] for i, *_ in observed) or None,
            params=params,
        )


def _start(statement: Statement) -> Any:
    return lambda x: statement.initial(jnp.concatenate([jnp.zeros(1), x]))


def _optimizer(name: str) -> tuple[Any, Any]:
    """Return an optimiser of jinns and the further arguments that `solve` hands to it."""
    if name == "ngd":
        return jinns.optimizers.vanilla_ngd(), None
    if name == "adam":
        return optax.adam(1e-3), None
    given = jinns.solver.GetJinnsVariableName
    extra = {
        "value": given("train_loss_value"),
        "grad_pt": given("grads"),
        "value_fn": callback_value,
        "grad_fn": callback_gradient,
        "batch": given("batch"),
        "loss": given("loss"),
    }
    return jinns.optimizers.scale_by_SSBroyden_family(), extra


def callback_value(params: Any, batch: Any, loss: Any) -> Any:
    """Return the loss; jinns finds callbacks by this beginning of their names."""
    return loss.evaluate(params, batch)[0]


def callback_gradient(params: Any, batch: Any, loss: Any) -> Any:
    """Return the gradient of the loss."""
    return loss.ponderate_and_sum_gradient(loss.values_and_grads(params, batch)[1])


def solve(view: View, run: Run) -> Solution:
    """Train as configured until the recipe or the budget ends."""
    recipe = run.config.recipe(DOCUMENTED)
    assert view.domain.time is not None
    axes = (view.domain.time.name, view.domain.space[0].name)  # jinns puts time first
    seed = int(run.rng("seed").integers(2**31))
    with run.phase("data"):
        statement = Statement(view, axes, recipe)
        keys = jax.random.split(jax.random.PRNGKey(seed), 3)
        u, start = _network(statement, recipe, keys[0])
        params = jinns.parameters.Params(nn_params=start, eq_params={"none": jnp.zeros(())})
        loss = _loss(statement, recipe, u, params)
        data = jinns.data.CubicMeshPDENonStatio(
            key=keys[1],
            n=recipe.points,
            nb=recipe.sides or None,
            ni=recipe.initial or 1,
            dim=1,
            min_pts=(statement.space.lower,),
            max_pts=(statement.space.upper,),
            tmin=statement.time.lower,
            tmax=statement.time.upper,
            method="uniform",
        )
        observed = None
        if statement.observations:
            _, points, values, _ = zip(*statement.observed(), strict=True)
            observed = jinns.data.DataGeneratorObservations(
                key=keys[2],
                observed_pinn_in=tuple(map(jnp.asarray, points)),
                observed_values=tuple(map(jnp.asarray, values)),
            )
    optimizer, extra = _optimizer(run.config.optimizer)
    state = optimizer.init(params)
    details = {"library": "jinns", "version": importlib.metadata.version(DISTRIBUTION)}
    evaluate = jax.jit(jax.vmap(u, (0, None)))

    def candidate() -> Solution:
        now = params
        linear = [x for x in now.nn_params.layers if isinstance(x, eqx.nn.Linear)]
        layers = [(x.weight, x.bias) for x in linear]
        return statement.solution(lambda at: evaluate(jnp.asarray(at), now), layers, details)

    def iterate(params: Any, state: Any, data: Any, observed: Any, loss: Any) -> Any:
        found = jinns.solve(
            n_iter=1, init_params=params, opt_state=state, data=data, obs_data=observed, loss=loss,
            optimizer=optimizer, extra_optax_args_and_kwargs=extra, verbose=False,
            ahead_of_time=False,
        )  # fmt: skip
        return found[0], found[5], found[1][0]

    if run.report(0, None, candidate):
        return candidate()
    with run.phase("compile"):
        fixed = (data, observed, loss)
        compiled = eqx.filter_jit(iterate).lower(params, state, *fixed).compile()
    last = DOCUMENTED_STEPS if run.config.preset == "documentation" else None
    step, stop = 0, False
    while not stop and step != last:
        params, state, value = compiled(params, state, *fixed)
        step += 1
        stop = run.report(step, value, candidate)
    return candidate()
