"""Optimisers on flat float64 vectors: what neither optax nor torch nor SciPy brings.

Control flow runs on the host; what is minimised is a compiled function of any backend that takes
and returns NumPy vectors. Every optimiser can be stopped between two steps, saved, and go on.
"""

from pdebench_methods.search.levenberg_marquardt import LevenbergMarquardt
from pdebench_methods.search.line_search import Point, strong_wolfe
from pdebench_methods.search.regularised_gauss_newton import Level, RegularisedGaussNewton
from pdebench_methods.search.self_scaled_broyden import SelfScaledBroyden
from pdebench_methods.search.symmetric_matrix import HostMatrix, NewMatrix, SymmetricMatrix

__all__ = [
    "HostMatrix",
    "Level",
    "LevenbergMarquardt",
    "NewMatrix",
    "Point",
    "RegularisedGaussNewton",
    "SelfScaledBroyden",
    "SymmetricMatrix",
    "strong_wolfe",
]
