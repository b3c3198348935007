"""Fair comparison of records, with its statistics. Uses records only: nothing here trains."""

from pdebench_lite.analysis.comparison import Comparison, compare
from pdebench_lite.analysis.entrants import Source
from pdebench_lite.analysis.together import by_task

__all__ = ["Comparison", "Source", "by_task", "compare"]
