"""Metric, and the metrics that every field task has. All are computed by the harness."""

from pdebench_lite.metrics.calls import CALLS
from pdebench_lite.metrics.coverage import COVERAGE
from pdebench_lite.metrics.coverage import NORMAL_95 as NORMAL_95
from pdebench_lite.metrics.coverage import bands as bands
from pdebench_lite.metrics.errors import ERRORS
from pdebench_lite.metrics.errors import error_profile as error_profile
from pdebench_lite.metrics.family import FAMILY
from pdebench_lite.metrics.family import shifted_error as shifted_error
from pdebench_lite.metrics.metric import Metric as Metric
from pdebench_lite.metrics.metric import relative_l2 as relative_l2
from pdebench_lite.metrics.residual import RESIDUAL_RMS
from pdebench_lite.metrics.shock import SHOCK_POSITION_ERROR
from pdebench_lite.metrics.steep import REL_H1, REL_L2_SHOCK
from pdebench_lite.metrics.trivial import trivial_error as trivial_error
from pdebench_lite.metrics.violations import VIOLATIONS
from pdebench_lite.metrics.violations import masses as masses
from pdebench_lite.tasks.field import query as query

CORE_METRICS: tuple[Metric, ...] = (
    *ERRORS,
    *COVERAGE,
    REL_H1,
    REL_L2_SHOCK,
    SHOCK_POSITION_ERROR,
    *VIOLATIONS,
    RESIDUAL_RMS,
    *FAMILY,
    *CALLS,
)
