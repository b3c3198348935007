"""`pdebench cite`: BibTeX of everything that the records come from."""

import sys

from pdebench_lite.cli.options import DEFAULT_RESULTS, Results, load


def cite(results: Results = DEFAULT_RESULTS) -> None:
    """Print BibTeX of every problem and method in the records."""
    _, loaded = load(results)
    from pdebench_lite.registry.discovery import registry
    from pdebench_paper.citations import bibliography

    found = bibliography(loaded.records, registry())
    for line in found.lacking:
        print(f"pdebench: {line}", file=sys.stderr)
    print(found.write(), end="")
