"""`pdebench list`: problems, methods and their parts, metrics, plugins; why something failed."""

import json
from collections.abc import Sequence
from typing import Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli._console import make_console
from pdebench_lite.errors import unknown_name, visible

PARTS = ("optimizers", "networks", "weightings", "samplers")
WHAT = ("problems", "methods", "metrics", "quantities", "figures", *PARTS, "plugins")


def list_things(
    what: Annotated[
        str, typer.Argument(metavar="|".join(WHAT), help="What to list.", show_default=False)
    ],
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Parameters with defaults, citations.")
    ] = False,
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> None:
    """List what there is to choose from.

    Optimizers, networks, weightings and samplers are parts of methods that settings name.
    With -v: tasks, parameters and their defaults, metrics, backends, citations. Plugins are listed
    with what they provide, or why they failed to load.
    """
    if what not in WHAT:
        raise unknown_name("list", what, WHAT)
    if format not in ("text", "json"):
        raise unknown_name("format", format, ("text", "json"))
    from pdebench_lite.registry.discovery import EVERY, KINDS, registry
    from pdebench_lite.report import catalogue, listing

    kinds: dict[str, Sequence[str]] = {"methods": ("method", "backend")}
    kinds |= {"problems": KINDS, "metrics": KINDS} | {part: (part[:-1],) for part in PARTS}
    known = registry(kinds.get(what, EVERY))
    with aside():
        if what == "methods":
            entries = catalogue.methods(known, details=verbose or format == "json")
        elif what in PARTS:
            entries = catalogue.components(known, what)
        else:
            entries = getattr(catalogue, what)(known)
    if format == "json":
        print(json.dumps(entries, indent=1))
        return
    if what == "plugins" or (verbose and what in ("problems", "methods", *PARTS)):
        printer = "print_components" if what in PARTS else f"print_{what}"
        getattr(listing, printer)(make_console(), entries)
    else:
        print(listing.outline(what, entries))
    if what == "methods":
        for remedy in filter(None, map(known.remedy, known.backends)):
            print(remedy)
    if what != "plugins":
        for plugin in known.plugins:
            if plugin.error:
                print(f"plugin {plugin.name} is not in use: {visible(plugin.error)}")
