"""What is installed, as plain values and as text: problems, methods, plugins."""

from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from pdebench_lite.method import Method
from pdebench_lite.plugins import Registry

if TYPE_CHECKING:  # take long to import, and listing the methods needs neither
    from pdebench_lite.problem import Problem
    from pdebench_lite.selectors import Settings

# ---- what there is ---------------------------------------------------------------------------


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
    marks = {"minimum": "≥", "exclusiveMinimum": ">", "maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{mark} {schema[key]:g}" for key, mark in marks.items() if key in schema]
    return ", ".join([schema.get("type", ""), *bounds])


def problems(known: Registry) -> list[dict[str, Any]]:
    """Describe every problem: tasks, parameters, faces, metrics, citation."""
    return [_problem(known, problem) for problem in known.problems.values()]


def _problem(known: Registry, problem: "type[Problem]") -> dict[str, Any]:
    tasks = []
    for task in problem.tasks:
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
        "fields": list(problem.fields),
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
        "tuned": str(method.tuned) if method.tuned else "",
        "parameters": _parameters(method.Config) if details else [],
        "citation": method.citation,
        "provided_by": known.owners["method", method.name],
    }


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


# ---- how it is printed -----------------------------------------------------------------------


def _safe(text: str) -> str:
    return "".join(c if c.isprintable() or c == "\n" else "?" for c in text)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, header_style="bold")
    for i, column in enumerate(columns):
        table.add_column(column, overflow="fold", no_wrap=i == 0)
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*(Text(_safe(cell)) for cell in cells))


def _print_parameters(console: Console, parameters: list[dict[str, Any]], indent: str) -> None:
    table = _table(f"{indent}parameter", "default", "allowed", "meaning")
    for p in parameters:
        default = f"{p['default']:.6g}" if isinstance(p["default"], float) else str(p["default"])
        _row(table, f"{indent}{p['name']}", default or '""', p["allowed"], p["about"])
    if parameters:
        console.print(table)


def print_problems(console: Console, entries: list[dict[str, Any]], verbose: bool) -> None:
    """Print what `problems` returned."""
    if not verbose:
        table = _table("problem", "task", "asks", "ranked by")
        for entry in entries:
            for i, task in enumerate(entry["tasks"]):
                default = " (default)" if i == 0 and len(entry["tasks"]) > 1 else ""
                name = entry["name"] if i == 0 else ""
                _row(table, name, task["name"] + default, task["about"], ", ".join(task["ranked"]))
        console.print(table)
        console.print(Text("\nparameters and citations: pdebench list problems -v", style="dim"))
        return
    for entry in entries:
        console.print(Text(_safe(f"{entry['name']}: {entry['about']}"), style="bold"))
        _print_parameters(console, entry["parameters"], "  ")
        for task in entry["tasks"]:
            console.print(Text(_safe(f"  task {task['name']}: {task['about']}"), style="bold"))
            console.print(Text(f"    faces: {', '.join(task['faces'])}"))
            console.print(
                Text(_safe(f"    unknowns: {', '.join(task['unknowns']) or 'the field'}"))
            )
            console.print(Text(_safe(f"    metrics: {', '.join(task['metrics'])}")))
            console.print(Text(_safe(f"    ranked by: {', '.join(task['ranked'])}")))
            _print_parameters(console, task["parameters"], "    ")
        console.print(Text(_safe(f"  provided by {entry['provided_by']}\n{entry['citation']}\n")))


def print_methods(console: Console, entries: list[dict[str, Any]], verbose: bool) -> None:
    """Print what `methods` returned."""
    if not verbose:
        table = _table("method", "family", "backends", "about")
        for entry in entries:
            usable = [b if s == "installed" else f"{b} ({s})" for b, s in entry["backends"].items()]
            _row(table, entry["name"], entry["family"], ", ".join(usable), entry["about"])
        console.print(table)
        console.print(Text("\nparameters and citations: pdebench list methods -v", style="dim"))
        return
    for entry in entries:
        console.print(
            Text(_safe(f"{entry['name']} ({entry['family']}): {entry['about']}"), style="bold")
        )
        backends = ", ".join(f"{b}: {state}" for b, state in entry["backends"].items())
        console.print(Text(_safe(f"  backends: {backends}")))
        console.print(Text(_safe(f"  defaults tuned: {entry['tuned'] or 'not stated'}")))
        _print_parameters(console, entry["parameters"], "  ")
        console.print(Text(_safe(f"  provided by {entry['provided_by']}\n{entry['citation']}\n")))


def print_plugins(console: Console, entries: list[dict[str, Any]], verbose: bool) -> None:
    """Print what `plugins` returned."""
    table = _table("plugin", "module", "from", "provides")
    for entry in entries:
        provides = "; ".join(f"{k}s {', '.join(v)}" for k, v in entry["provides"].items())
        source = f"{entry['distribution']} {entry['version']}".strip()
        _row(table, entry["name"], entry["module"], source, entry["error"] or provides)
    console.print(table)
