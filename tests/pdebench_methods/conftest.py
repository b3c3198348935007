"""What the tests of the methods share."""

import pytest


@pytest.fixture(params=["torch", "jax"])
def backend(request: pytest.FixtureRequest) -> str:
    """Each backend that is installed."""
    pytest.importorskip(request.param)
    return request.param
