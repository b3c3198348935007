"""Method `muscl`: conservative finite volumes with limited slopes and Godunov's flux."""

from typing import ClassVar

from pdebench_classical.marching import SOLVER, MarchingSettings, supports
from pdebench_lite.method import Method


class MusclSettings(MarchingSettings):
    """Settings of `muscl`: its cost and its error."""

    scheme: ClassVar[str] = "muscl"


MUSCL = Method(
    name="muscl",
    family="classical",
    summary="finite volumes, limited slopes, Godunov's flux; second order, keeps shocks in place",
    solvers={"numpy": SOLVER},
    Config=MusclSettings,
    supports=supports(MusclSettings.scheme),
    citation="""@article{vanleer1979towards,
  author = {van Leer, Bram},
  title = {Towards the ultimate conservative difference scheme. {V}. A second-order sequel to
           {Godunov}'s method},
  journal = {Journal of Computational Physics}, volume = {32}, number = {1}, pages = {101--136},
  year = {1979}, doi = {10.1016/0021-9991(79)90145-1}}""",
)
