"""A marched trajectory as a function on space-time points."""

from typing import Any

import numpy as np

from pdebench_lite.numerics import Extrapolation, Grid, fourier_basis, interpolate
from pdebench_lite.problem import Domain, Scheme

State = dict[str, np.ndarray]
_KEPT = 1 << 23  # numbers: 64 MiB


class Trajectory:
    """States at equal steps, those of long marches thinned.

    Between two states that were kept the march is taken up again, and between two steps a shorter
    one is taken, so that a query adds no error in time. In space, the trigonometric interpolant is
    exact for a Fourier scheme; cubic interpolation errs by the fourth order.
    """

    def __init__(
        self,
        domain: Domain,
        scheme: Scheme,
        grid: Grid,
        start: State,
        dt: float,
        steps: int,
        fields: tuple[str, ...],
        unknowns: dict[str, Any] | None = None,
    ) -> None:
        """Begin a trajectory.

        Args:
            domain: space and time.
            scheme: the discretisation.
            grid: its grid.
            start: arrays over the grid at the start of time.
            dt: time step.
            steps: how many are to be expected.
            fields: names of what is returned; those that the scheme does not step it diagnoses.
            unknowns: coefficients that the task does not give.
        """
        assert domain.time is not None
        self._domain, self._scheme, self._grid, self._dt = domain, scheme, grid, dt
        self._begin, self._fields = domain.time.lower, fields
        assert all(name in start for name in fields) or scheme.diagnose is not None
        self._unknowns = unknowns or {}
        size = sum(values.size for values in start.values())
        self._stride = max(1, -(-steps * size // _KEPT))
        self._kept = [start]
        self._last, self._done = start, 0
        self._cursor = (0, start)
        self._matrices: dict[tuple[str, bytes], np.ndarray] = {}

    def advance(self) -> None:
        """Take one step."""
        self._last = self._step(self._last, self._done, self._dt)
        self._done += 1
        if self._done % self._stride == 0:
            self._kept.append(self._last)

    def predict(self, points: dict[str, Any]) -> State:
        """Return the fields at points, name -> (n,); beyond the last step its state is held."""
        time = self._domain.time
        assert time is not None
        x = [np.asarray(points[axis.name], float) for axis in self._domain.space]
        t = np.asarray(points[time.name], float)
        answer = {name: np.empty(t.size) for name in self._fields}
        read: _Reader | None = None
        for moment in np.unique(t):
            here = t == moment
            at = [positions[here] for positions in x]
            if read is None or not read.is_at(at):
                read = _Reader(self._grid, at, self._scheme.trigonometric)
            for name, values in self._answer(float(moment)).items():
                answer[name][here] = read(values)
        return answer

    def on_grid(self, axes: dict[str, Any]) -> State:
        """Return the fields on a tensor grid, axis by axis: no point is read twice."""
        time = self._domain.time
        assert time is not None
        places = {a.name: np.asarray(axes[a.name], float) for a in self._domain.space}
        matrices = [self._matrix(name, at) for name, at in places.items()]
        frames: dict[str, list[np.ndarray]] = {name: [] for name in self._fields}
        for moment in np.asarray(axes[time.name], float):
            for name, values in self._answer(float(moment)).items():
                for matrix in matrices:  # the axis goes last, and so each comes first in its turn
                    values = np.moveaxis(np.tensordot(matrix, values, (1, 0)), 0, -1)
                frames[name].append(values)
        return {name: np.stack(parts, axis=-1) for name, parts in frames.items()}

    def _matrix(self, axis: str, at: np.ndarray) -> np.ndarray:
        """Return the matrix from values along an axis to those at places on it, (n, cells)."""
        key = (axis, at.tobytes())
        if key not in self._matrices:
            g, i = self._grid, self._grid.axes.index(axis)
            line = Grid((axis,), (g.lower[i],), (g.upper[i],), (g.cells[i],), (g.periodic[i],))
            read = _Reader(line, [at], self._scheme.trigonometric)
            self._matrices[key] = np.stack([read(row) for row in np.eye(g.cells[i])], axis=1)
        return self._matrices[key]

    def _answer(self, moment: float) -> State:
        """Return the fields at a time, those that are diagnosed too."""
        state = self._at(moment - self._begin)
        if self._scheme.diagnose is not None:
            state = {**state, **self._scheme.diagnose(state, self._unknowns, moment, self._grid)}
        return {name: state[name] for name in self._fields}

    def _step(self, state: State, k: int, dt: float) -> State:
        return self._scheme.step(state, self._unknowns, self._begin + k * self._dt, dt, self._grid)

    def _at(self, elapsed: float) -> State:
        k = min(int(elapsed / self._dt + 1e-9), self._done)
        rest = elapsed - k * self._dt
        state = self._state(k)
        if k == self._done or rest < 1e-9 * self._dt:
            return state
        return self._step(state, k, rest)

    def _state(self, k: int) -> State:
        if k == self._done:
            return self._last
        i = k // self._stride
        done, state = i * self._stride, self._kept[i]
        if done < self._cursor[0] <= k:
            done, state = self._cursor
        while done < k:
            state = self._step(state, done, self._dt)
            done += 1
        self._cursor = (k, state)
        return state


class _Reader:
    """Interpolation of arrays over a grid at fixed points."""

    def __init__(self, grid: Grid, at: list[np.ndarray], trigonometric: bool) -> None:
        self._grid, self._points = grid, at
        self._bases = (
            [fourier_basis(grid, a, x) for a, x in zip(grid.axes, at, strict=True)]
            if trigonometric
            else []
        )
        self._cells = [
            (x - low) / grid.spacing[a] - 0.5
            for a, low, x in zip(grid.axes, grid.lower, at, strict=True)
        ]

    def is_at(self, at: list[np.ndarray]) -> bool:
        """Say whether these are the points."""
        return all(map(np.array_equal, self._points, at))

    def __call__(self, values: np.ndarray) -> np.ndarray:
        """Return the values at the points, (n,)."""
        if not self._bases:
            free = {axis: Extrapolation() for axis in self._grid.axes}
            return interpolate(values, self._cells, self._grid, "cubic", free)
        result = np.tensordot(self._bases[0], np.fft.rfft(values, axis=0), 1).real
        for basis in self._bases[1:]:  # every point has its own row now
            result = np.einsum("nk,nk...->n...", basis, np.fft.rfft(result, axis=1)).real
        return result
