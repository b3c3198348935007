"""Small loops are compiled whole: in a process of its own, since XLA reads its options once."""

import os
import subprocess
import sys

import pytest

pytest.importorskip("jax")

SCAN = """
import jax
import jax.numpy as jnp
from pdebench_jax import _runtime
if {prepared}:
    _runtime.prepare("cpu", "float64")

def rollout(u):
    return jax.lax.scan(lambda u, _: (u + jnp.roll(jnp.sin(u), 1), None), u, length=100)[0]

print("xla_cpu_small_call" in jax.jit(rollout).lower(jnp.zeros({cells})).compile().as_text())
"""


def compiled_whole(cells: int, flags: str = "", prepared: bool = True) -> bool:
    """Say whether a scan over an array of that many numbers becomes one kernel."""
    done = subprocess.run(
        [sys.executable, "-c", SCAN.format(cells=cells, prepared=prepared)],
        capture_output=True, text=True, check=True, env={**os.environ, "XLA_FLAGS": flags},
    )  # fmt: skip
    return done.stdout.strip() == "True"


def test_a_small_loop_is_one_kernel():
    assert compiled_whole(256)
    assert not compiled_whole(256, prepared=False)


def test_a_large_loop_is_left_alone():
    assert not compiled_whole(1 << 20)


def test_options_of_the_user_stand():
    theirs = "--xla_backend_extra_options=xla_cpu_small_while_loop_byte_threshold=1"
    assert not compiled_whole(256, theirs)
    assert compiled_whole(256, "--xla_cpu_enable_fast_math=false")
