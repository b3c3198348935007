"""Solver of `fno`: the network is the library's, loss and training are those of every operator.

The library draws complex weights in single precision and casts inside its spectral layers to it.
Here a complex weight is a trained array with a last axis of two, its real and imaginary parts.
"""

from typing import Any

import numpy as np
import torch
from neuralop.models import FNO

from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.objectives.operator import Features, OperatorObjective
from pdebench_methods.training import train
from pdebench_torch._training import TorchTools


class FnoObjective(OperatorObjective):
    """Relative squared error of a Fourier neural operator.

    Li et al. 2021, arXiv:2010.08895. Without the library's positional embedding, which is not
    periodic: the operator commutes with shifts, as the equation does.
    """

    def __init__(self, view: View, run: Run, tools: TorchTools) -> None:
        super().__init__(view, run, tools)
        s = self.settings
        self.features = Features(self.training, self.fields)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(int(run.rng("weights").integers(1 << 62)))
            self._network = FNO(
                n_modes=(min(s.modes, self.cells),),
                in_channels=len(self.fields) + len(self.features),
                out_channels=len(self.fields) * self.frames,
                hidden_channels=s.channels,
                n_layers=s.layers,
                positional_embedding=None,
            )
        named = dict(self._network.named_parameters())
        self._complex = {name for name, values in named.items() if values.is_complex()}

    def initial(self) -> dict[str, np.ndarray]:
        """Return the weights as the library drew them."""
        with torch.no_grad():
            return {
                name: (torch.view_as_real(v) if name in self._complex else v).cpu().numpy().copy()
                for name, v in self._network.named_parameters()
            }

    def answer(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the later frames."""
        inputs = self.features.channels(data["start"], data)
        weights = {
            name: torch.view_as_complex(v) if name in self._complex else v
            for name, v in parameters.items()
        }
        found = torch.func.functional_call(self._network, weights, (inputs.movedim(0, 1),))
        return self.features.scale * found.movedim(1, 0)


def solve(view: View, run: Run) -> Solution:
    """Fit a Fourier neural operator to labelled instances."""
    tools = TorchTools(run)
    with run.phase("data"):
        objective = FnoObjective(view, run, tools)
    return train(run, objective, tools)
