"""Method `etdrk4`: the classical pseudo-spectral solver, with its resolution as configuration."""

from typing import Any

from pydantic import Field

from pdebench_lite.method import Method, Support
from pdebench_lite.problem import Task
from pdebench_lite.selectors import Settings

SCHEME = "etdrk4"


class Etdrk4Settings(Settings):
    """Settings of `etdrk4`: its cost and its error."""

    cells: int = Field(512, ge=8, le=1 << 16, description="cells, half as many Fourier modes")
    steps: int = Field(0, ge=0, description="time steps; 0: by stability")


def _supports(task: Task, config: Any) -> Support:
    if "solver" not in task.faces or SCHEME not in task.problem.schemes():
        return Support(False, f"{task.label} has no scheme '{SCHEME}'")
    if task.unknowns or "initial_state" not in task.gives:
        return Support(False, f"{task.label} does not give its initial state; nothing to march")
    return Support(True)


ETDRK4 = Method(
    name="etdrk4",
    family="classical",
    summary="pseudo-spectral, 2/3 rule, exponential Runge–Kutta of fourth order",
    solvers={"numpy": "pdebench_classical._etdrk4:solve"},
    Config=Etdrk4Settings,
    supports=_supports,
    citation="""@article{cox2002exponential,
  author = {Cox, S. M. and Matthews, P. C.},
  title = {Exponential time differencing for stiff systems},
  journal = {Journal of Computational Physics}, volume = {176}, number = {2}, pages = {430--455},
  year = {2002}, doi = {10.1006/jcph.2002.6995}}""",
)
