"""What is trained in the place of a sought coefficient: of a positive one its logarithm.

In the place of a function a network is trained, or a sum of waves.
"""

from typing import Any

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem import Unknown


def start_of(unknown: Unknown) -> float:
    """Return what a search for a number begins with; see `value_of`."""
    return 0.0 if unknown.positive else unknown.guess


def value_of(unknown: Unknown, trained: Any) -> Any:
    """Return an unknown from what is trained, an array of any backend and shape.

    A positive one is trained as the logarithm of its ratio to the guess.
    """
    if not unknown.positive:
        return trained
    return unknown.guess * array_namespace(trained).exp(trained)


def function_of(unknown: Unknown, network: Any) -> Any:
    """Return a sought function from a network's output, an array or a jet; zero is the guess."""
    if unknown.positive:
        return value_of(unknown, network)
    return unknown.guess + network if unknown.guess else network
