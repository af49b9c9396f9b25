"""One person's word for a version and a stage: what it would be about, who has spoken, and what it may be worth."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.core.approvals import Op
from stackroom.core.show import count, size
from stackroom.tui.present.move import access_line, word_line
from stackroom.tui.present.words import Line, fact, heading
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.attested import Who
    from stackroom.core.policy import Policy
    from stackroom.registry.approving import Hearing
    from stackroom.tui.glyphs import Glyphs

STAGE_COLUMNS: Final = (
    Column(key="stage", label="STAGE"),
    Column(key="asks", label="ASKS FOR", max_width=60),
)
"""Of the list to choose a stage from."""

_DIGITS: Final = 16
"""Characters of a digest that are shown: enough to compare by eye."""


def stages_to_ask(policy: Policy) -> tuple[str, ...]:
    """The stages that approvals are about: those with the guard, else all of them."""
    asking = tuple(stage.name for stage in policy.stages if stage.guards.approvals)
    return asking or tuple(stage.name for stage in policy.stages)


def stage_rows(policy: Policy) -> list[Row]:
    """The stages to choose from."""
    rows = []
    for name in stages_to_ask(policy):
        stage = policy.stage(name)
        needed = stage.guards.approvals if stage else 0
        asks = count(needed, "approval") if needed else "nothing yet: it has no guard 'approvals'"
        rows.append(Row(name, (Cell(name, "strong"), Cell(asks, "" if needed else "dim"))))
    return rows


def lines(hearing: Hearing, op: Op, *, you: Who, glyphs: Glyphs, news: str = "") -> list[Line]:
    """Everything to know before one speaks; ``news`` stands at the top."""
    version = hearing.version
    found: list[Line] = [(Cell(f"! {news}", "bad"),), ()] if news else []
    found.append(
        (
            Cell(f"{op} ", "good" if op is Op.APPROVE else "bad"),
            Cell(str(version.ref), "strong"),
            Cell(" for "),
            Cell(hearing.stage, "strong"),
            Cell(f"   {_needed(hearing)}", "dim"),
        )
    )
    found.append(access_line(hearing.access, you, glyphs))
    if not hearing.access.allowed:
        found.append((Cell(f"    {hearing.access.advice()}", "dim"),))
        found += _directory(hearing)
    if hearing.trouble:
        found.append((Cell(f"  {glyphs.no} {hearing.trouble}", "bad"),))
    found += [(Cell(f"    {remark}", "warn"),) for remark in remarks(hearing, op, you)]
    found.append(heading("What your word is about, as it is now"))
    found += _pinned(hearing)
    found.append(heading("Who has spoken"))
    found += [word_line(word, glyphs) for word in hearing.words] or [(Cell("  nobody yet", "dim"),)]
    return found


def _needed(hearing: Hearing) -> str:
    return f"{hearing.stage} asks for {count(hearing.needed, 'approval')}" if hearing.needed else ""


def _directory(hearing: Hearing) -> list[Line]:
    """Where the word would be written, and who could write there."""
    access = hearing.access
    members = ", ".join(access.members)
    pairs = [("directory", access.directory), ("group", access.group), ("members", members)]
    return [line for line in (fact(name, value) for name, value in pairs) if line]


def remarks(hearing: Hearing, op: Op, you: Who) -> list[str]:
    """Why the word may have no effect."""
    found = []
    if not hearing.needed:
        found.append(f"{hearing.stage} has no guard 'approvals': nothing asks for this word yet")
    if op is Op.APPROVE and hearing.version.owner.uid == you.uid:
        found.append(f"you registered {hearing.version.ref}: an author's own approval does not count")
    return found


def _pinned(hearing: Hearing) -> list[Line]:
    version, pins = hearing.version, hearing.pins
    if pins is None:
        return [(Cell("  nothing: it is not as it was sealed", "bad"),)]
    seal = version.seal
    what = f"  {count(seal.files, 'file')}, {size(seal.bytes)}" if seal else ""
    revised = f"  revision {version.revision}" if version.revision else "  as registered"
    by = f" by {version.note.revised_by.partition(':')[2]}" if version.note else ""
    card = f"  revision {version.card_revision}" if version.card_revision > 0 else "  as registered"
    return [
        fact("artifacts", _short(pins.digest) + what),
        fact("metadata", _short(pins.metadata) + revised + by),
        fact("card", _short(pins.card) + card) if pins.card else fact("card", "none", "dim"),
    ]


def _short(digest: str) -> str:
    return digest[: len("sha256:") + _DIGITS]


def obstacles(hearing: Hearing | None) -> Sequence[str]:
    """Why nothing can be said yet; empty where it can."""
    if hearing is None:
        return ["it is being read"]
    if not hearing.access.allowed:
        return [f"you may not: {hearing.access.who_may()}"]
    return [hearing.trouble] if hearing.trouble else []
