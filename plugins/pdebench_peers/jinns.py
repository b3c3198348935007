"""Adapter `jinns`: states the task in jinns, trains by its `solve`, reports every iteration."""

import itertools
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp
import jinns
import optax

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_peers._layers import glorot_equinox
from pdebench_peers._statement import Statement
from pdebench_peers._training import Training, seed_of


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
        raw = {name: getattr(params.eq_params, name) for name in self.statement.sought}
        return jnp.stack(self.statement.residuals(t_x, lambda *d: function(*d)(t_x), raw))


class Periodic(jinns.loss.BoundaryConditionAbstract):
    """Equal values and slopes at both ends of the space axis, as penalties."""

    def equation_u(self, inputs: Any, u: Any, params: Any) -> Any:
        """Return the gaps between both ends, shape (2 · fields,); `inputs` is (2, ends)."""
        end = lambda at: jnp.append(u(at, params), jax.jacrev(u)(at, params)[:, 1])  # noqa: E731
        return (end(inputs[..., 1]) - end(inputs[..., 0]),)

    def equation_f(self, inputs: Any, params: Any, gridify: bool = False) -> Any:
        """Return zero: the gaps are to vanish."""
        return (jnp.zeros(()),)


def _stated(statement: Statement, key: Any) -> tuple[Any, Any, dict[str, Any]]:
    """Return the network u(point, parameters), its parameters, and what else `solve` is given."""
    recipe, space, time = statement.recipe, statement.space, statement.time
    of_network, of_points, of_observations = jax.random.split(key, 3)
    linear = glorot_equinox if recipe.hard else eqx.nn.Linear
    pairs = [((linear, n, m), (jax.nn.tanh,)) for n, m in itertools.pairwise(statement.sizes)]
    u, start = jinns.nn.PINN_MLP.create(
        key=of_network, eqx_list=tuple(itertools.chain(*pairs))[:-1], eq_type="PDENonStatio",
        input_transform=lambda point, _: statement.features(point),
        output_transform=lambda point, out, _: statement.imposed(point, jnp.atleast_1d(out)),
    )  # fmt: skip
    sought = {name: jnp.asarray(value) for name, value in statement.start.items()}
    params = jinns.parameters.Params(start, sought or {"none": jnp.zeros(())})
    terms: dict[str, Any] = {"dynamic_loss": Residual(statement=statement), "t0": time.lower}
    weights: dict[str, Any] = {"dyn_loss": 1.0}
    if statement.initial_state:
        terms["initial_condition_fun"] = lambda x: statement.initial(jnp.append(0.0, x))
        weights["initial_condition"] = 1.0
    if not recipe.hard:
        terms["boundary_condition"], weights["boundary_loss"] = Periodic(), 1.0
    if seen := statement.observed():
        terms["obs_slice"] = tuple(jnp.s_[o.field : o.field + 1] for o in seen)
        weights["observations"] = tuple(o.weight for o in seen)
    if sought:  # else only the network is trained
        keys = jinns.parameters.DerivativeKeysPDENonStatio.from_str(params, dyn_loss="both")
        terms["derivative_keys"] = keys
    weighted = jinns.loss.LossWeightsPDENonStatio(**weights)
    loss = jinns.loss.LossPDENonStatio(u=u, params=params, loss_weights=weighted, **terms)
    points = jinns.data.CubicMeshPDENonStatio(
        key=of_points, n=recipe.points, nb=recipe.sides or None, ni=recipe.initial or 1, dim=1,
        min_pts=(space.lower,), max_pts=(space.upper,), tmin=time.lower, tmax=time.upper,
        method="sobol" if recipe.hard else "uniform",
    )  # fmt: skip
    if recipe.hard:  # whose times are in [0, 1] whatever the domain
        t_x = points.domain.at[:, 0].multiply(time.length).at[:, 0].add(time.lower)
        points = eqx.tree_at(lambda data: data.domain, points, t_x)
    observations = seen and jinns.data.DataGeneratorObservations(
        key=of_observations,
        observed_pinn_in=tuple(jnp.asarray(o.points) for o in seen),
        observed_values=tuple(jnp.asarray(o.values) for o in seen),
    )
    return u, params, {"data": points, "obs_data": observations or None, "loss": loss}


def callback_value(params: Any, batch: Any, loss: Any) -> Any:
    """Return the loss; jinns finds callbacks by this beginning of their names."""
    return loss.evaluate(params, batch)[0]


def callback_gradient(params: Any, batch: Any, loss: Any) -> Any:
    """Return the gradient of the loss."""
    return loss.ponderate_and_sum_gradient(loss.values_and_grads(params, batch)[1])


_GIVEN = {"value": "train_loss_value", "grad_pt": "grads", "batch": "batch", "loss": "loss"}
_EXTRA = {name: jinns.solver.GetJinnsVariableName(theirs) for name, theirs in _GIVEN.items()}
_EXTRA |= {"value_fn": callback_value, "grad_fn": callback_gradient}


def _optimizer(name: str, statement: Statement) -> tuple[Any, Any, int]:
    """Return an optimiser, what else it is given, its evaluations besides a line search's."""
    adam = optax.adam(1e-3)
    if name == "ngd":  # whose metric is that of the network alone
        each = dict.fromkeys(statement.sought, adam) or None
        return jinns.optimizers.vanilla_ngd(eq_params_tx=each), None, 1
    if name == "ssbroyden":
        return jinns.optimizers.scale_by_SSBroyden_family(), _EXTRA, 2
    return adam, None, 1


def solve(view: View, run: Run) -> Solution:
    """Train as configured until the recipe or the budget ends."""
    recipe = run.config.recipe(view.unknowns)
    with run.phase("data"):
        statement = Statement(view, view.domain.names[::-1], recipe)  # jinns puts time first
        u, params, given = _stated(statement, jax.random.PRNGKey(seed_of(run)))
    optimizer, extra, calls = _optimizer(run.config.optimizer, statement)
    state, evaluate = optimizer.init(params), jax.jit(jax.vmap(u, (0, None)))
    predict = lambda at: evaluate(at, params)  # noqa: E731
    layers, raw = lambda: params.nn_params.layers, lambda: vars(params.eq_params)
    training = Training(run, statement, predict, layers, raw)

    def iterate(params: Any, state: Any, given: Any) -> Any:
        """Do one iteration, compiled as a whole: parameters, state, loss, evaluations."""
        found = jinns.solve(
            n_iter=1, init_params=params, optimizer=optimizer, opt_state=state,
            extra_optax_args_and_kwargs=extra, verbose=False, ahead_of_time=False, **given,
        )  # fmt: skip
        searched = optax.tree.get(found[5], "num_linesearch_steps", 0)
        return found[0], found[5], found[1][0], calls + searched

    if training.begin():
        return training.solution()
    with run.phase("compile"):
        compiled = eqx.filter_jit(iterate).lower(params, state, given).compile()
    for _ in itertools.count() if recipe.hard else range(recipe.steps):
        params, state, loss, evaluations = compiled(params, state, given)
        if training.after(loss, evaluations=int(evaluations)):
            break
    return training.solution()
