"""Method and Backend: how a way of solving is described, without importing it."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar

from pdebench_lite.errors import PdebenchError
from pdebench_lite.text import counted

if TYPE_CHECKING:  # takes long to import, and listing needs none
    from pdebench_lite.problem import Task
    from pdebench_lite.selectors import Settings

T = TypeVar("T")

Family: TypeAlias = Literal[
    "supervised", "physics-informed", "differentiable physics", "classical", "other"
]


@dataclass(frozen=True)
class Support:
    """Whether a method can do a task; `reason` says why not."""

    ok: bool
    reason: str = ""


def supports_everything(task: "Task", config: Any) -> Support:
    """Return yes: the default of `Method.supports`."""
    return Support(True)


class Named(Generic[T]):
    """Field that holds an object, or its name "module:object", imported when it is first read."""

    def __init__(self, default: str) -> None:
        self._default = default

    def __set_name__(self, owner: type, name: str) -> None:
        self._key = f"_{name}"

    def __get__(self, instance: Any, owner: type) -> T:
        if instance is None:  # how a dataclass asks for the default
            return self._default  # type: ignore[return-value]
        value = instance.__dict__[self._key]
        if isinstance(value, str):
            module, _, name = value.partition(":")
            try:
                value = instance.__dict__[self._key] = getattr(import_module(module), name)
            except Exception as error:  # a stranger's plugin never takes us down
                kind = type(instance).__name__.lower()
                raise PdebenchError(
                    f"{kind} {instance.name}: {self._key[1:]}='{value}' cannot be imported, "
                    f"{type(error).__name__}: {error}; write module:object"
                ) from error
        return value

    def __set__(self, instance: Any, value: T | str) -> None:
        instance.__dict__[self._key] = value


@dataclass(frozen=True)
class Tuning:
    """What the default settings of a method, or some of them, were tuned on.

    Attributes:
        problems: labels of the problems.
        trials: runs that were looked at: configurations × problems.
        instances: which instances took part, in words; empty where a problem has but one.
    """

    problems: tuple[str, ...]
    trials: int
    instances: str = ""

    def __str__(self) -> str:
        where = ", ".join(self.problems) + (f" ({self.instances})" if self.instances else "")
        return f"{counted(self.trials, 'trial')} on {where}"


@dataclass(frozen=True)
class Method:
    """A method, described without its backend: listing and planning never load torch or JAX.

    Names in place of objects, as the built-in methods have them, keep `pdebench list` fast.

    Attributes:
        name: how it is called, in lower case.
        family: which face it learns from.
        summary: one line.
        solvers: backend name -> "module:function"; the function is `solve(view, run) -> Solution`
            and is imported in the child process that runs the cell.
        Config: settings with defaults that work; the class, or "module:Class".
        supports: `supports(task, config) -> Support`; the function, or "module:function".
        citation: BibTeX of the source.
        requires: distributions, besides those of the backend, whose versions the numbers depend on.
        tuned: what the default settings were tuned on; several where different trials were on
            different problems; None: not stated.
    """

    name: str
    family: Family
    summary: str
    solvers: Mapping[str, str]
    Config: "Named[type[Settings]]" = Named("pdebench_lite.selectors:Settings")
    supports: "Named[Callable[[Task, Any], Support]]" = Named(
        "pdebench_lite.registry.method:supports_everything"
    )
    citation: str = ""
    requires: tuple[str, ...] = ()
    tuned: Tuning | tuple[Tuning, ...] | None = None

    @property
    def tunings(self) -> tuple[Tuning, ...]:
        """What the default settings were tuned on, part by part; empty: not stated."""
        return (self.tuned,) if isinstance(self.tuned, Tuning) else self.tuned or ()


@dataclass(frozen=True)
class Backend:
    """An array library that solvers run on.

    Attributes:
        name: `numpy`, `torch`, `jax`, …
        requires: distributions that must be installed.
        extra: the extra of pdebench-lite that installs them.
        runtime: name of a module with `prepare(device, dtype)`, `synchronize()`,
            `device_name() -> str`, `device_peak_bytes() -> int | None`, `reset_device_peak()` and
            `devices() -> list[str]`, and, if it can tell, `pools() -> dict[str, int]`: the threads
            of its pools, that of arithmetic first; imported in the child process only.
    """

    name: str
    requires: tuple[str, ...]
    extra: str
    runtime: str
