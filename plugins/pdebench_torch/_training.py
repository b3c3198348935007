"""What PyTorch brings to the shared loop: arrays, optimisers, Lightning, nested autodiff."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from pdebench_lite.problem import Arrays
from pdebench_lite.runner.run import Run
from pdebench_methods.training import Loss


class TorchTools:
    """Arrays on the device of the run, torch optimisers, and Lightning to drive them."""

    def __init__(self, run: Run) -> None:
        self.dtype: torch.dtype = getattr(torch, run.dtype)
        self.device = torch.device(run.device)

    def asarray(self, values: np.ndarray) -> torch.Tensor:
        """Move an array to the device, in the dtype of the run."""
        return torch.tensor(values, dtype=self.dtype, device=self.device)

    def to_numpy(self, values: torch.Tensor) -> np.ndarray:
        """Bring an array to the host."""
        return values.detach().cpu().numpy()

    def drive(self, chunks: Iterator[None]) -> None:
        """Exhaust the training loop, one item per Lightning training step."""
        accelerator = "gpu" if self.device.type == "cuda" else "cpu"
        module = _Loop(chunks)
        with warnings.catch_warnings():
            # The loader is a counter; workers would only slow it down.
            warnings.filterwarnings("ignore", ".*does not have many workers.*")
            warnings.filterwarnings("ignore", ".*LeafSpec.*")  # Lightning's, with newer torch
            logging.getLogger("pytorch_lightning.utilities.rank_zero").setLevel(logging.WARNING)
            trainer = pl.Trainer(
                accelerator=accelerator,
                devices=[self.device.index or 0] if accelerator == "gpu" else 1,
                max_epochs=-1,
                logger=False,
                enable_checkpointing=False,
                enable_progress_bar=False,
                enable_model_summary=False,
            )
            with torch.device("cpu"):  # Lightning's own bookkeeping stays on the host
                trainer.fit(module)

    def repeat(self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int) -> Arrays:
        """Apply a step n times by a loop."""
        for k in range(n):
            state = step(state, k)
        return state

    def minimiser(
        self,
        optimizer: str,
        loss: Loss,
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        learning_rate: float,
    ) -> "TorchMinimiser":
        """Make an optimiser, and evaluate loss and gradient once to warm up."""
        start = {k: self.asarray(v).clone().requires_grad_() for k, v in parameters.items()}
        inputs = {k: self.asarray(v) for k, v in data.items()}
        chosen = _Lbfgs if optimizer == "lbfgs" else _FirstOrder
        minimiser = chosen(optimizer, loss, start, inputs, learning_rate)
        minimiser.evaluate()
        return minimiser

    def nested_derivatives(
        self,
        function: Callable[[Arrays], dict[str, Any]],
        points: Arrays,
        wanted: Mapping[str, tuple[str, ...]],
    ) -> Arrays:
        """Return named derivatives of a function of points by nested reverse differentiation.

        The function acts on each point alone, so the gradient of its sum is its derivative at
        every point.
        """
        leaves = {axis: values.detach().requires_grad_() for axis, values in points.items()}
        values = function(leaves)
        found: Arrays = {}
        for name, suffixes in wanted.items():
            known = {"": values[name]}
            for suffix in sorted(suffixes, key=len):
                for end in range(1, len(suffix) + 1):
                    if suffix[:end] not in known:
                        known[suffix[:end]] = _derivative(
                            known[suffix[: end - 1]], leaves[suffix[end - 1]]
                        )
                found[f"{name}_{suffix}" if suffix else name] = known[suffix]
        return found


def _derivative(value: Any, x: torch.Tensor) -> Any:
    if not isinstance(value, torch.Tensor) or not value.requires_grad:
        return torch.zeros_like(x)
    (slope,) = torch.autograd.grad(value.sum(), x, create_graph=True, allow_unused=True)
    return torch.zeros_like(x) if slope is None else slope


class _Loop(pl.LightningModule):
    """Manual optimisation: each training step does one chunk of the shared loop."""

    def __init__(self, chunks: Iterator[None]) -> None:
        super().__init__()
        self.automatic_optimization = False
        self._chunks = chunks

    def configure_optimizers(self) -> list[torch.optim.Optimizer]:
        """Return none: the minimisers of the shared loop hold the optimisers."""
        return []

    def train_dataloader(self) -> DataLoader:
        """Return a counter: the data are full batches that the minimisers hold."""
        return DataLoader(range(1 << 40), batch_size=None)

    def training_step(self, batch: Any, index: int) -> None:
        """Do a chunk of at most a hundred optimiser steps, or end the training."""
        if next(self._chunks, StopIteration) is StopIteration:
            self.trainer.should_stop = True


class TorchMinimiser:
    """A torch optimiser on one loss with fixed data."""

    def __init__(
        self,
        loss: Loss,
        parameters: dict[str, torch.Tensor],
        data: dict[str, torch.Tensor],
        optimizer: torch.optim.Optimizer,
    ) -> None:
        self._loss, self._parameters, self._data = loss, parameters, data
        self._optimizer = optimizer
        self._calls = 0

    def evaluate(self) -> torch.Tensor:
        """Compute the loss and leave its gradient at the parameters."""
        self._optimizer.zero_grad(set_to_none=True)
        loss = self._loss(self._parameters, self._data)
        loss.backward()
        self._calls += 1
        return loss.detach()

    def advance(self, steps: int) -> tuple[Any, int, int]:
        """Do that many steps; returns loss before the last one, steps, evaluations."""
        before = self._calls
        with torch.enable_grad():
            loss, done = self._advance(steps)
        return loss, done, self._calls - before

    def _advance(self, steps: int) -> tuple[Any, int]:
        loss: Any = None
        for _ in range(steps):
            loss = self.evaluate()
            self._optimizer.step()
        return loss, steps

    def parameters(self) -> dict[str, np.ndarray]:
        """Return the parameters as of now."""
        return {k: v.detach().cpu().numpy().copy() for k, v in self._parameters.items()}


class _FirstOrder(TorchMinimiser):
    def __init__(
        self, name: str, loss: Loss, parameters: dict[str, Any], data: dict[str, Any], rate: float
    ) -> None:
        kind = torch.optim.SGD if name == "gd" else torch.optim.Adam
        super().__init__(loss, parameters, data, kind(list(parameters.values()), lr=rate))


class _Lbfgs(TorchMinimiser):
    def __init__(
        self, name: str, loss: Loss, parameters: dict[str, Any], data: dict[str, Any], rate: float
    ) -> None:
        optimizer = torch.optim.LBFGS(
            list(parameters.values()),
            max_iter=1,
            max_eval=1 << 30,
            tolerance_grad=0.0,
            tolerance_change=0.0,
            history_size=50,
            line_search_fn="strong_wolfe",
        )
        super().__init__(loss, parameters, data, optimizer)

    def _advance(self, steps: int) -> tuple[Any, int]:
        """Do the steps in one call, since each call starts with an evaluation of its own."""
        group = self._optimizer.param_groups[0]
        group["max_iter"] = steps
        state = self._optimizer.state[group["params"][0]]
        before = state.get("n_iter", 0)
        loss = self._optimizer.step(self.evaluate)
        return loss, state["n_iter"] - before
