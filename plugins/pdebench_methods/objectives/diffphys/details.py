"""What a record keeps of a regularised search: the weights tried, and what the data determine."""

from collections.abc import Mapping
from typing import Any

import numpy as np

from pdebench_methods.search.regularised_gauss_newton import RegularisedGaussNewton

_ROUNDING = float(np.finfo(np.float64).eps)  # as `numpy.linalg.matrix_rank` has it

# What a weight was chosen by.
SETTING = "setting"
SMALLEST = "smallest"
DISCREPANCY = "discrepancy: what is left is noise"
HALVED = "the last to halve the misfit"
_HOW = {
    "evidence": "largest evidence",
    "floor": "smallest: nothing is noise",
    "unfinished": "not chosen: the search was not over",
}


def search_details(search: RegularisedGaussNewton, given: bool) -> dict[str, Any]:
    """Return JSON values: numbers, and two tables as lists of equal length.

    Args:
        search: after its first step.
        given: whether the weight was a setting, and so not to be chosen.

    Returns:
        `weight`: as of now; `weight_by`: what it was chosen by; `explained`: the misfit that noise
        and the solver's error explain, and `noise`: the root of its share of one residual;
        `determined`: how many parameters the data determine; `sweep`: weight, misfit, norm and
        evidence after each step, with the index of the prior; `spectrum`: singular values of the
        observation operator on parameters of unit prior deviation, those above rounding, and the
        size of what was observed along their left singular vectors; `unreached`: square of the rest
        of what was observed.
    """
    weight, misfit, norm, evidence, prior = search.sweep.T
    values, data = search.singular_values, search.data_coefficients
    rank = int(np.sum(values > values[0] * search.x.size * _ROUNDING))
    return {
        "weight": search.weight,
        "weight_by": SETTING if given else _HOW[search.chosen_by],
        "explained": search.explained,
        "noise": float(np.sqrt(search.variance)),
        "determined": search.determined,
        "sweep": {
            "weight": weight.tolist(),
            "misfit": misfit.tolist(),
            "norm": norm.tolist(),
            "evidence": evidence.tolist(),
            "prior": prior.astype(int).tolist(),
        },
        "spectrum": {
            "singular_value": _short(values[:rank]),
            "data_coefficient": _short(data[:rank]),
        },
        "unreached": search.unreached + float(np.sum(data[rank:] ** 2)),
    }


def descent_details(memo: Mapping[str, Any]) -> dict[str, Any]:
    """Return `weight_by` and `sweep`, as above, of a search in stages of falling weights."""
    kept = {"weight_by": memo["weight_by"]} if "weight_by" in memo else {}
    if "sweep" in memo:
        columns = zip(*memo["sweep"], strict=True)
        kept["sweep"] = dict(zip(("weight", "misfit", "norm"), map(list, columns), strict=True))
    return kept


def _short(values: np.ndarray) -> list[float]:
    """Return numbers to five digits, which is more than a figure shows."""
    return [float(f"{value:.4e}") for value in values]
