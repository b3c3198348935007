"""Standard output is for the answer: what strangers' code prints goes to stderr."""

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stdout, suppress


@contextmanager
def aside() -> Iterator[None]:
    """Send to stderr what is printed to stdout: in Python, in C, and by child processes."""
    with ExitStack() as stack:
        if sys.stdout is not None:
            sys.stdout.flush()
        with suppress(OSError):  # closed ones: only Python's own streams are left
            kept = os.dup(1)
            stack.callback(os.close, kept)
            os.dup2(2, 1)
            stack.callback(os.dup2, kept, 1)
        stack.enter_context(redirect_stdout(sys.stderr))
        yield
