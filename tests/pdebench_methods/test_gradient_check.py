"""Derivatives of a user's network that are lost are found before training."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.problem.view import View
from pdebench_lite.registry.discovery import registry
from pdebench_lite.seeding import generator
from pdebench_methods.objectives.pinn import PinnObjective
from pdebench_methods.own_network import OwnNetworks


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(Path(__file__).parents[1] / "toys"))


def tools_of(backend: str, dtype: str = "float64") -> Any:
    run = SimpleNamespace(dtype=dtype, device="cpu", max_steps=9)
    if backend == "torch":
        from pdebench_torch._training import TorchTools

        return TorchTools(run)
    from pdebench_jax._training import JaxTools

    return JaxTools(run)


def trained(path: str, backend: str, order: int, dtype: str = "float64") -> set[str]:
    """Return the names of the weights of a network of two inputs and one output."""
    pytest.importorskip(backend)
    chosen = OwnNetworks(path, tools_of(backend, dtype), order)
    weights = chosen.initial(np.random.default_rng(0), "f", 2, 1)
    return {name.removeprefix("f.") for name in weights}


def refusal(path: str, backend: str, order: int) -> str:
    """Return why a network is refused."""
    with pytest.raises(PdebenchError) as caught:
        trained(path, backend, order)
    message = str(caught.value)
    assert message.startswith(f"network={path}")
    assert "\n" not in message
    return message


BOTH = [
    (
        "detached_input",
        1,
        "first derivative along input 1 of 2 is 0 by automatic .* by differences",
    ),
    ("detached_last_input", 1, "first derivative along input 2 of 2 is 0 by automatic"),
    ("straight_through", 1, "first derivative along input 1 of 2 is .* 0 by differences"),
    ("rounded", 1, "first derivative along input 1 of 2 is 0 wherever it exists, as with rounding"),
    ("table", 1, "first derivative along input 1 of 2 is 0 wherever it exists"),
    ("relu", 2, "second derivative along input 1 of 2 is 0 wherever it exists, as with ReLU.*tanh"),
    ("once", 2, "second derivative along input 1 of 2 is .* by differences; leave out.*backward"),
    ("once", 1, "gradient of its first derivative along its inputs in its weights is .* by diff"),
    ("detached_within", 1, "first derivative along input 1 of 2 is 0 by automatic"),
    ("detached_within", 0, "its weights .* get no gradient, though its answer depends on them"),
    ("tuple_of_answers", 0, "its answer is tuple; return one array"),
]
TORCH = [
    ("data_of_input", 1, "first derivative along input 1 of 2 is 0 by automatic"),
    ("through_numpy", 1, "first derivative along input 1 of 2 is 0 by automatic.*NumPy"),
    (
        "numpy_of_a_leaf",
        1,
        "differentiated: RuntimeError: Can't call numpy.*library of the backend",
    ),
    ("without_grad", 1, "first derivative along input 1 of 2 is 0 by automatic.*no_grad"),
    ("without_grad", 0, r"its weights layers.0.bias.*get no gradient, though.*no_grad"),
    ("layer_norm", 2, "gradient of its second derivative .*nn.LayerNorm from the third"),
    ("attention", 2, "_scaled_dot_product_flash_attention.*under torch.nn.attention.sdpa_kernel"),
    ("scripted", 0, "a module of TorchScript.*return the module itself, without torch.jit.script"),
    ("constant_of_one_type", 0, "same dtype.*keep constants by register_buffer"),
]
JAX = [
    (
        "through_numpy",
        0,
        "TracerArrayConversionError: The numpy.ndarray conversion.*library of the",
    ),
    ("branches", 0, "let no value of the inputs decide which way Python goes"),
]


@pytest.mark.parametrize(
    ("backend", "name", "order", "message"),
    [
        *(("torch", *case) for case in BOTH + TORCH),
        *(("jax", *case) for case in BOTH + JAX),
    ],
)
def test_what_is_lost_is_named(backend: str, name: str, order: int, message: str) -> None:
    found = refusal(f"own_nets_{backend}:{name}", backend, order)
    assert re.search(message, found), found


HONEST = [
    ("Tanh", 2),
    ("from_zero", 2),
    ("fast_sine", 2),
    ("kinks", 2),
    ("in_single_precision", 2),
    ("compiled", 2),
    ("relu", 1),
    ("relu", 0),
    ("detached_input", 0),
    ("rounded", 0),
]
OF_TORCH = [("weight_norm", 2), ("parallel", 2), ("layer_norm", 1), ("attention", 0)]


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("backend", "name", "order"),
    [
        *(("torch", *case) for case in HONEST + OF_TORCH),
        *(pytest.param("jax", *case, marks=pytest.mark.slow) for case in HONEST),
        ("jax", "fast_sine", 2),
        ("jax", "relu", 1),
    ],
)
def test_what_is_whole_is_not_refused(backend: str, name: str, order: int, dtype: str) -> None:
    assert trained(f"own_nets_{backend}:{name}", backend, order, dtype)


def test_weights_that_are_held_fixed_are_not_trained() -> None:
    assert trained("own_nets_torch:frozen_by_detach", "torch", 2) == {
        "layers.0.bias", "layers.1.weight", "layers.1.bias", "layers.2.weight", "layers.2.bias"
    }  # fmt: skip
    assert trained("own_nets_jax:fixed_features", "jax", 2) == {"last"}


def test_a_wrapper_is_taken_out() -> None:
    names = trained("own_nets_torch:compiled", "torch", 0)
    assert names == {f"0.layers.{i}.{kind}" for i in range(3) for kind in ("weight", "bias")}


@pytest.mark.parametrize(
    ("problem", "settings", "order"),
    [("burgers:forward", "", 2), ("advection-density[points=20]", "", 1)],
)
def test_the_order_is_that_of_the_equation(problem: str, settings: str, order: int) -> None:
    """A network of ReLU may be what an equation of first order needs."""
    pytest.importorskip("torch")
    _, config = registry().configured("pinn[points=40,network=own_nets_torch:relu]")
    run = SimpleNamespace(
        config=config, rng=lambda purpose="": generator("m", purpose), count=lambda **costs: None
    )
    view = View(registry().task(problem), lambda purpose: generator("d", purpose))
    objective = PinnObjective(view, run, tools_of("torch"))  # type: ignore[arg-type]
    if order == 1:
        assert objective.initial()
    else:
        with pytest.raises(UnsupportedError, match=r"second derivative .* as with ReLU"):
            objective.initial()


# ---- flax ----------------------------------------------------------------------------------------


@pytest.fixture
def flax(toys: None) -> None:
    pytest.importorskip("flax", reason="flax is not installed; it is in the extra peers")


@pytest.mark.usefixtures("flax")
@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("plain", {"layers.0", "layers.2"}),
        ("dropout_evaluated", {"layers.0", "layers.3"}),
        ("batch_norm_evaluated", {"layers.0", "layers.1", "layers.3"}),
        ("Features", {"last"}),
        ("linen_evaluated", {"params.BatchNorm_0", "params.Dense_0", "params.Dense_1"}),
    ],
)
def test_only_parameters_of_flax_train(name: str, parameters: set[str]) -> None:
    """No running statistics, no counters of random numbers, no fixed variable."""
    names = trained(f"own_nets_flax:{name}", "jax", 2)
    owners = {owner for owner in parameters for found in names if found.startswith(f"{owner}.")}
    assert owners == parameters
    assert all(any(found.startswith(f"{owner}.") for owner in parameters) for found in names)
    assert all({"kernel", "bias", "scale"} & set(found.split(".")) for found in names)


@pytest.mark.usefixtures("flax")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("batch_norm", r"a call changes its state layers.1.*mean.*after .eval\(\)"),
        ("dropout", r"a call changes its state layers.1.*count.*after .eval\(\)"),
        ("linen_batch_norm", "ModifyScopeVariableError: Cannot update variable"),
    ],
)
def test_flax_modules_with_a_state_are_refused(name: str, message: str) -> None:
    found = refusal(f"own_nets_flax:{name}", "jax", 0)
    assert re.search(message, found), found
