"""What a call costs is measured, not guessed."""

import time

import numpy as np
import pytest

from pdebench_lite.measure import calls
from pdebench_lite.measure.calls import measure_calls


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    monkeypatch.setattr(calls, "_SECONDS", 0.05)


def test_time_is_the_median():
    """One call in three is slow: the median is that of the others."""
    number = iter(range(10**6))

    def call():
        time.sleep(0.02 if next(number) % 3 else 0.2)

    assert 0.02 <= measure_calls(call).median_s < 0.15


def test_memory_is_what_a_call_holds():
    """Also where the process has freed as much before."""
    for megabytes in (40, 80):
        cost = measure_calls(lambda m=megabytes: np.ones(m * 125_000).sum())
        if cost.peak_mb is None:
            pytest.skip("the kernel does not tell")
        assert cost.peak_mb == pytest.approx(megabytes, abs=3)


def test_quick_calls_are_many_and_slow_ones_few():
    assert measure_calls(lambda: None).number == 1000
    assert measure_calls(lambda: time.sleep(0.06)).number == 7
