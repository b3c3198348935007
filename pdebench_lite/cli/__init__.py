"""The command line: one small file per verb, and the one place where errors become lines."""

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
from pdebench_lite.registry.command import Command

# The verbs of the core: the module of this package that holds a verb, and the function in it.
# Plugins bring more of them (hook `pdebench_commands`).
VERBS = {
    "run": "run",
    "status": "status",
    "table": "table",
    "compare": "compare",
    "payoff": "payoff",
    "plot": "plot",
    "report": "report",
    "show": "show",
    "list": "list_things",
    "study": "study",
    "refresh": "refresh",
    "rescore": "rescore",
    "merge": "merge",
}

_STOPPED = 130
# What a batch system, a closed terminal or a limit of processor time sends, besides Ctrl-C.
_STOPS = (signal.SIGTERM, signal.SIGHUP, signal.SIGUSR1, signal.SIGUSR2, signal.SIGXCPU)


@contextmanager
def _terminable(told: list[signal.Signals]) -> Iterator[None]:
    """Treat other signals as Ctrl-C, so that no child and no lease is left behind.

    Args:
        told: takes the signal that was sent.
    """

    def end(number: int, frame: object) -> None:
        if not told:  # once is enough
            told.append(signal.Signals(number))
            raise KeyboardInterrupt

    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.getsignal(number) for number in _STOPS}
    heard = [n for n in _STOPS if before[n] is not signal.SIG_IGN]  # as nohup has it ignored
    for number in heard:
        signal.signal(number, end)
    try:
        yield
    finally:
        for number in heard:
            signal.signal(number, before[number])


def _root(
    version: bool = typer.Option(False, "--version", help="Print the version and exit."),
) -> None:
    if version:
        from pdebench_lite import __version__

        print(f"pdebench-lite {__version__}")
        raise typer.Exit


def application(commands: Iterable[Command]) -> typer.Typer:
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
    for command in commands:
        function, examples = command.load()
        if isinstance(function, typer.Typer):
            app.add_typer(function, name=command.name)
        else:
            app.command(command.name, epilog=examples)(function)
    return app


def commands_for(given: list[str]) -> list[Command]:
    """Return the verbs that a command line may need: the one that it names, or all.

    Raises:
        PdebenchError: nobody brings the verb that it names, or its module cannot be imported.
    """
    core = [Command(verb, f"{__name__}.{name}:{name}") for verb, name in VERBS.items()]
    verb = next(iter(given), "--help")
    for command in core:
        if command.name == verb:
            return [command]
    from pdebench_lite.registry.discovery import registry

    known = registry(("command",))
    if verb.startswith("-"):
        return [*core, *known.commands.values()]
    if verb not in known.commands and ("command", verb) not in known.clashes:
        raise known.unknown("command", verb, [*VERBS, *known.commands])
    return [known.command(verb)]


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status.

    0: done; 1: a cell failed; 2: wrong usage, bad input, or a disk or stream that takes no more,
    one line on stderr; 130: Ctrl-C; 128 and its number: another signal, such as 143 for SIGTERM.
    """
    os.environ["MPLBACKEND"] = "agg"  # another environment's cannot even be imported here
    with steady() as lost:
        status = _run(sys.argv[1:] if arguments is None else arguments)
    for error in lost:
        _complain(f"cannot write the output: {error.strerror}")
        return max(status, 2)
    return status


def _run(given: list[str]) -> int:
    told: list[signal.Signals] = []
    try:
        app = application(commands_for(given))
        if not given:
            app(["--help"], prog_name="pdebench", standalone_mode=False)
            return 2
        with _terminable(told):
            status = int(app(given, prog_name="pdebench", standalone_mode=False) or 0)
        if status == _STOPPED:  # typer turned KeyboardInterrupt into this
            raise KeyboardInterrupt
        return status
    except PdebenchError as error:
        return _complain(str(error))
    except (KeyboardInterrupt, typer.Abort):
        by = f" by {told[0].name}" if told else ""
        print(
            f"pdebench: stopped{by}; finished cells are kept, run again to continue",
            file=sys.stderr,
        )
        return 128 + told[0] if told else _STOPPED
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
    return f"{arguments[0]} " if arguments and not arguments[0].startswith("-") else ""
