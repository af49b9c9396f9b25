"""Picks a front end: a bare call, or one with folders, browses; a command runs the command line.

Each is imported only when it is wanted: ``--version`` loads neither, and no command loads Textual.
"""

from __future__ import annotations

import gc
import os
import sys

from stackroom import __version__
from stackroom.cli.catalog import COMMANDS, command_at


def main() -> int:
    """Run ``stackroom`` with the arguments of the process; returns the exit code."""
    argv = sys.argv[1:]
    if argv in (["--version"], ["-V"]):
        try:
            sys.stdout.write(f"stackroom {__version__}\n")
            sys.stdout.flush()
        except (OSError, AttributeError):
            # A stdout that is full or closed: the command line knows what to say about it.
            pass
        else:
            return 0
    # Reading makes many objects and hardly any circles: looking for some again and again takes longer than reading.
    gc.set_threshold(100_000, 50, 50)
    paths = paths_to_browse(argv)
    from stackroom.cli.main import run, run_browser  # noqa: PLC0415 - the version is printed without it

    try:
        if paths is not None:
            return run_browser(lambda: browse(paths), argv)
        return run(argv, browse)
    finally:
        # All that is left ends with the process: looking for circles in it would take as long as half a start.
        gc.freeze()


def paths_to_browse(argv: list[str]) -> list[str] | None:
    """The folders to open in the terminal interface, none for the one that is meant; None where a command is asked."""
    at = command_at(argv)
    if at is None:
        named = _registry_option(argv)
        return named[1:] if argv == named else None
    word = argv[at]
    named = _registry_option(argv[:at])
    if len(named) != at:
        # Options that only commands have: the command line says what it thinks of them.
        return None
    if word == "tui":
        rest = argv[at + 1 :]
        return None if any(one.startswith("-") for one in rest) else [*named[1:], *rest]
    folders = argv[at:]
    if word not in COMMANDS and all(os.path.isdir(one) for one in folders):
        return [*named[1:], *folders]
    return None


def _registry_option(argv: list[str]) -> list[str]:
    """The words ``-R PATH`` at the start of an argv, or nothing; what is no path the command line refuses."""
    return argv[:2] if len(argv) >= 2 and argv[0] in {"-R", "--registry"} and argv[1] else []


def browse(paths: list[str]) -> int:
    """Open the terminal interface.

    Raises:
        UsageError: there is no terminal.
    """
    from stackroom.errors import UsageError  # noqa: PLC0415 - the version is printed without it

    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "browsing needs a terminal, and this is none",
            hint="every screen is also a command: stackroom list, stackroom show REF, stackroom --help",
        )
    from stackroom.tui.start import browse as open_browser  # noqa: PLC0415 - Textual costs 0.3 s

    return open_browser(paths)


if __name__ == "__main__":
    sys.exit(main())
