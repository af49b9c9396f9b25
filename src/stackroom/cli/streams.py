"""stdout and stderr when they are full, closed, or not there at all.

What cannot be printed is an error with one line and an exit code. What cannot be complained about is let go: a command
does what it was asked for, whether anybody hears of it or not.
"""

from __future__ import annotations

import io
import sys
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class OutputError(Exception):
    """stdout cannot be written; the text says why."""


def ready() -> None:
    """Have three streams, and let them show what their encoding lacks as an escape, where Python would raise."""
    if None in (sys.stdin, sys.stdout, sys.stderr):
        from stackroom.store.userfiles import stand_in_for_closed_streams  # noqa: PLC0415 - one call in a million

        stand_in_for_closed_streams()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            # What was left over from before is flushed first; that it cannot be, the next writing will tell.
            with suppress(OSError):
                stream.reconfigure(errors="backslashreplace")


@contextmanager
def writing() -> Iterator[None]:
    """A block that writes to stdout.

    Raises:
        OutputError: it cannot be written. A reader that has gone stays a ``BrokenPipeError``.
    """
    try:
        yield
    except BrokenPipeError:
        raise
    except OSError as error:
        raise OutputError((error.strerror or str(error)).lower()) from error


def put(text: str) -> None:
    """Write to stdout; errors as :func:`writing`."""
    with writing():
        sys.stdout.write(text)


def put_lines(lines: Iterable[str]) -> None:
    """Write lines to stdout; errors as :func:`writing`."""
    with writing():
        sys.stdout.writelines(f"{line}\n" for line in lines)


def flush() -> None:
    """Have everything on stdout written; errors as :func:`writing`."""
    with writing():
        sys.stdout.flush()


def complain(text: str) -> None:
    """Write to stderr at once, after all that stdout holds; errors as :func:`writing`, and only for stdout."""
    flush()
    try:
        sys.stderr.write(text)
        sys.stderr.flush()
    except BrokenPipeError:
        raise
    except OSError:
        let_go(sys.stderr)


def let_go(stream: TextIO) -> None:
    """Drop what a stream still holds: the end of the process would fail on it."""
    from stackroom.store.userfiles import drain  # noqa: PLC0415 - only where a stream is full

    drain(stream)


def reader_is_gone() -> bool:
    """Whether nobody reads stdout any more: who writes seldom would not notice for long."""
    import select  # noqa: PLC0415 - only for a command that waits

    # Without a descriptor, as in a test, nobody can tell.
    with suppress(OSError, ValueError):
        poll = select.poll()
        poll.register(sys.stdout.fileno(), 0)
        return bool(poll.poll(0))
    return False
