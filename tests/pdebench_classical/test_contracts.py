"""Every classical method, held to the contract that strangers are held to."""

from pdebench_lite.testing import MethodContract


class Marching(MethodContract):
    problem = "burgers:forward[nu=0.1]"
    max_steps = 40
    stochastic = False


class TestMuscl(Marching):
    selector = "muscl[cells=16]"


class TestSemilagrangian(Marching):
    selector = "semilagrangian[cells=32]"
