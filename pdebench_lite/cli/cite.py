"""`pdebench cite`: BibTeX of everything that the records come from."""

import sys

from pdebench_lite.cli._options import DEFAULT_RESULTS, Results, load


def cite(results: Results = DEFAULT_RESULTS) -> None:
    """Print BibTeX of every problem and method in the records."""
    _, loaded = load(results)
    from pdebench_lite.citations import bibliography
    from pdebench_lite.plugins import registry

    found = bibliography(loaded.records, registry())
    for line in found.lacking:
        print(f"pdebench: {line}", file=sys.stderr)
    print(found.write(), end="")
