"""The peers as they are listed: settings and adapters are imported when needed."""

from pdebench_lite.registry.method import Method, Tuning

_TUNED = "preset=matched; the sine; seed 0; at least, since the first trials were not counted"

DEEPXDE = Method(
    name="deepxde",
    family="physics-informed",
    summary="peer: DeepXDE; Adam, then its L-BFGS where it has one (PyTorch)",
    solvers={"torch": "pdebench_peers.deepxde:solve", "jax": "pdebench_peers.deepxde:solve"},
    Config="pdebench_peers.recipes:DeepxdeSettings",
    supports="pdebench_peers.settings:supports_a_pinn_library",
    requires=("deepxde",),
    tuned=Tuning(("burgers:forward",), 5, _TUNED),
    citation="""@article{lu2021deepxde,
  author = {Lu, Lu and Meng, Xuhui and Mao, Zhiping and Karniadakis, George Em},
  title = {{DeepXDE}: a deep learning library for solving differential equations},
  journal = {SIAM Review}, volume = {63}, number = {1}, pages = {208--228}, year = {2021},
  doi = {10.1137/19M1274067}}""",
)

JINNS = Method(
    name="jinns",
    family="physics-informed",
    summary="peer: jinns (JAX); its natural gradient, self-scaled Broyden, or Adam",
    solvers={"jax": "pdebench_peers.jinns:solve"},
    Config="pdebench_peers.recipes:JinnsSettings",
    supports="pdebench_peers.settings:supports_a_pinn_library",
    requires=("jinns",),
    tuned=Tuning(("burgers:forward",), 6, _TUNED),
    citation="""@article{gangloff2024jinns,
  author = {Gangloff, Hugo and Jouvin, Nicolas},
  title = {jinns: a {JAX} library for physics-informed neural networks}, year = {2024},
  eprint = {2412.14132}, archivePrefix = {arXiv}}""",
)

PINA = Method(
    name="pina",
    family="physics-informed",
    summary="peer: PINA (torch, Lightning); Adam, with preset=matched then L-BFGS",
    solvers={"torch": "pdebench_peers.pina:solve"},
    Config="pdebench_peers.recipes:PinaSettings",
    supports="pdebench_peers.settings:supports_a_pinn_library",
    requires=("pina-mathlab",),
    tuned=Tuning(("burgers:forward",), 1, _TUNED),
    citation="""@article{coscia2023pina,
  author = {Coscia, Dario and Ivagnes, Anna and Demo, Nicola and Rozza, Gianluigi},
  title = {Physics-Informed Neural networks for Advanced modeling},
  journal = {Journal of Open Source Software}, volume = {8}, number = {87}, pages = {5352},
  year = {2023}, doi = {10.21105/joss.05352}}""",
)

PHIFLOW = Method(
    name="phiflow",
    family="differentiable physics",
    summary="peer: PhiFlow's own Burgers step unrolled; gradient descent, or matched: L-BFGS-B",
    solvers={"jax": "pdebench_peers.phiflow:solve", "torch": "pdebench_peers.phiflow:solve"},
    Config="pdebench_peers.recipes:PhiflowSettings",
    supports="pdebench_peers.recipes:supports_phiflow",
    requires=("phiflow",),
    tuned=Tuning(
        ("burgers[ic=random]",), 5, "preset=matched: the weight; initial states 0 and 1, 1% noise"
    ),
    citation="""@inproceedings{holl2024phiflow,
  author = {Holl, Philipp and Thuerey, Nils},
  title = {{PhiFlow}: Differentiable Simulations for {PyTorch}, {TensorFlow} and {Jax}},
  booktitle = {International Conference on Machine Learning}, series = {PMLR}, volume = {235},
  year = {2024}}""",
)
