"""Every built-in method, held to the contract that strangers are held to."""

import pytest

from pdebench_lite.testing import MethodContract, MethodDescriptionContract, MethodRunContract

SMALL_FAMILY = "burgers:family[cells=16,train=6,validation=2,test=3]"


class TestEtdrk4(MethodContract):
    selector = "etdrk4[cells=32,steps=40]"
    problem = "burgers:forward[nu=0.1]"
    max_steps = 40
    stochastic = False


class TestMlp(MethodDescriptionContract):
    selector = "mlp"


class TestPinn(MethodDescriptionContract):
    selector = "pinn"


class TestDiffphys(MethodDescriptionContract):
    selector = "diffphys"


class TestCnn(MethodDescriptionContract):
    selector = "cnn"


class TestFno(MethodDescriptionContract):
    selector = "fno"


@pytest.mark.slow
class TestCnnRuns(MethodRunContract):
    selector = "cnn[levels=1,channels=2]"
    problem = SMALL_FAMILY


@pytest.mark.slow
class TestFnoRuns(MethodRunContract):
    selector = "fno[modes=4,channels=2,layers=1]"
    problem = SMALL_FAMILY


@pytest.mark.slow
class TestMlpOperatorRuns(MethodRunContract):
    selector = "mlp[width=4,depth=1]"
    problem = SMALL_FAMILY


@pytest.mark.slow
class TestSolverInTheLoopRuns(MethodRunContract):
    selector = "diffphys[mode=solver-in-the-loop,cells=8,corrections=2,channels=2]"
    problem = SMALL_FAMILY


@pytest.mark.slow
class TestMlpRuns(MethodRunContract):
    selector = "mlp[width=4,depth=1,labels=50]"


@pytest.mark.slow
class TestPinnRuns(MethodRunContract):
    selector = "pinn[width=4,depth=1,points=50]"


@pytest.mark.slow
class TestPinnPerInstanceRuns(MethodRunContract):
    selector = "pinn[width=4,depth=1,points=50]"
    problem = "burgers:family[cells=16,train=1,validation=1,test=1]"


@pytest.mark.slow
class TestPinnTransportRuns(MethodRunContract):
    selector = "pinn[width=4,depth=1,points=50]"
    problem = "advection-density[points=64]"


@pytest.mark.slow
class TestDiffphysRuns(MethodRunContract):
    selector = "diffphys[cells=16,steps=32,modes=4]"
    problem = "burgers[nu=0.1,noise=0.1]"


@pytest.mark.slow
class TestDiffphysTransportRuns(MethodRunContract):
    selector = "diffphys[cells=32,modes=4]"
    problem = "advection-density[points=64,noise=0.1]"
