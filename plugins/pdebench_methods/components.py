"""Optimisers, networks, weightings and samplers that ship, as they are listed."""

from pdebench_lite.registry.component import Network, Optimizer, Sampler, Weighting

_SEARCH = "pdebench_methods.search"

OPTIMIZERS = (
    Optimizer(
        "gd", "gradient descent",
        {"torch": "pdebench_torch.optimizers:gd", "jax": "pdebench_jax.optimizers:gd"},
        "Cauchy 1847, C. R. Acad. Sci. Paris 25, 536–538",
        first_order=True,
    ),
    Optimizer(
        "adam", "gradient descent with moments",
        {"torch": "pdebench_torch.optimizers:adam", "jax": "pdebench_jax.optimizers:adam"},
        "Kingma & Ba 2015, doi:10.48550/arXiv.1412.6980",
        first_order=True,
    ),
    Optimizer(
        "lbfgs", "limited-memory quasi-Newton with a line search",
        {"torch": "pdebench_torch.optimizers:lbfgs", "jax": "pdebench_jax.optimizers:lbfgs"},
        "Liu & Nocedal 1989, doi:10.1007/BF01589116",
        carries=False, compilation=3.5,
    ),
    Optimizer(
        "ssbroyden", "self-scaled Broyden: quasi-Newton with a dense inverse Hessian",
        {"any": f"{_SEARCH}.self_scaled_broyden:SelfScaledBroyden"},
        "Urbán, Stefanou & Pons 2025, doi:10.1016/j.jcp.2024.113656",
        dense=True,
    ),
    Optimizer(
        "lm", "Levenberg–Marquardt: damped Gauss–Newton for sums of squares",
        {"any": f"{_SEARCH}.levenberg_marquardt:LevenbergMarquardt"},
        "Marquardt 1963, doi:10.1137/0111030",
        needs="residuals", dense=True,
    ),
    Optimizer(
        "gauss-newton", "regularised Gauss–Newton, its weight chosen on the way (diffphys)",
        {"any": f"{_SEARCH}.regularised_gauss_newton:RegularisedGaussNewton"},
        "Bakushinskii 1992, Comput. Math. Math. Phys. 32(9), 1353–1359",
        needs="objective",
    ),
)  # fmt: skip

NETWORKS = (
    Network(
        "mlp", "fully connected layers",
        {"any": "pdebench_methods.networks:FullyConnected"},
        "Hornik, Stinchcombe & White 1989, doi:10.1016/0893-6080(89)90020-8",
    ),
    Network(
        "modified-mlp", "fully connected layers, gated by two encodings of the inputs",
        {"any": "pdebench_methods.modified_mlp:ModifiedMlp"},
        "Wang, Teng & Perdikaris 2021, doi:10.1137/20M1318043",
    ),
    Network(
        "fourier-features", "random waves of the inputs, then fully connected layers",
        {"any": "pdebench_methods.fourier_features:FourierFeatures"},
        "Tancik et al. 2020, doi:10.48550/arXiv.2006.10739",
        "pdebench_methods.fourier_features:FourierSettings",
    ),
)  # fmt: skip

WEIGHTINGS = (
    Weighting(
        "fixed", "the weights that the settings give",
        {"any": "pdebench_methods.weightings:fixed"},
        "Raissi, Perdikaris & Karniadakis 2019, doi:10.1016/j.jcp.2018.10.045",
    ),
    Weighting(
        "causal", "later times count when earlier ones are solved",
        {"any": "pdebench_methods.weightings:causal"},
        "Wang, Sankaran & Perdikaris 2024, doi:10.1016/j.cma.2024.116813",
        "pdebench_methods.weightings:CausalSettings",
        time=True,
    ),
    Weighting(
        "gradient-norm", "the gradients of all parts are as large as the residual's",
        {"any": "pdebench_methods.weightings:gradient_norm"},
        "Wang, Teng & Perdikaris 2021, doi:10.1137/20M1318043",
        "pdebench_methods.weightings:GradientSettings",
    ),
)  # fmt: skip

SAMPLERS = (
    Sampler(
        "residual", "evenly at first, then more points where the residual is large",
        {"any": "pdebench_methods.samplers:residual"},
        "Wu et al. 2023, doi:10.1016/j.cma.2022.115671",
    ),
    Sampler(
        "latin-hypercube", "points that cover the domain evenly",
        {"any": "pdebench_methods.samplers:latin_hypercube"},
        "McKay, Beckman & Conover 1979, doi:10.1080/00401706.1979.10489755",
    ),
    Sampler(
        "uniform", "each point for itself, uniformly",
        {"any": "pdebench_methods.samplers:uniform"},
    ),
)  # fmt: skip
