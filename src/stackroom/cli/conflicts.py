"""Changes as people read them: what an edit changed, and, where two edits met, what each of the two did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.cli.style import Piece, Styled
from stackroom.cli.words import MISSING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.cli.context import Context
    from stackroom.errors import ConflictError

    Changes = Mapping[str, tuple[str | None, str | None]]


def change_lines(changes: Changes) -> list[list[Piece]]:
    """A line for each field: what it was, and what it is."""
    return [
        [f"  {key}: ", Styled(_or_missing(before), "red"), " -> ", Styled(_or_missing(after), "green")]
        for key, (before, after) in changes.items()
    ]


def say_changes(context: Context, changes: Changes) -> None:
    """The same, on stderr."""
    for line in change_lines(changes):
        context.say(*line)


def _or_missing(value: str | None) -> str:
    return MISSING if value is None else value


def say_conflict(context: Context, error: ConflictError) -> None:
    """Who wrote what meanwhile, beside what both found and what was not written; nothing for a conflict of names."""
    facts = error.facts
    if facts.get("what") == "card":
        _say_cards(context, facts["diff"])
    for field in facts.get("fields", ()):
        if field is facts["fields"][0]:
            _say_sides(context, facts)
        sign: list[Piece] = [Styled("  both changed it", "yellow")] if field["clash"] else []
        context.say(Styled(field["field"], "bold"), *sign)
        context.say(f"  base    {_or_missing(field['base'])}")
        context.say("  theirs  ", _value(field, "theirs", "red"))
        context.say("  mine    ", _value(field, "mine", "green"))


def _value(field: Mapping[str, Any], side: str, colour: str) -> Piece:
    text = _or_missing(field[side])
    return text if field[side] == field["base"] else Styled(text, colour)


def _say_sides(context: Context, facts: Mapping[str, Any]) -> None:
    base, theirs = facts["base"], facts["theirs"]
    context.say(Styled("base:", "bold"), f" revision {base['revision']}{_who(base)}")
    context.say(Styled("theirs:", "bold"), f" revision {theirs['revision']}{_who(theirs)}")
    context.say(Styled("mine:", "bold"), f" not written, by {facts['mine']['by']}")


def _who(side: Mapping[str, Any]) -> str:
    """Whose file it is, when its text says that it was written, and why."""
    if side["at"] is None:
        return ", as registered"
    owner = side["owner"]["name"] or side["owner"]["uid"]
    reason = f": {side['reason']}" if side["reason"] else ""
    return f" by {owner} at {side['at']}{reason}"


def _say_cards(context: Context, diff: Mapping[str, Sequence[str]]) -> None:
    for side in ("theirs", "mine"):
        for line in diff[side]:
            colour = "green" if line.startswith("+") else "red" if line.startswith("-") else "dim"
            context.say(Styled(line, colour))
