"""The classical methods as they are listed: settings and code are imported when needed."""

from pdebench_lite.registry.method import Method, Tuning

ETDRK4 = Method(
    name="etdrk4",
    family="classical",
    summary="pseudo-spectral, exponential Runge–Kutta of fourth order",
    solvers={"numpy": "pdebench_classical._marching:solve"},
    Config="pdebench_classical.marching:Etdrk4Settings",
    supports="pdebench_classical.marching:supports",
    citation="""@article{cox2002exponential,
  author = {Cox, S. M. and Matthews, P. C.},
  title = {Exponential time differencing for stiff systems},
  journal = {Journal of Computational Physics}, volume = {176}, number = {2}, pages = {430--455},
  year = {2002}, doi = {10.1006/jcph.2002.6995}}""",
)

MUSCL = Method(
    name="muscl",
    family="classical",
    summary="finite volumes, limited slopes, Godunov's flux; second order, keeps shocks in place",
    solvers={"numpy": "pdebench_classical._marching:solve"},
    Config="pdebench_classical.marching:MusclSettings",
    supports="pdebench_classical.marching:supports",
    citation="""@article{vanleer1979towards,
  author = {van Leer, Bram},
  title = {Towards the ultimate conservative difference scheme. {V}. A second-order sequel to
           {Godunov}'s method},
  journal = {Journal of Computational Physics}, volume = {32}, number = {1}, pages = {101--136},
  year = {1979}, doi = {10.1016/0021-9991(79)90145-1}}""",
)

SEMILAGRANGIAN = Method(
    name="semilagrangian",
    family="classical",
    summary="semi-Lagrangian, cubic interpolation; large steps, but moving shocks go astray",
    solvers={"numpy": "pdebench_classical._marching:solve"},
    Config="pdebench_classical.marching:SemilagrangianSettings",
    supports="pdebench_classical.marching:supports",
    citation="""@article{staniforth1991semi,
  author = {Staniforth, Andrew and C{\\^o}t{\\'e}, Jean},
  title = {Semi-{Lagrangian} integration schemes for atmospheric models -- a review},
  journal = {Monthly Weather Review}, volume = {119}, number = {9}, pages = {2206--2223},
  year = {1991}, doi = {10.1175/1520-0493(1991)119<2206:SLISFA>2.0.CO;2}}""",
)

MARCH = Method(
    name="march",
    family="classical",
    summary="the problem's own scheme, marched from the known start: any evolution, any scheme",
    solvers={"numpy": "pdebench_classical._marching:solve"},
    Config="pdebench_classical.marching:MarchSettings",
    supports="pdebench_classical.marching:supports",
    citation="""@book{leveque2007finite,
  author = {LeVeque, Randall J.},
  title = {Finite Difference Methods for Ordinary and Partial Differential Equations},
  publisher = {SIAM}, year = {2007}, doi = {10.1137/1.9780898717839}}""",
)

FEM = Method(
    name="fem",
    family="classical",
    summary="finite elements of order 1 to 4: stationary and diffusive problems on any shape",
    solvers={"numpy": "pdebench_classical._fem:solve"},
    Config="pdebench_classical.fem:FemSettings",
    supports="pdebench_classical.fem:supports",
    citation="""@book{ern2021finite,
  author = {Ern, Alexandre and Guermond, Jean-Luc},
  title = {Finite Elements {I}: Approximation and Interpolation},
  publisher = {Springer}, year = {2021}, doi = {10.1007/978-3-030-56341-7}}
@book{hairer1996solving,
  author = {Hairer, Ernst and Wanner, Gerhard},
  title = {Solving Ordinary Differential Equations {II}},
  publisher = {Springer}, year = {1996}, doi = {10.1007/978-3-642-05221-7}}""",
)

FV = Method(
    name="fv",
    family="classical",
    summary="finite volumes of second order on a grid: any stationary problem on a box",
    solvers={"numpy": "pdebench_classical._volumes:solve"},
    Config="pdebench_classical.volumes:VolumesSettings",
    supports="pdebench_classical.volumes:supports",
    citation="""@incollection{eymard2000finite,
  author = {Eymard, Robert and Gallou{\\"e}t, Thierry and Herbin, Rapha{\\`e}le},
  title = {Finite volume methods}, booktitle = {Handbook of Numerical Analysis}, volume = {7},
  publisher = {Elsevier}, pages = {713--1018}, year = {2000},
  doi = {10.1016/S1570-8659(00)07005-8}}""",
)

ADJOINT = Method(
    name="adjoint",
    family="classical",
    summary="variational reconstruction: discrete adjoint of the solver, L-BFGS-B, discrepancy",
    solvers={"numpy": "pdebench_classical._adjoint:solve"},
    Config="pdebench_classical.adjoint:AdjointSettings",
    supports="pdebench_classical.adjoint:supports",
    citation="""@article{byrd1995limited,
  author = {Byrd, Richard H. and Lu, Peihuang and Nocedal, Jorge and Zhu, Ciyou},
  title = {A limited memory algorithm for bound constrained optimization},
  journal = {SIAM Journal on Scientific Computing}, volume = {16}, number = {5},
  pages = {1190--1208}, year = {1995}, doi = {10.1137/0916069}}
@book{engl1996regularization,
  author = {Engl, Heinz W. and Hanke, Martin and Neubauer, Andreas},
  title = {Regularization of Inverse Problems}, publisher = {Kluwer}, year = {1996}}""",
)

OPTICALFLOW = Method(
    name="opticalflow",
    family="classical",
    summary="motion between images: Gauss–Newton, exact warping, smooth motion, coarse to fine",
    solvers={"numpy": "pdebench_classical._opticalflow:solve"},
    Config="pdebench_classical.opticalflow:OpticalflowSettings",
    supports="pdebench_classical.opticalflow:supports",
    tuned=Tuning(
        ("advection-density",),
        12,
        "channels, on motions 10, 15 and 100 to 156; what was tried before was not counted",
    ),
    citation="""@article{horn1981determining,
  author = {Horn, Berthold K. P. and Schunck, Brian G.},
  title = {Determining optical flow},
  journal = {Artificial Intelligence}, volume = {17}, number = {1--3}, pages = {185--203},
  year = {1981}, doi = {10.1016/0004-3702(81)90024-2}}
@inproceedings{sevillalara2012distribution,
  author = {Sevilla-Lara, Laura and Learned-Miller, Erik},
  title = {Distribution fields for tracking},
  booktitle = {IEEE Conference on Computer Vision and Pattern Recognition}, year = {2012}}""",
)

LEASTSQUARES = Method(
    name="leastsquares",
    family="classical",
    summary="numbers and initial state by regularised least squares through the solver",
    solvers={"numpy": "pdebench_classical._leastsquares:solve"},
    Config="pdebench_classical.leastsquares:LeastSquaresSettings",
    supports="pdebench_classical.leastsquares:supports",
    citation="""@book{tarantola2005inverse,
  author = {Tarantola, Albert},
  title = {Inverse Problem Theory and Methods for Model Parameter Estimation},
  publisher = {SIAM}, year = {2005}, doi = {10.1137/1.9780898717921}}""",
)

LINEAR_REGRESSION = Method(
    name="linear-regression",
    family="supervised",
    summary="labels fitted by least squares in a basis of splines, polynomials or waves",
    solvers={"numpy": "pdebench_classical._linear_regression:solve"},
    Config="pdebench_classical.linear_regression:LinearRegressionSettings",
    supports="pdebench_classical.linear_regression:supports",
    citation="""@article{golub1979generalized,
  author = {Golub, Gene H. and Heath, Michael and Wahba, Grace},
  title = {Generalized cross-validation as a method for choosing a good ridge parameter},
  journal = {Technometrics}, volume = {21}, number = {2}, pages = {215--223}, year = {1979},
  doi = {10.1080/00401706.1979.10489751}}""",
)
