"""What PyTorch brings to the shared loop: arrays, optimisers, Lightning, nested autodiff."""

import logging
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from types import MappingProxyType
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from pdebench_lite.problem import Arrays
from pdebench_lite.runner.run import Run
from pdebench_methods.host import HostMinimiser, flatten, search, slices
from pdebench_methods.search import HostMatrix, SymmetricMatrix
from pdebench_methods.settings import component
from pdebench_methods.training import (
    Loss,
    Minimiser,
    Objective,
    OwnNetwork,
    Stage,
    Static,
    bound,
    key_of,
)
from pdebench_torch import _nested
from pdebench_torch._compilation import compiled, pays
from pdebench_torch._cuda_graph import Tensors, graphed
from pdebench_torch._device_matrix import DeviceMatrix
from pdebench_torch._jet_activation import activate
from pdebench_torch._jet_network import propagate
from pdebench_torch._own_network import own_network
from pdebench_torch._rollout import frames, repeat


class TorchTools:
    """Arrays on the device of the run, torch optimisers, and Lightning to drive them."""

    backend = "torch"
    propagate = staticmethod(propagate)
    activate = staticmethod(activate)

    def __init__(self, run: Run) -> None:
        self.dtype: torch.dtype = getattr(torch, run.dtype)
        self.device = torch.device(run.device)
        self._run = run
        self._compiled: dict[Any, Callable[..., Any]] = {}
        self._nested = _nested.reverse

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
        """Apply a step n times; the reverse pass of many steps keeps few states."""
        return repeat(step, state, n)

    def frames(
        self, step: Callable[[Arrays, Any], Arrays], state: Arrays, n: int, count: int
    ) -> list[Arrays]:
        """Return the states after n, 2n, …, count·n steps."""
        return frames(step, state, n, count)

    def minimiser(
        self,
        stage: Stage,
        objective: Objective,
        parameters: dict[str, np.ndarray],
        learning_rate: float,
    ) -> Minimiser:
        """Make the optimiser of a stage, and evaluate loss and gradient once to warm up."""
        described, config = component("optimizer", stage.optimizer)
        made = described.load(self.backend)
        rate = stage.rate * learning_rate
        if self.backend not in described.objects:
            flat = TorchFlatObjective(self, objective, parameters, stage.data, stage.static)
            if hasattr(objective, "terms"):  # others may hold a long loop over time steps
                flat.compile(flatten(parameters))
            return HostMinimiser(
                flat, parameters,
                lambda x: search(described, made, flat, x, rate, config, self.matrix),
                learning_rate,
            )  # fmt: skip
        start = {k: self.asarray(v).clone().requires_grad_() for k, v in parameters.items()}
        optimizer = made(list(start.values()), rate, config)
        chosen = _Lbfgs if isinstance(optimizer, torch.optim.LBFGS) else TorchMinimiser
        loss = bound(objective, stage.static).loss
        key = ("loss", key_of(stage.static))
        minimiser = chosen(self, loss, start, stage.data, optimizer, learning_rate, key)
        if hasattr(objective, "terms"):
            minimiser.compile()
        minimiser.evaluate()
        return minimiser

    def matrix(self, n: int) -> SymmetricMatrix:
        """Return the identity (n, n) in the memory of the run's device."""
        return HostMatrix(n) if self.device.type == "cpu" else DeviceMatrix(n, self.device)

    def compiled(
        self, key: Any, function: Callable[..., Any], attempt: Callable[[Any], object]
    ) -> Callable[..., Any]:
        """Return a function compiled where that pays; the same one for the same key."""
        if key not in self._compiled:
            self._compiled[key] = compiled(function, attempt) if pays(self._run) else function
        return self._compiled[key]

    def evaluate(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        static: Static = MappingProxyType({}),
    ) -> np.ndarray:
        """Return a function of parameters and data, among which it finds static values."""
        inputs = {**self.on_device(data), **static}
        with torch.enable_grad():  # derivatives of the fields may be taken by autodiff
            return self.to_numpy(function(self.on_device(parameters), inputs))

    def on_device(self, arrays: Mapping[str, np.ndarray]) -> dict[str, torch.Tensor]:
        """Move named arrays to the device, in the dtype of the run."""
        return {name: self.asarray(values) for name, values in arrays.items()}

    def own_network(
        self, make: Callable[..., Any], inputs: int, outputs: int, seed: int
    ) -> OwnNetwork:
        """Return a network that a user's callable makes, its weights drawn from the seed."""
        return own_network(make, inputs, outputs, seed, self.dtype, self.device)

    def jacobian(
        self,
        function: Callable[[Any, Any], Any],
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
    ) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """Return a function of parameters and data, (m,), and its derivatives, (m, *shape)."""
        leaves = {k: v.requires_grad_() for k, v in self.on_device(parameters).items()}
        with torch.enable_grad():
            values = function(leaves, self.on_device(data))
            rows = [_gradient(value, leaves) for value in values]
        return self.to_numpy(values), {
            name: np.stack([self.to_numpy(row[name]) for row in rows]) for name in leaves
        }

    def nested_derivatives(
        self,
        function: Callable[[Arrays], dict[str, Any]],
        points: Arrays,
        wanted: Mapping[str, tuple[str, ...]],
    ) -> Arrays:
        """Return named derivatives of a function of points by nested reverse differentiation."""
        return self._nested(function, points, wanted)

    @contextmanager
    def forward_mode(self) -> Iterator[None]:
        """Take nested derivatives by forward differentiation, which torch maps over points."""
        self._nested = _nested.forward
        try:
            with warnings.catch_warnings():
                # torch's own, of its first use of forward differentiation
                warnings.filterwarnings("ignore", ".*torch.jit.script", DeprecationWarning)
                yield
        finally:
            self._nested = _nested.reverse


def _gradient(value: torch.Tensor, leaves: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the gradient of a number, zero for what it does not depend on."""
    if not value.requires_grad:
        return {name: torch.zeros_like(leaf) for name, leaf in leaves.items()}
    found = torch.autograd.grad(
        value, list(leaves.values()), retain_graph=True, materialize_grads=True
    )
    return dict(zip(leaves, found, strict=True))


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
        tools: TorchTools,
        loss: Loss,
        parameters: dict[str, torch.Tensor],
        data: dict[str, np.ndarray],
        optimizer: torch.optim.Optimizer,
        rate: float,
        key: Any,
    ) -> None:
        self._tools, self._parameters = tools, parameters
        self._optimizer, self._rate, self._key = optimizer, rate, key
        self._calls = 0
        self._use(loss)
        self._data = tools.on_device(data)

    def _use(self, loss: Loss) -> None:
        self._loss = loss
        self._value_and_gradients = graphed(self._differentiated, self._tools.device)

    def _differentiated(self, parameters: Tensors, data: Tensors) -> tuple[Any, ...]:
        """Return the loss and its gradients, None where it does not depend on a parameter."""
        with torch.enable_grad():
            loss = self._loss(parameters, data)
            return loss.detach(), *torch.autograd.grad(
                loss, list(parameters.values()), allow_unused=True
            )

    def evaluate(self) -> torch.Tensor:
        """Compute the loss and leave its gradient at the parameters."""
        loss, *gradients = self._value_and_gradients(self._parameters, self._data)
        for parameter, gradient in zip(self._parameters.values(), gradients, strict=True):
            parameter.grad = gradient
        self._calls += 1
        return loss.clone()  # a graph writes the next one to the same place

    def compile(self) -> None:
        """Compile the loss and its gradient where that pays."""

        def attempt(loss: Loss) -> None:
            self._use(loss)
            self.evaluate()

        self._use(self._tools.compiled(self._key, self._loss, attempt))

    def advance(self, steps: int) -> tuple[Any, int, int]:
        """Do that many steps; returns loss before the last one, steps, evaluations."""
        before = self._calls
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

    def feed(self, data: dict[str, np.ndarray], rate: float = 1.0) -> None:
        """Go on with other data of the same shapes, and another factor on the learning rate."""
        self._data = self._tools.on_device(data)
        for group in self._optimizer.param_groups:
            group["lr"] = self._rate * rate

    def state(self) -> dict[str, np.ndarray]:
        """Return parameters and the optimiser's memory, `name/entry`; lists of tensors stacked."""
        kept = {f"parameters/{name}": values for name, values in self.parameters().items()}
        for name, tensor in self._parameters.items():
            for entry, value in self._optimizer.state.get(tensor, {}).items():
                if isinstance(value, list):
                    value = torch.stack(value) if value else None
                if value is not None:
                    kept[f"{name}/{entry}"] = torch.as_tensor(value).cpu().numpy().copy()
        return kept

    def restore(self, state: Mapping[str, np.ndarray]) -> None:
        """Go on from a state."""
        with torch.no_grad():
            for name, tensor in self._parameters.items():
                tensor.copy_(torch.from_numpy(np.array(state[f"parameters/{name}"])))
        for name, tensor in self._parameters.items():
            mine = {k.partition("/")[2]: v for k, v in state.items() if k.startswith(f"{name}/")}
            if mine:
                self._optimizer.state[tensor].update(self._memory(mine))

    def _memory(self, entries: dict[str, np.ndarray]) -> dict[str, Any]:
        """Return the optimiser's own form of what `state` kept for one parameter."""
        return {
            # Adam counts its steps on the host
            k: torch.from_numpy(np.array(v)).to("cpu" if k == "step" else self._tools.device)
            for k, v in entries.items()
        }


class _Lbfgs(TorchMinimiser):
    def feed(self, data: dict[str, np.ndarray], rate: float = 1.0) -> None:
        """Go on with other data of the same shapes; the line search sets the length of a step."""
        self._data = self._tools.on_device(data)

    def _advance(self, steps: int) -> tuple[Any, int]:
        """Do the steps in one call, since each call starts with an evaluation of its own."""
        group = self._optimizer.param_groups[0]
        group["max_iter"] = steps
        state = self._optimizer.state[group["params"][0]]
        before = state.get("n_iter", 0)
        loss = self._optimizer.step(self.evaluate)
        return loss, state["n_iter"] - before

    def state(self) -> dict[str, np.ndarray]:
        """Return all that `restore` needs."""
        for memory in self._optimizer.state.values():
            memory.pop("al", None)  # scratch, which torch makes again
        return super().state()

    def _memory(self, entries: dict[str, np.ndarray]) -> dict[str, Any]:
        """Unstack the history; counters are Python numbers, as in torch's own state."""
        memory: dict[str, Any] = super()._memory(entries)
        for name in ("old_dirs", "old_stps", "ro"):
            memory[name] = list(memory[name]) if name in memory else []
        for name in ("func_evals", "n_iter"):
            memory[name] = int(memory[name])
        return memory


def _twice(function: Callable[[Any], Any]) -> Callable[[Any], tuple[Any, Any]]:
    """Return a function's value twice: once to be differentiated, once to be kept."""

    def both(x: Any) -> tuple[Any, Any]:
        value = function(x)
        return value, value

    return both


class TorchFlatObjective:
    """An objective as functions of one NumPy vector; see `pdebench_methods.host.FlatObjective`."""

    def __init__(
        self,
        tools: TorchTools,
        objective: Any,
        parameters: dict[str, np.ndarray],
        data: dict[str, np.ndarray],
        static: Static = MappingProxyType({}),
    ) -> None:
        self._tools, self._objective = tools, bound(objective, static)
        self._places, self._key = slices(parameters), ("flat", key_of(static))
        self._use(self._eager)
        self._residuals = graphed(self._residual, tools.device)
        self._linearise = graphed(self._linearised, tools.device)
        self.feed(data)

    def _use(self, loss: Callable[[torch.Tensor, Tensors], torch.Tensor]) -> None:
        self._loss = loss
        self._value_and_gradient = graphed(self._differentiated, self._tools.device)

    def _named(self, x: torch.Tensor) -> dict[str, torch.Tensor]:
        sizes = [where.stop - where.start for where, _ in self._places.values()]
        parts = torch.split(x, sizes)  # one node in the graph, unlike a slice for each
        shapes = [shape for _, shape in self._places.values()]
        return {k: p.reshape(s) for k, p, s in zip(self._places, parts, shapes, strict=True)}

    def _eager(self, x: torch.Tensor, data: dict[str, torch.Tensor]) -> torch.Tensor:
        return self._objective.loss(self._named(x), data)

    def compile(self, x: np.ndarray) -> None:
        """Compile the loss and its gradient where that pays, and evaluate them at x."""

        def attempt(loss: Callable[..., torch.Tensor]) -> None:
            self._use(loss)
            self.value_and_gradient(x)

        self._use(self._tools.compiled(self._key, self._eager, attempt))

    def _at(self, x: np.ndarray) -> Tensors:
        return {"x": self._tools.asarray(x).requires_grad_()}

    def _differentiated(self, at: Tensors, data: Tensors) -> tuple[torch.Tensor, ...]:
        with torch.enable_grad():
            value = self._loss(at["x"], data)
            return value.detach(), *torch.autograd.grad(value, at["x"])

    def value_and_gradient(self, x: np.ndarray) -> tuple[float, np.ndarray]:
        """Return the loss and its gradient (n,)."""
        value, gradient = self._value_and_gradient(self._at(x), self._data)
        return float(value), gradient.cpu().numpy().astype(np.float64)

    def _of(self, x: torch.Tensor, data: Tensors) -> torch.Tensor:
        if not hasattr(self._objective, "terms"):
            return self._objective.residuals(self._named(x), data)
        found = []
        for term in self._objective.terms(data):
            for gap in term.function(self._named(x), term.data):
                found.append(gap * (term.weight / gap.numel()) ** 0.5)
        return torch.cat(found)

    def _point_by_point(self, x: torch.Tensor, data: Tensors) -> tuple[torch.Tensor, torch.Tensor]:
        found = []
        for term in self._objective.terms(data):
            alone = {k: v for k, v in term.data.items() if v.ndim}
            common = {k: v for k, v in term.data.items() if not v.ndim}

            def at(x: torch.Tensor, row: Any, term: Any = term, common: Any = common) -> Any:
                data = {k: v[None] for k, v in row.items()} | common
                return torch.cat(term.function(self._named(x), data))

            def both(x: torch.Tensor, row: Any, at: Any = at) -> Any:
                return torch.func.jacrev(_twice(lambda x: at(x, row)), has_aux=True)(x)

            jacobian, r = torch.func.vmap(both, (None, 0))(x, alone)  # (points, gaps, parameters)
            scale = (term.weight / r.shape[0]) ** 0.5
            found.append((scale * r.reshape(-1), scale * jacobian.reshape(-1, x.numel())))
        return torch.cat([r for r, _ in found]), torch.cat([j for _, j in found])

    def _residual(self, at: Tensors, data: Tensors) -> tuple[torch.Tensor, ...]:
        with torch.no_grad(), self._tools.forward_mode():
            return (self._of(at["x"], data),)

    def residuals(self, x: np.ndarray) -> np.ndarray:
        """Return the residuals (m,)."""
        (r,) = self._residuals(self._at(x), self._data)
        return r.cpu().numpy()

    def _linearised(self, at: Tensors, data: Tensors) -> tuple[torch.Tensor, ...]:
        point = at["x"].detach()
        with self._tools.forward_mode():
            if hasattr(self._objective, "terms"):
                r, jacobian = self._point_by_point(point, data)
            else:
                of = _twice(partial(self._of, data=data))
                jacobian, r = torch.func.jacfwd(of, has_aux=True)(point)
        return r.detach(), jacobian.detach()

    def linearise(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the residuals (m,) and their Jacobian (m, n).

        Where each residual depends on one point, by one reverse pass for all points; otherwise by
        forward tangents, all at once.
        """
        r, jacobian = self._linearise(self._at(x), self._data)
        return r.cpu().numpy(), jacobian.cpu().numpy()

    def feed(self, data: dict[str, np.ndarray]) -> None:
        """Use other data of the same shapes."""
        self._data = self._tools.on_device(data)
