"""Steps and evaluations of torch's optimisers as the peers report them."""

from types import SimpleNamespace

import pytest

from pdebench_peers._training import LBFGS_CALL, Training

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


def of(run):
    return Training(run, None, None, None, None)


def advance(training, optimizer, closure):
    training.before(optimizer)
    optimizer.step(closure)
    return training.after(None, optimizer)


def test_a_call_of_adam_is_one_step_and_one_evaluation():
    run = Run()
    training, (optimizer, closure, _) = of(run), valley(torch.optim.Adam)
    assert [advance(training, optimizer, closure) for _ in range(3)] == [False] * 3
    assert run.reports == [(1, 1), (2, 2), (3, 3)]


def test_iterations_and_evaluations_of_lbfgs_are_counted_on_from_those_of_adam():
    run = Run(max_steps=1 + LBFGS_CALL + 3)
    training = of(run)
    advance(training, *valley(torch.optim.Adam)[:2])
    optimizer, closure, calls = lbfgs(tolerance_change=0.0)
    assert [advance(training, optimizer, closure) for _ in range(2)] == [False, True]
    assert [step for step, _ in run.reports] == [1, 1 + LBFGS_CALL, 1 + LBFGS_CALL + 3]
    assert run.reports[-1][1] == 1 + len(calls)


def test_an_lbfgs_that_can_do_no_more_stops():
    training, (optimizer, closure, _) = of(Run()), lbfgs(tolerance_grad=1e6)
    assert advance(training, optimizer, closure)


def test_what_is_no_optimiser_of_torch_counts_by_calls():
    run = Run(max_steps=1)
    training, optimizer = of(run), SimpleNamespace(update=None)
    training.before(optimizer)
    assert training.after(None, optimizer)
    assert run.reports == [(1, 1)]
