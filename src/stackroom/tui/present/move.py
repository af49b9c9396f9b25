"""The move of a version to a stage: who holds it, who may, what every guard says, what changes on disk."""

from __future__ import annotations

from dataclasses import replace
from types import MappingProxyType
from typing import TYPE_CHECKING, Final

from stackroom.core.approvals import Op
from stackroom.core.attested import Validity
from stackroom.core.show import age, duration, size
from stackroom.tui.present.words import Line, heading, holder_role, holder_sign
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from stackroom.core.approvals import Word
    from stackroom.core.attested import Who
    from stackroom.core.names import StageName
    from stackroom.core.verdicts import Verdict
    from stackroom.registry.judging import Judgement
    from stackroom.store.access import Access
    from stackroom.store.records import Model
    from stackroom.tui.glyphs import Glyphs

STAGE_COLUMNS: Final = (
    Column(key="stage", label="STAGE"),
    Column(key="holder", label="HELD BY"),
    Column(key="since", label="SINCE"),
    Column(key="by", label="BY", max_width=16),
    Column(key="why", label="WHY", max_width=100, min_width=8, priority=1),
)
"""Of the list to choose a stage from."""

_NO_KEYS: Final[Mapping[str, str]] = MappingProxyType({})

REASON_MISSING: Final = "type the reason"


def stage_rows(model: Model, stages: Sequence[StageName], now: datetime, glyphs: Glyphs) -> list[Row]:
    """The stages with who holds them."""
    rows = []
    for stage in stages:
        held = model.holding(stage)
        move = held.event.move if held and held.event else None
        if held is None or held.number is None:
            holder = Cell(glyphs.missing, "dim")
        else:
            holder = Cell(f"{model.name}:{held.number}{holder_sign(held)}", holder_role(held))
        moved = [Cell(age(move.at, now), "dim"), Cell(move.by.label), Cell(move.why, "dim")] if move else []
        rows.append(Row(stage, (Cell(stage, "strong"), holder, *moved)))
    return rows


def next_stage(model: Model, number: int | None, stages: Sequence[StageName]) -> StageName | None:
    """The first stage after the last that a version holds; for a roll-back, which has no version, the last."""
    held = [
        place
        for place, stage in enumerate(stages)
        if number is not None and (one := model.holding(stage)) and one.number == number
    ]
    if number is None:
        return stages[-1] if stages else None
    after = max(held, default=-1) + 1
    return stages[after] if after < len(stages) else (stages[-1] if stages else None)


def asks_reason(judgement: Judgement) -> bool:
    """Whether a reason is wanted: by the stage, or because a guard is overridden."""
    return bool(judgement.overridden) or any(verdict.guard == "reason" for verdict in judgement.verdicts)


def refusing(judgement: Judgement) -> list[Verdict]:
    """The guards that refuse whatever is typed on the screen."""
    return [one for one in judgement.failed if one.guard != "reason" and not one.pending]


def overridable(judgement: Judgement) -> tuple[str, ...]:
    """The guards that refuse and may be overridden, also those that are."""
    found = [one.name for one in judgement.verdicts if one.overridable and not one.passed and one.name != "reason"]
    return tuple(dict.fromkeys(found))


def phrase(judgement: Judgement) -> str:
    """What is typed to confirm: the version that would hold the stage; where none would, the one that does."""
    return str(judgement.holder or judgement.ref) if judgement.ref.kind == "model" else str(judgement.ref)


def confirm(wanted: str) -> str:
    """That the version has to be typed."""
    return f"type {wanted} to confirm"


def asked_to_type(wanted: str, width: int) -> str:
    """The words before the line where the version is typed, which needs room beside them."""
    told = f" Type {wanted} to confirm: "
    return told if len(told) + len(wanted) < width else " Type the version to confirm: "


def obstacles(judgement: Judgement, *, reason: str, typed: str, wanted: str) -> list[str]:
    """Why Enter does nothing yet, the most important first; empty when it would move."""
    if judgement.already:
        return [f"{judgement.ref} holds {judgement.stage} already"]
    found = []
    if not judgement.access.allowed:
        found.append(f"you may not: {judgement.access.who_may()}")
    found += [f"{one.guard}: {one.seen}; wanted {one.wanted}" for one in refusing(judgement)]
    if found:
        return found  # nothing is asked yet
    if asks_reason(judgement) and not reason.strip():
        found.append(REASON_MISSING)
    if wanted and typed.strip() != wanted:
        found.append(confirm(wanted))
    return found


def lines(
    judgement: Judgement,
    *,
    reason: str,
    you: Who,
    glyphs: Glyphs,
    keys: Mapping[str, str] = _NO_KEYS,
    news: Sequence[str] = (),
) -> list[Line]:
    """The whole judgement.

    Args:
        judgement: of the move.
        reason: as far as it is typed.
        you: who would move.
        glyphs: to draw with.
        keys: those with which what is missing can be filled in here, by the names of the actions ``card`` and ``edit``.
        news: what has changed since it was last shown; it stands at the top.
    """
    found: list[Line] = [(Cell(f"! {line}", "bad"),) for line in news]
    found += [()] if news else []
    if judgement.overridden:
        told = "the move is made although they refuse, and the event says so for ever"
        found += [(Cell(f"! OVERRIDES {', '.join(judgement.overridden)}: ", "bad"), Cell(told, "bad")), ()]
    found.append(_what(judgement, glyphs))
    found.append(access_line(judgement.access, you, glyphs))
    if not judgement.access.allowed:
        found.append((Cell(f"    {judgement.access.advice()}", "dim"),))
    found.extend((Cell(f"    {warning}", "warn"),) for warning in judgement.warnings)
    if judgement.verdicts:
        found.append(heading("Guards"))
    asked = judgement.access.allowed and not judgement.already and not refusing(judgement)
    advised: set[str] = set()
    for verdict in judgement.verdicts:
        shown = replace(verdict, advice="") if verdict.advice in advised else verdict
        advised.add(verdict.advice)
        found.extend(_reason_lines(reason, glyphs, asked=asked) if verdict.guard == "reason" else ())
        found.extend(_verdict_lines(shown, glyphs, keys) if verdict.guard != "reason" else ())
    if judgement.words:
        found.append(heading("Approvals"))
        found.extend(word_line(word, glyphs) for word in judgement.words)
    if judgement.changes:
        found.append(heading("Changes on disk"))
        found.extend((Cell(f"  {change}", "dim"),) for change in judgement.changes)
    return found


def _what(judgement: Judgement, glyphs: Glyphs) -> Line:
    """What moves where, and whom it replaces."""
    stage = Cell(judgement.stage, "strong")
    if judgement.ref.kind == "model":
        return (stage, Cell(f" of {judgement.ref} is cleared"), Cell(f"   {judgement.holder} holds it now", "dim"))
    replaces = f"replaces {judgement.holder}" if judgement.holder else "nobody holds it"
    if judgement.already:
        replaces = "holds it already: there is nothing to do"
    return (Cell(str(judgement.ref), "strong"), Cell(f" {glyphs.arrow} "), stage, Cell(f"   {replaces}", "dim"))


def words_news(before: Sequence[Word], after: Sequence[Word]) -> str:
    """Who has said what since a judgement; empty where nobody did."""
    known = {(word.stage, word.version, word.number) for word in before}
    fresh = [word for word in after if (word.stage, word.version, word.number) not in known]
    told = [
        f"{word.by.label} {word.approval.op.done if word.approval else 'wrote what cannot be read'}" for word in fresh
    ]
    return f"changed meanwhile: {', '.join(told)}" if told else ""


def word_line(word: Word, glyphs: Glyphs) -> Line:
    """What somebody said about a version, and why it is not heeded where it is not."""
    said = word.approval
    yes = said is not None and said.op is Op.APPROVE
    role = ("good" if yes else "bad") if word.stands else "dim"
    done = said.op.done if said else "unreadable"
    worth = "" if word.validity is Validity.ATTESTED else f" ({word.validity})"
    why = f": {said.why}" if said and said.why else ""
    # That a copy's times differ is no news to who decides.
    told = [note for note in word.notes if note != word.remark]
    notes = f"  {'; '.join(told)}" if told else ""
    sign = Cell(f"  {glyphs.yes if yes else glyphs.no} ", role)
    return (sign, Cell(f"{word.by.label} {done}{worth}{why}", "" if word.stands else "dim"), Cell(notes, "warn"))


def access_line(access: Access, you: Who, glyphs: Glyphs) -> Line:
    """Whether the caller may, and what the directory is."""
    sign = Cell(f"  {glyphs.yes if access.allowed else glyphs.no} ", "good" if access.allowed else "bad")
    what = access.reason or f"{access.directory} is {access.owner.label}:{access.group} {access.mode:04o}"
    said = "you may" if access.allowed else "you may not"
    return (sign, Cell(f"{said} ({you.label})", "" if access.allowed else "bad"), Cell(f"  {what}", "dim"))


def _reason_lines(reason: str, glyphs: Glyphs, *, asked: bool) -> list[Line]:
    """The guard that is met on this screen; before it can be, it is not among those that refuse."""
    if not asked:
        told = "is asked for once nothing else refuses"
        return [(Cell(f"  {glyphs.missing} ", "dim"), Cell(f"{'reason':<22} "), Cell(told, "dim"))]
    given = bool(reason.strip())
    sign = Cell(f"  {glyphs.yes if given else glyphs.no} ", "good" if given else "bad")
    seen = Cell("given" if given else "none given", "" if given else "bad")
    return [(sign, Cell(f"{'reason':<22} "), seen)]


def _verdict_lines(verdict: Verdict, glyphs: Glyphs, keys: Mapping[str, str]) -> list[Line]:
    passed, seen = verdict.passed, verdict.seen
    sign = Cell(f"  {glyphs.yes if passed else glyphs.no} ", "good" if passed else "bad")
    head = (sign, Cell(f"{verdict.guard:<22} "), Cell(seen, "" if passed else "bad"))
    if verdict.pending:
        # Neither a yes nor a no: it waits for the others.
        return [(Cell(f"  {glyphs.pending} ", "warn"), Cell(f"{verdict.guard:<22} "), Cell(seen, "warn"))]
    if passed:
        compared = verdict.wanted[:1] in {"<", ">", "=", "!"}
        return [(*head, Cell(f"  {verdict.wanted}", "dim")) if compared else head]
    more: list[Line] = [(Cell(f"      wanted {verdict.wanted}", "warn"),)]
    if verdict.overridden:
        return [(Cell("  ! ", "bad"), head[1], Cell("OVERRIDDEN  ", "bad"), *head[2:]), *more]
    if verdict.overridable:
        more.append((Cell("      it may be overridden: space", "key"),))
    if verdict.advice:
        name, _, field = verdict.guard.partition(" ")
        key = keys.get("card" if field == "card" else "edit", "") if name == "require" else ""
        here = f"{key} writes it here, or: " if key else ""
        more.append((Cell(f"      {here}", "key"), Cell(verdict.advice, "dim")))
    return [head, *more]


def hashing(done: int, total: int, seconds: float, *, doing: str = "reading artifacts") -> str:
    """How far the reading of the artifacts is: bytes, rate and the time that is left."""
    rate = done / seconds if seconds > 0 else 0.0
    left = f", {duration((total - done) / rate)} left" if rate and total > done else ""
    return f"{doing}: {size(done)} of {size(total)}, {size(rate)}/s{left}"


def refusal(error: Exception) -> list[Line]:
    """Why something cannot be done, in full, with every fact that the error carries about a directory."""
    found: list[Line] = [(Cell(str(error), "bad"),)]
    hint = getattr(error, "hint", "")
    if hint:
        found.append((Cell(hint),))
    known = getattr(error, "facts", {})
    for name in ("directory", "owner", "group", "mode", "members", "file", "line", "key"):
        value = known.get(name)
        if value not in {None, "", ()} if not isinstance(value, list) else value:
            told = ", ".join(str(item) for item in value) if isinstance(value, list) else str(value)
            found.append((Cell(f"  {name:<14}", "dim"), Cell(told)))
    return found
