"""Contract suites: subclass one per problem, method and metric, and pytest does the rest.

    from pdebench_lite.testing import MethodContract

    class TestMine(MethodContract):
        selector = "mine[width=4]"
        problem = "burgers[nu=0.1]"

pytest is needed here and nowhere else in the package. For toys that no entry point names, override
the fixture `known`, which returns the registry that names are looked up in.
"""

try:
    import pytest
except ImportError as error:
    raise ImportError(
        "pdebench_lite.testing holds pytest suites, and pytest is not installed; "
        "type: pip install pytest"
    ) from error

pytest.register_assert_rewrite(
    *(f"{__name__}.{module}" for module in ("problem", "expression", "method", "metric"))
)

from pdebench_lite.testing.attempt import Attempt as Attempt  # noqa: E402
from pdebench_lite.testing.attempt import attempt as attempt  # noqa: E402
from pdebench_lite.testing.attempt import true_solution as true_solution  # noqa: E402
from pdebench_lite.testing.expression import (  # noqa: E402
    ExpressionContract as ExpressionContract,
)
from pdebench_lite.testing.method import MethodContract as MethodContract  # noqa: E402
from pdebench_lite.testing.method import (  # noqa: E402
    MethodDescriptionContract as MethodDescriptionContract,
)
from pdebench_lite.testing.method import MethodRunContract as MethodRunContract  # noqa: E402
from pdebench_lite.testing.metric import MetricContract as MetricContract  # noqa: E402
from pdebench_lite.testing.problem import ProblemContract as ProblemContract  # noqa: E402
