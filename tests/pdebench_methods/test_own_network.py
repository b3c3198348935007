"""A user's own network by dotted path: trained as the built-in one is, or refused in one line."""

import shutil
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner.api import execute, plan
from pdebench_lite.runner.identity import fingerprint_of
from pdebench_lite.runner.study.file import load_study
from pdebench_lite.seeding import generator
from pdebench_lite.selectors import canonical, changed
from pdebench_lite.store.arrays import load_arrays
from pdebench_lite.store.cell import Budget
from pdebench_lite.store.records import WEIGHTS, Store
from pdebench_methods.host import flatten
from pdebench_methods.objectives.mlp import MlpObjective
from pdebench_methods.objectives.mlp_operator import MlpOperatorObjective
from pdebench_methods.objectives.pinn import PinnObjective
from pdebench_methods.own_network import OwnNetworks

TOYS = Path(__file__).parents[1] / "toys"
OBJECTIVES = {"mlp": MlpObjective, "pinn": PinnObjective}
SAME = "width=5,depth=2"


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(TOYS))


def tools_of(backend: str, dtype: str = "float64") -> Any:
    run = SimpleNamespace(dtype=dtype, device="cpu", max_steps=9)
    if backend == "torch":
        from pdebench_torch._training import TorchTools

        return TorchTools(run)
    from pdebench_jax._training import JaxTools

    return JaxTools(run)


def made(backend: str, problem: str, method: str) -> tuple[Any, Any]:
    """Return an objective and its tools, with the same random streams every time."""
    described, config = registry().configured(method)
    run = SimpleNamespace(
        config=config, rng=lambda purpose="": generator("m", purpose), count=lambda **costs: None
    )
    view = View(registry().task(problem), lambda purpose: generator("d", purpose))
    statement: Any = MlpOperatorObjective if view.instances else OBJECTIVES[described.name]
    tools = tools_of(backend)
    return statement(view, run, tools), tools


def flat(backend: str, problem: str, method: str) -> tuple[Any, np.ndarray]:
    """Return the loss as a function of one vector, and where it begins."""
    objective, tools = made(backend, problem, method)
    if backend == "torch":
        from pdebench_torch._training import TorchFlatObjective as Flat
    else:
        from pdebench_jax._training import JaxFlatObjective as Flat
    start = objective.initial()
    return Flat(tools, objective, start, objective.next_stage(start, {}).data), flatten(start)


FORWARD = "burgers:forward", "pinn", "points=40"
OTHERS = [
    ("burgers:forward", "pinn", "points=40,constraints=soft,side_points=9"),
    ("burgers:viscosity", "pinn", "points=40"),
    ("advection-density[points=20]", "pinn", "points=40"),
    ("advection-density", "mlp", "labels=30"),
]
SLOW = pytest.mark.slow  # JAX compiles for long
CASES = [
    *(("torch", *case) for case in [FORWARD, *OTHERS]),
    *(pytest.param("jax", *case, marks=SLOW) for case in [FORWARD, *OTHERS]),
]


def test_the_loss_is_that_of_the_same_network_built_in(backend: str) -> None:
    """Its derivatives are nested, those of the built-in one are jets."""
    own, tools = made(
        backend, "burgers:forward", f"pinn[points=40,network=own_nets_{backend}:Tanh]"
    )
    same, _ = made(backend, "burgers:forward", f"pinn[points=40,{SAME}]")
    start, names = own.initial(), sorted(same.initial())
    data = own.next_stage(start, {}).data
    found = tools.evaluate(own.loss, start, data)
    equal = dict(zip(names, [start[name] for name in sorted(start)], strict=True))
    assert float(found) == pytest.approx(float(tools.evaluate(same.loss, equal, data)), rel=1e-11)


@pytest.mark.parametrize(("backend", "problem", "method", "settings"), CASES)
def test_loss_and_gradient_are_those_of_the_same_network_built_in(
    backend: str, problem: str, method: str, settings: str
) -> None:
    pytest.importorskip(backend)
    own, x = flat(backend, problem, f"{method}[{settings},network=own_nets_{backend}:Tanh]")
    same, other = flat(backend, problem, f"{method}[{settings},{SAME}]")
    assert x.shape == other.shape
    assert not np.array_equal(x, other), "it draws its own weights"
    value, gradient = own.value_and_gradient(x)
    expected, slope = same.value_and_gradient(x)
    assert value == pytest.approx(expected, rel=1e-11)
    np.testing.assert_allclose(gradient, slope, rtol=1e-9, atol=1e-11)


@pytest.mark.parametrize(
    ("backend", "problem", "method", "settings"),
    [("torch", *FORWARD), ("torch", *OTHERS[2]), pytest.param("jax", *FORWARD, marks=SLOW)],
)
def test_jacobians_are_those_of_the_same_network_built_in(
    backend: str, problem: str, method: str, settings: str
) -> None:
    pytest.importorskip(backend)
    own, x = flat(backend, problem, f"{method}[{settings},network=own_nets_{backend}:Tanh]")
    same, _ = flat(backend, problem, f"{method}[{settings},{SAME}]")
    for ours, theirs in zip(own.linearise(x), same.linearise(x), strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-9, atol=1e-10)
    np.testing.assert_allclose(own.residuals(x), same.residuals(x), rtol=1e-9, atol=1e-10)


@pytest.mark.parametrize("backend", ["torch", pytest.param("jax", marks=SLOW)])
def test_an_operator_from_grid_to_grid(backend: str) -> None:
    pytest.importorskip(backend)
    own, x = flat(backend, "burgers:family", f"mlp[labels=3,network=own_nets_{backend}:Tanh]")
    same, _ = flat(backend, "burgers:family", f"mlp[labels=3,{SAME}]")
    found, expected = own.value_and_gradient(x), same.value_and_gradient(x)
    assert found[0] == pytest.approx(expected[0], rel=1e-11)
    np.testing.assert_allclose(found[1], expected[1], rtol=1e-9, atol=1e-11)


OPTIMISERS = ["gd", "adam", "lbfgs", "ssbroyden", "lm"]


@pytest.mark.parametrize(
    ("backend", "optimizer"),
    [
        *(("torch", name) for name in OPTIMISERS),
        *(pytest.param("jax", name, marks=SLOW) for name in OPTIMISERS),
    ],
)
def test_every_optimiser_lowers_the_loss(backend: str, optimizer: str) -> None:
    pytest.importorskip(backend)
    objective, tools = made(
        backend, "burgers:forward", f"pinn[points=40,network=own_nets_{backend}:Tanh]"
    )
    start = objective.initial()
    stage = replace(objective.next_stage(start, {}), optimizer=optimizer)
    parts = [tools.minimiser(stage, objective, start, 1e-3) for _ in range(2)]
    first = float(parts[0].advance(1)[0])
    parts[0].advance(4)
    parts[1].advance(5)
    whole, other = (part.parameters() for part in parts)
    value = lambda p: float(tools.evaluate(objective.loss, p, stage.data, stage.static))  # noqa: E731
    assert value(whole) < value(start)
    assert first <= value(start) * (1 + 1e-12)
    for name in whole:
        np.testing.assert_allclose(whole[name], other[name], rtol=1e-9, atol=1e-12)


# ---- what a network is ---------------------------------------------------------------------------


def networks(backend: str, name: str, dtype: str = "float64") -> OwnNetworks:
    return OwnNetworks(f"own_nets_{backend}:{name}", tools_of(backend, dtype))


def draw(chosen: OwnNetworks, seed: int, inputs: int = 2, outputs: int = 3) -> dict[str, Any]:
    return chosen.initial(np.random.default_rng(seed), "fields", inputs, outputs)


def test_a_pytree_is_called_point_by_point() -> None:
    pytest.importorskip("jax")
    tools, columns = tools_of("jax"), [np.linspace(-1, 1, 4), np.ones(4)]
    one, other = networks("jax", "Tanh"), networks("jax", "pytree")
    weights = {k: tools.asarray(v) for k, v in draw(one, 0).items()}
    same = dict(zip(draw(other, 0), weights.values(), strict=True))
    features = [tools.asarray(column) for column in columns]
    found = other.apply(same, "fields", features)
    np.testing.assert_allclose(found, one.apply(weights, "fields", features), rtol=1e-12)


def test_weights_are_drawn_from_the_seed(backend: str) -> None:
    first, again, other = (draw(networks(backend, "Tanh"), seed) for seed in (1, 1, 2))
    assert first.keys() == again.keys() == other.keys()
    assert all(name.startswith("fields.") for name in first)
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert any(not np.array_equal(first[name], other[name]) for name in first)
    assert sum(values.size for values in first.values()) == (2 * 5 + 5) + (5 * 5 + 5) + (5 * 3 + 3)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_it_computes_in_the_precision_of_the_run(backend: str, dtype: str) -> None:
    chosen = networks(backend, "Tanh", dtype)
    tools = tools_of(backend, dtype)
    start = draw(chosen, 0)
    weights = {name: tools.asarray(values) for name, values in start.items()}
    rows = chosen.apply(weights, "fields", [tools.asarray(np.ones(4)), tools.asarray(np.zeros(4))])
    found = tools.to_numpy(rows)
    assert (found.shape, found.dtype) == ((3, 4), np.dtype(dtype))


def test_only_what_needs_a_gradient_is_trained() -> None:
    pytest.importorskip("torch")
    chosen = networks("torch", "Fourier")
    weights = draw(chosen, 0)
    assert {name: values.shape for name, values in weights.items()} == {
        "fields.last.weight": (3, 8), "fields.last.bias": (3,)
    }  # fmt: skip
    jax_weights = draw(networks("jax", "Tanh"), 0) if pytest.importorskip("jax") else {}
    assert not any("scales" in name for name in jax_weights)


def test_running_means_may_stay_where_they_are() -> None:
    pytest.importorskip("torch")
    assert len(draw(networks("torch", "evaluated_batch_norm"), 0)) == 6


COMMON = [
    ("across", UnsupportedError, "depends on the other points"),
    ("transposed", PdebenchError, r"became \(3, \d\); return \(3, 3\)"),
    ("single", PdebenchError, "in float64 became float32"),
    ("weightless", PdebenchError, "no weights to train"),
    ("other_library", UnsupportedError, "it returns function, which"),
    ("broken", PdebenchError, "called with inputs=2, outputs=3: KeyError: 'layers'"),
    ("number", PdebenchError, "is int, not callable"),
    ("Tahn", PdebenchError, "did you mean 'Tanh'"),
]
OF_TORCH = [
    ("dropout", UnsupportedError, "differently each time.*dropout"),
    ("batch_norm", UnsupportedError, "changes its buffer 1.running_mean.*BatchNorm"),
    ("stateless_batch_norm", PdebenchError, "more than 1 value per channel"),
]


@pytest.mark.parametrize(("name", "kind", "message"), COMMON)
def test_what_is_no_network_is_refused(
    backend: str, name: str, kind: type[Exception], message: str
) -> None:
    check_refusal(backend, name, kind, message)


@pytest.mark.parametrize(("name", "kind", "message"), OF_TORCH)
def test_layers_with_a_state_or_chance_are_refused(
    name: str, kind: type[Exception], message: str
) -> None:
    pytest.importorskip("torch")
    check_refusal("torch", name, kind, message)


def check_refusal(backend: str, name: str, kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message) as caught:
        draw(networks(backend, name), 0)
    assert type(caught.value) is kind
    assert str(caught.value).startswith(f"network=own_nets_{backend}:{name}")
    assert "\n" not in str(caught.value)


# ---- settings ------------------------------------------------------------------------------------


def test_it_takes_the_place_of_the_shape() -> None:
    config = registry().configured("pinn[network=my_package.nets:Siren]")[1]
    assert config.derivatives == "autodiff"
    kept = config.model_dump(mode="json")
    assert kept["network"] == "my_package.nets:Siren"
    assert not {"width", "depth", "activation"} & kept.keys()
    assert "network" not in registry().configured("pinn")[1].model_dump()
    assert canonical("pinn", changed(config)) == "pinn[network=my_package.nets:Siren]"
    assert registry().configured("pinn")[0].Config(**kept) == config
    preset = registry().configured("pinn[preset=raissi,network=nets:Siren]")[1]
    assert (preset.constraints, preset.optimizer) == ("soft", "adam+lbfgs")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ("network=nets.Siren", "network='nets.Siren': write package.module:callable"),
        ("network=../nets.py:Siren", "write package.module:callable"),
        ("network=nets:Siren,width=30", "leave width out"),
        ("network=nets:Siren,activation=sin", "leave activation out"),
        ("network=nets:Siren,derivatives=jets", "jets do not pass through"),
    ],
)
def test_settings_that_contradict_it_are_refused(settings: str, message: str) -> None:
    with pytest.raises(PdebenchError, match=message):
        registry().configured(f"pinn[{settings}]")


@pytest.mark.parametrize("problem", ["burgers", "burgers:family"])
@pytest.mark.parametrize("method", ["mlp", "pinn"])
def test_a_module_that_is_nowhere_is_named_before_anything_runs(problem: str, method: str) -> None:
    soft = ",constraints=soft" if method == "pinn" else ""
    described, config = registry().configured(f"{method}[network=no_such.nets:Siren{soft}]")
    support = described.supports(registry().task(problem), config)
    assert not support.ok
    assert support.reason.startswith("network=no_such.nets:Siren: no module 'no_such.nets'")


def test_jets_of_a_family_are_not_offered_to_it() -> None:
    described, config = registry().configured("pinn[network=own_nets_torch:Tanh]")
    support = described.supports(registry().task("burgers:family"), config)
    assert support.reason.endswith("network needs soft constraints; write constraints=soft")


def test_a_study_names_it(tmp_path: Path, backend: str) -> None:
    (tmp_path / "study.yaml").write_text(
        "problem: burgers\n"
        "device: cpu\n"
        f"backend: {backend}\n"
        "methods:\n"
        "  - pinn[network=my_package.nets:Siren]\n"
        "  - mlp:\n"
        "      network: [my_package.nets:Siren, other:Net]\n"
    )
    cells, _ = load_study(tmp_path / "study.yaml").plan(registry())
    assert [cell.label for cell in cells] == [
        "pinn[network=my_package.nets:Siren]",
        "mlp[network=my_package.nets:Siren]",
        "mlp[network=other:Net]",
    ]


# ---- whole cells ---------------------------------------------------------------------------------


@pytest.mark.slow
def test_a_cell_finds_it_where_the_user_stands(
    tmp_path: Path, backend: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No path leads to its file but the working directory."""
    shutil.copy(TOYS / f"own_nets_{backend}.py", tmp_path / "own_nets.py")
    monkeypatch.chdir(tmp_path)
    known = registry()
    method = "pinn[points=40,optimizer=adam+lm,adam_steps=3,network=own_nets:Tanh]"
    cells, devices = plan(
        known, "burgers:viscosity", method, backend, (0,), Budget(max_steps=5), "cpu"
    )
    (record,) = execute(known, cells, devices, tmp_path / "runs")
    assert record.status == "ok", record.reason
    assert record.config["network"] == "own_nets:Tanh"
    assert record.steps == 5
    weights = load_arrays(Store(tmp_path / "runs").folder(record.cell) / WEIGHTS)
    assert sum(values.size for values in weights.values()) == record.params
    assert {"nu"} < {name.partition(".")[0] for name in weights}
    assert record.fingerprint["own_nets.py"]
    (tmp_path / "own_nets.py").write_text("Tanh = None  # edited\n")
    assert fingerprint_of(known, cells[0])["own_nets.py"] != record.fingerprint["own_nets.py"]
