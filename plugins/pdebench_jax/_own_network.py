"""A user's network of flax or equinox, or one made like theirs, as a function of its weights."""

import inspect
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

    A callable with a parameter `key` is given one. Trained are arrays of floating-point numbers: of
    variables in collections, as flax has them, those of the collection `params`.

    Raises:
        UnsupportedError: it has not `init` and `apply`, and is no pytree that can be called.
    """
    key, other = jax.random.split(jax.random.PRNGKey(seed))
    asks = "key" in inspect.signature(make).parameters
    made = make(inputs, outputs, key=other) if asks else make(inputs, outputs)
    if hasattr(made, "init") and hasattr(made, "apply"):
        tree = made.init(key, jnp.zeros((1, inputs), dtype))
        function = made.apply
    elif callable(made) and not _is_leaf(made):
        tree, function = made, lambda network, x: jax.vmap(network)(x)
    else:
        raise UnsupportedError(
            f"it returns {type(made).__qualname__}, which has not init and apply as flax' modules "
            "have, and is no pytree that can be called; for a module of torch add --backend torch"
        )
    found, structure = jax.tree_util.tree_flatten_with_path(tree)
    collections = isinstance(tree, Mapping) and "params" in tree
    leaves: list[Any] = []
    names: dict[int, str] = {}
    for i, (path, leaf) in enumerate(found):
        if _is_floating(leaf):
            leaf = jnp.asarray(leaf, dtype)
            if not collections or path[0] == jax.tree_util.DictKey("params"):
                names[i] = jax.tree_util.keystr(path, simple=True, separator=".")
        leaves.append(leaf)

    def call(weights: Mapping[str, Any], x: jax.Array) -> jax.Array:
        filled = [weights[names[i]] if i in names else leaf for i, leaf in enumerate(leaves)]
        answer: jax.Array = function(jax.tree_util.tree_unflatten(structure, filled), x)
        return answer

    weights = {name: np.asarray(leaves[i], dtype=np.float64) for i, name in names.items()}
    return OwnNetwork(weights, call)


def _is_leaf(made: Any) -> bool:
    return jax.tree_util.treedef_is_leaf(jax.tree_util.tree_structure(made))


def _is_floating(leaf: Any) -> bool:
    return isinstance(leaf, jax.Array | np.ndarray) and jnp.issubdtype(leaf.dtype, jnp.floating)
