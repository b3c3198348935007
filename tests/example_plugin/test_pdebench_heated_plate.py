"""The heated plate keeps the contract of a problem."""

from pdebench_lite.testing import ProblemContract


class TestHeatedPlate(ProblemContract):
    selector = "heated-plate"
    cells = (8, 16, 32)
    span = 0.1
