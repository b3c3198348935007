"""`pdebench data`: instances of families as files."""

from pathlib import Path
from typing import Annotated

import typer

from pdebench_lite.aside import aside
from pdebench_lite.errors import PdebenchError

data = typer.Typer(
    help="Write instances of a family to a file.",
    rich_markup_mode=None,
)

EXAMPLES = """\b
Examples:
  pdebench data write --problem burgers:family --out burgers.hdf5
  pdebench data write --problem "burgers:family[frames=10,cells=256]" --set test --out test.hdf5
  pdebench run --problem "pdebench-file[path=burgers.hdf5,train=128]" --methods cnn
"""


@data.command("write", epilog=EXAMPLES)
def write(
    problem: Annotated[str, typer.Option(metavar="SELECTOR", help="A family, with parameters.")],
    out: Annotated[Path, typer.Option(metavar="FILE", help="The HDF5 file, in PDEBench's layout.")],
    which: Annotated[
        str, typer.Option("--set", metavar="NAME", help="train, validation, test or a shifted set.")
    ] = "train",
    instances: Annotated[
        int | None, typer.Option(min=1, help="How many; by default the size of the set.")
    ] = None,
    seed: Annotated[int, typer.Option(min=0, help="Of the training instances.")] = 0,
) -> None:
    """Write solved instances of a family in the layout of PDEBench's 1-D files."""
    from pdebench_data.layout import write_instances
    from pdebench_lite.data_files import each, nameless
    from pdebench_lite.errors import unknown_name
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.seeding import generator
    from pdebench_lite.tasks import FamilyTask

    with aside():
        task = registry(("problem",)).task(problem)
    if not isinstance(task, FamilyTask) or not task.instances:
        raise PdebenchError(f"{task.label} is not a family of instances; try burgers:family")
    names = ("train", "validation", "test", *task.shifts)
    if which not in names:
        raise unknown_name(f"set of {task.label}:", which, names)
    sizes = {"train": task.instances, "validation": task.parameters.validation}
    count = instances or sizes.get(which, task.parameters.test)
    # A file may be called anything: where the family is from one, its contents seed the draws.
    label = nameless(task.settings) if any(each(task.settings)) else task.label
    rng = generator("data write", label, seed) if which == "train" else None
    with aside():
        drawn = task.draw(which, count, rng)
    write_instances(str(out), drawn)
    print(f"{count} instances of {task.label} ({which}) -> {out}")
