"""Every built-in problem and its metrics, held to the contract that strangers are held to."""

import pytest

from pdebench_lite.testing import MetricContract, ProblemContract
from pdebench_problems.advection_density import METRICS


class TestBurgers(ProblemContract):
    selector = "burgers"


@pytest.mark.slow
class TestBurgersViscousAndNoisy(ProblemContract):
    selector = "burgers:reconstruction[nu=0.1,noise=0.01]"


@pytest.mark.slow
class TestBurgersRandom(ProblemContract):
    selector = "burgers[ic=random,instance=2]"
    span = 0.1  # before shocks


@pytest.mark.slow
class TestBurgersViscosity(ProblemContract):
    selector = "burgers:viscosity[nu=0.1]"


class TestAdvectionDensity(ProblemContract):
    selector = "advection-density"


@pytest.mark.slow
class TestAdvectionDensityDrawn(ProblemContract):
    selector = "advection-density[instance=3]"


@pytest.mark.slow
class TestTransport2d(ProblemContract):
    selector = "advection-density:transport-2d[points=32]"


class TestTransportErrors(MetricContract):
    problem = "advection-density"

    @pytest.fixture(params=["flow_map_error", "motion_error", "mid_time_error"])
    def metric(self, known, request):
        return known.metric(request.param)


class TestTransportDescriptions(MetricContract):
    problem = "advection-density"
    is_error = False

    @pytest.fixture(params=[m.name for m in METRICS if not m.name.endswith("_error")])
    def metric(self, known, request):
        return known.metric(request.param)


@pytest.mark.slow
class TestTransportFrames(ProblemContract):
    selector = "advection-density:transport[frames=4,points=64]"


class TestAllenCahn(ProblemContract):
    selector = "allen-cahn[diffusion=0.01,ic=smooth]"


class TestWave(ProblemContract):
    selector = "wave"


class TestNavierStokes(ProblemContract):
    selector = "navier-stokes"
    cells = (16, 32)


class TestKovasznay(ProblemContract):
    selector = "kovasznay"


class TestPoissonSquare(ProblemContract):
    selector = "poisson"


class TestPoissonLShape(ProblemContract):
    selector = "poisson[shape=l-shape]"


class TestPoissonHoles(ProblemContract):
    selector = "poisson[shape=holes]"


class TestDarcy(ProblemContract):
    selector = "darcy"
    cells = (16, 32)
