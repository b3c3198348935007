"""Cell: one combination that is run once; its hash names the folder of its record."""

import hashlib
import json
from functools import cached_property
from typing import Any, Literal, TypeAlias

from pdebench_lite.data_files import nameless
from pdebench_lite.selectors import Settings

Dtype: TypeAlias = Literal["float32", "float64"]


class Budget(Settings):
    """What a cell may spend, and the error at which it may stop early.

    Attributes:
        max_time: charged seconds.
        max_steps: optimiser steps.
        target_error: value of the headline metric at which to stop.
        max_memory: bytes of memory that the cell's processes may hold together.
    """

    max_time: float | None = None
    max_steps: int | None = None
    target_error: float | None = None
    max_memory: float | None = None


class Cell(Settings):
    """One combination that is run once; the hash of its identity names its folder."""

    problem: str
    task: str
    problem_params: dict[str, Any]
    problem_label: str
    method: str
    family: str
    config: dict[str, Any]
    label: str
    backend: str
    dtype: Dtype
    device: str
    budget: Budget
    seed: int

    @cached_property
    def hash(self) -> str:
        """Sixteen hexadecimal digits of the SHA-256 of the identity."""
        identity = self.model_dump(mode="json", exclude={"label", "problem_label", "family"})
        if self.budget.max_memory is None:  # the hash of a cell from before there was this limit
            del identity["budget"]["max_memory"]
        text = json.dumps(nameless(identity), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16]

    @property
    def title(self) -> str:
        """Return a short line that names the cell for people."""
        return f"{self.problem_label} · {self.label} · {self.backend} · seed {self.seed}"
