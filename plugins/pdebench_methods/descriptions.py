"""The methods as they are listed: names of settings and code, which are imported when needed."""

from pdebench_lite.registry.method import Method, Tuning

MLP = Method(
    name="mlp",
    family="supervised",
    summary="fully connected network, regression on labelled samples of the solution",
    solvers={"torch": "pdebench_torch.mlp:solve", "jax": "pdebench_jax.mlp:solve"},
    Config="pdebench_methods.mlp:MlpSettings",
    supports="pdebench_methods.mlp:supports",
    tuned=Tuning(
        ("burgers:forward",),
        33,
        "those of pinn, whose optimiser it shares; its own network and labels were not tuned",
    ),
    citation="""@article{hornik1989multilayer,
  author = {Hornik, Kurt and Stinchcombe, Maxwell and White, Halbert},
  title = {Multilayer feedforward networks are universal approximators},
  journal = {Neural Networks}, volume = {2}, number = {5}, pages = {359--366}, year = {1989},
  doi = {10.1016/0893-6080(89)90020-8}}""",
)

PINN = Method(
    name="pinn",
    family="physics-informed",
    summary="network trained on the residual of the equation at collocation points",
    solvers={"torch": "pdebench_torch.pinn:solve", "jax": "pdebench_jax.pinn:solve"},
    Config="pdebench_methods.pinn:PinnSettings",
    supports="pdebench_methods.pinn:supports",
    tuned=(
        Tuning(
            ("burgers:forward",),
            38,
            "the sine; seeds 0 and 1; 5 of them of width, depth and redrawing, for long runs on a "
            "GPU",
        ),
        Tuning(
            ("burgers:viscosity", "burgers[ic=random]"),
            9,
            "how α₀ of noisy values falls: draws 0 to 2 of the noise, initial states 0 to 4",
        ),
    ),
    citation="""@article{raissi2019physics,
  author = {Raissi, Maziar and Perdikaris, Paris and Karniadakis, George E.},
  title = {Physics-informed neural networks: a deep learning framework for solving forward and
           inverse problems involving nonlinear partial differential equations},
  journal = {Journal of Computational Physics}, volume = {378}, pages = {686--707}, year = {2019},
  doi = {10.1016/j.jcp.2018.10.045}}""",
)

DIFFPHYS = Method(
    name="diffphys",
    family="differentiable physics",
    summary="unknowns fitted by gradients through the unrolled solver of the problem",
    solvers={"torch": "pdebench_torch.diffphys:solve", "jax": "pdebench_jax.diffphys:solve"},
    Config="pdebench_methods.diffphys:DiffphysSettings",
    supports="pdebench_methods.diffphys:supports",
    tuned=(
        Tuning(
            (
                "burgers",
                "burgers[ic=random]",
                "burgers:pbdl",
                "burgers:viscosity",
                "advection-density",
            ),
            19,
            "initial states 0 to 4, motions 0 to 5, 7 and 8; of the trials only the later ones are "
            "counted; the tracing of a motion was chosen by its error at the true motions 0 to 9",
        ),
        Tuning(
            ("burgers[ic=random]",), 22, "initial states 0 to 4: priors, through the exact solution"
        ),
        Tuning(("burgers:viscosity",), 3, "how much a solver may err: draws 0 to 5 of the noise"),
        Tuning(
            ("advection-density",),
            12,
            "motions 10, 15 and 100 to 156: channels, through the exact characteristics in the "
            "place of a solver",
        ),
        Tuning(
            ("burgers:family",),
            23,
            "solver-in-the-loop, on the validation set, enlarged to 64",
        ),
    ),
    citation="""@book{thuerey2021pbdl,
  author = {Thuerey, Nils and Holl, Philipp and Mueller, Maximilian and Schnell, Patrick
            and Trost, Felix and Um, Kiwon},
  title = {Physics-based Deep Learning}, year = {2021}, eprint = {2109.05237},
  archivePrefix = {arXiv}}""",
)

CNN = Method(
    name="cnn",
    family="supervised",
    summary="periodic U-Net from the initial state to later ones, trained on solved instances",
    solvers={"torch": "pdebench_torch.cnn:solve", "jax": "pdebench_jax.cnn:solve"},
    Config="pdebench_methods.cnn:CnnSettings",
    supports="pdebench_methods.cnn:supports",
    tuned=Tuning(
        ("burgers:family",),
        13,
        "5 were scored on the test sets; 8 of 600 steps, on the validation set, changed nothing",
    ),
    citation="""@inproceedings{ronneberger2015unet,
  author = {Ronneberger, Olaf and Fischer, Philipp and Brox, Thomas},
  title = {{U-Net}: convolutional networks for biomedical image segmentation},
  booktitle = {Medical Image Computing and Computer-Assisted Intervention (MICCAI)},
  pages = {234--241}, year = {2015}, doi = {10.1007/978-3-319-24574-4_28}}""",
)

FNO = Method(
    name="fno",
    family="supervised",
    summary="Fourier neural operator of the package neuraloperator, on solved instances",
    solvers={"torch": "pdebench_torch.fno:solve"},
    Config="pdebench_methods.fno:FnoSettings",
    supports="pdebench_methods.fno:supports",
    tuned=Tuning(
        ("burgers:family",),
        13,
        "those of cnn, whose batches and learning rate it shares; its own layers were not tuned",
    ),
    requires=("neuraloperator",),
    citation="""@inproceedings{li2021fourier,
  author = {Li, Zongyi and Kovachki, Nikola and Azizzadenesheli, Kamyar and Liu, Burigede and
            Bhattacharya, Kaushik and Stuart, Andrew and Anandkumar, Anima},
  title = {Fourier neural operator for parametric partial differential equations},
  booktitle = {International Conference on Learning Representations (ICLR)}, year = {2021},
  eprint = {2010.08895}, archivePrefix = {arXiv}}""",
)
