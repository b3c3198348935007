"""What every search of `diffphys` shares, whatever solver carries unknowns to what was observed."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any, Protocol

import numpy as np

from pdebench_lite.numerics import Stencil, array_namespace
from pdebench_lite.numerics.krylov import Machine
from pdebench_lite.problem import Arrays, Domain, Observation, Unknown
from pdebench_lite.problem.observations import scales
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.diffphys import DiffphysSettings
from pdebench_methods.host import FlatObjective, flatten, slices
from pdebench_methods.objectives.diffphys.basis import Basis, CellBasis
from pdebench_methods.objectives.diffphys.details import descent_details, search_details
from pdebench_methods.objectives.diffphys.discretisation import REFINEMENT
from pdebench_methods.objectives.diffphys.ends import fixed_ends, lift
from pdebench_methods.objectives.diffphys.minimiser import GaussNewtonMinimiser
from pdebench_methods.objectives.diffphys.observing import blur_data, blurred_gap
from pdebench_methods.objectives.diffphys.stages import Planner, planner
from pdebench_methods.search.fourier_prior import FourierPrior
from pdebench_methods.search.regularised_gauss_newton import Level
from pdebench_methods.training import Stage, Tools
from pdebench_methods.unknowns import value_of

_FREE = 10.0  # prior deviation of numbers and means, in units of that of the waves
# Initial states follow a power law up to a band that evidence chooses. Of the orders 0, 1 and 2, 1
# had the largest evidence on the instances that the defaults were tuned on.
_ORDER = 1.0
_BANDS = (64.0, 24.0, 17.0, 12.0, 8.5, 6.0, 5.0, 4.2, 3.5, 3.0, 2.5, 2.0, 1.5)  # waves
_JOINTLY = 1 << 16  # cells × parameters up to which a Jacobian costs less than a compilation


class DiffphysTools(Tools, Protocol):
    """What a backend brings beside the common tools."""

    compiles: bool
    """Whether functions are compiled before their first call."""

    def flat_objective(
        self,
        objective: Any,
        parameters: dict[str, np.ndarray],
        data: dict[str, Any],
    ) -> FlatObjective:
        """Return the residuals and their Jacobian as functions of one vector."""

    machine: Machine
    """Loops, derivatives and linear solves for stationary equations."""

    def repeat(self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int) -> Arrays:
        """Apply `state = step(state, i)` for i = 0 … n − 1, differentiably."""

    def frames(
        self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int, count: int
    ) -> list[Arrays]:
        """Return the states after n, 2n, …, count·n steps of a `repeat`."""


class Fitting(ABC):
    """Mean squared misfit of what a solver makes of the unknowns, plus weight · ‖prior‖².

    One objective serves several grids: which one, the data of a stage say by the name of an entry,
    `cells`, which every backend knows when it compiles.

    Attributes:
        order: of accuracy of the solver.
        implicit: whether residuals wait for a loop to converge, whose length depends on numbers.
        warps: whether unknown functions move what is observed, so that coarse comes before fine.
        linearises: whether a Jacobian of a few hundred parameters is worth its cost.
    """

    order: int
    implicit: bool = False
    warps: bool
    linearises: bool

    def __init__(
        self, view: View, run: Run, tools: DiffphysTools, observations: Sequence[Observation],
        cells: int, inner: tuple[Unknown, ...] = (),
    ) -> None:  # fmt: skip
        """Begin with what was observed and the cells an axis to start with.

        Args:
            view: what the task gives.
            run: the run, with the settings.
            tools: of the backend.
            observations: what was measured.
            cells: of an axis of the first grid.
            inner: what the solver needs and no task asks for.
        """
        self.settings: DiffphysSettings = run.config
        self._view, self._tools, self._run = view, tools, run
        self.domain: Domain = view.domain
        self.fields, self.unknowns = view.fields, view.unknowns + inner
        self.observations = list(observations)
        self.cells = self.jacobian_cells = cells
        self.bases = {u.name: self._basis(u) for u in self.unknowns}
        self._lifts = {
            u.name: function
            for u in self.unknowns
            if isinstance(self.bases[u.name], FourierPrior)
            and (function := lift(self.domain, u)) is not None
        }
        known = {k: v for k, v in self.known_start(cells).items() if k in self.fields}
        units = scales(self.observations, known)
        self.scales = [1.0 if self.settings.misfit == "absolute" else unit**2 for unit in units]
        self._search: GaussNewtonMinimiser | None = None

    def _plan(self) -> None:
        """Choose the stages; the last thing that a subclass does when it is made."""
        self._planner: Planner = planner(self, self._run)

    # ---- what a solver brings ----------------------------------------------------------------

    @abstractmethod
    def may_refine(self, cells: int) -> bool:
        """Say whether a finer grid may follow one of so many cells."""

    @abstractmethod
    def given(self, cells: int) -> dict[str, np.ndarray]:
        """Return what the solver reads beside the unknowns, by the names of a stage's data."""

    @abstractmethod
    def seen(self, values: Arrays, data: Mapping[str, Any], cells: int) -> list[Any]:
        """Return what each observation sees, (*batch, n), of unknowns on a grid."""

    @abstractmethod
    def observed(self, parameters: dict[str, np.ndarray], cells: int) -> list[np.ndarray]:
        """Return what each observation sees, (n,), in NumPy."""

    @abstractmethod
    def nodes(self, cells: int) -> list[Stencil]:
        """Return which cells each observation reads."""

    @abstractmethod
    def costs(self, cells: int) -> Mapping[str, int]:
        """Return what one evaluation costs; see `Stage`."""

    @abstractmethod
    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the solution that the parameters stand for."""

    def known_start(self, cells: int) -> dict[str, np.ndarray]:
        """Return the initial state on a grid where there is one and the task gives it."""
        return {}

    def unit(self, unknown: Unknown) -> float:
        """Return the size of an unknown function in Fourier modes, in which its prior is white."""
        return 1.0

    @property
    def exact(self) -> bool:
        """Whether the solver has no error to speak of, since its grid is part of the problem."""
        return False

    # ---- the unknowns ------------------------------------------------------------------------

    def _basis(self, unknown: Unknown) -> Basis:
        axes = tuple(self.domain[a] for a in unknown.axes)
        if self.settings.basis == "cells" and axes:
            return CellBasis(axes, self.cells)
        resolved = self.cells // 2 - 1
        closed = all(axis.periodic for axis in axes)
        most = self.settings.modes or (64 if len(axes) < 2 else 5 if closed else 10)
        fixed = fixed_ends(self.domain, unknown)
        return FourierPrior(axes, min(most, resolved), mean=_FREE, fixed=fixed)

    @lru_cache(maxsize=8)  # noqa: B019
    def _functions(self, cells: int) -> dict[str, np.ndarray]:
        """Return `basis=` and `lift=` of the unknowns at the cells of a grid.

        None of a basis where parameters are values at the cells.
        """
        points = self.domain.grid(cells).points()
        centres = {a: np.ravel(v) for a, v in points.items()}
        found = {
            f"basis={u.name}": basis.matrix(centres if u.axes else {})
            * (self.unit(u) if isinstance(basis, FourierPrior) else 1.0)
            for u in self.unknowns
            if not (isinstance(basis := self.bases[u.name], CellBasis) and basis.cells == cells)
        }
        return found | {f"lift={name}": f(centres) for name, f in self._lifts.items()}

    def initial(self) -> dict[str, np.ndarray]:
        """Start from the guess; an initial state in Fourier modes from the mean that was seen."""
        start = {}
        for u in self.unknowns:
            basis = self.bases[u.name]
            start[u.name] = np.zeros(basis.size)
            if u.positive:
                continue
            if not isinstance(basis, FourierPrior):
                start[u.name] += u.guess
                continue
            if not basis.has_mean:
                continue
            seen = [o.values for o in self.observations if o.field == u.field]
            known = u.kind == "initial" and seen
            start[u.name][0] = (float(np.mean(seen[0])) if known else u.guess) / basis.mean
        return start

    def _on_grid(
        self, parameters: Mapping[str, Any], functions: Mapping[str, Any], cells: int
    ) -> Arrays:
        """Return the unknowns on the grid of the solver (a number as a 0-d array).

        `functions` holds those of `_functions`. Leading axes of the parameters are kept; a number
        then has axes of length one instead.
        """
        shape, values = self.domain.grid(cells).cells, {}
        for u in self.unknowns:
            leading = tuple(parameters[u.name].shape[:-1])
            number = (1,) * len(shape) if leading else ()
            raw, basis, lifted = parameters[u.name], f"basis={u.name}", f"lift={u.name}"
            found = value_of(u, raw @ functions[basis].T if basis in functions else raw)
            if lifted in functions:
                found = found + functions[lifted]
            values[u.name] = found.reshape(leading + (shape if u.axes else number))
        return values

    # ---- the objective -----------------------------------------------------------------------

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return Σ mean (blurred misfit/scale)² + weight · Σ coefficients²; scales are `scales`."""
        misfits = self.residuals(parameters, data)
        xp = array_namespace(misfits)
        prior = sum(xp.sum(parameters[u.name] ** 2) for u in self.unknowns)
        return xp.sum(misfits * misfits) + data["weight"] * prior

    def residuals(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the blurred misfits of all observations, normalised as in `loss`; shape (m,).

        Leading axes of the parameters are those of the residuals too.
        """
        cells = data["cells"]
        seen = self.seen(self._on_grid(parameters, data, cells), data, cells)
        misfits = [
            blurred_gap(values, data, i) / (o.values.size * self.scales[i]) ** 0.5
            for i, (o, values) in enumerate(zip(self.observations, seen, strict=True))
        ]
        return array_namespace(misfits[0]).concat(misfits, axis=-1)

    def data(self, weight: float, cells: int, blur: float | None) -> dict[str, Any]:
        """Return what `loss` reads: NumPy arrays, and the number of cells, which is static.

        Args:
            weight: of the prior.
            cells: an axis, of the grid to solve on.
            blur: width of the average over targets, in domain lengths; None for none at all.
        """
        data: dict[str, Any] = {"cells": cells, "weight": np.asarray(weight)}
        data |= self._functions(cells)
        data |= self.given(cells)
        for i, (o, at) in enumerate(zip(self.observations, self.nodes(cells), strict=True)):
            data |= {f"values{i}": o.values, f"nodes{i}": at.index, f"weights{i}": at.weights}
            if blur is not None:
                data |= blur_data(o, self.domain, blur, i)
        return data

    # ---- the search --------------------------------------------------------------------------

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next stage of the plan that the optimiser needs.

        An evaluation is counted as one solve, whatever derivatives are taken of it.
        """
        stage = self._planner.next_stage(current, memo, self._search)
        if stage is None:
            return None
        return replace(stage, costs=self.costs(stage.static["cells"]))

    def gauss_newton(
        self, parameters: dict[str, np.ndarray], data: dict[str, Any]
    ) -> GaussNewtonMinimiser:
        """Make the minimiser of a `gauss-newton` stage, given its `inputs`."""
        cells = data["cells"]
        places = slices(parameters)
        options = {name[7:]: float(v) for name, v in data.items() if name.startswith("search=")}
        data = {name: v for name, v in data.items() if not name.startswith("search=")}
        flat = self._tools.flat_objective(self, parameters, data)
        tangents = flat
        if options["jacobian"] != cells:
            blur = 0.0 if any(name.startswith("blur") for name in data) else None
            coarse = self.data(float(data["weight"]), int(options["jacobian"]), blur)
            tangents = self._tools.flat_objective(self, parameters, coarse)

        def level(x: np.ndarray) -> Level:
            return self.level(
                {name: x[where].reshape(shape) for name, (where, shape) in places.items()}, cells
            )

        n = sum(int(v.size) for v in parameters.values())
        joint = self._tools.compiles and n * cells ** len(self.domain.space) <= _JOINTLY
        self._search = GaussNewtonMinimiser(
            flat, tangents, parameters, lambda: self._run.time_left, joint,
            level=level, weight=float(data["weight"]), floor=options["floor"],
            ceiling=options["ceiling"],
            refinable=bool(options["refinable"]), chooses=bool(options["chooses"]),
            approximate=bool(options["approximate"]), priors=self._priors(),
        )  # fmt: skip
        return self._search

    def _priors(self) -> np.ndarray | None:
        """Return the priors among which evidence chooses: that of the basis, then narrower bands.

        Those are of initial states in Fourier modes; all else keeps the prior of its basis.
        """
        banded = {
            u.name: [basis.band_limited(_ORDER, band) for band in _BANDS]
            for u in self.unknowns
            if isinstance(basis := self.bases[u.name], FourierPrior) and u.kind == "initial"
        }
        if not banded:
            return None
        ones = {name: np.ones(values.size) for name, values in self.initial().items()}
        rows = [ones, *({n: banded[n][i] if n in banded else v for n, v in ones.items()}
                        for i in range(len(_BANDS)))]  # fmt: skip
        return np.stack([flatten(row) for row in rows])

    @property
    def noise(self) -> float:
        """What the measurements' noise explains of the misfit, relative as in `loss`."""
        return sum(o.noise**2 / s for o, s in zip(self.observations, self.scales, strict=True))

    def level(self, parameters: dict[str, np.ndarray], cells: int) -> Level:
        """Return what of the misfit noise and the solver's error explain, relative as in `loss`.

        The solver's error is that of Richardson: its difference to the same solve with spacing
        and step divided by r, times rᵖ/(rᵖ − 1) for a scheme of order p. A scheme whose grid is
        part of the problem has none.
        """
        if self.exact:
            return Level(self.noise, 0.0)
        coarse = self.observed(parameters, cells)
        fine = self.observed(parameters, cells * REFINEMENT)
        gain = float(REFINEMENT) ** self.order
        errors = [
            float(np.mean((gain / (gain - 1.0) * (a - b)) ** 2)) / s
            for a, b, s in zip(coarse, fine, self.scales, strict=True)
        ]
        return Level(self.noise, sum(errors))

    def misfit(self, parameters: dict[str, np.ndarray]) -> float:
        """Return Σ mean (misfit/scale)² on the first grid, in NumPy."""
        seen = self.observed(parameters, self.cells)
        return sum(
            float(np.mean((a - o.values) ** 2)) / s
            for a, o, s in zip(seen, self.observations, self.scales, strict=True)
        )

    # ---- the solution ------------------------------------------------------------------------

    def found(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the unknowns and what is known of the search; the fields are still to be added."""
        details: dict[str, Any] = {"cells": memo.get("cells", self.cells)}
        details["weight"] = memo.get("weight")
        details |= descent_details(memo)
        if "jacobian_cells" in memo:
            details["jacobian_cells"] = memo["jacobian_cells"]
        deviations = {}
        if self._search is not None and self._search.search.singular_values.size:
            search = self._search.search
            details |= search_details(search, given=self.settings.weight != "auto")
            if search.prior:
                details |= {"prior_order": _ORDER, "prior_band": _BANDS[search.prior - 1]}
            # A band on the way would be that of a weight that nobody chose, and far too narrow;
            # where nothing is noise it would have no width at all.
            if search.variance > 0.0 and search.chosen_by != "unfinished":
                deviations = self._deviations(parameters)
        return Solution(
            predict=lambda points: {},
            unknowns={u.name: self._function(u, parameters[u.name]) for u in self._view.unknowns},
            deviations=deviations,
            weights=parameters,
            parameters=sum(int(v.size) for v in parameters.values()),
            details=details,
        )

    def _deviations(
        self, parameters: dict[str, np.ndarray]
    ) -> dict[str, Callable[[dict[str, Any]], np.ndarray]]:
        """Return the posterior standard deviations of the unknowns, of the linearised model.

        They are those of a Gaussian posterior under the prior and the weight that were chosen, as
        if both were known (empirical Bayes), around where the search ended.
        """
        assert self._search is not None
        covariance = self._search.search.covariance()

        def deviation(unknown: Unknown, part: np.ndarray) -> Callable[..., np.ndarray]:
            basis, raw = self.bases[unknown.name], parameters[unknown.name]

            def function(points: dict[str, Any]) -> np.ndarray:
                matrix = basis.matrix(points if unknown.axes else {})
                variance = np.einsum("ij,jk,ik->i", matrix, part, matrix)
                slope = value_of(unknown, matrix @ raw) if unknown.positive else 1.0
                return np.sqrt(np.maximum(variance, 0.0)) * slope

            return function

        places = slices(parameters)
        return {
            u.name: deviation(u, covariance[places[u.name][0], places[u.name][0]])
            for u in self._view.unknowns
        }

    def _function(
        self, unknown: Unknown, coefficients: np.ndarray
    ) -> Callable[[dict[str, Any]], np.ndarray]:
        basis, lifted = self.bases[unknown.name], self._lifts.get(unknown.name)

        def function(points: dict[str, Any]) -> np.ndarray:
            matrix = basis.matrix(points if unknown.axes else {})
            found = value_of(unknown, matrix @ coefficients)
            return found + lifted(points) if lifted else found

        return function
