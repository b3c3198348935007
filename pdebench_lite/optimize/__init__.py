"""Optimisers on flat float64 vectors: what neither optax nor torch nor SciPy brings.

Control flow runs on the host; what is minimised is a compiled function of any backend that takes
and returns NumPy vectors. Every optimiser can be stopped between two steps, saved, and go on.
"""

from pdebench_lite.optimize.levenberg_marquardt import LevenbergMarquardt

__all__ = ["LevenbergMarquardt"]
