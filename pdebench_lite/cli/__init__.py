"""The command line: one small file per verb, and the one place where errors become lines."""

import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import typer

from pdebench_lite.cli.audit import EXAMPLES as AUDIT_EXAMPLES
from pdebench_lite.cli.audit import audit
from pdebench_lite.cli.cite import cite
from pdebench_lite.cli.claims import EXAMPLES as CLAIMS_EXAMPLES
from pdebench_lite.cli.claims import claims
from pdebench_lite.cli.compare import EXAMPLES as COMPARE_EXAMPLES
from pdebench_lite.cli.compare import compare
from pdebench_lite.cli.data import data
from pdebench_lite.cli.doctor import doctor
from pdebench_lite.cli.list_things import list_things
from pdebench_lite.cli.merge import EXAMPLES as MERGE_EXAMPLES
from pdebench_lite.cli.merge import merge
from pdebench_lite.cli.paper import EXAMPLES as PAPER_EXAMPLES
from pdebench_lite.cli.paper import paper
from pdebench_lite.cli.payoff import payoff
from pdebench_lite.cli.plot import plot
from pdebench_lite.cli.refresh import EXAMPLES as REFRESH_EXAMPLES
from pdebench_lite.cli.refresh import refresh
from pdebench_lite.cli.report import report
from pdebench_lite.cli.rescore import EXAMPLES as RESCORE_EXAMPLES
from pdebench_lite.cli.rescore import rescore
from pdebench_lite.cli.run import EXAMPLES, run
from pdebench_lite.cli.show import show
from pdebench_lite.cli.status import status
from pdebench_lite.cli.study import study
from pdebench_lite.cli.table import EXAMPLES as TABLE_EXAMPLES
from pdebench_lite.cli.table import table
from pdebench_lite.errors import PdebenchError

app = typer.Typer(
    name="pdebench",
    help="Race supervised networks, PINNs and differentiable physics on the same PDEs.",
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,  # rich would read [key=value] in help as markup, and is slow to import
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("run", epilog=EXAMPLES)(run)
app.command("status")(status)
app.command("table", epilog=TABLE_EXAMPLES)(table)
app.command("compare", epilog=COMPARE_EXAMPLES)(compare)
app.command("payoff")(payoff)
app.command("audit", epilog=AUDIT_EXAMPLES)(audit)
app.command("plot")(plot)
app.command("report")(report)
app.command("show")(show)
app.command("list")(list_things)
app.command("study")(study)
app.command("paper", epilog=PAPER_EXAMPLES)(paper)
app.command("cite")(cite)
app.command("refresh", epilog=REFRESH_EXAMPLES)(refresh)
app.command("rescore", epilog=RESCORE_EXAMPLES)(rescore)
app.command("merge", epilog=MERGE_EXAMPLES)(merge)
app.command("claims", epilog=CLAIMS_EXAMPLES)(claims)
app.add_typer(data, name="data")
app.command("doctor")(doctor)

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


@app.callback(invoke_without_command=True)
def _options(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from pdebench_lite import __version__

        print(f"pdebench-lite {__version__}")
        raise typer.Exit


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: done; 1: a cell failed; 2: wrong usage or bad input, one line on stderr; 130: Ctrl-C;
    143: SIGTERM.
    """
    given = sys.argv[1:] if arguments is None else arguments
    if not given:
        app(["--help"], prog_name="pdebench", standalone_mode=False)
        return 2
    terminated = threading.Event()
    try:
        with _terminable(terminated):
            status = int(app(given, prog_name="pdebench", standalone_mode=False) or 0)
        sys.stdout.flush()
        if status == _STOPPED:  # typer turned KeyboardInterrupt into this
            raise KeyboardInterrupt
        return status
    except PdebenchError as error:
        return _complain(str(error))
    except (KeyboardInterrupt, typer.Abort):
        print("pdebench: stopped; finished cells are kept, run again to go on", file=sys.stderr)
        return _TERMINATED if terminated.is_set() else _STOPPED
    except (BrokenPipeError, SystemExit) as error:
        if isinstance(error, SystemExit) and not isinstance(error.__context__, BrokenPipeError):
            raise
        # The reader of our output, such as `head`, has left; Python would complain at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.__stdout__.fileno())  # type: ignore[union-attr]
        return 0
    except Exception as error:
        message = getattr(error, "format_message", None)  # typer's usage errors
        if message is None:
            raise
        return _complain(f"{message()} (see: pdebench {_verb(given)}--help)")


def _complain(message: str) -> int:
    print(f"pdebench: {' '.join(message.split())}", file=sys.stderr)
    return 2


def _verb(arguments: list[str]) -> str:
    known = {command.name for command in app.registered_commands}
    return f"{arguments[0]} " if arguments and arguments[0] in known else ""
