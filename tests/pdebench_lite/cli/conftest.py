"""`pdebench`: the command line, in this process."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pdebench_lite.cli import main


@dataclass(frozen=True)
class Answer:
    """What a command answered."""

    status: int
    out: str
    err: str

    @property
    def line(self) -> str:
        """The only line on stderr; nothing on stdout."""
        assert self.out == ""
        (line,) = self.err.splitlines()
        assert line.startswith("pdebench: ")
        return line.removeprefix("pdebench: ")


@pytest.fixture
def pdebench(capsys: pytest.CaptureFixture[str]) -> Callable[..., Answer]:
    """Return the command as a function of its words."""

    def run(*words: object) -> Answer:
        status = main([str(word) for word in words])
        captured = capsys.readouterr()
        return Answer(status, captured.out, captured.err)

    return run
