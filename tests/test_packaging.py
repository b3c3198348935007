"""The wheel: built, looked into, installed elsewhere, and run without the checkout."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGES = (
    "pdebench_lite",
    *sorted(path.name for path in (ROOT / "plugins").glob("pdebench_*")),
    "pdebench_problems",
)


def run(*command: str, **environment: str) -> "subprocess.CompletedProcess[str]":
    """Run a command away from the checkout."""
    return subprocess.run(
        command, cwd="/", capture_output=True, text=True, timeout=300, check=False,
        env={**{k: v for k, v in os.environ.items() if k != "PYTHONPATH"}, **environment},
    )  # fmt: skip


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel of the working tree."""
    out = tmp_path_factory.mktemp("dist")
    built = run(
        sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)
    )
    assert built.returncode == 0, built.stdout + built.stderr
    (path,) = out.glob("*.whl")
    return path


def test_the_wheel_holds_everything_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        points = next(n for n in names if n.endswith("entry_points.txt"))
        entry_points = archive.read(points).decode()
    tops = {name.partition("/")[0] for name in names}
    info = next(top for top in tops if top.endswith(".dist-info"))
    assert tops == {*PACKAGES, info}, "nothing generic lands in site-packages"
    for package in PACKAGES:
        folder = next(
            p for p in (ROOT, ROOT / "plugins", ROOT / "problems") if (p / package).is_dir()
        )
        sources = {p.relative_to(folder).as_posix() for p in (folder / package).rglob("*.py")}
        assert sources <= names, package
    assets = (ROOT / "pdebench_lite" / "report" / "web" / "assets").rglob("*.*")
    assert {path.relative_to(ROOT).as_posix() for path in assets} <= names
    assert "pdebench_lite/py.typed" in names
    assert f"{info}/licenses/LICENSE" in names
    assert "pdebench = pdebench_lite.cli:main" in entry_points
    for package in PACKAGES[1:]:
        assert f"= {package}\n" in entry_points


def test_it_runs_without_the_checkout(wheel: Path, tmp_path: Path) -> None:
    target = tmp_path / "site"
    pip = run(
        sys.executable, "-m", "pip", "install", "--no-deps", "--no-index", "--quiet",
        "--target", str(target), str(wheel),
    )  # fmt: skip
    assert pip.returncode == 0, pip.stderr
    # Only what others have made comes from this environment, not the editable install of ours.
    others = tmp_path / "others"
    others.mkdir()
    for site in map(Path, {p for p in sys.path if p.endswith("site-packages")}):
        for entry in site.iterdir():
            if "pdebench" not in entry.name and entry.suffix != ".pth":
                (others / entry.name).symlink_to(entry)
    probe = (
        "import sys, json; from pdebench_lite.cli import main; import pdebench_lite\n"
        "print(pdebench_lite.__file__); sys.exit(main(sys.argv[1:]))"
    )

    def pdebench(*words: str) -> "subprocess.CompletedProcess[str]":
        path = f"{target}{os.pathsep}{others}"
        return run(sys.executable, "-S", "-c", probe, *words, PYTHONPATH=path)

    listed = pdebench("list", "methods")
    assert listed.returncode == 0, listed.stderr
    assert listed.stdout.startswith(str(target))
    for name in ("mlp", "pinn", "diffphys", "etdrk4"):
        assert f"\n  {name} " in listed.stdout
    assert "not in use" not in listed.stdout
    version = pdebench("--version")
    assert "pdebench-lite" in version.stdout, version.stderr
    results = str(tmp_path / "results")
    raced = pdebench("run", "--problem", "burgers:forward[nu=0.5]", "--methods", "etdrk4[cells=32]",
                     "--max-time", "30s", "--results", results)  # fmt: skip
    assert raced.returncode == 0, raced.stderr
    assert "ok  rel_l2" in raced.stderr
