"""What records tell of regularised searches, as numbers that were checked: sweeps and spectra.

Details come from methods and results folders, so they may hold anything; what is not a table of the
form that `Solution.details` names is left out.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from pdebench_lite.store.records import Record


@dataclass(frozen=True)
class Sweep:
    """Weights that a search tried, in their order; arrays of shape (n,).

    Attributes:
        weight: of the regularisation.
        misfit, norm: square roots of what the weight holds against each other.
        evidence: logarithm of it; NaN where none is known.
        prior: index of the prior under which the norm is taken.
        taken: index of the final one.
        explained: root of the misfit that noise and the solver's error explain; NaN if not told.
    """

    weight: np.ndarray
    misfit: np.ndarray
    norm: np.ndarray
    evidence: np.ndarray
    prior: np.ndarray
    taken: int
    explained: float


@dataclass(frozen=True)
class Spectrum:
    """What an observation operator does to parameters of unit prior deviation.

    Attributes:
        values: its singular values, largest first, shape (n,).
        data: size of what was observed along its left singular vectors, shape (n,).
        weight: of the regularisation, noise variance over prior variance; NaN if not told.
        noise: standard deviation of the noise in `data`; NaN if not told.
        unreached: what of the squared norm of the data `data` leaves out; NaN if not told.
    """

    values: np.ndarray
    data: np.ndarray
    weight: float
    noise: float
    unreached: float

    @property
    def determined(self) -> float:
        """Σ s²/(s² + w): how many parameters the data determine, rather than the prior.

        MacKay 1992, sect. 4, doi:10.1162/neco.1992.4.3.415.
        """
        return float(np.sum(self.values**2 / (self.values**2 + self.weight)))

    def sweep(self, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Return misfit, norm and log-evidence of the linearised model's minimum, shape (n,) each.

        Args:
            weight: positive, shape (n,).
        """
        s2, w = self.values[:, None] ** 2, weight[None, :]
        e2, left = self.data[:, None] ** 2, w / (s2 + w)
        misfit = np.sum(left**2 * e2, axis=0) + self.unreached
        norm = np.sum(s2 / (s2 + w) ** 2 * e2, axis=0)
        fit = np.sum(left * e2, axis=0) + self.unreached
        with np.errstate(divide="ignore"):
            evidence = -0.5 * (np.sum(np.log1p(s2 / w), axis=0) + fit / self.noise**2)
        return np.sqrt(misfit), np.sqrt(norm), evidence


def tables(details: Mapping[str, Any]) -> dict[str, dict[str, list[float | None]]]:
    """Return the tables among details: mappings of names to lists of numbers of equal length."""
    return {name: value for name, value in details.items() if _is_table(value)}


def _is_table(value: object) -> bool:
    if not isinstance(value, dict) or not value:
        return False
    columns = list(value.values())
    if not all(isinstance(column, list) and column for column in columns):
        return False
    same = len({len(column) for column in columns}) == 1
    return same and all(v is None or type(v) in (int, float) for column in columns for v in column)


def taken_row(table: Mapping[str, list[float | None]], details: Mapping[str, Any]) -> int | None:
    """Return the last row that holds a number which the details have under its column's name."""
    for name, column in table.items():
        if type(details.get(name)) in (int, float):
            close = np.isclose(_numbers(column), float(details[name]), rtol=1e-9, atol=0.0)
            if close.any():
                return int(np.flatnonzero(close)[-1])
    return None


def sweep_of(record: Record) -> Sweep | None:
    """Return the weights that a record tells of; None if there are none."""
    table = tables(record.details).get("sweep", {})
    if not {"weight", "misfit", "norm"} <= set(table):
        return None
    columns = {name: _numbers(column) for name, column in table.items()}
    n = columns["weight"].size
    taken = taken_row({"weight": table["weight"]}, record.details)
    with np.errstate(invalid="ignore"):
        return Sweep(
            weight=columns["weight"],
            misfit=np.sqrt(columns["misfit"]),
            norm=np.sqrt(columns["norm"]),
            evidence=columns.get("evidence", np.full(n, np.nan)),
            prior=columns.get("prior", np.zeros(n)),
            taken=n - 1 if taken is None else taken,
            explained=float(np.sqrt(_number(record.details.get("explained")))),
        )


def spectrum_of(record: Record) -> Spectrum | None:
    """Return the spectrum that a record tells of; None if there is none."""
    table = tables(record.details).get("spectrum", {})
    if not {"singular_value", "data_coefficient"} <= set(table):
        return None
    values, data = (_numbers(table[name]) for name in ("singular_value", "data_coefficient"))
    if not np.isfinite(values).all() or values[0] <= 0:
        return None
    names = ("weight", "noise", "unreached")
    weight, noise, unreached = (_number(record.details.get(name)) for name in names)
    return Spectrum(values, data, weight, noise, unreached)


def _numbers(column: list[float | None]) -> np.ndarray:
    return np.array([np.nan if value is None else float(value) for value in column])


def _number(value: object) -> float:
    return float(value) if type(value) in (int, float) else np.nan  # type: ignore[arg-type]
