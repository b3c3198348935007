"""Which array library an argument belongs to, and the few helpers its standard lacks.

Nothing here imports torch or JAX: a library is touched only when one of its arrays arrives.
"""

import sys
from typing import Any, TypeAlias

import array_api_compat

Array: TypeAlias = Any
"""An array of NumPy, torch or JAX, traced or not. jaxtyping checks its shape and dtype."""

_SCALARS = (bool, int, float, complex)


def array_namespace(*arrays: Any) -> Any:
    """Return the array-API namespace that the arguments have in common.

    Resolve it once, in the first line of a function: `xp = array_namespace(u, v)`.

    Args:
        arrays: arrays of one library, or objects with a namespace of their own (a `Jet`), which
            then wins over the arrays next to it. Python scalars and None are ignored.

    Returns:
        The namespace: a module with `sin`, `where`, `fft.rfft`, ….

    Raises:
        TypeError: no array among the arguments, or arrays of two libraries. A NumPy scalar
            counts as an array here: it would silently promote JAX's float32 to float64.
    """
    libraries: dict[str, Any] = {}
    for array in arrays:
        if array is None or type(array) in _SCALARS:
            continue
        xp = library_of(array)
        if not hasattr(xp, "__array_namespace_info__"):
            return xp  # a jet's: it is not an array library
        libraries[xp.__name__] = xp
    if len(libraries) != 1:
        kinds = ", ".join(f"{type(a).__module__}.{type(a).__name__}" for a in arrays) or "nothing"
        raise TypeError(
            f"expected arrays of one library, got {kinds}; convert them to one library, and make "
            "problem parameters Python floats: float(value)"
        )
    (xp,) = libraries.values()
    return xp


def library_of(array: Any) -> Any:
    """Return the namespace of one array or jet.

    Written so that torch.compile traces it (Dynamo warns of the lru_cache in array_api_compat's own
    look-up): NumPy arrays, JAX arrays and jets know their namespace, torch's tensors do not.
    """
    own = getattr(array, "__array_namespace__", None)
    if own is not None:
        return own()
    torch = sys.modules.get("torch")
    if torch is not None and isinstance(array, torch.Tensor):
        from array_api_compat import torch as xp

        return xp
    return array_api_compat.array_namespace(array)


def arange(xp: Any, n: int, like: Array) -> Array:
    """Return 0, 1, …, n − 1, shape `(n,)`, in the dtype and on the device of `like`."""
    return xp.arange(n, dtype=like.dtype, device=getattr(like, "device", None))


def as_index(xp: Any, x: Array) -> Array:
    """Return whole-numbered `x` in the integer type by which its library likes to be indexed."""
    if xp.__name__ == "jax.numpy":  # processors convert and divide many numbers of 32 bits at once
        return xp.astype(x, xp.int32)
    return xp.astype(x, xp.__array_namespace_info__().default_dtypes()["integral"])


def along(xp: Any, vector: Array, index: int) -> Array:
    """Return `vector`, shape `(n,)`, shaped to vary along array axis `index` (negative) only."""
    return xp.reshape(vector, (-1,) + (1,) * (-index - 1))
