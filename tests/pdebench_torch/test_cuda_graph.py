"""CUDA graphs: the same numbers as without, and losses that cannot be captured still run."""

import time
import warnings

import pytest

torch = pytest.importorskip("torch")


def squares(variables, data):
    with torch.enable_grad():
        loss = ((variables["w"] * data["x"]).sin() ** 2).sum()
        return loss.detach(), *torch.autograd.grad(loss, [variables["w"]])


def inputs(seed, device):
    generator = torch.Generator().manual_seed(seed)
    w, x = (torch.rand(50, dtype=torch.float64, generator=generator).to(device) for _ in range(2))
    return {"w": w.requires_grad_()}, {"x": x}


def test_on_a_cpu_a_function_stays_as_it_is():
    from pdebench_torch._cuda_graph import graphed

    assert graphed(squares, torch.device("cpu")) is squares


@pytest.fixture
def gpu():
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    return torch.device("cuda")


@pytest.mark.gpu
def test_a_graph_follows_its_variables_and_its_data(gpu):
    from pdebench_torch._cuda_graph import graphed

    fast = graphed(squares, gpu)
    for seed in range(4):
        variables, data = inputs(seed, gpu)
        for scale in (1.0, 0.5):  # the same data twice
            at = {"w": (scale * variables["w"].detach()).requires_grad_()}
            with warnings.catch_warnings():
                warnings.simplefilter("error")
                found = [part.clone() for part in fast(at, data)]
            for got, expected in zip(found, squares(at, data), strict=True):
                assert torch.equal(got, expected)


@pytest.mark.gpu
def test_a_function_that_reads_on_the_host_runs_without_a_graph(gpu):
    from pdebench_torch._cuda_graph import graphed

    def reads(variables, data):
        return (variables["w"].detach() * float(data["x"].sum()),)

    fast = graphed(reads, gpu)
    variables, data = inputs(0, gpu)
    with pytest.warns(UserWarning, match="no CUDA graph"):
        fast(variables, data)
    for seed in range(2):
        variables, data = inputs(seed, gpu)
        assert torch.equal(fast(variables, data)[0], reads(variables, data)[0])


@pytest.mark.gpu
def test_a_graph_is_faster_than_launches_one_by_one(gpu):
    from pdebench_torch._cuda_graph import graphed

    def many(variables, data):
        y = variables["w"].detach()
        for _ in range(200):
            y = (y * data["x"]).sin()
        return (y,)

    def seconds(function):
        variables, data = inputs(0, gpu)
        times = []
        for _ in range(20):
            torch.cuda.synchronize()
            began = time.perf_counter()
            function(variables, data)
            torch.cuda.synchronize()
            times.append(time.perf_counter() - began)
        return sorted(times)[len(times) // 2]

    assert seconds(graphed(many, gpu)) < seconds(many)
