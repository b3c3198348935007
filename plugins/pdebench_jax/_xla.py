"""What XLA is told before it starts."""

import os

_OPTIONS = "--xla_backend_extra_options="
_SMALL = 1 << 20
"""Bytes that a whole loop may touch, its stacked results included, to be compiled as one kernel."""


def hoist_small_loops() -> None:
    """Let XLA compile a loop over small arrays as one kernel; to be called before it starts.

    On a CPU it runs the body of a loop kernel by kernel, by a queue where there are more than
    eight. For a rollout on a few hundred cells that takes longer than the arithmetic; but by
    itself XLA compiles only those loops whole that touch a kilobyte. Larger ones than ours stay as
    they were, with threads and library calls within a kernel. `XLA_FLAGS` that say anything on
    this are left alone.
    """
    given = os.environ.get("XLA_FLAGS", "")
    if _OPTIONS not in given:
        option = f"{_OPTIONS}xla_cpu_small_while_loop_byte_threshold={_SMALL}"
        os.environ["XLA_FLAGS"] = f"{given} {option}".strip()
