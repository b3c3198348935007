"""Objective of `cnn`: a periodic U-Net from initial states and coefficients to later states."""

from typing import Any

import numpy as np

from pdebench_lite.errors import UnsupportedError
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.convolutions import UNet
from pdebench_methods.objectives.operator import Features, OperatorObjective
from pdebench_methods.training import Tools


class CnnObjective(OperatorObjective):
    """Relative squared error of a U-Net.

    Raises:
        UnsupportedError: the cells cannot be halved so often.
    """

    def __init__(self, view: View, run: Run, tools: Tools) -> None:
        super().__init__(view, run, tools)
        s = self.settings
        if self.cells % 2**s.levels:
            raise UnsupportedError(
                f"levels={s.levels} need a multiple of {2**s.levels} cells, {view.label} has "
                f"{self.cells}; use fewer levels"
            )
        self.features = Features(self.training, self.fields)
        inputs, outputs = len(self.fields) + len(self.features), len(self.fields) * self.frames
        self.network = UNet(inputs, outputs, s.channels, s.levels, s.kernel)

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        return self.network.initial(self._run.rng("weights"))

    def answer(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the later frames."""
        inputs = self.features.channels(data["start"], data)
        return self.features.scale * self.network(parameters, inputs)
