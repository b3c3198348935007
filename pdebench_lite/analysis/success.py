"""Success rates: the share of runs that end with at most some error."""

from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.statistics import Estimate, share
from pdebench_lite.analysis.wording import bound_of


def success(entrant: Entrant, error: float) -> Estimate | None:
    """Estimate the probability that a run ends with at most some error.

    Args:
        entrant: its runs over seeds, and over what else they were taken together.
        error: the final error that counts as a success, of the metric that is compared.

    Returns:
        The share of all runs, failed ones included, with Wilson's interval; None where the
        reference's own bound is larger than the error, so that nobody can tell.
    """
    bounds = [bound_of(outcome.record, outcome.metric) or 0.0 for outcome in entrant.outcomes]
    if error < max(bounds):
        return None
    return share([float(outcome.final <= error) for outcome in entrant.outcomes])
