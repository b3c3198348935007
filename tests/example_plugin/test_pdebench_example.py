"""The plugin keeps the contracts of pdebench-lite: `pip install .`, then `pytest`."""

from pdebench_lite.testing import MethodContract, MetricContract, ProblemContract


class TestFourierfit(MethodContract):
    selector = "fourierfit[labels=300,modes=3]"
    problem = "reaction-diffusion"


class TestReactionDiffusion(ProblemContract):
    selector = "reaction-diffusion"


class TestEnergyError(MetricContract):
    selector = "energy_error"
    problem = "reaction-diffusion:forward"
