"""Settings that methods share; light, because listing the methods reads them."""

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar, Literal, TypeAlias

from pydantic import (
    Field,
    SerializerFunctionWrapHandler,
    field_validator,
    model_serializer,
    model_validator,
)

from pdebench_lite.errors import PdebenchError, UnsupportedError
from pdebench_lite.registry import own_code
from pdebench_lite.registry.component import COMPONENTS, Component, Network, Optimizer
from pdebench_lite.registry.discovery import Registry, registry
from pdebench_lite.registry.method import Support
from pdebench_lite.selectors import Settings, canonical, changed, split_outside

Activation: TypeAlias = Literal["tanh", "sin", "sigmoid", "silu", "gelu", "softplus"]

AUTO = "auto"
_CHOSEN = ("ssbroyden", "adam", "lbfgs", "gauss-newton")  # what `auto` may mean
DENSE_UP_TO = 5000
"""Parameters up to which an optimiser may hold a matrix of parameters × parameters (200 MB)."""

SHAPE = ("width", "depth", "activation")
"""Settings of the networks that are registered, which one of the user's own has in its code."""


def components() -> Registry:
    """Return the optimisers, networks, weightings and samplers that are installed."""
    return registry(tuple(COMPONENTS))


def component(kind: str, selector: str) -> tuple[Any, Settings]:
    """Return the component that a setting names, and its own settings.

    Raises:
        PdebenchError: there is none of that name; the message lists those that there are.
    """
    return components().component(kind, selector)


def named(kind: str, selector: str) -> str:
    """Return a component's selector in its shortest form, for validators.

    Raises:
        ValueError: there is none of that name, or a setting of it is bad.
    """
    try:
        found, config = component(kind, selector)
    except PdebenchError as error:
        raise ValueError(str(error)) from error
    return canonical(found.name, changed(config))


def _chain(optimizer: str) -> list[str]:
    """Return the parts of `a+b`."""
    try:
        return split_outside(optimizer, "+")
    except PdebenchError as error:
        raise ValueError(str(error)) from error


def named_optimizers(optimizer: str, *needs: str) -> str:
    """Return optimisers, `a` or `a+b`, in their shortest form, for validators.

    Args:
        optimizer: what was given; `auto` stays.
        needs: what the method can give them; see `pdebench_lite.registry.component.Optimizer`.

    Raises:
        ValueError: there is none of a name, or it needs something else.
    """
    if optimizer == AUTO:
        return optimizer
    parts = [named("optimizer", part) for part in _chain(optimizer)]
    for part in parts:
        found, _ = component("optimizer", part)
        if found.needs not in needs:
            fitting = [o.name for o in components().optimizers.values() if o.needs in needs]
            raise ValueError(
                f"optimizer '{found.name}' does not fit this method; "
                f"it takes: {', '.join(sorted(fitting))}"
            )
    return "+".join(parts)


class ComponentSettings(Settings):
    """Base of settings that name components.

    Attributes:
        usual: setting -> the name that is left out of a record, so that cells without it keep the
            names they have had.
        kinds: setting -> the kind of component that it names.
        always: optimisers that the method takes without a setting.
    """

    usual: ClassVar[Mapping[str, str]] = {}
    kinds: ClassVar[Mapping[str, str]] = {}
    always: ClassVar[tuple[str, ...]] = ()

    @model_serializer(mode="wrap")
    def _what_applies(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what has no meaning, and what is usual."""
        written, usual = write(self), type(self).usual
        own = own_code.is_path(written.get("network", ""))
        return {
            name: value
            for name, value in written.items()
            if not (own and name in SHAPE) and usual.get(name) != value
        }

    @classmethod
    def code_paths(cls, values: Mapping[str, Any], backend: str) -> tuple[str, ...]:
        """Return the modules of the components that are named, and the path of an own network."""
        return tuple(cls._modules({**_defaults(cls), **values}, backend))

    @classmethod
    def _modules(cls, values: Mapping[str, Any], backend: str) -> Iterator[str]:
        named = [("optimizer", name) for name in cls.always]
        for setting, kind in cls.kinds.items():
            value = str(values[setting])
            if own_code.is_path(value):
                yield value
            elif value == AUTO:
                named += [(kind, name) for name in _CHOSEN]
            else:
                named += [(kind, part.partition("[")[0]) for part in _chain(value)]
        for kind, name in named:
            found: Component | None = getattr(components(), f"{kind}s").get(name)
            yield from found.modules(backend) if found else ()


def _defaults(model: type[Settings]) -> dict[str, Any]:
    return {name: info.default for name, info in model.model_fields.items()}


class NetworkSettings(ComponentSettings):
    """Shape of the network; depth 1 is the form of the universal approximation theorem."""

    usual: ClassVar[Mapping[str, str]] = {"network": "mlp"}
    kinds: ClassVar[Mapping[str, str]] = {"network": "network"}

    width: int = Field(20, ge=1, le=4096, description="neurons per hidden layer")
    depth: int = Field(3, ge=1, le=64, description="hidden layers")
    activation: Activation = Field("tanh", description="activation function")
    network: str = Field(
        "mlp",
        description="a name of `pdebench list networks`, or your own, package.module:callable, in "
        "place of width, depth, activation; called with the numbers of inputs and outputs, it "
        "returns a torch module or a JAX network",
    )

    @field_validator("network")
    @classmethod
    def _names_a_network(cls, network: str) -> str:
        if own_code.is_path(network):
            return network
        if set(":.") & set(network.partition("[")[0]):
            raise ValueError("write package.module:callable, such as my_package.nets:Siren")
        return named("network", network)

    @model_validator(mode="before")
    @classmethod
    def _one_network(cls, values: Any) -> Any:
        if isinstance(values, dict) and own_code.is_path(str(values.get("network", ""))):
            for name in SHAPE:
                if name in values:
                    raise ValueError(f"a network of your own has its own shape; leave {name} out")
        return values

    @property
    def own_network(self) -> str:
        """The path of a network of the user's own; empty for one that is registered."""
        return self.network if own_code.is_path(self.network) else ""


def takes_jets(network: str) -> bool:
    """Say whether jets pass through a network; an unknown name is not judged here."""
    if own_code.is_path(network):
        return False
    found: Network | None = components().networks.get(network.partition("[")[0])
    return found is None or found.jets


def supported(config: NetworkSettings) -> Support:
    """Say whether the module of a network of one's own is there; nothing is imported."""
    reason = own_code.missing(config.own_network) if config.own_network else ""
    return Support(not reason, f"network={config.network}: {reason}" if reason else "")


class TrainingSettings(ComponentSettings):
    """Optimiser and its settings, common to all trained methods."""

    kinds: ClassVar[Mapping[str, str]] = {"optimizer": "optimizer"}

    optimizer: str = Field(
        AUTO,
        description="a name of `pdebench list optimizers`, or two as adam+lbfgs; "
        "auto: ssbroyden up to 5000 parameters, then adam+lbfgs",
    )
    learning_rate: float = Field(
        5e-3, gt=0, description="of optimisers that take one, such as adam"
    )
    adam_steps: int = Field(300, ge=1, description="steps of each optimiser before the last one")

    @field_validator("optimizer")
    @classmethod
    def _names_optimizers(cls, optimizer: str) -> str:
        return named_optimizers(optimizer, "gradient", "residuals")

    def optimizers(self, parameters: int) -> list[str]:
        """Return the optimisers one after the other, for so many parameters.

        Raises:
            UnsupportedError: a dense matrix of that many parameters was asked for.
        """
        name = self.optimizer
        if name == AUTO:
            name = "ssbroyden" if parameters <= DENSE_UP_TO else "adam+lbfgs"
        names = _chain(name)
        found: list[Optimizer] = [component("optimizer", part)[0] for part in names]
        if parameters > DENSE_UP_TO and any(o.dense for o in found):
            raise UnsupportedError(
                f"optimizer={name} holds a matrix of {parameters} × {parameters} parameters, which "
                f"ends at {DENSE_UP_TO}; use optimizer=adam+lbfgs or a smaller network"
            )
        return names


class TrainedNetworkSettings(NetworkSettings, TrainingSettings):
    """Settings of methods that train a network."""

    kinds: ClassVar[Mapping[str, str]] = {**NetworkSettings.kinds, **TrainingSettings.kinds}
