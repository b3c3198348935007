"""What adapters of libraries on torch share: layers, L-BFGS, reports and what they count."""

from collections.abc import Callable, Iterator
from typing import Any

import torch

from pdebench_lite.method import Solution
from pdebench_lite.runner.run import Run

LBFGS: dict[str, Any] = {
    "max_iter": 20,  # in one call, as torch has it
    "max_eval": 1 << 30,
    "tolerance_grad": 0.0,
    "tolerance_change": 0.0,
    "history_size": 50,
    "line_search_fn": "strong_wolfe",
}
"""Settings of an L-BFGS that goes on until it is stopped."""


def layers(network: torch.nn.Module) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Yield weight (out, in) and bias (out,) of every linear layer, on the host."""
    for module in network.modules():
        if isinstance(module, torch.nn.Linear):
            yield module.weight.detach().cpu(), module.bias.detach().cpu()


def reports(run: Run, candidate: Callable[[], Solution]) -> Any:
    """Return a callback of Lightning that reports after every epoch, one call of the optimiser.

    An L-BFGS takes many steps in one call, and ends a training that it can improve no more.
    """
    from lightning.pytorch.callbacks import LambdaCallback

    counts = Counts(run)

    def before(trainer: Any, module: Any) -> None:
        counts.before_call(trainer.optimizers[0])

    def after(trainer: Any, module: Any) -> None:
        converged = counts.after_call(trainer.optimizers[0])
        loss = trainer.callback_metrics["train_loss"]
        stop = run.report(counts.steps, loss, candidate, counts.evaluations)
        trainer.should_stop |= stop or converged

    return LambdaCallback(on_train_epoch_start=before, on_train_epoch_end=after)


class Counts:
    """Steps and evaluations of one training, of which L-BFGS takes many in one call."""

    def __init__(self, run: Run) -> None:
        self.run = run
        self.steps = self.evaluations = 0
        self._known = (0, 0)

    def before_call(self, optimizer: torch.optim.Optimizer) -> None:
        """Let a call of L-BFGS end where the budget of steps does."""
        if isinstance(optimizer, torch.optim.LBFGS) and self.run.max_steps is not None:
            left = self.run.max_steps - self.steps
            for group in optimizer.param_groups:
                group["max_iter"] = min(LBFGS["max_iter"], left)

    def after_call(self, optimizer: torch.optim.Optimizer) -> bool:
        """Count what a call did; returns whether L-BFGS can do no more."""
        done = calls = most = 1
        if isinstance(optimizer, torch.optim.LBFGS):
            group = optimizer.param_groups[0]
            state, most = optimizer.state[group["params"][0]], group["max_iter"]
            before, self._known = self._known, (state["n_iter"], state["func_evals"])
            done, calls = (new - old for old, new in zip(before, self._known, strict=True))
        self.steps += done
        self.evaluations += calls
        return done < most
