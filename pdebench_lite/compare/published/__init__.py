"""Published reference files, measured against our certified references."""

from pdebench_lite.compare.published.files import read_file
from pdebench_lite.compare.published.layout import Published, locate
from pdebench_lite.compare.published.measure import Finding, measure

__all__ = ["Finding", "Published", "locate", "measure", "read_file"]
