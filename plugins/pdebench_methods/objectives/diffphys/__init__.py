"""Objective of `diffphys`: unknowns are fitted through an unrolled solver."""

from .objective import DiffphysObjective as DiffphysObjective
