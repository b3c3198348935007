"""The core's own metrics, held to the contract that strangers are held to."""

import pytest

from pdebench_lite.metrics import CORE_METRICS
from pdebench_lite.metrics.calls import CALLS
from pdebench_lite.metrics.coverage import COVERAGE
from pdebench_lite.metrics.family import FAMILY
from pdebench_lite.testing import MetricContract

SHOCKED = ("shock_position_error",)  # these have a meaning only where there is a shock
SOUGHT = ("coefficient_rel_l2",)  # and these only where a coefficient is sought
# No field tasks, or no errors: the tests of their tasks, or their own, hold them.
ELSEWHERE = [m.name for m in (*FAMILY, *CALLS, *COVERAGE)]


class TestCoreMetrics(MetricContract):
    problem = "burgers[nu=0.1]"

    @pytest.fixture(
        params=[m.name for m in CORE_METRICS if m.name not in (*SHOCKED, *SOUGHT, *ELSEWHERE)]
    )
    def metric(self, known, request):
        return known.metric(request.param)


class TestShockMetrics(TestCoreMetrics):
    problem = "burgers:forward"

    @pytest.fixture(params=SHOCKED)
    def metric(self, known, request):
        return known.metric(request.param)


class TestCoefficientMetrics(TestCoreMetrics):
    problem = "burgers:viscosity"

    @pytest.fixture(params=SOUGHT)
    def metric(self, known, request):
        return known.metric(request.param)
