"""A user's network of flax or equinox, or one made like theirs, as a function of its weights."""

import inspect
import sys
from collections.abc import Callable, Mapping
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_methods.training import OwnNetwork


def own_network(
    make: Callable[..., Any], inputs: int, outputs: int, seed: int, dtype: Any
) -> OwnNetwork:
    """Make a network and draw its weights, as its author draws them.

    A callable with a parameter `key`, or `rngs` as in flax nnx, is given one. Trained are arrays of
    floating-point numbers: of variables in collections, as flax has them, those of the collection
    `params`; of a module of flax nnx those that are an `nnx.Param`; of any other pytree those of
    JAX, not those of NumPy. All else is passed to the network as it is.

    Raises:
        UnsupportedError: it has no `init` and `apply`, and is not a callable pytree; or a
            call changes its state.
    """
    key, other = jax.random.split(jax.random.PRNGKey(seed))
    nnx: Any = sys.modules.get("flax.nnx")  # loaded where the network is one of its modules
    asked = set(inspect.signature(make).parameters)
    if inspect.isclass(make):  # a class of flax nnx is called by way of its metaclass
        asked |= set(inspect.signature(make.__init__).parameters)
    given: dict[str, Any] = {"key": other} if "key" in asked else {}
    if "rngs" in asked and nnx is not None:
        given["rngs"] = nnx.Rngs(other)
    made = make(inputs, outputs, **given)
    if nnx is not None and isinstance(made, nnx.Module):
        return _of_nnx(nnx, made, inputs, dtype)
    if hasattr(made, "init") and hasattr(made, "apply"):
        tree = made.init(key, jnp.zeros((1, inputs), dtype))
        if isinstance(tree, Mapping) and "params" in tree:
            within = lambda path: path[0] == jax.tree_util.DictKey("params")  # noqa: E731
        else:
            within = lambda path: True  # noqa: E731
        return _of_tree(tree, made.apply, dtype, lambda path, leaf: within(path))
    if callable(made) and not _is_leaf(made):
        call = lambda network, x: jax.vmap(network)(x)  # noqa: E731
        return _of_tree(made, call, dtype, lambda path, leaf: isinstance(leaf, jax.Array))
    raise UnsupportedError(
        f"it returns {type(made).__qualname__}, which has not init and apply as flax' modules "
        "have, and is not a pytree that can be called; for a module of torch add --backend torch"
    )


def _of_nnx(nnx: Any, made: Any, inputs: int, dtype: Any) -> OwnNetwork:
    """Return a module of flax nnx, which maps (n, inputs), as a function of its `nnx.Param`s."""
    graph, trained, rest = nnx.split(made, nnx.Param, ...)
    others, structure = jax.tree_util.tree_flatten_with_path(rest)
    values = [_in(dtype, leaf) for _, leaf in others]

    def module(weights: Any) -> Any:
        return nnx.merge(graph, weights, jax.tree_util.tree_unflatten(structure, values))

    called = module(jax.tree.map(lambda leaf: _in(dtype, leaf), trained))
    called(jnp.linspace(-1.0, 1.0, 2 * inputs, dtype=dtype).reshape(2, inputs))
    after = jax.tree.leaves(nnx.split(called, nnx.Param, ...)[2])
    changed = [
        jax.tree_util.keystr(path, simple=True, separator=".")
        for (path, _), old, new in zip(others, values, after, strict=True)
        if not jnp.array_equal(old, new)
    ]
    if changed:
        raise UnsupportedError(
            f"a call changes its state {changed[0]}, as BatchNorm and Dropout do while they learn: "
            "a loss is a function of weights and points; leave that layer out, or return the "
            "module after .eval()"
        )
    call = lambda weights, x: module(weights)(x)  # noqa: E731
    return _of_tree(trained, call, dtype, lambda path, leaf: True)


def _of_tree(
    tree: Any,
    function: Callable[[Any, jax.Array], Any],
    dtype: Any,
    is_trained: Callable[[Any, Any], bool],
) -> OwnNetwork:
    """Return a function of a tree and points as one of the weights in the tree.

    Args:
        tree: of arrays and other leaves.
        function: (tree, points (n, inputs)) -> (n, outputs).
        dtype: in which arrays of floating-point numbers enter.
        is_trained: (path, leaf) -> whether such an array is trained.
    """
    found, structure = jax.tree_util.tree_flatten_with_path(tree)
    leaves = [_in(dtype, leaf) for _, leaf in found]
    names = {
        i: jax.tree_util.keystr(path, simple=True, separator=".")
        for i, (path, leaf) in enumerate(found)
        if _is_floating(leaf) and is_trained(path, leaf)
    }

    def call(weights: Mapping[str, Any], x: jax.Array) -> jax.Array:
        filled = [weights.get(names.get(i, ""), leaf) for i, leaf in enumerate(leaves)]
        answer: jax.Array = function(jax.tree_util.tree_unflatten(structure, filled), x)
        return answer

    weights = {name: np.asarray(leaves[i], dtype=np.float64) for i, name in names.items()}
    return OwnNetwork(weights, call)


def _in(dtype: Any, leaf: Any) -> Any:
    return jnp.asarray(leaf, dtype) if _is_floating(leaf) else leaf


def _is_leaf(made: Any) -> bool:
    return jax.tree_util.treedef_is_leaf(jax.tree_util.tree_structure(made))


def _is_floating(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.floating)
