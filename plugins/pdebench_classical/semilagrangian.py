"""Method `semilagrangian`: values carried along characteristics, at time steps of any length."""

from typing import ClassVar

from pdebench_classical.marching import SOLVER, MarchingSettings, supports
from pdebench_lite.method import Method


class SemilagrangianSettings(MarchingSettings):
    """Settings of `semilagrangian`: its cost and its error."""

    scheme: ClassVar[str] = "semilagrangian"


SEMILAGRANGIAN = Method(
    name="semilagrangian",
    family="classical",
    summary="semi-Lagrangian, cubic interpolation; large steps, but moving shocks go astray",
    solvers={"numpy": SOLVER},
    Config=SemilagrangianSettings,
    supports=supports(SemilagrangianSettings.scheme),
    citation="""@article{staniforth1991semi,
  author = {Staniforth, Andrew and C{\\^o}t{\\'e}, Jean},
  title = {Semi-{Lagrangian} integration schemes for atmospheric models -- a review},
  journal = {Monthly Weather Review}, volume = {119}, number = {9}, pages = {2206--2223},
  year = {1991}, doi = {10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2}}""",
)
