"""Claims about supervised learning."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import isinf
from statistics import median

from pdebench_claims.claim import Claim, Experiment, Part
from pdebench_claims.evidence import Evidence, conditions, exactly, metric
from pdebench_claims.source import LECTURE
from pdebench_lite.analysis.statistics import seeds_needed

SEEDS = seeds_needed()
RECONSTRUCTION = Experiment(
    "burgers[ic=random,noise=0.01,instance=5]",
    "mlp,pinn,diffphys",
    backend="jax",
    seeds=SEEDS,
    max_time=15.0,
)
RACE = (
    replace(RECONSTRUCTION, problem="burgers:forward", methods="mlp,pinn"),
    RECONSTRUCTION,
    replace(RECONSTRUCTION, problem="advection-density"),
)
"""What several claims are tried on, with as many seeds as an interval needs."""
_SPREAD = 3.0
_FACTOR = 10.0


def _errors(evidence: Evidence) -> Iterator[tuple[str, str, list[float]]]:
    for at in conditions(evidence, ("problem_label", "method")):
        mine = evidence.of(**at)
        yield at["problem_label"], at["method"], list(mine.by_seed(metric("rel_l2")).values())


def _stable(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for problem, method, errors in _errors(evidence.of(method="mlp")):
        most = max(errors)
        worst = exactly(most if isinf(most) else most / median(errors), len(errors))
        parts.append(Part(f"{method} on {problem}", worst, _SPREAD, above=False, exact=True))
    return parts


def _upper_bound(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for at in conditions(evidence, ("problem_label",)):
        here = evidence.of(**at)
        mlp = here.of(method="mlp")
        for method in here.values("method"):
            if method != "mlp":
                figure = here.of(method=method).ratio(mlp, metric("rel_l2"))
                parts.append(Part(f"{method} on {at['problem_label']}", figure, 1.0))
    return parts


def _interpolation(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for at in conditions(evidence, ("method", "backend")):
        mine = evidence.of(**at)
        for function in dict.fromkeys(str(r.problem_params["function"]) for r in mine.records):
            of = [r for r in mine.records if r.problem_params["function"] == function]
            outside, inside = (
                Evidence(mine.store, tuple(r for r in of if r.task == task))
                for task in ("extrapolation", "interpolation")
            )
            figure = outside.ratio(inside, metric("rel_l2"))
            parts.append(Part(f"{at['method']} on a {function} function", figure, _FACTOR))
    return parts


def _convolutions(evidence: Evidence) -> Sequence[Part]:
    mlp, cnn = evidence.of(method="mlp"), evidence.of(method="cnn")
    sets = {"rel_l2": "in distribution", "rel_l2_ood": "out of distribution"}
    return [Part(words, mlp.ratio(cnn, metric(name)), 1.0) for name, words in sets.items()]


CLAIMS = (
    Claim(
        "stable",
        "Supervised training is stable.",
        LECTURE,
        RACE,
        "largest final error of the seeds over their median error, rel. L2",
        f"stable where the worst of {SEEDS} seeds is at most {_SPREAD:g} times their median; a "
        "failed run is ∞",
        _stable,
    ),
    Claim(
        "upper-bound",
        "Supervised training, which is given the solution, bounds what the others can reach.",
        LECTURE,
        RACE,
        "error of the other method over that of mlp at equal charged time, rel. L2",
        "supported where others are worse: the interval of the ratio is above 1",
        _upper_bound,
    ),
    Claim(
        "interpolation",
        "Supervised learning is interpolation: it does not generalise beyond its data.",
        LECTURE,
        tuple(
            Experiment(
                f"regression:{task}[function={function}]",
                "mlp",
                backend="jax",
                seeds=SEEDS,
                max_time=4.0,
            )
            for function in ("smooth", "high-frequency")
            for task in ("interpolation", "extrapolation")
        ),
        "error outside the interval of the data over the error inside, rel. L2",
        f"supported where errors outside are more than {_FACTOR:g} times those inside",
        _interpolation,
    ),
    Claim(
        "mlp-cnn",
        "Convolutional networks suit fields on grids better than fully connected ones.",
        LECTURE,
        (Experiment("burgers:family", "mlp,cnn", backend="jax", seeds=SEEDS, max_time=20.0),),
        "error of mlp over that of cnn on instances that were not trained on, rel. L2",
        "supported where the interval of the ratio is above 1",
        _convolutions,
    ),
)
