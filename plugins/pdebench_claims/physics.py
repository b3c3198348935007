"""Claims about physics-informed networks and differentiable physics."""

from collections.abc import Sequence
from dataclasses import replace
from functools import partial

import numpy as np

from pdebench_claims.claim import Claim, Part
from pdebench_claims.evidence import Evidence, conditions, metric
from pdebench_claims.source import LECTURE
from pdebench_claims.supervised import RACE, RECONSTRUCTION
from pdebench_lite.analysis.statistics import ratio
from pdebench_lite.store.records import Record

_LEFT = 1e-3


def left_over(evidence: Evidence, record: Record) -> float | None:
    """Return how far a returned field is from the solution of the equation that it starts.

    Relative L2 distance between the field and its own initial state carried by the certified
    solver.
    """
    stored = evidence.fields(record)
    pairs = [(name, f"{name}_carried") for name in stored if f"{name}_carried" in stored]
    if not pairs:
        return None
    gap = sum(float(np.sum((stored[a].values - stored[b].values) ** 2)) for a, b in pairs)
    size = sum(float(np.sum(stored[b].values ** 2)) for _, b in pairs)
    return float(np.sqrt(gap / size))


def _constraints(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for at in conditions(evidence, ("method", "backend")):
        mine = evidence.of(**at)
        figure = mine.estimate(partial(left_over, mine))
        soft = at["method"] == "pinn"
        words = f"{at['method']} ({'soft: a gap is left' if soft else 'hard: no gap is left'})"
        parts.append(Part(words, figure, _LEFT, above=soft))
    return parts


def _efficient(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for at in conditions(evidence, ("problem_label",)):
        here = evidence.of(**at)
        pinn, diffphys = here.of(method="pinn"), here.of(method="diffphys")
        if not diffphys.records:
            continue
        measure = diffphys.records[0].ranked[0]
        reached = pinn.by_seed(metric(measure))
        spent = pinn.by_seed(lambda record: record.charged_s)
        theirs = diffphys.by_seed(diffphys.time_to(reached, measure))
        seeds = sorted(set(spent) & set(theirs))
        figure = ratio([[spent[s] for s in seeds]], [[theirs[s] for s in seeds]])
        parts.append(Part(at["problem_label"], figure, 1.0))
    return parts


CLAIMS = (
    Claim(
        "constraints",
        "A physics-informed network holds the equation as a soft constraint, differentiable "
        "physics as a hard one.",
        LECTURE,
        (replace(RECONSTRUCTION, methods="pinn,diffphys"),),
        "distance of the returned field from its own initial state carried by the certified "
        "solver, rel. L2",
        f"supported where pinn leaves more than {_LEFT:g} and diffphys at most {_LEFT:g}; with "
        "diffphys, what is left is the error of its discretisation",
        _constraints,
    ),
    Claim(
        "efficiency",
        "Differentiable physics evaluates simulation and derivatives efficiently.",
        LECTURE,
        RACE[1:],
        "charged time of pinn over the time in which diffphys reaches the same error",
        "supported where diffphys needs less time: the interval of the ratio is above 1",
        _efficient,
    ),
)
