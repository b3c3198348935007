"""The matrix on a device: the same as the one on the host, and the optimiser takes either."""

from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_lite.optimize import HostMatrix, SelfScaledBroyden
from pdebench_lite.plugins import registry
from pdebench_lite.runner.device import devices_of
from pdebench_methods.device_matrix import DeviceMatrix


def tools_of(backend, device="cpu"):
    run = SimpleNamespace(dtype="float64", device=device)
    if backend == "torch":
        from pdebench_torch._training import TorchTools

        return TorchTools(run)
    __import__("jax").config.update("jax_enable_x64", True)
    from pdebench_jax._training import JaxTools

    return JaxTools(run)


def after_some_updates(matrix, n, rng):
    for _ in range(3):
        matrix.add(rng.normal(size=(n, 4)), rng.normal(size=(n, 4)))
        matrix.scale(0.5)
    return matrix


def test_it_is_the_same_matrix(backend):
    n = 30
    of_device = after_some_updates(DeviceMatrix(tools_of(backend), n), n, np.random.default_rng(3))
    of_host = after_some_updates(HostMatrix(n), n, np.random.default_rng(3))
    np.testing.assert_allclose(of_device.numpy(), of_host.numpy(), rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(of_host.numpy(), of_host.numpy().T)
    x, plus = np.random.default_rng(4).normal(size=(2, n))
    np.testing.assert_allclose(
        of_device.times(x, plus), of_host.numpy() @ x + plus, rtol=1e-12, atol=1e-12
    )
    other = DeviceMatrix(tools_of(backend), n)
    other.load(of_host.numpy())
    np.testing.assert_allclose(other.times(x, plus), of_host.times(x, plus), rtol=1e-12)


def rosenbrock(x):
    gaps = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * gaps
    gradient[:-1] += -400 * x[:-1] * gaps - 2 * (1 - x[:-1])
    return float(np.sum(100 * gaps**2 + (1 - x[:-1]) ** 2)), gradient


def test_the_optimiser_takes_either(backend):
    tools = tools_of(backend)
    either = [
        SelfScaledBroyden(rosenbrock, np.zeros(6), matrix)
        for matrix in (HostMatrix, lambda n: DeviceMatrix(tools, n))
    ]
    for _ in range(20):
        assert all(optimizer.step() for optimizer in either)
    np.testing.assert_allclose(either[1].x, either[0].x, rtol=1e-8)
    for optimizer in either:
        while optimizer.loss > 1e-20 and optimizer.step():
            pass
        np.testing.assert_allclose(optimizer.x, 1.0, atol=1e-8)


def test_a_run_on_a_processor_has_it_on_the_host(backend):
    tools = tools_of(backend)
    assert isinstance(tools.matrix(4), HostMatrix)


@pytest.mark.gpu
def test_a_gpu_holds_it(backend):
    known = registry()
    if "cuda:0" not in devices_of(known.backend(backend).runtime):
        pytest.skip(f"{backend} sees no CUDA device")
    tools = tools_of(backend, "cuda")
    matrix = after_some_updates(tools.matrix(500), 500, np.random.default_rng(3))
    assert isinstance(matrix, DeviceMatrix)
    on_host = after_some_updates(HostMatrix(500), 500, np.random.default_rng(3))
    np.testing.assert_allclose(matrix.numpy(), on_host.numpy(), rtol=1e-12, atol=1e-12)
