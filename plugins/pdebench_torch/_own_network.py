"""A user's `torch.nn.Module` as a function of its weights."""

from collections.abc import Callable, Mapping
from typing import Any

import torch

from pdebench_lite.errors import UnsupportedError
from pdebench_methods.training import OwnNetwork


def own_network(
    make: Callable[..., Any],
    inputs: int,
    outputs: int,
    seed: int,
    dtype: torch.dtype,
    device: torch.device,
) -> OwnNetwork:
    """Make a module on the host, as its author draws it, and move it to the device.

    Parameters that need no gradient stay as they are, and so do buffers; layers that find their
    sizes at the first call are called once. The module stays in the mode that it is made in. What
    `torch.compile` and DataParallel wrap is taken out: a compiled module cannot be differentiated
    twice, and the loss is compiled as a whole where that pays.

    Raises:
        UnsupportedError: it is not a module, a module of TorchScript, or a call changes its
            buffers.
    """
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        with torch.device("cpu"), torch.random.fork_rng(devices=[]), torch.no_grad():
            torch.manual_seed(seed)
            module = make(inputs, outputs)
            if not isinstance(module, torch.nn.Module):
                raise UnsupportedError(
                    f"it returns {type(module).__qualname__}, which is not a torch.nn.Module; for "
                    "a network of JAX add --backend jax"
                )
            module = _unwrapped(module)
            if any(isinstance(part, torch.jit.ScriptModule) for part in module.modules()):
                raise UnsupportedError(
                    "it returns a module of TorchScript, whose weights cannot be replaced; return "
                    "the module itself, without torch.jit.script or torch.jit.trace"
                )
            module.to(dtype=dtype)
            points = torch.linspace(-1.0, 1.0, 2 * inputs).reshape(2, inputs)
            module(points)
            kept = {name: buffer.clone() for name, buffer in module.named_buffers()}
            module(points)
    finally:
        torch.set_default_dtype(before)
    for name, buffer in module.named_buffers():
        if not torch.equal(buffer, kept[name]):
            raise UnsupportedError(
                f"a call changes its buffer {name}, as BatchNorm does while it learns: a loss is "
                "a function of weights and points; leave that layer out, or return the module "
                "after .eval()"
            )
    module.to(device=device)
    trained = {name: p for name, p in module.named_parameters() if p.requires_grad}

    def call(weights: Mapping[str, Any], x: torch.Tensor) -> torch.Tensor:
        answer: torch.Tensor = torch.func.functional_call(module, dict(weights), (x,))
        return answer

    return OwnNetwork(
        {name: p.detach().cpu().to(torch.float64).numpy() for name, p in trained.items()}, call
    )


def _unwrapped(module: torch.nn.Module) -> torch.nn.Module:
    """Return a module without the wrappers of `torch.compile` and DataParallel, at any depth."""
    while True:
        if hasattr(module, "_orig_mod"):
            module = module._orig_mod
        elif isinstance(module, torch.nn.DataParallel):
            module = module.module
        else:
            break
    for name, part in list(module.named_children()):
        if (inner := _unwrapped(part)) is not part:
            setattr(module, name, inner)
    module._compiled_call_impl = None  # what `module.compile()` sets
    return module
