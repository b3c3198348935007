"""The matrix on a device: the same as the one on the host, and the optimiser takes either."""

from functools import partial
from types import SimpleNamespace

import numpy as np
import pytest

from pdebench_methods.search import HostMatrix, SelfScaledBroyden

torch = pytest.importorskip("torch")

from pdebench_torch._device_matrix import DeviceMatrix  # noqa: E402
from pdebench_torch._training import TorchTools  # noqa: E402

ON_CPU = partial(DeviceMatrix, device=torch.device("cpu"))


def after_some_updates(matrix, n, rng):
    for _ in range(3):
        matrix.add(rng.normal(size=(n, 4)), rng.normal(size=(n, 4)))
        matrix.scale(0.5)
    return matrix


def test_it_is_the_same_matrix():
    n = 30
    of_device = after_some_updates(ON_CPU(n), n, np.random.default_rng(3))
    of_host = after_some_updates(HostMatrix(n), n, np.random.default_rng(3))
    np.testing.assert_allclose(of_device.numpy(), of_host.numpy(), rtol=1e-13, atol=1e-13)
    np.testing.assert_array_equal(of_host.numpy(), of_host.numpy().T)
    x, plus = np.random.default_rng(4).normal(size=(2, n))
    np.testing.assert_allclose(
        of_device.times(x, plus), of_host.numpy() @ x + plus, rtol=1e-12, atol=1e-12
    )
    other = ON_CPU(n)
    other.load(of_host.numpy())
    np.testing.assert_allclose(other.times(x, plus), of_host.times(x, plus), rtol=1e-12)


def rosenbrock(x):
    gaps = x[1:] - x[:-1] ** 2
    gradient = np.zeros_like(x)
    gradient[1:] += 200 * gaps
    gradient[:-1] += -400 * x[:-1] * gaps - 2 * (1 - x[:-1])
    return float(np.sum(100 * gaps**2 + (1 - x[:-1]) ** 2)), gradient


def test_the_optimiser_takes_either():
    either = [SelfScaledBroyden(rosenbrock, np.zeros(6), matrix) for matrix in (HostMatrix, ON_CPU)]
    for _ in range(20):
        assert all(optimizer.step() for optimizer in either)
    np.testing.assert_allclose(either[1].x, either[0].x, rtol=1e-8)
    for optimizer in either:
        while optimizer.loss > 1e-20 and optimizer.step():
            pass
        np.testing.assert_allclose(optimizer.x, 1.0, atol=1e-8)


def tools_on(device):
    return TorchTools(SimpleNamespace(dtype="float64", device=device))


def test_a_run_on_a_processor_has_it_on_the_host():
    assert isinstance(tools_on("cpu").matrix(4), HostMatrix)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="torch sees no CUDA device")
def test_a_gpu_holds_it():
    matrix = after_some_updates(tools_on("cuda").matrix(500), 500, np.random.default_rng(3))
    assert isinstance(matrix, DeviceMatrix)
    on_host = after_some_updates(HostMatrix(500), 500, np.random.default_rng(3))
    np.testing.assert_allclose(matrix.numpy(), on_host.numpy(), rtol=1e-12, atol=1e-12)
