"""Every way of differentiating, held to the contract that strangers are held to."""

import pytest

from pdebench_lite.testing import MethodDescriptionContract, MethodRunContract


class TestFiniteDifferences(MethodDescriptionContract):
    selector = "finite-differences"


class TestComplexStep(MethodDescriptionContract):
    selector = "complex-step"


class TestForwardMode(MethodDescriptionContract):
    selector = "forward-mode"


class TestReverseMode(MethodDescriptionContract):
    selector = "reverse-mode"


class TestTaylorMode(MethodDescriptionContract):
    selector = "taylor-mode"


class Runs(MethodRunContract):
    problem = "derivatives:network[order=1,width=4,points=10]"
    stochastic = False


@pytest.mark.slow
class TestFiniteDifferencesRuns(Runs):
    selector = "finite-differences[scheme=forward]"


@pytest.mark.slow
class TestComplexStepRuns(Runs):
    selector = "complex-step"


@pytest.mark.slow
class TestForwardModeRuns(Runs):
    selector = "forward-mode"


@pytest.mark.slow
class TestReverseModeRuns(Runs):
    selector = "reverse-mode"


@pytest.mark.slow
class TestTaylorModeRuns(Runs):
    selector = "taylor-mode"
