"""What a step of training costs: seconds of training over the steps and evaluations counted."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pdebench_lite.analysis.entrants import Entrant
from pdebench_lite.analysis.statistics import Estimate, estimate


@dataclass(frozen=True)
class StepCost:
    """What the steps of one entrant cost: medians over its seeds.

    Attributes:
        entrant: who.
        steps, evaluations: how many there were; an optimiser may evaluate several times a step.
        step, evaluation: seconds of training for one of them, compilation apart.
        ratio: the time of its evaluation over the shortest on the same backend and machine.
    """

    entrant: Entrant
    steps: Estimate
    evaluations: Estimate
    step: Estimate
    evaluation: Estimate
    ratio: float = 1.0


def step_costs(entrants: Sequence[Entrant]) -> list[StepCost]:
    """Return the costs of those that were trained, the shortest evaluation first.

    Runs that did not end well are left out: their counts and times may be of different moments. So
    are classical solvers, whose evaluations are steps in time.
    """
    costs = [cost for e in entrants if not e.classical and (cost := _cost(e)) is not None]
    shortest: dict[tuple[str, ...], float] = {}
    for cost in costs:
        place = _place(cost.entrant)
        shortest[place] = min(cost.evaluation.value, shortest.get(place, cost.evaluation.value))
    made = [replace(c, ratio=c.evaluation.value / shortest[_place(c.entrant)]) for c in costs]
    return sorted(made, key=lambda cost: cost.evaluation.value)


def _place(entrant: Entrant) -> tuple[str, ...]:
    return entrant.key.backend, entrant.key.device, entrant.key.machine


def _cost(entrant: Entrant) -> StepCost | None:
    counts = [
        (record.train_s, record.steps, record.evaluations)
        for record in entrant.records
        if record.status == "ok" and record.train_s and record.steps and record.evaluations
    ]
    if not counts:
        return None
    seconds, steps, evaluations = zip(*counts, strict=True)
    return StepCost(
        entrant,
        estimate([list(map(float, steps))]),
        estimate([list(map(float, evaluations))]),
        estimate([[s / n for s, n in zip(seconds, steps, strict=True)]]),
        estimate([[s / n for s, n in zip(seconds, evaluations, strict=True)]]),
    )
