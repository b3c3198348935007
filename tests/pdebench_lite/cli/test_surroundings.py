"""The real program in foreign surroundings: streams, disks, variables, terminals."""

import fcntl
import json
import os
import pty
import resource
import shutil
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from pdebench_lite.store.locks import LOCK

PROGRAM = (sys.executable, "-m", "pdebench_lite")
TOY = ("run", "--problem", "toy", "--backend", "numpy", "--max-steps", "3", "--methods")
RUN, ONE = (*TOY, "fake,twin"), (*TOY, "fake")
slow = partial(pytest.param, marks=pytest.mark.slow)
Done = subprocess.CompletedProcess[str]


def pdebench(*words: object, most: int | None = None, **more: Any) -> Done:
    """Run the program.

    Args:
        words: of the command line.
        most: bytes that a file may have, as on a disk that is full; None for any.
        more: environment variables; None takes one away.
    """
    changed = {**os.environ, "PYTHONUTF8": "0", **more}
    environment = {name: value for name, value in changed.items() if value is not None}

    def limit() -> None:
        if most is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most, most))

    return subprocess.run(
        [*PROGRAM, *map(str, words)], capture_output=True, env=environment, encoding="utf-8",
        errors="backslashreplace", check=False, preexec_fn=limit, timeout=120,
    )  # fmt: skip


def shell(line: str, *words: object) -> Done:
    """Run a line of bash in which `pdebench` is the program and $1, $2, … are the words."""
    start = f'set -o pipefail; pdebench() {{ {" ".join(PROGRAM)} "$@"; }}; {line}'
    return subprocess.run(
        ["bash", "-c", start, "bash", *map(str, words)], capture_output=True, text=True,
        check=False, timeout=120,
    )  # fmt: skip


def only_line(done: Done) -> str:
    """Return the only line of stderr."""
    (line,) = done.stderr.splitlines()
    return line


def statuses(results: Path) -> dict[str, str]:
    """Return method -> status of the records of a folder."""
    records = [json.loads(path.read_text()) for path in results.glob("*/record.json")]
    return {record["method"]: record["status"] for record in records}


def left_over(folder: Path) -> list[str]:
    """Return what is hidden in a folder, but the lock, which stays: leases, parts of files."""
    return [path.name for path in folder.rglob(".*") if path.name != LOCK]


BOTH, FAKE = {"fake": "ok", "twin": "ok"}, {"fake": "ok"}


@pytest.fixture(scope="module")
def record(fakes_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A results folder with a record; made once."""
    folder = tmp_path_factory.mktemp("record")
    done = pdebench(*ONE, "--results", folder / "results", PYTHONPATH=str(fakes_folder))
    assert done.returncode == 0, done.stderr
    return folder / "results"


@pytest.fixture
def results(record: Path, fakes: Path, tmp_path: Path) -> Path:
    """A results folder with a record."""
    return shutil.copytree(record, tmp_path / "results")


# ---- streams ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "line",
    [
        'pdebench "$@" 2>&1 | head -n 1',
        'pdebench "$@" --json | head -n 1',
        slow('pdebench "$@" 2>/dev/full'),
        'pdebench "$@" <&- >&- 2>&-',
    ],
)
def test_work_goes_on_without_a_reader(fakes: Path, tmp_path: Path, line: str) -> None:
    done = shell(line, *RUN, "--results", tmp_path / "results")
    assert (done.returncode, done.stderr) == (0, "")
    assert statuses(tmp_path / "results") == BOTH
    assert left_over(tmp_path / "results") == []


def test_a_cell_that_fails_has_its_status_without_a_reader(fakes: Path, tmp_path: Path) -> None:
    words = (*TOY, "fake[act=raise]", "--results", tmp_path / "results")
    done = shell('pdebench "$@" 2>&1 | head -n 1', *words)
    assert done.returncode == 1
    assert statuses(tmp_path / "results") == {"fake": "crashed"}


def test_an_answer_that_cannot_be_written_is_an_error(results: Path) -> None:
    for line in ('pdebench table --results "$1" >/dev/full', "pdebench --help >/dev/full"):
        done = shell(line, results)
        assert done.returncode == 2, line
        assert only_line(done) == "pdebench: cannot write the output: No space left on device"


def test_events_that_cannot_be_written_are_an_error_and_the_work_is_kept(
    fakes: Path, tmp_path: Path
) -> None:
    done = shell('pdebench "$@" --json >/dev/full', *ONE, "--results", tmp_path / "results")
    assert done.returncode == 2
    assert only_line(done) == "pdebench: cannot write the output: No space left on device"
    assert statuses(tmp_path / "results") == FAKE


@pytest.mark.parametrize(
    ("line", "status"),
    [
        ('pdebench table --results "$1" >&-', 0),
        ("pdebench list problems >&- 2>&-", 0),
        ("pdebench list nothing 2>&-", 2),
        ("pdebench list nothing 2>/dev/full", 2),
    ],
)
def test_closed_streams(results: Path, line: str, status: int) -> None:
    done = shell(line, results)
    assert (done.returncode, done.stdout, done.stderr) == (status, "", "")


@pytest.mark.parametrize(
    "surroundings",
    [
        {"PYTHONIOENCODING": "latin-1"},
        {"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0"},
        slow({"PYTHONIOENCODING": "ascii"}),
    ],
    ids=["latin-1", "C", "ascii"],
)
def test_small_alphabets(results: Path, surroundings: dict[str, str]) -> None:
    table = pdebench("table", "--results", results, **surroundings)
    assert (table.returncode, table.stderr) == (0, "")
    assert f"\n{'-' * 60}" in table.stdout, "the rule under the head"
    listed = pdebench("list", "problems", **surroundings)
    assert listed.returncode == 0, listed.stderr
    assert "burgers: u_t + u u_x = nu u_xx, periodic; shocks" in listed.stdout
    entries = json.loads(pdebench("list", "problems", "--format", "json", **surroundings).stdout)
    (burgers,) = (entry for entry in entries if entry["name"] == "burgers")
    assert burgers["about"] == "u_t + u u_x = ν u_xx, periodic; shocks"


def test_what_a_method_prints_does_not_depend_on_the_terminal(fakes: Path, tmp_path: Path) -> None:
    words = (*TOY, "fake[act=print]", "--results", tmp_path)
    done = pdebench(*words, PYTHONIOENCODING="latin-1")
    assert done.returncode == 0, done.stderr
    (log,) = tmp_path.glob("*/log.txt")
    assert "∂u/∂t" in log.read_text(encoding="utf-8")


# ---- plugins that print ----------------------------------------------------------------------

LOUD = """
import os
print("hello from a plugin")
os.system("echo hello from its child")

from pdebench_lite import hookimpl

@hookimpl
def pdebench_methods():
    print("hello from its hook")
    return []
"""


@pytest.fixture
def loud(fakes: Path, tmp_path: Path, distribution: Callable[..., None]) -> dict[str, str]:
    """The environment in which a plugin that prints is installed too."""
    distribution(tmp_path / "loud", "pdebench-loud", {"loud": "pdebench_loud"},
                 {"pdebench_loud.py": LOUD})  # fmt: skip
    return {"PYTHONPATH": f"{tmp_path / 'loud'}{os.pathsep}{os.environ['PYTHONPATH']}"}


def test_stdout_is_for_the_answer_only(results: Path, loud: dict[str, str]) -> None:
    rescore = ("rescore", "--format", "json", "--results", results)
    for words in (("list", "methods", "--format", "json"), rescore):
        done = pdebench(*words, **loud)
        assert done.returncode == 0, done.stderr
        json.loads(done.stdout)
        for what in ("a plugin", "its child", "its hook"):
            assert done.stderr.count(f"hello from {what}\n") == 1
    table = pdebench("table", "--format", "csv", "--results", results, **loud)
    assert table.stdout.startswith("schema,")


def test_events_are_json_whatever_plugins_print(
    fakes: Path, tmp_path: Path, loud: dict[str, str]
) -> None:
    done = pdebench(*ONE, "--json", "--results", tmp_path / "results", **loud)
    events = [json.loads(line)["event"] for line in done.stdout.splitlines()]
    assert (events[0], events[-1]) == ("begin", "end")
    assert "hello from a plugin" in done.stderr


# ---- disks -----------------------------------------------------------------------------------


@pytest.mark.parametrize("most", [0, 3000])
def test_a_full_disk_ends_a_study_in_one_line(fakes: Path, tmp_path: Path, most: int) -> None:
    folder = tmp_path / "results"
    done = pdebench(*RUN, "--quiet", "--results", folder, most=most)
    assert done.returncode == 2
    assert only_line(done).startswith("pdebench: cannot ")
    assert "make room" in only_line(done)
    assert statuses(folder) == {}, "no method is blamed"
    assert left_over(folder) == []
    again = pdebench(*ONE, "--quiet", "--results", folder)
    assert (again.returncode, statuses(folder)) == (0, FAKE)


def test_a_cell_goes_on_from_its_checkpoint_when_there_is_room_again(
    fakes: Path, tmp_path: Path
) -> None:
    words = (*TOY, "fake[act=fill]", "--quiet", "--results", tmp_path)
    done = pdebench(*words, most=50_000)
    assert done.returncode == 2, done.stderr
    assert "make room, then run again" in only_line(done)
    assert pdebench(*words).returncode == 0
    (record,) = (json.loads(path.read_text()) for path in tmp_path.glob("*/record.json"))
    assert (record["status"], record["resumed"]) == ("ok", 1)


@pytest.mark.parametrize(
    ("most", "words"),
    [
        (5000, ("plot", "--format", "pdf", "--out", "{}")),
        slow(0, ("plot", "--format", "png", "--out", "{}")),
        slow(5000, ("report", "--out", "{}/page.html")),
        (5000, ("paper", "--out", "{}/paper")),
        (1000, ("merge", "{results}", "--into", "{}")),
        (5000, ("data", "write", "--problem", "burgers:family[train=2,cells=64,frames=10]",
                "--out", "{}/data.hdf5")),
    ],
    ids=["pdf", "png", "page", "paper", "records", "data"],
)  # fmt: skip
def test_what_is_cut_off_is_not_left_behind(
    results: Path, tmp_path: Path, words: Sequence[str], most: int
) -> None:
    out = tmp_path / "out"
    named = [word.format(out, results=results) for word in words]
    more = () if words[0] in ("merge", "data") else ("--results", results)
    done = pdebench(*named, *more, most=most)
    assert done.returncode == 2, done.stdout
    assert only_line(done).startswith("pdebench: cannot ")
    assert [path for path in out.rglob("*") if path.is_file()] == []


def test_what_is_replaced_stays_if_there_is_no_room(results: Path, tmp_path: Path) -> None:
    page, document = tmp_path / "page.html", tmp_path / "page.md"
    page.write_text("<p>an earlier page</p>")
    document.write_text(old := f"<!-- pdebench table --results {results} -->\n<!-- /pdebench -->\n")
    assert pdebench("report", "--results", results, "--out", page, most=100).returncode == 2
    assert page.read_text() == "<p>an earlier page</p>"
    assert pdebench("refresh", document, most=100).returncode == 2
    assert document.read_text() == old
    assert left_over(tmp_path) == []


# ---- variables -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "surroundings",
    [
        {"MPLBACKEND": "module://matplotlib_inline.backend_inline"},
        slow({"HOME": None, "XDG_CACHE_HOME": None, "MPLCONFIGDIR": None, "TMPDIR": "/nowhere"}),
        slow({"HOME": "/proc", "XDG_CACHE_HOME": None, "MPLBACKEND": "QtAgg"}),
    ],
    ids=["inline", "no folders", "read-only home"],
)
def test_figures_are_drawn(
    results: Path, tmp_path: Path, surroundings: dict[str, str | None]
) -> None:
    done = pdebench("plot", "--results", results, "--format", "svg", "--out", tmp_path / "out",
                    **surroundings)  # fmt: skip
    assert done.returncode == 0, done.stderr
    drawn = [Path(line) for line in done.stdout.splitlines()]
    assert drawn
    assert all(path.read_bytes().rstrip().endswith(b"</svg>") for path in drawn)


def test_cells_run(fakes: Path, tmp_path: Path) -> None:
    bare = dict.fromkeys(("HOME", "TMPDIR", "MPLBACKEND"), "/nowhere")
    done = pdebench(*ONE, "--results", tmp_path / "results", **bare)
    assert done.returncode == 0, done.stderr
    assert statuses(tmp_path / "results") == FAKE


# ---- terminals -------------------------------------------------------------------------------


def on_a_terminal(*words: object, width: int, **more: str) -> tuple[int, str]:
    """Run the program on a terminal of that many columns; returns its status and what it shows."""
    end, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    child = subprocess.Popen(
        [*PROGRAM, *map(str, words)], stdin=terminal, stdout=terminal, stderr=terminal,
        env={**{k: v for k, v in os.environ.items() if k != "COLUMNS"}, "TERM": "xterm", **more},
    )  # fmt: skip
    os.close(terminal)

    def read() -> Iterator[bytes]:
        while True:
            try:
                data = os.read(end, 65536)
            except OSError:  # the last one has closed it
                return
            if not data:
                return
            yield data

    shown = b"".join(read()).decode()
    os.close(end)
    return child.wait(60), shown.replace("\r\n", "\n")


@pytest.mark.parametrize("width", [slow(0), 1])
def test_terminals_that_do_not_know_their_width(results: Path, width: int) -> None:
    for words in (("status", "--results", results), ("list", "plugins"), ("list", "methods")):
        status, shown = on_a_terminal(*words, width=width)
        assert status == 0, shown
        longest = max(len(line) for line in shown.splitlines())
        assert longest >= 24, shown
    status, shown = on_a_terminal(*ONE, "--results", results, width=width)
    assert status == 0, shown
    assert "fake" in shown


@pytest.mark.parametrize(
    ("more", "coloured"), [({}, True), ({"TERM": "dumb"}, False), slow({"NO_COLOR": "1"}, False)]
)
def test_colours(results: Path, more: dict[str, str], coloured: bool) -> None:
    status, shown = on_a_terminal("table", "--results", results, width=80, **more)
    assert status == 0
    assert ("\x1b" in shown) == coloured


def test_a_dumb_terminal_gets_lines(fakes: Path, tmp_path: Path) -> None:
    words = (*ONE, "--results", tmp_path / "results")
    status, shown = on_a_terminal(*words, width=80, TERM="dumb")
    assert status == 0
    assert "\x1b" not in shown
    assert "[1/1]" in shown
