"""Claims about automatic differentiation."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import pairwise
from math import isfinite, sqrt

from pdebench_claims.claim import Claim, Experiment, Part
from pdebench_claims.evidence import Evidence, exactly, metric
from pdebench_claims.source import LECTURE
from pdebench_lite.analysis.statistics import ratio, seeds_needed
from pdebench_lite.store.records import Record

SEEDS = seeds_needed()
_ROUNDING = 1e-13
_STEPS = ("1e-2", "1e-3", "1e-4", "1e-5", "1e-6", "1e-7", "1e-8", "1e-10")
_BACKENDS = "torch,jax"
_FEW, _MANY = 4, 64
_ORDERS = (1, 2, 3, 4)
_LIMIT = 3.0  # charged seconds; a derivative takes less than one


def _with(evidence: Evidence, name: str, value: float) -> Evidence:
    """Return the evidence whose problem has a parameter at a value."""

    def fits(record: Record) -> bool:
        return bool(record.problem_params.get(name) == value)

    return Evidence(evidence.store, tuple(filter(fits, evidence.records)))


def _truncation(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for order in (1, 2):
        at = _with(evidence, "order", order)
        for backend in at.values("backend"):
            here = at.of(backend=backend)
            for method in ("forward-mode", "reverse-mode", "taylor-mode"):
                (error,) = here.of(method=method).by_seed(metric("rel_l2")).values()
                words = f"{method}, {backend}, order {order}"
                parts.append(Part(words, exactly(error), _ROUNDING, above=False, exact=True))
            differences = here.of(method="finite-differences")
            best = min(
                differences.of(label=label).estimate(metric("rel_l2")).value
                for label in differences.values("label")
            )
            words = f"best of {len(_STEPS)} steps of central differences, {backend}, order {order}"
            parts.append(Part(words, exactly(best), _ROUNDING, exact=True))
    return parts


def _one_pass(evidence: Evidence) -> Sequence[Part]:
    parts = []
    for backend in evidence.values("backend"):
        mine = evidence.of(backend=backend)
        many, few = (_lead(_with(mine, "n", n)) for n in (_MANY, _FEW))
        seeds = sorted(set(many) & set(few))
        figure = ratio([[many[s] for s in seeds]], [[few[s] for s in seeds]])
        parts.append(Part(backend, figure, sqrt(_MANY / _FEW)))
    return parts


def _lead(evidence: Evidence) -> dict[int, float]:
    """Return by seed how many times longer forward mode takes than reverse mode; 0: that failed."""
    forward, reverse = (
        evidence.of(method=name).by_seed(metric("call_s"))
        for name in ("forward-mode", "reverse-mode")
    )
    return {
        seed: forward[seed] / time if isfinite(time) else 0.0
        for seed, time in reverse.items()
        if seed in forward
    }


def _orders(figure: str) -> Callable[[Evidence], Sequence[Part]]:
    def judge(evidence: Evidence) -> Sequence[Part]:
        parts = []
        for backend in evidence.values("backend"):
            for method in evidence.values("method"):
                mine = evidence.of(backend=backend, method=method)
                for low, high in pairwise(_ORDERS):
                    ratio = _with(mine, "order", high).ratio(
                        _with(mine, "order", low), metric(figure)
                    )
                    parts.append(Part(f"{method}, {backend}, order {high} over {low}", ratio, 1.0))
        return parts

    return judge


_NETWORK = Experiment(
    ",".join(
        f"derivatives:network[order={k},inputs=2,width=64,depth=3,points=2000]" for k in _ORDERS
    ),
    "reverse-mode,taylor-mode",
    backend=_BACKENDS,
    seeds=SEEDS,
    max_time=_LIMIT,
)

CLAIMS = (
    Claim(
        "truncation",
        "Automatic differentiation incurs no truncation error, unlike finite differences.",
        LECTURE,
        (
            Experiment(
                "derivatives:network[order=1],derivatives:network[order=2]",
                ",".join(
                    [
                        "forward-mode,reverse-mode,taylor-mode",
                        *(f"finite-differences[h={h}]" for h in _STEPS),
                    ]
                ),
                backend=_BACKENDS,
                max_time=_LIMIT,
            ),
        ),
        "error of the derivatives against extended precision, rel. L2",
        f"supported where automatic differentiation errs by rounding alone, at most {_ROUNDING:g}, "
        "and finite differences by more at every step",
        _truncation,
    ),
    Claim(
        "one-pass",
        "Reverse mode gives all partial derivatives of a scalar in one pass.",
        LECTURE,
        (
            Experiment(
                ",".join(f"derivatives:jacobian[m=1,n={n},points=1000]" for n in (_FEW, _MANY)),
                "reverse-mode,forward-mode",
                backend=_BACKENDS,
                seeds=SEEDS,
                max_time=_LIMIT,
            ),
        ),
        "time of a call of forward mode, which takes a pass for each input, over that of reverse "
        f"mode: with {_MANY} inputs over with {_FEW}",
        f"supported where the interval is above {sqrt(_MANY / _FEW):g}: were both to take equally "
        f"many passes it would be 1, and {_MANY}/{_FEW} if only forward mode took more for more "
        "inputs; what the function itself costs cancels",
        _one_pass,
    ),
    Claim(
        "order-time",
        "Each further order of derivatives costs time.",
        LECTURE,
        (_NETWORK,),
        "time of a call for derivatives of one order over that for the order below",
        "supported where the interval of the ratio is above 1",
        _orders("call_s"),
    ),
    Claim(
        "order-memory",
        "Each further order of derivatives costs memory.",
        LECTURE,
        (replace(_NETWORK, backend="torch"),),
        "peak memory of a call for derivatives of one order over that for the order below",
        "supported where the interval of the ratio is above 1; in JAX's compiled code the "
        "difference drowns in the resolution of the host's memory",
        _orders("call_mb"),
    ),
)
