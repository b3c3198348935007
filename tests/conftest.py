"""Settings that must stand before anything imports JAX or matplotlib; the plugin of fakes."""

import os

os.environ["JAX_ENABLE_X64"] = "1"
os.environ["XLA_PYTHON_CLIENT_PREALLOCATE"] = "false"
os.environ["MPLBACKEND"] = "agg"
os.environ["PDEBENCH_SCOPE"] = f"tests{os.getpid()}"  # cells of other tests do not count
if "PYTEST_XDIST_WORKER" in os.environ:  # one process per processor: threads would only fight
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import gc
import importlib
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import settings

settings.register_profile("searching", deadline=None)  # machines are busy; time proves nothing
settings.register_profile("repeated", settings.get_profile("searching"), derandomize=True)

FAKES = Path(__file__).parent / "fake_plugin"


def pytest_configure(config: pytest.Config) -> None:
    """Hear Ctrl-C; let a run that leaves out the slow tests be quick, and the same every time.

    Quick tests compute for moments: XLA compiles without its optimiser, and Hypothesis has the
    same examples. With the slow ones, and for those of speed, XLA optimises and examples are new.
    """
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # as in a background job of a shell
        signal.signal(signal.SIGINT, signal.default_int_handler)  # runners of tests are to hear it
    quick = config.option.markexpr == "not slow"
    settings.load_profile("repeated" if quick else "searching")
    if quick:
        os.environ.setdefault("XLA_FLAGS", "--xla_backend_optimization_level=0")


@pytest.fixture(autouse=True, scope="session")
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Keep what tests find out about data files out of the user's cache."""
    os.environ["PDEBENCH_CACHE"] = str(tmp_path_factory.mktemp("cache"))


@pytest.fixture(autouse=True, scope="module")
def _set_aside() -> None:
    """Keep what earlier files have loaded from being searched for garbage again and again.

    With torch and JAX loaded, one look through all of it takes most of a second.
    """
    gc.collect()
    gc.freeze()


def install(folder: Path, name: str, entry_points: dict[str, str], sources: dict[str, str]) -> None:
    """Lay out a distribution in a folder as pip would: modules and a `.dist-info`."""
    info = folder / f"{name.replace('-', '_')}-1.2.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.2\n")
    lines = "\n".join(f"{key} = {value}" for key, value in entry_points.items())
    (info / "entry_points.txt").write_text(f"[pdebench_lite]\n{lines}\n")
    for file, text in sources.items():
        (folder / file).write_text(text)


@pytest.fixture(scope="session")
def distribution() -> Callable[..., None]:
    """Return the function that lays out a distribution in a folder."""
    return install


@pytest.fixture(scope="session")
def fakes_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that holds the plugin of fakes, installed."""
    folder = tmp_path_factory.mktemp("site")
    install(folder, "pdebench-fakes", {"fakes": "pdebench_fakes"}, {})
    for file in FAKES.glob("*.py"):
        shutil.copy(file, folder)
    return folder


@pytest.fixture
def fakes(fakes_folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Install the plugin of fakes in this process and its children; returns their scratch folder.

    The scratch folder is where fakes leave the ids of their processes.
    """
    from pdebench_lite.registry.discovery import registry
    from pdebench_lite.runner.environment import environment

    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setenv("PDEBENCH_FAKES", str(scratch))
    monkeypatch.setenv("PYTHONPATH", str(fakes_folder))
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)  # as users have it
    monkeypatch.syspath_prepend(str(fakes_folder))
    importlib.invalidate_caches()
    registry.cache_clear()
    environment.cache_clear()  # it lists what is installed
    yield scratch
    registry.cache_clear()
    environment.cache_clear()
    for name in ("pdebench_fakes", "pdebench_fakes_slow"):
        sys.modules.pop(name, None)
