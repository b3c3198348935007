"""Web report: one HTML file that needs no network, from records alone."""

from pdebench_lite.report.web.write import write_report

__all__ = ["write_report"]
