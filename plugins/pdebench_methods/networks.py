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
from pdebench_methods.settings import NetworkSettings
from pdebench_methods.training import Tools
from pdebench_methods.unknowns import start_of, value_of

Parameters: TypeAlias = dict[str, Any]
"""Trained parameters by name; the values are arrays of one backend."""
Layers: TypeAlias = Sequence[tuple[Any, Any]]
"""Weight (out, in) and bias (out,) of each layer."""
Activate: TypeAlias = Callable[[str, jets.Jet], jets.Jet]
"""(name of an activation function, jet) -> the function of the jet."""
Propagate: TypeAlias = Callable[[str, Layers, jets.Jet], jets.Jet]
"""(name of an activation function, layers, features × points) -> outputs × points."""


def initial_network(
    rng: np.random.Generator, prefix: str, inputs: int, outputs: int, shape: NetworkSettings
) -> dict[str, np.ndarray]:
    """Draw weights by Glorot & Bengio 2010 (AISTATS 9, eq. 16, uniform); biases are zero.

    Returns:
        `{prefix}.{layer}.weight` (out, in) and `{prefix}.{layer}.bias` (out,), float64.
    """
    sizes = [inputs, *[shape.width] * shape.depth, outputs]
    parameters = {}
    for layer, (n, m) in enumerate(itertools.pairwise(sizes)):
        limit = sqrt(6.0 / (n + m))
        parameters[f"{prefix}.{layer}.weight"] = rng.uniform(-limit, limit, (m, n))
        parameters[f"{prefix}.{layer}.bias"] = np.zeros(m)
    return parameters


def apply_network(
    parameters: Parameters,
    prefix: str,
    features: Sequence[Any],
    activation: str,
    propagate: Propagate | None = None,
) -> Any:
    """Apply a network to features, each of shape (n,): arrays or jets.

    Args:
        parameters: the weights of one or more networks.
        prefix: name of the network.
        features: its inputs.
        activation: name of the activation function.
        propagate: how a backend takes jets through layers, where it has a faster way than `jets`.

    Returns:
        Outputs × points, shape (outputs, n); a jet if the features are jets.
    """
    layers = sum(name.startswith(f"{prefix}.") and name.endswith(".weight") for name in parameters)
    inner = [
        (parameters[f"{prefix}.{i}.weight"], parameters[f"{prefix}.{i}.bias"])
        for i in range(layers)
    ]
    if isinstance(features[0], jets.Jet):
        h = jets.stack(list(features))
        return propagate(activation, inner, h) if propagate else _by_jets(activation, inner, h)
    xp = array_namespace(inner[0][0])
    h = xp.stack(list(features))
    for i, (weight, bias) in enumerate(inner):
        h = weight @ h + bias[:, None]
        h = _activate(xp, activation, h) if i < layers - 1 else h
    return h


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
        # computes whatever comes after the network (residual, ansatz) anew for every hidden unit,
        # which doubles the time of a gradient; a second output of zeros keeps it a matrix product.
        xp = array_namespace(weight)
        weight, bias = xp.concat([weight, 0.0 * weight]), xp.concat([bias, 0.0 * bias])
    return jets.linear(weight, h, bias)[:outputs]


_by_jets: Propagate = partial(propagate, lambda name, h: getattr(jets, name)(h))


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

    def apply(self, parameters: Parameters, name: str, features: Sequence[Any]) -> Any:
        """Apply a network to features, each of shape (n,): outputs × points, (outputs, n)."""


@dataclass(frozen=True)
class FullyConnected:
    """Fully connected networks, on arrays and jets.

    Attributes:
        shape: width, depth, activation.
        propagate: see `apply_network`.
    """

    shape: NetworkSettings
    propagate: Propagate | None = None

    def initial(
        self, rng: np.random.Generator, name: str, inputs: int, outputs: int
    ) -> dict[str, np.ndarray]:
        """Draw the weights; see `initial_network`."""
        return initial_network(rng, name, inputs, outputs, self.shape)

    def apply(self, parameters: Parameters, name: str, features: Sequence[Any]) -> Any:
        """Apply a network; see `apply_network`."""
        return apply_network(parameters, name, features, self.shape.activation, self.propagate)


def networks_of(
    settings: NetworkSettings, tools: Tools, propagate: Propagate | None = None
) -> Networks:
    """Return the networks that are configured: fully connected ones, or the user's own."""
    if settings.network:
        from pdebench_methods.own_network import OwnNetworks

        return OwnNetworks(settings.network, tools)
    return FullyConnected(settings, propagate)


class Model:
    """The networks of one cell: one for the fields, one for each unknown function.

    Args:
        fields: names of the fields.
        unknowns: what is sought beside them; initial states are part of the fields.
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
                parameters |= draw(rng, unknown.name, self._inputs(unknown.axes), 1)
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
        return value_of(unknown, self._networks.apply(parameters, unknown.name, features)[0])
