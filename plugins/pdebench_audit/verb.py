"""`pdebench audit`: how far a published reference file is from ours."""

from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.cli.options import split_names
from pdebench_lite.errors import PdebenchError

EXAMPLES = """\b
Examples:
  pdebench audit Burgers.npz --problem burgers:forward
  pdebench audit burgers1d.dat --problem burgers:forward
  pdebench audit table.csv --problem burgers:forward --t 0:1:11
  pdebench audit data.h5 --problem burgers:forward --x grid --u "tensor[0]" --order t,x
"""


def audit(
    file: Annotated[
        Path, typer.Argument(help="NPZ, NPY, MAT, HDF5, NetCDF, Parquet, or text (CSV, DAT).")
    ],
    problem: Annotated[str, typer.Option(metavar="P", help="Problem: name[:task][key=value,…].")],
    x: Annotated[str, typer.Option(metavar="ARRAY", help="Array of the axis x.")] = "",
    t: Annotated[
        str, typer.Option(metavar="ARRAY", help="Array of the time, or 0,0.1,0.2 or 0:1:11.")
    ] = "",
    u: Annotated[
        str, typer.Option(metavar="ARRAY", help="Array of the field u; name[3] is one slice.")
    ] = "",
    name: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT=ARRAY", help="Array of any other axis or field."),
    ] = None,
    order: Annotated[
        str, typer.Option(metavar="A,B", help="Order of the field's axes where sizes do not say.")
    ] = "",
    format: Annotated[str, typer.Option("--format", help="text or json.")] = "text",
) -> int:
    """Measure a published reference file against our certified one.

    Axes and fields are found by name or shape; the answer says what was taken for what. Files are
    never unpickled. A file that is probably of another problem is reported (exit status 1).
    """
    if format not in ("text", "json"):
        raise PdebenchError(f"no format '{format}'; write text or json")
    from pdebench_audit.describe import describe_finding, finding_json
    from pdebench_audit.published import locate, measure, read_file
    from pdebench_lite.registry.discovery import registry

    with aside():
        task = registry().task(problem)
    named = {key: value for key, value in (("x", x), ("t", t), ("u", u)) if value}
    for pair in name or []:
        what, equals, array = pair.partition("=")
        if not (what and equals and array):
            raise PdebenchError(f"--name '{pair}' is not a WHAT=ARRAY; write --name v=vsol")
        named[what.strip()] = array.strip()
    contents = read_file(file)
    published = locate(
        contents, task.problem.domain, task.problem.field_names, named, split_names(order)
    )
    with aside():
        finding = measure(published, task)
    write = describe_finding if format == "text" else finding_json
    print(write(file, task.label, published, finding), end="")
    return 1 if finding.foreign else 0
