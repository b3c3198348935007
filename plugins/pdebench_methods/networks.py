"""Fully connected networks, features × points, on arrays and jets of any backend.

Initial weights are drawn in NumPy and handed to both backends, so that torch and JAX start alike.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from math import sqrt
from typing import Any, Protocol, TypeAlias

import numpy as np

from pdebench_lite.numerics import array_namespace, jets
from pdebench_lite.problem import Domain, Unknown
from pdebench_methods.settings import NetworkSettings, component
from pdebench_methods.training import Tools
from pdebench_methods.unknowns import function_of, start_of, value_of

Parameters: TypeAlias = dict[str, Any]
"""Trained parameters by name; the values are arrays of one backend."""
Layers: TypeAlias = Sequence[tuple[Any, Any]]
"""Weight (out, in) and bias (out,) of each layer."""
Activate: TypeAlias = Callable[[str, jets.Jet], jets.Jet]
"""(name of an activation function, jet) -> the function of the jet."""
Propagate: TypeAlias = Callable[[str, Layers, jets.Jet], jets.Jet]
"""(name of an activation function, layers, features × points) -> outputs × points."""


def initial_network(
    rng: np.random.Generator, inputs: int, outputs: int, shape: NetworkSettings
) -> dict[str, np.ndarray]:
    """Draw weights by Glorot & Bengio 2010 (AISTATS 9, eq. 16, uniform); biases are zero.

    Returns:
        `{layer}.weight` (out, in) and `{layer}.bias` (out,), float64.
    """
    sizes = [inputs, *[shape.width] * shape.depth, outputs]
    parameters = {}
    for layer, (n, m) in enumerate(itertools.pairwise(sizes)):
        parameters[f"{layer}.weight"] = glorot(rng, n, m)
        parameters[f"{layer}.bias"] = np.zeros(m)
    return parameters


def layers_of(weights: Mapping[str, Any]) -> list[tuple[Any, Any]]:
    """Return the layers of a fully connected network, first to last."""
    count = sum(name.endswith(".weight") for name in weights)
    return [(weights[f"{i}.weight"], weights[f"{i}.bias"]) for i in range(count)]


def propagate(activate: Activate, activation: str, layers: Layers, h: jets.Jet) -> jets.Jet:
    """Take a jet through layers, a matrix product for each of its coefficients.

    Args:
        activate: how a backend applies an activation to jets.
        activation: its name; between the layers, not after the last.
        layers: the layers.
        h: features × points.
    """
    *hidden, (weight, bias) = layers
    for w, b in hidden:
        h = activate(activation, jets.linear(w, h, b))
    if (outputs := weight.shape[0]) == 1:
        # With a single output XLA turns the gradient of the last layer into an outer product and
        # computes whatever comes after the network (residual, ansatz) again for every hidden unit,
        # which doubles the time of a gradient; a second output of zeros keeps it a matrix product.
        xp = array_namespace(weight)
        weight, bias = xp.concat([weight, 0.0 * weight]), xp.concat([bias, 0.0 * bias])
    return jets.linear(weight, h, bias)[:outputs]


def by_name(name: str, x: jets.Jet) -> jets.Jet:
    """Apply an activation to a jet as `jets` does."""
    found: jets.Jet = getattr(jets, name)(x)
    return found


_by_jets: Propagate = partial(propagate, by_name)


def _activate(xp: Any, name: str, h: Any) -> Any:
    if name in ("tanh", "sin"):
        return getattr(xp, name)(h)
    flat = jets.space(("x",), ("x",))  # the other activations live with the jets; order 0 suffices
    return getattr(jets, name)(jets.constant(flat, h)).value


class Networks(Protocol):
    """Networks of one kind, each under a name of its own."""

    def initial(
        self, rng: np.random.Generator, name: str, inputs: int, outputs: int
    ) -> dict[str, np.ndarray]:
        """Draw the weights of a network, `{name}.…`, float64."""

    def silenced(self, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what of a network's weights to change so that it is zero; nothing if unknown."""

    def apply(self, parameters: Parameters, name: str, features: Sequence[Any]) -> Any:
        """Apply a network to features, each of shape (n,): outputs × points, (outputs, n)."""


@dataclass(frozen=True)
class Layer:
    """What a registered network computes with, on arrays and on jets alike.

    Attributes:
        activate_jet: a backend's way to apply an activation to a jet.
        propagate: a backend's way to take a jet through layers.
    """

    activate_jet: Activate = by_name
    propagate: Propagate | None = None

    def linear(self, weight: Any, x: Any, bias: Any) -> Any:
        """Return weight (out, in) · x (in, n) + bias (out,)."""
        if isinstance(x, jets.Jet):
            return jets.linear(weight, x, bias)
        return weight @ x + bias[:, None]

    def activate(self, name: str, x: Any) -> Any:
        """Apply an activation function."""
        if isinstance(x, jets.Jet):
            return self.activate_jet(name, x)
        return _activate(array_namespace(x), name, x)


class Registered(Protocol):
    """What the object of a registered network makes, called with (shape, config).

    `shape` has width, depth and activation; `config` are the network's own settings.
    """

    def initial(self, rng: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        """Draw the weights by their names, float64."""

    def __call__(self, weights: Mapping[str, Any], x: Any, layer: Layer) -> Any:
        """Return the outputs (outputs, n) at features x (inputs, n): arrays, or jets."""


def glorot(rng: np.random.Generator, inputs: int, outputs: int) -> np.ndarray:
    """Draw a weight (outputs, inputs) by Glorot & Bengio 2010 (AISTATS 9, eq. 16, uniform)."""
    limit = sqrt(6.0 / (inputs + outputs))
    return rng.uniform(-limit, limit, (outputs, inputs))


class FullyConnected:
    """The registered network `mlp`.

    Args:
        shape: width, depth, activation.
        config: none.
    """

    def __init__(self, shape: NetworkSettings, config: Any = None) -> None:
        self._shape = shape

    def initial(self, rng: np.random.Generator, inputs: int, outputs: int) -> dict[str, np.ndarray]:
        """Draw the weights; see `initial_network`."""
        return initial_network(rng, inputs, outputs, self._shape)

    def silenced(self, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return the last layer's weights as zeros; its biases are."""
        last = f"{self._shape.depth}."
        return {k: np.zeros_like(v) for k, v in drawn.items() if k.startswith(last)}

    def __call__(self, weights: Mapping[str, Any], x: Any, layer: Layer) -> Any:
        """Return outputs × points."""
        layers = layers_of(weights)
        if isinstance(x, jets.Jet):
            return (layer.propagate or _by_jets)(self._shape.activation, layers, x)
        for i, (weight, bias) in enumerate(layers):
            x = layer.linear(weight, x, bias)
            x = layer.activate(self._shape.activation, x) if i < len(layers) - 1 else x
        return x


@dataclass(frozen=True)
class RegisteredNetworks:
    """Networks of one registered kind, each under a name of its own.

    Attributes:
        network: of that kind.
        layer: what it computes with.
    """

    network: Registered
    layer: Layer

    def initial(
        self, rng: np.random.Generator, name: str, inputs: int, outputs: int
    ) -> dict[str, np.ndarray]:
        """Draw the weights of a network, `{name}.…`."""
        drawn = self.network.initial(rng, inputs, outputs)
        return {f"{name}.{key}": values for key, values in drawn.items()}

    def silenced(self, drawn: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """Return what of a network's weights to change so that it is zero, if it says so."""
        silenced = getattr(self.network, "silenced", None)
        if silenced is None:
            return {}
        name = next(iter(drawn)).partition(".")[0]
        changed = silenced(_of(drawn, name))
        return {f"{name}.{key}": values for key, values in changed.items()}

    def apply(self, parameters: Parameters, name: str, features: Sequence[Any]) -> Any:
        """Apply a network to features, each of shape (n,): outputs × points, (outputs, n)."""
        if isinstance(features[0], jets.Jet):
            x: Any = jets.stack(list(features))
        else:
            x = array_namespace(features[0]).stack(list(features))
        return self.network(_of(parameters, name), x, self.layer)


def _of(parameters: Mapping[str, Any], name: str) -> dict[str, Any]:
    start = f"{name}."
    return {k[len(start) :]: v for k, v in parameters.items() if k.startswith(start)}


def networks_of(settings: NetworkSettings, tools: Tools, order: int = 0) -> Networks:
    """Return the networks that are configured: registered ones, or the user's own.

    Args:
        settings: of the method.
        tools: of the backend.
        order: of the derivatives along points that the loss needs.

    Raises:
        UnsupportedError: the network is not for this backend.
    """
    if settings.own_network:
        from pdebench_methods.own_network import OwnNetworks

        return OwnNetworks(settings.own_network, tools, order)
    described, config = component("network", settings.network)
    made = described.load(tools.backend)(settings, config)
    return RegisteredNetworks(made, Layer(tools.activate, tools.propagate))


class Model:
    """The networks of one cell: one for the fields, one for each unknown function.

    Args:
        fields: names of the fields.
        unknowns: what is sought besides; initial states are part of the fields.
        domain: the domain.
        embedding: points (arrays or jets) -> network inputs.
        networks: of the kind that is configured.
    """

    def __init__(
        self,
        fields: Sequence[str],
        unknowns: Sequence[Unknown],
        domain: Domain,
        embedding: Callable[[dict[str, Any]], list[Any]],
        networks: Networks,
    ) -> None:
        self.fields = tuple(fields)
        self.coefficients = tuple(u for u in unknowns if u.kind == "coefficient")
        self.axes = domain.names
        self.embedding = embedding
        self._networks = networks

    def initial(self, rng: np.random.Generator) -> dict[str, np.ndarray]:
        """Draw the initial parameters."""
        draw, inputs = self._networks.initial, self._inputs(self.axes)
        parameters = draw(rng, "fields", inputs, len(self.fields))
        for unknown in self.coefficients:
            if unknown.axes:
                drawn = draw(rng, unknown.name, self._inputs(unknown.axes), 1)
                if unknown.guess:  # else no value is likelier than another
                    drawn |= self._networks.silenced(drawn)
                parameters |= drawn
            else:
                parameters[unknown.name] = np.asarray(start_of(unknown), dtype=float)
        return parameters

    def _inputs(self, axes: Sequence[str]) -> int:
        return len(self.embedding({a: np.zeros(1) for a in axes}))

    def outputs(self, parameters: Parameters, points: Mapping[str, Any]) -> dict[str, Any]:
        """Return raw field outputs at points, name -> (n,), before any ansatz."""
        features = self.embedding({a: points[a] for a in self.axes})
        rows = self._networks.apply(parameters, "fields", features)
        return {name: rows[i] for i, name in enumerate(self.fields)}

    def unknown(self, parameters: Parameters, unknown: Unknown, points: Mapping[str, Any]) -> Any:
        """Return a sought coefficient at points: (n,), or a number's own array."""
        if not unknown.axes:
            return value_of(unknown, parameters[unknown.name])
        features = self.embedding({a: points[a] for a in unknown.axes})
        return function_of(unknown, self._networks.apply(parameters, unknown.name, features)[0])
