"""``tui``: the terminal interface, with what its environment may say as options for one call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Final

from stackroom.cli.parsing import Command
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context

_SWITCHES: Final = {
    "no_state": "STACKROOM_NO_STATE",
    "no_mouse": "STACKROOM_NO_MOUSE",
    "ascii": "STACKROOM_ASCII",
}
"""Option -> the variable that it is for one call."""

_ABOUT: Final = """\
Without PATH: the registry that $STACKROOM_REGISTRY names, else the nearest folder above that has a registry.toml, else
the first of the settings. Several are switched between with ctrl+o or :registry NAME.

environment:
  STACKROOM_REGISTRY   the registry, where none is named
  STACKROOM_CONFIG     the file of settings; else stackroom/config.toml in $XDG_CONFIG_HOME, else in ~/.config
  STACKROOM_NO_STATE   1: nothing is remembered; else in stackroom/ in $XDG_STATE_HOME, else in ~/.local/state
  STACKROOM_CACHE      where caches lie, or off for none; else stackroom/ in $XDG_CACHE_HOME, else in ~/.cache
  STACKROOM_NO_MOUSE   1: the mouse selects text, as without the program; 0: it is reported, whatever the settings say
  STACKROOM_ASCII      1: signs in ASCII, for terminals whose font has few; 0: what fits the terminal
  NO_COLOR             no colour at all
  TEXTUAL_COLOR_SYSTEM standard, 256 or truecolor, where the terminal says too much or too little
  COLORTERM, TERM      what the terminal says of its colours; TERM=dumb is refused
  VISUAL, EDITOR       the editor
  TMUX                 set by tmux: what is copied goes through it"""


def browsable(word: str) -> bool:
    """Whether a word is a folder, or the name of a registry in the settings; reads these."""
    if os.path.isdir(word):
        return True
    from stackroom.registry.settings import load_settings  # noqa: PLC0415 - only for a word that is no folder

    return load_settings().registry(word) is not None


def _tui_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("paths", metavar="PATH", nargs="*", help="a registry, or the name of one in the settings")
    parser.add_argument("--config", metavar="FILE", help="the file of settings; the same as $STACKROOM_CONFIG")
    parser.add_argument("--no-state", action="store_true", help="remember nothing, and start as if for the first time")
    parser.add_argument("--no-mouse", action="store_true", help="leave the mouse to the terminal")
    parser.add_argument("--ascii", action="store_true", help="draw our signs in ASCII")


def _tui(context: Context, options: Namespace) -> int:
    if context.json:
        raise UsageError("browsing is for people", hint="stackroom list --json")
    for option, variable in _SWITCHES.items():
        if getattr(options, option):
            os.environ[variable] = "1"
    if options.color == "never":
        os.environ["NO_COLOR"] = "1"
    if options.config is not None:
        os.environ["STACKROOM_CONFIG"] = options.config
    return context.browse([*([context.path] if context.path else []), *options.paths])


COMMANDS: Final = {
    "tui": Command(
        arguments=_tui_arguments,
        run=_tui,
        examples=("stackroom tui /nfs/models", "stackroom tui --no-mouse /nfs/models /nfs/production"),
        about=_ABOUT,
    ),
}
