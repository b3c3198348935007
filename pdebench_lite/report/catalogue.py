"""What is installed, as plain values: problems, methods, metrics, quantities, figures, plugins."""

import importlib.metadata
from typing import TYPE_CHECKING, Any

from pdebench_lite.registry.discovery import Registry
from pdebench_lite.registry.method import Method
from pdebench_lite.registry.quantity import Quantity

if TYPE_CHECKING:  # take long to import, and listing the methods needs neither
    from pdebench_lite.problem import Problem
    from pdebench_lite.registry.component import Component
    from pdebench_lite.selectors import Settings


def _parameters(model: "type[Settings]") -> list[dict[str, Any]]:
    properties = model.model_json_schema().get("properties", {})
    return [
        {
            "name": name,
            "default": info.get_default(call_default_factory=True),
            "about": info.description or "",
            "allowed": _allowed(properties.get(name, {})),
        }
        for name, info in model.model_fields.items()
    ]


def _allowed(schema: dict[str, Any]) -> str:
    if "anyOf" in schema:
        return " or ".join(filter(None, (_allowed(part) for part in schema["anyOf"])))
    if "enum" in schema or "const" in schema:
        return "|".join(str(v) for v in schema.get("enum", [schema.get("const")]))
    if schema.get("format") == "file-path":
        return "file"
    marks = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{mark} {schema[key]:g}" for key, mark in marks.items() if key in schema]
    return ", ".join([schema.get("type", ""), *bounds])


def problems(known: Registry) -> list[dict[str, Any]]:
    """Describe every problem: tasks, parameters, faces, metrics, citation."""
    return [_problem(known, problem) for problem in known.problems.values()]


def _problem(known: Registry, problem: "type[Problem]") -> dict[str, Any]:
    tasks = []
    for task in known.tasks_of(problem).values():
        made = task(problem(problem.Parameters()), task.Parameters())
        tasks.append(
            {
                "name": task.name,
                "about": task.summary,
                "parameters": _parameters(task.Parameters),
                "faces": sorted(made.faces),
                "unknowns": [unknown.name for unknown in made.unknowns],
                "metrics": [metric.name for metric in known.metrics_for(made)],
                "ranked": list(task.ranked),
            }
        )
    return {
        "name": problem.name,
        "about": problem.summary,
        "fields": [f if isinstance(f, str) else f.name for f in problem.fields],
        "parameters": _parameters(problem.Parameters),
        "tasks": tasks,
        "citation": problem.citation,
        "provided_by": known.owners["problem", problem.name],
    }


def methods(known: Registry, details: bool = True) -> list[dict[str, Any]]:
    """Describe every method: family, backends and whether they are installed.

    Args:
        known: what is installed.
        details: whether parameters are described too, which takes longer.
    """
    return [_method(known, method, details) for method in known.methods.values()]


def _method(known: Registry, method: Method, details: bool) -> dict[str, Any]:
    backends = {}
    for backend in method.solvers:
        missing = known.missing(backend) if backend in known.backends else ["its plugin"]
        backends[backend] = f"needs {', '.join(missing)}" if missing else "installed"
    return {
        "name": method.name,
        "family": method.family,
        "about": method.summary,
        "backends": backends,
        "missing": [name for name in method.requires if not _installed(name)],
        "tuned": " and ".join(map(str, method.tunings)),
        "parameters": _parameters(method.Config) if details else [],
        "citation": method.citation,
        "provided_by": known.owners["method", method.name],
    }


def _installed(distribution: str) -> bool:
    found = importlib.metadata.Distribution.discover(name=distribution)
    return next(iter(found), None) is not None


def components(known: Registry, what: str) -> list[dict[str, Any]]:
    """Describe the parts of methods of one kind: `optimizers`, `networks`, ….

    Their own settings are written `name[key=value]`.
    """
    found: dict[str, Component] = getattr(known, what)
    return [
        {
            "name": item.name,
            "about": item.summary,
            "backends": list(item.objects),
            "source": item.source,
            "parameters": _parameters(item.Config),
            "provided_by": known.owners[item.kind, item.name],
        }
        for item in found.values()
    ]


def metrics(known: Registry) -> list[dict[str, Any]]:
    """Describe every metric, as the quantity that it is: meaning, unit, what sums it up."""
    from pdebench_lite.report.quantities import of_metric

    return [_quantity(known, "metric", of_metric(metric)) for metric in known.metrics.values()]


def quantities(known: Registry) -> list[dict[str, Any]]:
    """Describe every quantity, in the order of the columns."""
    return [_quantity(known, "quantity", quantity) for quantity in known.quantities.values()]


def _quantity(known: Registry, kind: str, of: Quantity) -> dict[str, Any]:
    return {
        "name": of.name,
        "label": of.label,
        "about": of.meaning,
        "unit": of.unit,
        "over_seeds": of.over_seeds,
        "smaller_is_better": of.smaller_is_better,
        "machine": of.machine,
        "provided_by": known.owners[kind, of.name],
    }


def figures(known: Registry) -> list[dict[str, Any]]:
    """Describe every figure and its options."""
    return [
        {
            "name": figure.name,
            "about": figure.summary,
            "per": figure.per,
            "parameters": _parameters(figure.Options) if figure.Options else [],
            "provided_by": known.owners["figure", figure.name],
        }
        for figure in known.figures.values()
    ]


def plugins(known: Registry) -> list[dict[str, Any]]:
    """Describe every plugin: where it comes from, what it provides, why it failed if it did."""
    clashes = {
        owner: f"{kind} '{name}' is also provided by another plugin"
        for (kind, name), owners in known.clashes.items()
        for owner in owners
    }
    return [
        {
            "name": plugin.name,
            "module": plugin.module,
            "distribution": plugin.distribution,
            "version": plugin.version,
            "provides": {k: v for k, v in plugin.provides.items() if v},
            "error": plugin.error or clashes.get(f"plugin {plugin.name} ({plugin.module})", ""),
        }
        for plugin in known.plugins
    ]
