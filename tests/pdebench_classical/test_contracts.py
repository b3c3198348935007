"""Every classical method, held to the contract that strangers are held to."""

import pytest

from pdebench_lite.testing import MethodContract, MethodDescriptionContract, MethodRunContract


class Marching(MethodContract):
    problem = "burgers:forward[nu=0.1]"
    max_steps = 40
    stochastic = False


class TestMuscl(Marching):
    selector = "muscl[cells=16]"


class TestSemilagrangian(Marching):
    selector = "semilagrangian[cells=32]"


class TestFv(MethodContract):
    selector = "fv[cells=16]"
    problem = "darcy"
    max_steps = 1
    stochastic = False


class TestAdjoint(MethodDescriptionContract):
    selector = "adjoint"


class TestLeastSquares(MethodDescriptionContract):
    selector = "leastsquares"


@pytest.mark.slow
class TestLeastSquaresRuns(MethodRunContract):
    selector = "leastsquares[cells=32,modes=4]"
    problem = "burgers:viscosity[nu=0.1,sensors=8,times=3]"
    stochastic = False


class TestOpticalflow(MethodDescriptionContract):
    selector = "opticalflow"


@pytest.mark.slow
class TestAdjointRuns(MethodRunContract):
    selector = "adjoint[cells=32,modes=4]"
    problem = "burgers[nu=0.1,noise=0.1]"
    stochastic = False


@pytest.mark.slow
class TestOpticalflowRuns(MethodRunContract):
    selector = "opticalflow[modes=4,steps=8]"
    problem = "advection-density[points=64,noise=0.1]"
    stochastic = False


class TestFem(MethodContract):
    selector = "fem[order=2,cells=3]"
    problem = "poisson[shape=holes]"
    stochastic = False
