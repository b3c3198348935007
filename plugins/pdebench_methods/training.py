"""The training loop that every backend shares: stages of an objective, an optimiser for each.

A backend brings its `Tools` (arrays, optimisers, rollouts); an objective brings the loss. The loop
is a generator that does at most `CHUNK` optimiser steps at a time, so that a plain `for` (JAX) and
Lightning's `training_step` (torch) drive the same code.

A killed training goes on from a checkpoint as if nothing had happened: under a limit of steps, on
one CPU, bit by bit. So nothing that changes hides in a generator or in an objective: parameters and
optimiser are the minimiser's `state`, the place among the stages is the objective's `memo`, what
the current stage reads is its `data`, and the rest is a `_Place`. Random draws of a stage come from
a stream of their own (`run.rng(f"points{index}")`), never from one that earlier stages advanced.
"""

import math
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from types import MappingProxyType
from typing import Any, Protocol, TypeAlias

import numpy as np

from pdebench_lite.problem import Arrays
from pdebench_lite.problem.solution import Solution
from pdebench_lite.registry.component import Optimizer
from pdebench_lite.runner.run import Run
from pdebench_methods.settings import TrainingSettings, component
from pdebench_methods.share import Share

CHUNK = 100

Data: TypeAlias = dict[str, Any]
Loss: TypeAlias = Callable[[dict[str, Any], Data], Any]
Static: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Stage:
    """One leg of a training: an optimiser, its data, and when to go on.

    Attributes:
        optimizer: selector of a registered optimiser, such as `adam`; where it needs residuals,
            the objective has `residuals` or `terms`.
        data: NumPy arrays that the loss reads; shapes stay the same within a leg.
        static: Python values that the loss finds among its data, and that every backend knows when
            it compiles, such as a number of cells, on which shapes depend.
        rate: a factor on the learning rate, for schedules.
        steps: number of steps, or None for as many as the budget allows.
        tolerance: the stage ends when `patience` steps of an optimiser that is not of first order
            lower the loss by less than this fraction; 0 ends it only when the loss no longer falls
            at all.
        patience: see `tolerance`.
        keep: whether an optimiser of the same name as in the stage before goes on with its memory
            (moments, inverse Hessian, damping) on the new data.
        costs: what one evaluation costs, as `Run.count` takes it, such as `residual_points`.
        leg: what the loss is made of, or how many points it reads, where that changes: each leg is
            compiled for itself.
        effort: how many times as long as that of other legs its compilation takes.
    """

    optimizer: str
    data: dict[str, np.ndarray]
    steps: int | None = None
    tolerance: float = 0.0
    patience: int = 10
    keep: bool = False
    costs: Mapping[str, int] = field(default_factory=dict)
    leg: str = ""
    effort: float = 1.0
    static: Static = field(default_factory=dict)
    rate: float = 1.0

    @property
    def inputs(self) -> dict[str, Any]:
        """What the loss reads: arrays and static values by name."""
        return {**self.data, **self.static}

    @property
    def described(self) -> Optimizer:
        """What is registered of the optimiser."""
        return component("optimizer", self.optimizer)[0]

    @property
    def program(self) -> str:
        """What is compiled: the optimiser and the leg."""
        return f"{self.optimizer} {self.leg}".rstrip()


class Objective(Protocol):
    """What is minimised, in array-API arithmetic.

    The data of a loss are the arrays of the stage and, under their names, its static values.
    """

    def initial(self) -> dict[str, np.ndarray]:
        """Return the parameters to start from."""

    def loss(self, parameters: dict[str, Any], data: Data) -> Any:
        """Return the scalar loss; traced, compiled and differentiated by the backend."""

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next stage, or None at the end.

        Args:
            current: the parameters as of now.
            memo: JSON values in which the objective keeps its place (the index of the stage, a
                weight that it chose, …); empty before the first stage, changed in place.
        """

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the solution that the parameters stand for."""


@dataclass(frozen=True)
class Term:
    """A part of a loss: weight × mean squares of gaps, each of which depends on one point.

    Attributes:
        name: of the part.
        data: what it reads: arrays over its points, (n,), and numbers, ().
        weight: its weight.
        function: (parameters, data) -> gaps, each of shape (n,).
    """

    name: str
    data: Data
    weight: float
    function: Callable[[dict[str, Any], Data], list[Any]]


class Pointwise(Objective, Protocol):
    """An objective of mean squares over points, whose Jacobian `lm` takes point by point."""

    def terms(self, data: Data) -> list[Term]:
        """Return the parts that sum to the loss."""


class LeastSquares(Objective, Protocol):
    """An objective whose loss is a sum of squares, as `lm` needs it."""

    def residuals(self, parameters: dict[str, Any], data: Data) -> Any:
        """Return the residuals, shape (m,); their squares sum to the loss."""


class Minimiser(Protocol):
    """An optimiser at work on one objective."""

    def advance(self, steps: int) -> tuple[Any, int, int]:
        """Do that many steps; returns loss (device scalar), steps done, evaluations done."""

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""

    def feed(self, data: dict[str, np.ndarray], rate: float = 1.0) -> None:
        """Go on with other data of the same shapes, and another factor on the learning rate."""

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs to go on bit by bit."""

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state that the same kind of minimiser returned."""


@dataclass(frozen=True)
class OwnNetwork:
    """A user's network as a function of its weights.

    Attributes:
        weights: what is trained, by the names within the network, float64.
        call: (weights, inputs (n, inputs)) -> outputs (n, outputs), arrays of the backend; weights
            that are left out are those that were drawn.
    """

    weights: dict[str, np.ndarray]
    call: Callable[[Mapping[str, Any], Any], Any]


class _Bound:
    """An objective whose data always hold some static values."""

    def __init__(self, objective: Objective, static: Static) -> None:
        self._objective, self._static = objective, static

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._objective, name)
        if name not in ("loss", "residuals"):
            return found
        return lambda parameters, data: found(parameters, {**data, **self._static})


def split(inputs: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Return what a loss reads as data, the arrays, and static values, all else."""
    data = {name: value for name, value in inputs.items() if isinstance(value, np.ndarray)}
    return data, {name: value for name, value in inputs.items() if name not in data}


def bound(objective: Any, static: Static) -> Any:
    """Return an objective whose loss and residuals find static values among their data."""
    return _Bound(objective, static) if static else objective


def key_of(static: Static) -> tuple[tuple[str, Any], ...]:
    """Return static values as a part of the key of a compiled program."""
    return tuple(sorted(static.items()))


class Tools(Protocol):
    """What a backend brings.

    Attributes:
        backend: its name.
        activate, propagate: how it takes jets through activations and layers, where it has a
            faster way; see `pdebench_methods.networks`.
    """

    backend: str
    activate: Any
    propagate: Any

    def asarray(self, values: np.ndarray) -> Any:
        """Move an array to the device, in the dtype of the run."""

    def to_numpy(self, values: Any) -> np.ndarray:
        """Bring an array to the host."""

    def minimiser(
        self,
        stage: Stage,
        objective: Objective,
        parameters: dict[str, np.ndarray],
        learning_rate: float,
    ) -> Minimiser:
        """Make the optimiser of a stage and compile its first step."""

    def drive(self, chunks: Iterator[None]) -> None:
        """Exhaust the training loop."""

    def evaluate(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        static: Static = MappingProxyType({}),
    ) -> np.ndarray:
        """Return a function of parameters and data, compiled where that pays.

        The function finds static values among the data.
        """

    def nested_derivatives(
        self,
        function: Callable[[Arrays], dict[str, Any]],
        points: Arrays,
        wanted: Mapping[str, tuple[str, ...]],
    ) -> Arrays:
        """Return named derivatives (`u`, `u_x`, …) of a function of points by nested autodiff."""

    def jacobian(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return a function of parameters and data, (m,), and its derivatives, (m, *shape)."""

    def own_network(
        self, make: Callable[..., Any], inputs: int, outputs: int, seed: int
    ) -> OwnNetwork:
        """Return a network that a user's callable makes, its weights drawn from the seed.

        Raises:
            UnsupportedError: it is not a network of this backend, or none that can be trained so.
        """


def next_of_plain(
    settings: TrainingSettings,
    current: dict[str, np.ndarray],
    data: dict[str, np.ndarray],
    memo: dict[str, Any],
) -> Stage | None:
    """Return the next stage of a plain training on fixed data; `memo` holds its index."""
    names = settings.optimizers(sum(np.size(v) for v in current.values()))
    index = memo.setdefault("stage", 0)
    if index == len(names):
        return None
    memo["stage"] = index + 1
    last = index + 1 == len(names)
    return Stage(names[index], data, None if last else settings.adam_steps)


def train(run: Run | Share, objective: Objective, tools: Tools) -> Solution:
    """Minimise an objective within the budget; returns the solution of the last state."""
    loop = _Loop(run, objective, tools)
    with run.phase("train"):
        tools.drive(loop.chunks())
    solution = loop.solution()
    none = not loop.place.step and loop.ended != "converged"
    return replace(
        solution,
        details={**solution.details, "ended": loop.ended},
        unfinished="no step was done; give more" if none else "",
    )


@dataclass
class _Place:
    """Where a training is: JSON values, all of which a checkpoint keeps."""

    step: int = 0
    evaluations: int = 0
    begun: int = 0  # the step at which the stage began
    marked: int = 0  # the step at which its loss was last compared
    mark: float | None = None  # and the loss then
    over: bool = False  # whether the stage has ended before its last step
    compiled: list[str] = field(default_factory=list)
    longest: float = 0.0  # seconds that a compilation took
    memo: dict[str, Any] = field(default_factory=dict)


class _Loop:
    def __init__(self, run: Run | Share, objective: Objective, tools: Tools) -> None:
        self.run, self.objective, self.tools = run, objective, tools
        self.place = _Place()
        self._start: dict[str, np.ndarray] = {}
        self._stage: Stage | None = None
        self._minimiser: Minimiser | None = None
        self._pace = 0.0  # seconds per step, of the last chunk of this optimiser; 0: not known
        self.ended = "budget"

    @property
    def _parameters(self) -> dict[str, np.ndarray]:
        return self._minimiser.parameters() if self._minimiser else self._start

    def solution(self) -> Solution:
        """Return the solution as of now."""
        return self.objective.solution(self._parameters, self.place.memo)

    @property
    def _affordable(self) -> int:
        """Steps that fit in half of the time left, so that a slow objective stops in time.

        Without a time limit it is no limit: the chunks, and with them the counts of evaluations,
        are then the same in every run.
        """
        left = self.run.time_left
        if left == math.inf:
            return CHUNK
        return max(1, int(0.5 * left / self._pace)) if self._pace else 1

    def _report(self, loss: Any | None) -> bool:
        place = self.place
        return self.run.report(place.step, loss, self.solution, place.evaluations)

    def chunks(self) -> Iterator[None]:
        """Do at most CHUNK steps per item, until the budget or the stages end."""
        if not self._take_up():
            with self.run.phase("data"):
                self._start = self.objective.initial()
            if self._report(None):
                return
        while True:
            if self._stage is None or self._is_over(self._stage):
                self._stage = self.objective.next_stage(self._parameters, self.place.memo)
                if self._stage is None:
                    self.ended = self.place.memo.get("ended", "converged")
                    return
                if not self._begin(self._stage):
                    return
            assert self._minimiser is not None
            if self._advance(self._stage, self._minimiser):
                return
            if self.run.save_due:
                self._save(self._stage, self._minimiser)
            yield

    def _is_over(self, stage: Stage) -> bool:
        place = self.place
        return place.over or (stage.steps is not None and place.step - place.begun >= stage.steps)

    def _begin(self, stage: Stage) -> bool:
        """Make the stage's minimiser; returns False where the time left is too short for that."""
        place = self.place
        latest = place.compiled[-1] if place.compiled else ""
        needed = stage.described.compilation * stage.effort * place.longest
        if stage.program not in place.compiled and self.run.time_left < needed:
            self.ended = f"no time left to compile {stage.program}"
            return False
        before = self._minimiser
        goes_on = stage.keep and latest.partition(" ")[0] == stage.optimizer
        if before is not None and goes_on and latest == stage.program:
            before.feed(stage.data, stage.rate)
        else:
            made = self._make(stage, self._parameters)
            if before is not None and goes_on:
                made.restore(before.state())
                made.feed(stage.data, stage.rate)
        place.begun = place.marked = place.step
        place.mark, place.over = None, False
        return True

    def _make(self, stage: Stage, parameters: dict[str, np.ndarray]) -> Minimiser:
        place, began = self.place, time.perf_counter()
        with self.run.phase("compile"):
            made = self._minimiser = self.tools.minimiser(
                stage, self.objective, parameters, self.run.config.learning_rate
            )
        self._pace = 0.0
        took = (time.perf_counter() - began) / stage.effort
        place.longest = max(place.longest, took)
        place.compiled = [n for n in place.compiled if n != stage.program] + [stage.program]
        return made

    def _advance(self, stage: Stage, minimiser: Minimiser) -> bool:
        """Do a chunk of steps; returns whether the budget is spent."""
        place, first_order = self.place, stage.described.first_order
        n = min(CHUNK, self.run.steps_until_due, self._affordable)
        if stage.steps is not None:
            n = min(n, stage.steps - (place.step - place.begun))
        if stage.tolerance > 0 and not first_order:
            n = min(n, stage.patience)
        before = time.perf_counter()
        loss, steps, evaluations = minimiser.advance(n)
        if not first_order or not self._pace:
            float(loss)  # waits for the device: the pace below is a real one
        self._pace = (time.perf_counter() - before) / n
        place.step += steps
        place.evaluations += evaluations
        counts = {name: evaluations * amount for name, amount in stage.costs.items()}
        self.run.count(gradients=evaluations, **counts)
        stop = self._report(loss)
        if first_order:
            return stop
        if steps < n:
            place.over = True  # no lower point was found
        elif place.step - place.marked >= stage.patience:
            now = float(loss)
            if place.mark is not None and not now < place.mark * (1.0 - stage.tolerance):
                place.over = True
            place.marked, place.mark = place.step, now
        return stop

    # ---- checkpoints -------------------------------------------------------------------------

    def _save(self, stage: Stage, minimiser: Minimiser) -> None:
        kept = {f"data/{name}": values for name, values in stage.data.items()}
        kept |= {f"state/{name}": values for name, values in minimiser.state().items()}
        plain = {k: v for k, v in vars(stage).items() if k != "data"}
        self.run.save(kept, {"stage": plain, "place": asdict(self.place)})

    def _take_up(self) -> bool:
        """Go on from a checkpoint; returns False where there is none."""
        saved = self.run.restored
        if saved is None:
            return False

        def part(prefix: str) -> dict[str, np.ndarray]:
            return {k[len(prefix) :]: v for k, v in saved.arrays.items() if k.startswith(prefix)}

        stage = Stage(data=part("data/"), **saved.meta["stage"])
        self._stage = stage
        self._make(stage, self.objective.initial()).restore(part("state/"))
        self.place = _Place(**saved.meta["place"])
        self.run.caught_up()
        return True
