"""Fingerprints: one file of each room is edited in a copy of the tree, and stale cells are seen."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
TREES = ("pdebench_lite", "plugins", "problems")
ALL, NONE = {"mlp", "pinn", "march", "regression"}, set[str]()
EDITED = {
    # What finds, keeps, plans, or talks to people changes no number.
    "pdebench_lite/cli/table.py": NONE,
    "pdebench_lite/report/table.py": NONE,
    "pdebench_lite/testing/method.py": NONE,
    "pdebench_lite/analysis/ranking.py": NONE,
    "pdebench_lite/runner/schedule.py": NONE,
    "pdebench_lite/runner/study/file.py": NONE,
    "pdebench_lite/runner/loggers.py": NONE,
    "pdebench_lite/runner/rescore.py": NONE,
    "pdebench_lite/store/records.py": NONE,
    "pdebench_lite/store/merge.py": NONE,
    "pdebench_lite/registry/discovery.py": NONE,
    "pdebench_lite/errors.py": NONE,
    "pdebench_lite/text.py": NONE,
    "pdebench_lite/version.py": NONE,
    "pdebench_lite/__init__.py": NONE,
    "plugins/pdebench_claims/verb.py": NONE,
    "plugins/pdebench_doctor/processor.py": NONE,
    # What every cell is run and scored by.
    "pdebench_lite/runner/child.py": ALL,
    "pdebench_lite/runner/run.py": ALL,
    "pdebench_lite/runner/streams.py": ALL,
    "pdebench_lite/measure/clock.py": ALL,
    "pdebench_lite/metrics/errors.py": ALL,
    "pdebench_lite/tasks/field.py": ALL,
    "pdebench_lite/problem/domain.py": ALL,
    "pdebench_lite/problem/geometry/box.py": ALL,
    "pdebench_lite/numerics/spectral.py": ALL,
    "pdebench_lite/store/checkpoints.py": ALL,
    "pdebench_lite/selectors.py": ALL,
    "pdebench_lite/seeding.py": ALL,
    # What some cells are run by.
    "problems/pdebench_problems/burgers.py": ALL - {"regression"},
    "problems/pdebench_problems/regression.py": {"regression"},
    "problems/pdebench_problems/wave.py": NONE,
    "plugins/pdebench_torch/_training.py": {"mlp", "regression"},
    "plugins/pdebench_jax/_training.py": {"pinn"},
    "plugins/pdebench_classical/_marching.py": {"march"},
}
SCRIPT = """
import json, sys
from pathlib import Path
import pdebench_lite
from pdebench_lite.registry.discovery import registry
from pdebench_lite.runner import identity, sources
from pdebench_lite.runner.study import make_cells
from pdebench_lite.store.cell import Budget

root, seconds = Path(sys.argv[1]), iter(range(10**6))
assert Path(pdebench_lite.__file__).is_relative_to(root), pdebench_lite.__file__
sources.monotonic = lambda: next(seconds)  # files are looked at once a second
asked = {
    "mlp": ("burgers:forward", "mlp", "torch"), "pinn": ("burgers:forward", "pinn", "jax"),
    "march": ("burgers:forward", "march", "numpy"), "regression": ("regression", "mlp", "torch"),
}
cells = {
    name: make_cells(registry(), problem, method, [backend], budget=Budget(max_steps=1))[0]
    for name, (problem, method, backend) in asked.items()
}
marks = lambda: {name: identity.fingerprint_of(registry(), cell) for name, cell in cells.items()}
before, found = marks(), {}
for name in json.loads(sys.argv[2]):
    text = (root / name).read_text()
    (root / name).write_text(text + "\\n_edited = True\\n")
    now = marks()
    found[name] = [cell for cell in cells if now[cell] != before[cell]]
    (root / name).write_text(text)
assert marks() == before
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def stale(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[str]]:
    """Name of the edited file -> the cells that it makes stale."""
    root = tmp_path_factory.mktemp("copy")
    for tree in TREES:
        shutil.copytree(ROOT / tree, root / tree, ignore=shutil.ignore_patterns("__pycache__"))
    paths = [str(root), str(root / "plugins"), str(root / "problems")]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, str(root), json.dumps(list(EDITED))],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        cwd=root,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("name", EDITED)
def test_a_file_makes_stale_what_its_numbers_come_from(
    name: str, stale: dict[str, list[str]]
) -> None:
    assert set(stale[name]) == EDITED[name]
