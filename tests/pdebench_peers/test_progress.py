"""Steps and evaluations of torch's optimisers as the peers report them."""

from types import SimpleNamespace

import pytest

from pdebench_peers._progress import LBFGS_CALL, Progress

torch = pytest.importorskip("torch")


class Run:
    """A run that keeps what is reported to it."""

    def __init__(self, max_steps=None):
        self.max_steps, self.reports = max_steps, []

    def report(self, step, loss, candidate, evaluations):
        self.reports.append((step, evaluations))
        return step == self.max_steps


def valley(kind, **settings):
    """Return an optimiser in Rosenbrock's valley and its closure, which counts its calls."""
    x = torch.tensor([-1.2, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer, calls = kind([x], **settings), []

    def closure():
        calls.append(1)
        optimizer.zero_grad()
        loss = 100 * (x[1] - x[0] ** 2) ** 2 + (1 - x[0]) ** 2
        loss.backward()
        return loss

    return optimizer, closure, calls


def lbfgs(**settings):
    return valley(torch.optim.LBFGS, line_search_fn="strong_wolfe", max_eval=1000, **settings)


def advance(progress, optimizer, closure):
    progress.before(optimizer)
    optimizer.step(closure)
    return progress.after(optimizer)


def test_a_call_of_adam_is_one_step_and_one_evaluation():
    run = Run()
    progress, (optimizer, closure, _) = Progress(run, None), valley(torch.optim.Adam)
    assert [advance(progress, optimizer, closure) for _ in range(3)] == [False] * 3
    assert run.reports == [(1, 1), (2, 2), (3, 3)]


def test_iterations_and_evaluations_of_lbfgs_are_counted_on_from_those_of_adam():
    run = Run(max_steps=1 + LBFGS_CALL + 3)
    progress = Progress(run, None)
    advance(progress, *valley(torch.optim.Adam)[:2])
    optimizer, closure, calls = lbfgs(tolerance_change=0.0)
    assert [advance(progress, optimizer, closure) for _ in range(2)] == [False, True]
    assert [step for step, _ in run.reports] == [1, 1 + LBFGS_CALL, 1 + LBFGS_CALL + 3]
    assert run.reports[-1][1] == 1 + len(calls)


def test_an_lbfgs_that_can_do_no_more_stops():
    progress, (optimizer, closure, _) = Progress(Run(), None), lbfgs(tolerance_grad=1e6)
    assert advance(progress, optimizer, closure)


def test_what_is_no_optimiser_of_torch_counts_by_calls():
    run = Run(max_steps=1)
    progress, optimizer = Progress(run, None), SimpleNamespace(update=None)
    progress.before(optimizer)
    assert progress.after(optimizer)
    assert run.reports == [(1, 1)]
