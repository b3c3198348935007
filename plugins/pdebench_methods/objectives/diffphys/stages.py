"""The plan of a search: which weight, which grid and how blurred a target, stage by stage."""

from collections.abc import Mapping
from dataclasses import astuple
from math import isfinite
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from pdebench_lite.runner.run import Run
from pdebench_methods.objectives.diffphys.details import (
    DISCREPANCY,
    HALVED,
    SETTING,
    SMALLEST,
)
from pdebench_methods.objectives.diffphys.discretisation import REFINEMENT
from pdebench_methods.objectives.diffphys.minimiser import GaussNewtonMinimiser
from pdebench_methods.settings import component
from pdebench_methods.training import Stage, split

if TYPE_CHECKING:
    from pdebench_methods.objectives.diffphys.fitting import Fitting

BLURS = (0.35, 0.25, 0.18, 0.12, 0.08, 0.05, 0.03, 0.015)
"""Widths of the averages over targets before the targets themselves, in domain lengths."""

_WIDE_BLURS = BLURS[2::2]  # in more than one dimension, where a rollout takes long
_FIRST_WEIGHT = 1.0
_SMALLEST_WEIGHT = 1e-14
_WEIGHTS = tuple(10.0**-k for k in range(1, 13))
_FEW = 300  # parameters up to which a Jacobian by forward tangents pays on a line
_SOME = 2000  # up to which a dense inverse Hessian does
_STAGE_STEPS = 100  # most lbfgs iterations before the last stage
_LINEARISATIONS = 4  # on a finer grid, at least: or it is not worth its compilation
_WHOLE_SEARCH = 2.0  # times what the one before took, on a grid with nine times the work
_FINEST_JACOBIAN = 640  # cells of a 1-D grid: beyond, it costs more than it gains
_STEP_BACK = 10.0  # from the weight that a coarse Jacobian led to


class Planner(Protocol):
    """What comes next in a search."""

    def next_stage(
        self,
        current: dict[str, np.ndarray],
        memo: dict[str, Any],
        search: GaussNewtonMinimiser | None,
    ) -> Stage | None:
        """Return the next stage; `search` is the last minimiser of a `gauss-newton` stage."""


def planner(objective: "Fitting", run: Run) -> Planner:
    """Return the plan for the configured optimiser; `auto` goes by the number of parameters."""
    name = objective.settings.optimizer
    if name == "auto":
        n = sum(v.size for v in objective.initial().values())
        dense = objective.linearises and n <= _FEW
        name = "gauss-newton" if dense else "ssbroyden" if n <= _SOME else "lbfgs"
    if name == "gauss-newton":
        return _GaussNewton(objective, run)
    return _Descent(objective, name)


def _blurs(objective: "Fitting") -> tuple[float, ...]:
    wanted = objective.settings.coarse_to_fine
    if wanted == "auto":
        wanted = objective.warps and any(
            u.kind == "coefficient" and u.axes for u in objective.unknowns
        )
    blurs = BLURS if len(objective.domain.space) == 1 else _WIDE_BLURS
    return blurs if wanted else ()


class _GaussNewton:
    """Blurred targets first, each with a fixed weight; then the weight falls, and grids refine.

    The grid of the residuals is refined where the solver's own error explains the misfit, that of
    the Jacobian where a step with the coarser one fails or the final weight is known.
    """

    def __init__(self, objective: "Fitting", run: Run) -> None:
        self._objective, self._run = objective, run
        self._blurs = _blurs(objective)

    def next_stage(
        self,
        current: dict[str, np.ndarray],
        memo: dict[str, Any],
        search: GaussNewtonMinimiser | None,
    ) -> Stage | None:
        objective = self._objective
        if isfinite(self._run.time_left):
            memo.setdefault("budget", self._run.time_left)  # seconds, at the first stage
        fixed = objective.settings.weight
        index = memo["stage"] = memo.get("stage", -1) + 1
        if search is not None and search.out_of_time:
            memo["ended"] = "budget"
            return None
        memo.setdefault("cells", objective.cells)
        memo.setdefault("jacobian_cells", objective.jacobian_cells)
        blur = 0.0 if self._blurs else None
        if index < len(self._blurs):
            weight = _WEIGHTS[index] if fixed == "auto" else fixed
            return self._stage(memo, weight, self._blurs[index], weight, False)
        ceiling = _FIRST_WEIGHT if index == len(self._blurs) else 0.0  # the targets were others
        floor = _SMALLEST_WEIGHT if fixed == "auto" else fixed
        weight = max(_WEIGHTS[len(self._blurs)] if self._blurs else _FIRST_WEIGHT, floor)
        if index > len(self._blurs):
            assert search is not None
            goes_on, weight = search.search, search.search.weight
            if goes_on.needs_refinement:
                if self._run.time_left < self._needed(search, memo):
                    return self._stage(memo, weight, blur, floor, False)
                memo["cells"] *= REFINEMENT
            elif goes_on.needs_jacobian:
                memo["jacobian_cells"] *= REFINEMENT
                weight *= _STEP_BACK if fixed == "auto" else 1.0
            else:
                return None
        refinable = objective.may_refine(memo["cells"])
        return self._stage(memo, weight, blur, floor, refinable, ceiling)

    def _needed(self, search: GaussNewtonMinimiser, memo: Mapping[str, Any]) -> float:
        """Return the seconds that make a finer grid worth its while.

        Where noise hides the solver's error, a search that ends is better than one cut off.
        """
        if search.search.explained < 2.0 * self._objective.noise and "budget" in memo:
            return _WHOLE_SEARCH * (memo["budget"] - self._run.time_left)
        return _LINEARISATIONS * search.seconds

    def _stage(
        self,
        memo: Mapping[str, Any],
        weight: float,
        blur: float | None,
        floor: float,
        refinable: bool,
        ceiling: float = 0.0,
    ) -> Stage:
        cells, tangents = memo["cells"], memo["jacobian_cells"]
        dimensions = len(self._objective.domain.space)
        finer = (tangents * REFINEMENT) ** dimensions <= min(cells**dimensions, _FINEST_JACOBIAN)
        options = {
            "floor": floor,
            "ceiling": ceiling,
            "refinable": refinable,
            "chooses": self._objective.settings.weight == "auto" and floor < weight,
            "jacobian": tangents,
            "approximate": finer and not blur,
        }
        data = self._objective.data(weight, cells, blur)
        data |= {f"search={name}": np.asarray(float(v)) for name, v in options.items()}
        arrays, static = split(data)
        return Stage("gauss-newton", arrays, static=static)


class _Descent:
    """First-order optimisers: one stage; quasi-Newton ones: a falling weight."""

    def __init__(self, objective: "Fitting", optimizer: str) -> None:
        self._objective, self._optimizer = objective, optimizer
        self._falling = not component("optimizer", optimizer)[0].first_order
        self._blurs = _blurs(objective) if self._falling else ()

    def next_stage(
        self,
        current: dict[str, np.ndarray],
        memo: dict[str, Any],
        search: GaussNewtonMinimiser | None,
    ) -> Stage | None:
        """Return the next stage: blurred targets first, then smaller and smaller weights.

        With `weight=auto` the weight falls tenfold per stage until the misfit is explained by the
        noise and the solver's own error, both known without the truth (Morozov's discrepancy
        principle; Engl, Hanke & Neubauer 1996, sect. 4.3). When the misfit falls by less than half
        before that, the weight before is taken: what is left is not noise but the solver's error.
        Where blurred targets have led to a weight that is too small already, it rises tenfold per
        stage instead, to the last one whose misfit is explained.
        """
        s = self._objective.settings
        if memo.get("last"):
            return None
        index = memo["stage"] = memo.get("stage", -1) + 1
        fixed = None if s.weight == "auto" else float(s.weight)
        if not self._falling:
            memo |= {"last": True, "weight": _WEIGHTS[-1] if fixed is None else fixed}
            return self._stage(memo, None, s.iterations or None, 0.0)
        if index < len(self._blurs):
            memo["weight"] = _WEIGHTS[index] if fixed is None else fixed
            return self._stage(memo, self._blurs[index], _STAGE_STEPS, 1e-2)
        blur = 0.0 if self._blurs else None
        judged = index > len(self._blurs) and fixed is None
        explained = judged and self._explained(current, memo)
        if explained and self._rises(index, memo):
            return self._stage(memo, blur, _STAGE_STEPS, 1e-2)
        if fixed is None and not explained and index < len(_WEIGHTS) and not memo.get("rising"):
            memo["weight"] = _WEIGHTS[index]
            return self._stage(memo, blur, _STAGE_STEPS, 1e-2)
        memo["last"] = True
        if fixed is not None:
            memo["weight"] = fixed
        memo.setdefault("weight_by", SMALLEST if fixed is None else SETTING)
        return self._stage(memo, blur, s.iterations or None, 1e-6)

    def _stage(
        self, memo: Mapping[str, Any], blur: float | None, steps: int | None, tolerance: float
    ) -> Stage:
        data = self._objective.data(memo["weight"], self._objective.cells, blur)
        arrays, static = split(data)
        return Stage(self._optimizer, arrays, steps, tolerance, static=static)

    def _rises(self, index: int, memo: dict[str, Any]) -> bool:
        """Raise the weight where the first one after blurred targets explains all, or one since."""
        first = bool(self._blurs) and index == len(self._blurs) + 1
        if not (first or memo.get("rising")) or memo["weight"] >= _WEIGHTS[0]:
            return False
        memo |= {"rising": True, "weight": min(10.0 * memo["weight"], _WEIGHTS[0])}
        return True

    def _explained(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> bool:
        """Say whether the weight needs to fall no further; may raise it by one stage."""
        before = memo.get("misfit", float("inf"))
        memo["misfit"] = self._objective.misfit(current)
        norm = sum(float(np.sum(values**2)) for values in current.values())
        memo.setdefault("sweep", []).append([memo["weight"], memo["misfit"], norm])
        explained = self._objective.noise
        if self._objective.linearises:  # else it takes longer than many steps
            explained = sum(astuple(self._objective.level(current, self._objective.cells)))
        if memo["misfit"] <= explained:
            memo["weight_by"] = DISCREPANCY
            return True
        if memo.get("rising"):
            memo["weight"] /= 10.0
            return False
        if memo["misfit"] > 0.5 * before:
            memo["weight"] = min(10.0 * memo["weight"], _WEIGHTS[0])
            memo["weight_by"] = HALVED
            return True
        return False
