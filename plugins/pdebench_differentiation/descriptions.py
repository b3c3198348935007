"""The methods as they are listed: names of settings and code, which are imported when needed."""

from pdebench_lite.registry.method import Method

_BACKENDS = ("numpy", "torch", "jax")
_BOOK = """@book{griewank2008evaluating,
  author = {Griewank, Andreas and Walther, Andrea},
  title = {Evaluating Derivatives: Principles and Techniques of Algorithmic Differentiation},
  edition = {2nd}, publisher = {SIAM}, year = {2008}, doi = {10.1137/1.9780898717761}}"""

FINITE_DIFFERENCES = Method(
    name="finite-differences",
    family="other",
    summary="differences of values a step h apart, one-sided or central: truncation and rounding",
    solvers=dict.fromkeys(_BACKENDS, "pdebench_differentiation._finite_differences:solve"),
    Config="pdebench_differentiation.finite_differences:FiniteDifferencesSettings",
    supports="pdebench_differentiation.supporting:supports",
    citation="""@article{fornberg1988generation,
  author = {Fornberg, Bengt},
  title = {Generation of finite difference formulas on arbitrarily spaced grids},
  journal = {Mathematics of Computation}, volume = {51}, number = {184}, pages = {699--706},
  year = {1988}, doi = {10.1090/S0025-5718-1988-0935077-0}}""",
)

COMPLEX_STEP = Method(
    name="complex-step",
    family="other",
    summary="imaginary part of f(x + ih) over h: no difference, so no cancellation; first order",
    solvers=dict.fromkeys(_BACKENDS, "pdebench_differentiation._complex_step:solve"),
    Config="pdebench_differentiation.complex_step:ComplexStepSettings",
    supports="pdebench_differentiation.complex_step:supports",
    citation="""@article{squire1998using,
  author = {Squire, William and Trapp, George},
  title = {Using complex variables to estimate derivatives of real functions},
  journal = {SIAM Review}, volume = {40}, number = {1}, pages = {110--112}, year = {1998},
  doi = {10.1137/S003614459631241X}}""",
)

FORWARD_MODE = Method(
    name="forward-mode",
    family="other",
    summary="automatic differentiation, tangents pushed forward: a pass for each input; nested",
    solvers=dict.fromkeys(_BACKENDS, "pdebench_differentiation._forward_mode:solve"),
    supports="pdebench_differentiation.supporting:supports",
    citation=_BOOK,
)

REVERSE_MODE = Method(
    name="reverse-mode",
    family="other",
    summary="automatic differentiation, adjoints pulled back: a pass for each output; nested",
    solvers=dict.fromkeys(_BACKENDS, "pdebench_differentiation._reverse_mode:solve"),
    supports="pdebench_differentiation.supporting:supports",
    citation=_BOOK,
)

TAYLOR_MODE = Method(
    name="taylor-mode",
    family="other",
    summary="jets: all Taylor coefficients that are needed, in one pass through the expression",
    solvers=dict.fromkeys(_BACKENDS, "pdebench_differentiation._taylor_mode:solve"),
    supports="pdebench_differentiation.supporting:supports",
    citation="""@misc{bettencourt2019taylor,
  author = {Bettencourt, Jesse and Johnson, Matthew J. and Duvenaud, David},
  title = {Taylor-mode automatic differentiation for higher-order derivatives in {JAX}},
  howpublished = {Program Transformations for ML Workshop, NeurIPS}, year = {2019}}""",
)

METHODS = (FINITE_DIFFERENCES, COMPLEX_STEP, FORWARD_MODE, REVERSE_MODE, TAYLOR_MODE)
