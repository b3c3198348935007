"""The command line: one small file per verb, and the one place where errors become lines."""

import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import typer

from pdebench_lite.cli._streams import steady
from pdebench_lite.errors import PdebenchError
from pdebench_lite.files import FULL

# The module of this package that holds a verb, and the command in it; `--help` lists them so.
VERBS = {
    "run": "run",
    "status": "status",
    "table": "table",
    "compare": "compare",
    "payoff": "payoff",
    "audit": "audit",
    "plot": "plot",
    "report": "report",
    "show": "show",
    "list": "list_things",
    "study": "study",
    "paper": "paper",
    "cite": "cite",
    "refresh": "refresh",
    "rescore": "rescore",
    "merge": "merge",
    "claims": "claims",
    "doctor": "doctor",
    "data": "data",
}

_STOPPED = 130
_TERMINATED = 128 + signal.SIGTERM


@contextmanager
def _terminable(told: threading.Event) -> Iterator[None]:
    """Treat SIGTERM as Ctrl-C, so that no child and no lease is left behind; `told` is then set."""

    def end(number: int, frame: object) -> None:
        if not told.is_set():  # once is enough
            told.set()
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, end)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from pdebench_lite import __version__

        print(f"pdebench-lite {__version__}")
        raise typer.Exit


def application(verbs: Iterable[str] = VERBS) -> typer.Typer:
    """Return the command line with some of its verbs: one that is not asked for costs no time."""
    app = typer.Typer(
        name="pdebench",
        help="Race supervised networks, PINNs and differentiable physics on the same PDEs.",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,  # rich would read [key=value] as markup, and is slow to import
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    app.callback(invoke_without_command=True)(_root)
    for verb in verbs:
        module = importlib.import_module(f"{__name__}.{VERBS[verb]}")
        command = getattr(module, VERBS[verb])
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=verb)
        else:
            app.command(verb, epilog=getattr(module, "EXAMPLES", None))(command)
    return app


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: done; 1: a cell failed; 2: wrong usage, bad input, or a disk or stream that takes no more,
    one line on stderr; 130: Ctrl-C; 143: SIGTERM.
    """
    os.environ["MPLBACKEND"] = "agg"  # another environment's cannot even be imported here
    with steady() as lost:
        status = _run(sys.argv[1:] if arguments is None else arguments)
    for error in lost:
        _complain(f"cannot write the output: {error.strerror}")
        return max(status, 2)
    return status


def _run(given: list[str]) -> int:
    app = application(given[:1] if given and given[0] in VERBS else VERBS)
    if not given:
        app(["--help"], prog_name="pdebench", standalone_mode=False)
        return 2
    terminated = threading.Event()
    try:
        with _terminable(terminated):
            status = int(app(given, prog_name="pdebench", standalone_mode=False) or 0)
        if status == _STOPPED:  # typer turned KeyboardInterrupt into this
            raise KeyboardInterrupt
        return status
    except PdebenchError as error:
        return _complain(str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("pdebench: stopped; finished cells are kept, run again to go on", file=sys.stderr)
        return _TERMINATED if terminated.is_set() else _STOPPED
    except OSError as error:
        if error.errno not in FULL:
            raise
        where = f"'{error.filename}'" if error.filename else "a file"
        return _complain(f"cannot write {where}: {error.strerror}; make room, then run again")
    except Exception as error:
        message = getattr(error, "format_message", None)  # typer's usage errors
        if message is None:
            raise
        return _complain(f"{message()} (see: pdebench {_verb(given)}--help)")


def _complain(message: str) -> int:
    print(f"pdebench: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _verb(arguments: list[str]) -> str:
    return f"{arguments[0]} " if arguments and arguments[0] in VERBS else ""
