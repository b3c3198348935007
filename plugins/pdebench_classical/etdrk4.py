"""Method `etdrk4`: the classical pseudo-spectral solver, with its resolution as configuration."""

from typing import ClassVar, Literal

from pdebench_classical.marching import SOLVER, MarchingSettings, supports
from pdebench_lite.method import Method


class Etdrk4Settings(MarchingSettings):
    """Settings of `etdrk4`: its cost and its error."""

    scheme: ClassVar[str] = "etdrk4"
    interpolation: ClassVar[Literal["trigonometric", "cubic"]] = "trigonometric"


ETDRK4 = Method(
    name="etdrk4",
    family="classical",
    summary="pseudo-spectral, exponential Runge–Kutta of fourth order",
    solvers={"numpy": SOLVER},
    Config=Etdrk4Settings,
    supports=supports(Etdrk4Settings.scheme),
    citation="""@article{cox2002exponential,
  author = {Cox, S. M. and Matthews, P. C.},
  title = {Exponential time differencing for stiff systems},
  journal = {Journal of Computational Physics}, volume = {176}, number = {2}, pages = {430--455},
  year = {2002}, doi = {10.1006/jcph.2002.6995}}""",
)
