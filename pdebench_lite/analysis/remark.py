"""Remark: a sentence beside a table, and the command that a reader of it can type."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Remark:
    """A sentence beside a table, without its full stop.

    Attributes:
        text: the words; they come from records too, so every format escapes them.
        command: what to type, which ends the sentence; every format leaves it fit to be copied.
    """

    text: str
    command: str = ""

    def __str__(self) -> str:
        return f"{self.text}: {self.command}" if self.command else self.text
