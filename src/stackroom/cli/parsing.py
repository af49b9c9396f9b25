"""Argv to options: one small parser for the one command that is asked for, with the options that every command has.

Building a parser for every command costs more than listing a small registry, so the word that names the command is
found first, and the rest is parsed without it. That is also why ``-R``, ``--json`` and ``--color`` may stand before the
command or after it.
"""

from __future__ import annotations

import argparse
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, NoReturn

from stackroom.cli import streams
from stackroom.cli.catalog import COMMANDS
from stackroom.core.values import dataclass
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from _typeshed import SupportsWrite

    from stackroom.cli.context import Context


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """A command, as its module describes it.

    Attributes:
        arguments: declares its arguments to a parser.
        run: does it; returns the exit code.
        examples: for its help; at least one.
        about: what the one line of the catalog leaves out.
    """

    arguments: Callable[[argparse.ArgumentParser], Any]
    run: Callable[[Context, argparse.Namespace], int]
    examples: tuple[str, ...]
    about: str = ""


class Parser(argparse.ArgumentParser):
    """A parser whose complaints are errors of ours, so that they come as JSON where JSON is asked for."""

    def error(self, message: str) -> NoReturn:
        """Raise instead of printing and leaving."""
        hint = f"{self.prog} --help shows how"
        prefix = "unrecognized arguments: "
        if message.startswith(prefix):
            word = message.removeprefix(prefix).split(" ")[0].partition("=")[0]
            import difflib  # noqa: PLC0415 - only for the one who mistyped

            near = difflib.get_close_matches(word, list(self._option_string_actions), n=1)
            hint = f"did you mean {near[0]}?" if near else hint
        raise UsageError(f"{self.prog}: {message}", hint=hint)

    def format_help(self) -> str:
        """As wide as the terminal; only here, because measuring it loads what nothing else needs."""
        self.formatter_class = argparse.RawDescriptionHelpFormatter
        return super().format_help()

    def print_help(self, file: SupportsWrite[str] | None = None) -> None:
        """Print it so that a stdout that is full is told; the parser itself would not say a word."""
        if file is None:
            streams.put(self.format_help())
        else:
            super().print_help(file)


def _unmeasured(prog: str) -> argparse.HelpFormatter:
    """What argparse checks each argument with as it is declared."""
    return argparse.HelpFormatter(prog, width=80)


def command_named(name: str) -> Command:
    """The command, from the one module that has it."""
    module = import_module(f"stackroom.cli.commands.{COMMANDS[name][0]}")
    command: Command = module.COMMANDS[name]
    return command


def parser_for(name: str, command: Command) -> Parser:
    """The parser of one command."""
    examples = "\n".join(f"  {example}" for example in command.examples)
    summary = COMMANDS[name][1]
    parser = Parser(
        prog=f"stackroom {name}",
        description=f"{summary[0].upper()}{summary[1:]}." + (f"\n\n{command.about}" if command.about else ""),
        epilog=f"{'Example' if len(command.examples) == 1 else 'Examples'}:\n{examples}",
        formatter_class=_unmeasured,
        allow_abbrev=False,
    )
    command.arguments(parser)
    every = parser.add_argument_group("options of every command")
    every.add_argument(
        "-R", "--registry", metavar="PATH", help="the registry; else $STACKROOM_REGISTRY, else above here"
    )
    every.add_argument("--json", action="store_true", help="answer in JSON, errors too")
    every.add_argument(
        "--color", choices=("auto", "always", "never"), default="auto", help="colours; auto: on a terminal"
    )
    every.add_argument("--debug", action="store_true", help="show a traceback where the program itself fails")
    return parser


_DASHED: Final = frozenset({"--sort", "--reason", "--description"})
"""Options whose value may begin with a dash: ``--sort -auc``. argparse takes that for an option of its own."""


def joined(argv: list[str]) -> list[str]:
    """The words with every option of that kind and its value as one word."""
    words: list[str] = []
    for word in argv:
        if words and words[-1] in _DASHED:
            words[-1] = f"{words[-1]}={word}"
        else:
            words.append(word)
    return words


def dry_run_option(parser: argparse.ArgumentParser) -> None:
    """Declare ``--dry-run``, which every command that changes something has."""
    parser.add_argument("--dry-run", action="store_true", help="check everything and change nothing")


def reason_option(parser: argparse.ArgumentParser) -> None:
    """Declare ``--reason``."""
    parser.add_argument("--reason", default="", metavar="TEXT", help="why; stays in the record for ever")


def overview() -> str:
    """What ``stackroom --help`` prints."""
    width = max(len(name) for name in COMMANDS)
    commands = "\n".join(f"  {name:<{width}}  {summary}" for name, (_, summary) in COMMANDS.items())
    return f"""\
usage: stackroom [PATH ...]                 browse registries in the terminal
       stackroom COMMAND [ARGUMENT ...]     do one thing; `stackroom COMMAND --help` says how

The model registry that is a folder.

commands:
{commands}

The registry is what -R PATH names, else $STACKROOM_REGISTRY, else the nearest folder above that has a registry.toml.
Every command knows -R PATH, --json, --color auto|always|never and --help. --version prints the version.

exit codes:
  0 ok, 1 internal, 2 usage, 3 not found, 4 permission, 5 a guard refused, 6 conflict, 7 integrity, 8 invalid input,
  9 degraded, 130 interrupted

Example:
  stackroom demo
"""


def unknown_command(word: str) -> UsageError:
    """The error for a word that is neither a command nor a folder."""
    import difflib  # noqa: PLC0415 - the same

    near = difflib.get_close_matches(word, list(COMMANDS), n=1)
    if near:
        hint = f"did you mean stackroom {near[0]}?"
    elif "/" in word or word.startswith((".", "~")):
        import shlex  # noqa: PLC0415 - only for advice

        hint = f"make a registry with: stackroom init {shlex.quote(word)}"
        return UsageError(f"there is no folder {word}", hint=hint)
    else:
        hint = "stackroom --help lists the commands"
    return UsageError(f"there is no command {word!r}", hint=hint, facts={"command": word})
