"""Fair comparison of records, with its statistics. Uses records only: nothing here trains."""

from pdebench_lite.compare.comparison import Comparison, compare
from pdebench_lite.compare.entrants import Source

__all__ = ["Comparison", "Source", "compare"]
