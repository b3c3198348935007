"""Published reference files, measured against our certified references."""

from pdebench_audit.published.files import read_file
from pdebench_audit.published.layout import Published, locate
from pdebench_audit.published.measure import Finding, measure

__all__ = ["Finding", "Published", "locate", "measure", "read_file"]
