"""What data an entrant was given: the ground on which it may be ranked against another."""

from collections.abc import Mapping

from pdebench_lite.analysis.wording import sees_text

COMPARED = frozenset({"residual", "step", "embedding"})
"""How a method knows the equation and the domain: that is what is compared, and splits no block."""


def data_seen(sees: Mapping[str, int | bool], boundary: bool = False) -> dict[str, int | bool]:
    """Return the part of `sees` that is data.

    Args:
        sees: what the view handed out.
        boundary: whether boundary conditions can be seen on this problem at all; who took the time
            step has them built in.

    Returns:
        Labels, snapshots, initial state, boundary, coefficients, and whatever a plugin added. An
        ansatz is built from the initial state and reveals no more than that.
    """
    data = {name: value for name, value in sees.items() if name not in COMPARED and value}
    if data.pop("ansatz", False):
        data["initial_state"] = True
    if boundary and sees.get("step"):
        data["boundary"] = True
    return data


def data_text(data: Mapping[str, int | bool]) -> str:
    """Name the data in words, for the heading of a block."""
    return f"given {sees_text(data)}" if data else "given no data, or failed before it took any"


def knowledge_text(sees: Mapping[str, int | bool]) -> str:
    """Name how a method knows equation and domain: residual, step, embedding, ansatz."""
    known = COMPARED | {"ansatz"}
    return sees_text({name: value for name, value in sees.items() if name in known})
