"""Timing in turn, and what a run of the benchmarks leaves behind.

`--benchmark-json` writes pytest-benchmark's own format, without the single timings, with the
machine, the versions and how busy it was. `page.py` makes a page of it.
"""

import os
import timeit
from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

import pytest

from pdebench_jax._xla import hoist_small_loops
from pdebench_lite.measure.steal import StealMeter
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.environment import environment, load_average, threads

Race: TypeAlias = Callable[..., dict[str, list[float]]]

STEAL = StealMeter()
BEGAN: dict[str, Any] = {}


def pytest_sessionstart(session: pytest.Session) -> None:
    hoist_small_loops()  # as in the process of a cell, and before any test starts XLA
    BEGAN["load_start"] = load_average()
    STEAL.start()


def pytest_benchmark_generate_machine_info(config: pytest.Config) -> dict[str, Any]:
    """Describe the machine as records do; distributions that the numbers depend on only."""
    machine, _ = environment()
    known = registry()
    names = {"numpy", "scipy", "pytest-benchmark"}
    names.update(*(backend.requires for backend in known.backends.values()))
    names.update(*(method.requires for method in known.methods.values()))
    installed = {name.lower(): version for name, version in machine["installed"].items()}
    versions = {name: installed[name] for name in sorted(names) if name in installed}
    return {**machine, "installed": versions}


def pytest_benchmark_update_json(
    config: pytest.Config, benchmarks: Any, output_json: dict[str, Any]
) -> None:
    for benchmark in output_json["benchmarks"]:
        benchmark["stats"].pop("data", None)
        del benchmark["params"], benchmark["options"]  # the test's id and source say them
    commit = output_json["commit_info"]
    output_json["commit_info"] = {key: commit.get(key) for key in ("id", "time", "dirty")}
    STEAL.stop()
    output_json["conditions"] = {
        **BEGAN,
        "load_end": load_average(),
        "steal": STEAL.share,
        "threads": threads(),
        "OMP_NUM_THREADS": os.environ.get("OMP_NUM_THREADS"),
    }


@pytest.fixture
def race(benchmark: Any) -> Race:
    """Return a function that times callables in turn, so that other load slows all of them.

    It takes name -> callable, and how many rounds there are and of how many calls the fastest
    counts in a round. It returns, and leaves in `extra_info`, name -> seconds, round by round.
    """

    def run(
        contenders: Mapping[str, Callable[[], Any]], rounds: int, calls: int = 1, warmup: int = 2
    ) -> dict[str, list[float]]:
        seconds: dict[str, list[float]] = {name: [] for name in contenders}

        def once() -> None:
            for name, call in contenders.items():
                seconds[name].append(min(timeit.repeat(call, number=1, repeat=calls)))

        benchmark.pedantic(once, rounds=rounds, warmup_rounds=warmup)
        kept = {name: [float(f"{s:.4g}") for s in all_[-rounds:]] for name, all_ in seconds.items()}
        benchmark.extra_info["seconds"] = kept
        return kept

    return run
