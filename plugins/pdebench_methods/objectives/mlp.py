"""Objective of `mlp`: supervised regression on labelled samples of the solution."""

from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np

from pdebench_lite.numerics import array_namespace
from pdebench_lite.problem.observations import scales
from pdebench_lite.problem.solution import Solution
from pdebench_lite.problem.view import View
from pdebench_lite.runner.run import Run
from pdebench_methods.mlp import MlpSettings
from pdebench_methods.networks import Model, networks_of
from pdebench_methods.solutions import network_solution
from pdebench_methods.training import Stage, Term, Tools, next_of_plain


class MlpObjective:
    """½·mean squared error over the labels of every field and unknown, each in units of its rms."""

    def __init__(self, view: View, run: Run, tools: Tools) -> None:
        self.settings: MlpSettings = run.config
        networks = networks_of(self.settings, tools)
        self.model = Model(view.fields, view.unknowns, view.domain, view.embedding(), networks)
        self.unknowns = view.unknowns
        self._rng, self._tools = run.rng("weights"), tools
        self._data: dict[str, np.ndarray] = {}
        labels = view.labels(self.settings.labels)
        fields = [label for label in labels if label.field in view.fields]
        units = {label.field: unit for label, unit in zip(fields, scales(fields), strict=True)}
        for label in labels:
            self._data |= {f"{label.field}:{a}": np.asarray(p) for a, p in label.points.items()}
            self._data[f"{label.field}="] = label.values
            self._data[f"{label.field}/"] = np.asarray(units.get(label.field) or scales([label])[0])

    def initial(self) -> dict[str, np.ndarray]:
        """Draw the weights."""
        return self.model.initial(self._rng)

    def loss(self, parameters: dict[str, Any], data: dict[str, Any]) -> Any:
        """Return the loss of the lecture, 1/(2n) Σ |y − f|², summed over what is labelled."""
        total: Any = 0.0
        for term in self.terms(data):
            (error,) = term.function(parameters, term.data)
            total = total + term.weight * array_namespace(error).mean(error * error)
        return total

    def terms(self, data: dict[str, Any]) -> list[Term]:
        """Return one part for each field and unknown that is labelled."""
        sought = {u.name: u for u in self.model.coefficients}

        def errors(name: str, parameters: dict[str, Any], d: dict[str, Any]) -> list[Any]:
            if name in sought:
                answer = self.model.unknown(parameters, sought[name], d)
            else:
                answer = self.model.outputs(parameters, d)[name]
            return [(answer - d["="]) / d["/"]]

        def of(name: str) -> dict[str, Any]:
            points = {k[-1]: v for k, v in data.items() if k.startswith(f"{name}:")}
            return {**points, "=": data[f"{name}="], "/": data[f"{name}/"]}

        names = [*self.model.fields, *sought]
        return [Term(name, of(name), 0.5, partial(errors, name)) for name in names]

    def next_stage(self, current: dict[str, np.ndarray], memo: dict[str, Any]) -> Stage | None:
        """Return the next optimiser as configured, on all labels."""
        return next_of_plain(self.settings, current, self._data, memo)

    def solution(self, parameters: dict[str, np.ndarray], memo: Mapping[str, Any]) -> Solution:
        """Return the networks as functions."""
        return network_solution(self.model, parameters, self._tools, None)
