"""The PyTorch backend. Importing this package does not import torch."""

from collections.abc import Sequence

from pdebench_lite import hookimpl
from pdebench_lite.registry.method import Backend


@hookimpl
def pdebench_backends() -> Sequence[Backend]:
    """Return the backend."""
    return (Backend("torch", ("torch", "pytorch_lightning"), "torch", "pdebench_torch._runtime"),)
