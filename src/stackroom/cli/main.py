"""Runs one command, and turns whatever goes wrong into a message, a hint and an exit code."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli import streams
from stackroom.cli.catalog import COMMANDS, LINE_BY_LINE, command_at
from stackroom.cli.context import NOTHING_CHANGED, Context
from stackroom.cli.parsing import command_named, joined, overview, parser_for, unknown_command
from stackroom.cli.streams import OutputError
from stackroom.cli.style import Styled
from stackroom.errors import RegistryError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

DEBUG_VARIABLE: Final = "STACKROOM_DEBUG"
INTERRUPTED: Final = 130
"""The exit code after ctrl+c: 128 and the number of SIGINT."""

_INTERNAL: Final = 1


def run(argv: list[str], browse: Callable[[list[str]], int]) -> int:
    """Run a command.

    Args:
        argv: without the program's name.
        browse: opens the terminal interface, for the commands that end there.

    Returns:
        The exit code.
    """
    streams.ready()
    context = _preliminary_context(argv, browse)
    return _guarded(context, argv, lambda: _run(argv, context))


def run_browser(open_browser: Callable[[], int], argv: list[str]) -> int:
    """Open the terminal interface, with the same answers where that fails."""
    streams.ready()
    return _guarded(_preliminary_context(argv, lambda _paths: 0), argv, open_browser)


def _preliminary_context(argv: list[str], browse: Callable[[list[str]], int]) -> Context:
    """How output is wanted as far as it can be told before argv is understood: errors in it are output, too."""
    words = [part for word in argv for part in word.split("=", 1)]
    choice = words[words.index("--color") + 1 :][:1] if "--color" in words else []
    colour = choice[0] if choice and choice[0] in {"always", "never"} else "auto"
    at = command_at(argv)
    one_line = at is not None and argv[at] in LINE_BY_LINE
    return Context(path=None, as_json="--json" in argv, colour=colour, browse=browse, one_line=one_line)


def _run(argv: list[str], context: Context) -> int:
    at = command_at(argv)
    if at is None:
        return _without_command(argv, context)
    name = argv[at]
    if name not in COMMANDS:
        return _browse_or_refuse(name, argv, context)
    command = command_named(name)
    options = parser_for(name, command).parse_intermixed_args(joined(argv[:at] + argv[at + 1 :]))
    if options.registry == "":
        raise _nameless()
    context.path = options.registry
    return command.run(context, options)


def _browse_or_refuse(word: str, argv: list[str], context: Context) -> int:
    """A word that is no command may be a folder, or a name in the settings, which nobody else waits for."""
    from stackroom.cli.commands.browsing import browsable  # noqa: PLC0415 - only where the word is no command

    if not browsable(word):
        raise unknown_command(word)
    return _browse(argv, context)


def _browse(argv: list[str], context: Context) -> int:
    """What ``tui`` does with the same arguments, where each that is no option can be browsed."""
    from stackroom.cli.commands.browsing import browsable  # noqa: PLC0415 - the same

    command = command_named("tui")
    options = parser_for("tui", command).parse_intermixed_args(argv)
    if options.registry == "":
        raise _nameless()
    for path in options.paths:
        if not browsable(path):
            raise UsageError(
                f"there is no folder {path}, and no registry of that name in the settings",
                hint="a command stands before its arguments: stackroom --help lists them",
            )
    context.path = options.registry
    return command.run(context, options)


def _without_command(argv: list[str], context: Context) -> int:
    if "--version" in argv or argv == ["-V"]:
        from stackroom import __version__  # noqa: PLC0415 - one command in a thousand

        streams.put(f"stackroom {__version__}\n")
        return 0
    if "-h" in argv or "--help" in argv:
        streams.put(overview())
        return 0
    if "" in argv:
        raise _nameless()
    if "--json" in argv:
        raise UsageError("no command is named", hint="stackroom --help lists the commands")
    return _browse(argv, context)


def _nameless() -> UsageError:
    """What an unset variable of a script would make of ``-R "$UNSET"``: whatever registry one stands in."""
    return UsageError("-R names no registry: its path is empty", hint="is a variable of yours not set?")


def _guarded(context: Context, argv: list[str], action: Callable[[], int]) -> int:
    try:
        code = _answered(context, argv, action)
        streams.flush()
    except BrokenPipeError:
        _die_of_the_pipe()
        return _INTERNAL
    except OutputError as error:
        streams.let_go(sys.stdout)
        context.say(Styled("error:", "red"), f" the output cannot be written: {error}")
        return _INTERNAL
    return code


def _answered(context: Context, argv: list[str], action: Callable[[], int]) -> int:
    try:
        code = _with_system_exit(action)
        streams.flush()
    except (BrokenPipeError, OutputError):
        raise
    except RegistryError as error:
        return _refuse(context, error)
    except KeyboardInterrupt as interrupt:
        return _interrupted(context, interrupt)
    except Exception as error:  # noqa: BLE001 - the last door: a traceback helps nobody who did not ask for it
        return _fail(context, error, debug="--debug" in argv or bool(os.environ.get(DEBUG_VARIABLE)))
    return code


def _with_system_exit(action: Callable[[], int]) -> int:
    try:
        return action()
    except SystemExit as leaving:
        # argparse leaves so after it has printed a help text.
        return leaving.code if isinstance(leaving.code, int) else 0


def _refuse(context: Context, error: RegistryError) -> int:
    notes = getattr(error, "__notes__", [])
    if context.json:
        own = {"kind": error.kind, "message": str(error), "hint": error.hint, "exit_code": error.exit_code}
        context.error_document(own | {key: fact for key, fact in error.facts.items() if key not in own})
        return error.exit_code
    context.say(Styled("error:", "red"), f" {error}")
    if verdicts := error.facts.get("verdicts"):
        from stackroom.cli.verdicts import say_verdicts  # noqa: PLC0415 - only for a refusal by guards

        say_verdicts(context, verdicts)
    for recipe in error.facts.get("recipes", ()):
        context.say(f"{recipe['what']}:")
        for command in recipe["commands"]:
            context.say(f"  {command}")
    if hint := error.hint or _hint_for(error):
        context.say(Styled("hint:", "cyan"), f" {context.runnable(hint)}")
    for note in notes:
        context.say(Styled("note:", "yellow"), f" {note}")
    return error.exit_code


def _hint_for(error: RegistryError) -> str:
    """For the one complaint about a name that has none: there was nothing to suggest one from."""
    nameless = error.kind == "invalid" and error.facts.get("name") == ""
    return "a reference looks like fraud, fraud:7, fraud:2.1.0, fraud@production or fraud:latest" if nameless else ""


def _interrupted(context: Context, interrupt: KeyboardInterrupt) -> int:
    notes: list[str] = getattr(interrupt, "__notes__", [])
    said = "; ".join([context.interrupted, *notes])
    code: int = getattr(interrupt, "code", INTERRUPTED)
    if context.json:
        facts = {"kind": "interrupted", "message": said, "hint": "", "exit_code": code}
        context.error_document(facts | {"unchanged": context.interrupted == NOTHING_CHANGED})
    else:
        context.say(f"interrupted; {said}")
    return code


def _fail(context: Context, error: Exception, *, debug: bool) -> int:
    message = f"{type(error).__name__}: {error}"
    hint = f"this is a fault of stackroom; --debug or {DEBUG_VARIABLE}=1 shows where"
    if context.json:
        facts: dict[str, Any] = {"kind": "internal", "message": message, "hint": hint, "exit_code": _INTERNAL}
        context.error_document(facts)
    else:
        context.say(Styled("internal error:", "red"), f" {message}")
        context.say(Styled("hint:", "cyan"), f" {hint}")
    for note in getattr(error, "__notes__", []):
        context.say(Styled("note:", "yellow"), f" {note}")
    if debug:
        import traceback  # noqa: PLC0415 - only when it is asked for

        for line in "".join(traceback.format_exception(error)).splitlines():
            context.say(line)
    return _INTERNAL


def _die_of_the_pipe() -> None:
    """End as every other filter does whose reader has gone: by SIGPIPE, without a word."""
    import signal  # noqa: PLC0415 - defines a hundred constants, for the one call whose reader left

    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    os.kill(os.getpid(), signal.SIGPIPE)
