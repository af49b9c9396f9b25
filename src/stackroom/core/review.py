"""Guards that ask about people, time and programs, and not about what the version says of itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.approvals import Op
from stackroom.core.attested import NOBODY, Validity
from stackroom.core.metadata import iso
from stackroom.core.verdicts import Situation, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.core.approvals import Word


def steward_owned(situation: Situation) -> Iterable[Verdict]:
    """The model's folder belongs to the steward: its owner could rename versions in it."""
    if not situation.stage.guards.steward_owned:
        return
    owner, steward, model = situation.model_owner, situation.steward, situation.candidate.ref.model
    passed = owner.uid == steward.uid != NOBODY.uid
    yield Verdict(
        guard="steward_owned",
        passed=passed,
        seen=f"the folder of {model} belongs to {owner.label}",
        wanted=f"it belongs to the steward, {steward.label}",
        advice="" if passed else f"ask an administrator: chown -h {steward.label} {situation.model_place}",
        key=situation.key("steward_owned"),
    )


def four_eyes(situation: Situation) -> Iterable[Verdict]:
    """The mover is not the author."""
    if not situation.stage.guards.four_eyes:
        return
    author, mover = situation.candidate.author, situation.mover
    passed = mover is None or mover.uid != author.uid
    yield Verdict(
        guard="four_eyes",
        passed=passed,
        seen=f"{author.label} registered it" + (f" and {mover.label} moves it" if mover else ""),
        wanted=f"somebody else than {author.label} moves it",
        advice="" if passed else f"ask somebody else who may move into {situation.stage.name}",
        key=situation.key("four_eyes"),
    )


def soak(situation: Situation) -> Iterable[Verdict]:
    """It has held a stage before for long enough."""
    hours = situation.stage.guards.soak_hours
    if not hours:
        return
    stages = situation.policy.soaks_in(situation.stage.name)
    found, where = situation.soaked, " or ".join(stages)
    passed = found.seconds >= hours * 3600 and not situation.soak_trouble
    if situation.soak_trouble:
        seen = situation.soak_trouble
        known = f"stackroom history {situation.candidate.ref.model} --acknowledge"
        advice = f"ask who moved then; where it is all right: {known}"
    elif found.stage is None:
        seen, advice = f"has not held {where}", f"stackroom promote {situation.candidate.ref} {stages[0]}"
    elif found.since:
        left = hours - found.seconds / 3600
        seen = f"has held {found.stage} for {_hours(found.seconds)}, since {iso(found.since.replace(microsecond=0))}"
        advice = f"wait {_hours(left * 3600)} more, while it holds {found.stage}"
    else:
        seen = f"held {found.stage} for {_hours(found.seconds)} at most, and holds it no more"
        advice = f"stackroom promote {situation.candidate.ref} {found.stage}"
    yield Verdict(
        guard="soak_hours",
        passed=passed,
        seen=seen,
        wanted=f"{hours:g} h in {where} without interruption",
        advice="" if passed else advice,
        key=situation.key("soak_hours"),
    )


def _hours(seconds: float) -> str:
    """Rounded away from what would look like enough: 23.99 hours are not 24."""
    if seconds < 3600:
        return f"{int(seconds // 60)} min"
    return f"{int(seconds // 360) / 10:g} h"


def approvals(situation: Situation) -> Iterable[Verdict]:
    """Enough people said yes to what it is now, and nobody said no."""
    needed = situation.stage.guards.approvals
    if not needed:
        return
    heard, damage = situation.heard, situation.damage
    standing = [word for word in heard.words if word.stands]
    rejections = [word for word in standing if _op(word) is Op.REJECT]
    counted = [word for word in standing if _op(word) is Op.APPROVE and not _why_not(situation, word)]
    passed = not heard.trouble and not rejections and len(counted) >= needed and not damage
    seen = "; ".join([f"{len(counted)} of {needed}", *_told(situation), *([f"void: {damage[0]}"] if damage else [])])
    yield Verdict(
        guard="approvals",
        passed=passed,
        seen=heard.trouble or seen,
        wanted=f"{needed} {'person' if needed == 1 else 'people'} to approve it as it is now, and nobody to reject it",
        advice="" if passed else _what_to_do(situation, rejections),
        key=situation.key("approvals"),
    )


def _op(word: Word) -> Op | None:
    return word.approval.op if word.approval else None


def _why_not(situation: Situation, word: Word) -> str:
    """Why an approval of that person does not count; empty where it does."""
    if word.by.uid == situation.candidate.author.uid:
        return "the author"
    mover = situation.mover
    if situation.stage.guards.four_eyes and mover is not None and word.by.uid == mover.uid:
        return "the mover"
    if situation.stage.guards.four_eyes and any(word.by.uid == one.uid for one in situation.candidate.writers):
        return "who wrote its metadata or card as they are"
    return ""


def _told(situation: Situation) -> Iterable[str]:
    """Who has said what, each person's last word."""
    for word in situation.heard.words:
        said = word.approval
        if said is None or not word.validity.counts:
            yield f"{word.name} is {word.validity} and does not count"
            continue
        who = word.by.label if word.validity is Validity.ATTESTED else f"{word.by.label} ({word.validity})"
        if word.superseded:
            continue
        if word.void:
            yield f"{who} {said.op.done} other {' and '.join(word.void)}: void"
        elif said.op is Op.REJECT:
            yield f"{who} rejected it{f': {said.why}' if said.why else ''}"
        else:
            why_not = _why_not(situation, word)
            yield f"{who} approved it{f', and is {why_not}: does not count' if why_not else ''}"


def _what_to_do(situation: Situation, rejections: list[Word]) -> str:
    ref, stage, speakers = situation.candidate.ref, situation.stage.name, situation.heard.speakers
    if situation.heard.trouble:
        return situation.heard.advice
    if situation.damage:
        return f"stackroom verify {ref}"
    if rejections:
        who = ", ".join(word.by.label for word in rejections)
        return f"ask {who} to approve it after all, or change what they object to and have it approved anew"
    return f"stackroom approve {ref} {stage}" + (f" ({speakers}; the author does not count)" if speakers else "")


def command(situation: Situation) -> Iterable[Verdict]:
    """The guard's program ends with 0."""
    asked = situation.stage.guards.command
    if asked is None:
        return
    ran = situation.ran
    waits = "not run, because other guards refuse" if situation.mover else "not run: only who may move runs it"
    yield Verdict(
        guard="command",
        passed=ran is not None and ran.passed,
        seen=ran.seen if ran else waits,
        wanted=f"{asked} ends with 0",
        advice=ran.advice if ran and not ran.passed else "",
        key=situation.key("command"),
        pending=ran is None,
    )
