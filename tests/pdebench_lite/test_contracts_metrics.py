"""The core's own metrics, held to the contract that strangers are held to."""

import pytest

from pdebench_lite.metrics import CORE_METRICS
from pdebench_lite.testing import MetricContract


class TestCoreMetrics(MetricContract):
    problem = "burgers[nu=0.1]"

    @pytest.fixture(params=[m.name for m in CORE_METRICS])
    def metric(self, known, request):
        return known.metric(request.param)
