"""Objective of `mlp` on a family: a fully connected network from grid to grid."""

from typing import Any

import numpy as np

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.networks import networks_of
from pdebench_methods.objectives.operator import Features, OperatorObjective
from pdebench_methods.training import Stage, Tools, next_of_plain


class MlpOperatorObjective(OperatorObjective):
    """Relative squared error of a network that knows no neighbours: all cells in, all cells out.

    It is trained on all its instances at once, by the optimiser that is configured.
    """

    def __init__(self, view: View, run: Run, tools: Tools) -> None:
        super().__init__(view, run, tools)
        self.features = Features(self.training, self.fields)
        self._networks = networks_of(self.settings, tools)
        self._every = self.batch(np.arange(self.training.size))

    def labels(self, offered: int) -> int:
        """Return the configured number of labels, or all instances if those are fewer."""
        return min(self.settings.labels, offered)

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        inputs = len(self.fields) * self.cells + len(self.features)
        outputs = len(self.fields) * self.frames * self.cells
        rng = self._run.rng("weights")
        return self._networks.initial(rng, "fields", inputs, outputs)

    def answer(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the later frames."""
        xp, count = array_namespace(data["start"]), data["start"].shape[1]
        states = xp.permute_dims(data["start"], (0, 2, 1)) / self.features.scale
        rows = xp.reshape(states, (-1, count))  # (fields·cells, instances)
        inputs = [rows[i] for i in range(rows.shape[0])] + self.features.of(data)
        found = self._networks.apply(parameters, "fields", inputs)
        found = xp.reshape(found, (-1, self.cells, count))
        return self.features.scale * xp.permute_dims(found, (0, 2, 1))

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next optimiser as configured, on all instances."""
        return next_of_plain(self.settings, current, self._every, memo)
