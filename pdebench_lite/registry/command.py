"""Command: a verb of `pdebench` that a plugin brings."""

from collections.abc import Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from pdebench_lite.errors import PdebenchError


@dataclass(frozen=True)
class Command:
    """A verb, `pdebench NAME`, described without importing it.

    Attributes:
        name: the verb, in lower case.
        function: "module:function"; a function whose annotated parameters are options of typer,
            or a `typer.Typer` with verbs of its own. It returns an exit status, or None for 0.
    """

    name: str
    function: str

    def load(self) -> tuple[Callable[..., Any], str | None]:
        """Return the function and the examples for its help (`EXAMPLES` of its module).

        Raises:
            PdebenchError: the module or the function is not there.
        """
        module, _, name = self.function.partition(":")
        try:
            loaded = import_module(module)
            return getattr(loaded, name), getattr(loaded, "EXAMPLES", None)
        except (ImportError, AttributeError) as error:
            raise PdebenchError(
                f"command {self.name}: '{self.function}' cannot be imported, {error}; "
                "write module:function"
            ) from error
