"""Approvals: one person's yes or no for a version and a stage, each the text of a symlink, and what they come to.

A word is worth what :mod:`stackroom.core.attested` says. It speaks of the very artifacts, metadata and card that it
names, and of nothing that came after: once one of them is another, the word is void. A person's latest word is the one
that stands; an older one does not come back when that is void.
"""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Pins, Who, format_pairs, judged, parse_pairs, stamp_of, times_of
from stackroom.core.metadata import iso
from stackroom.core.names import ModelName, StageName, is_model_name, parse_number, version_ref
from stackroom.core.values import dataclass, field, replace
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from stackroom.core.attested import Entry, StageFolder, Validity

FOLDER: Final = "approvals"
"""What tells an approval's place from an event's: a stage may have any name, and its places have one part less."""

_KEYS: Final = frozenset({"op", "by", "at", "why", "digest", "metadata", "card", "event"})


class Op(StrEnum):
    """What a word says."""

    APPROVE = "approve"
    REJECT = "reject"

    @property
    def done(self) -> str:
        """In the past tense."""
        return "approved" if self is Op.APPROVE else "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """One person's yes or no, as its text tells it.

    Attributes:
        op: which of the two.
        by: who says to have given it.
        at: when, by that host's clock: a label.
        why: the reason, or an empty text.
        pins: what it speaks of.
        event: its own place, ``<registry id>/approvals/<stage>/<model>:<number>@<n>``.
        extra: unknown keys, kept and shown.
    """

    op: Op
    by: Who
    at: datetime
    why: str = ""
    pins: Pins
    event: str
    extra: Mapping[str, str] = field(default_factory=dict)


def approval_name(model: str, version: int, number: int) -> str:
    """The name of an approval in its stage's folder."""
    return f"{model}:{version}@{number}"


def parse_approval_name(name: str) -> tuple[ModelName, int, int] | None:
    """The model, version and number that an approval's name spells, or None for a foreign name."""
    subject, found, digits = name.rpartition("@")
    model, also_found, version_digits = subject.rpartition(":")
    number, version = parse_number(digits), parse_number(version_digits)
    if not (found and also_found) or number is None or version is None or not is_model_name(model):
        return None
    return ModelName(model), version, number


def approval_place(registry_id: str, stage: str, name: str) -> str:
    """What an approval's ``event`` must say, so that it is worth nothing anywhere else."""
    return f"{registry_id}/{FOLDER}/{stage}/{name}"


def format_approval(approval: Approval) -> str:
    """The text of an approval's symlink.

    Raises:
        InvalidInputError: too long, which in practice means the reason.
    """
    pairs = {"op": approval.op.value, "by": str(approval.by), "at": iso(approval.at)}
    pins = approval.pins
    optional = {"why": approval.why, "digest": pins.digest, "metadata": pins.metadata, "card": pins.card}
    pairs |= {key: value for key, value in optional.items() if value}
    return format_pairs(pairs | dict(approval.extra) | {"event": approval.event})


def parse_approval(text: str) -> Approval:
    """An approval's text.

    Raises:
        InvalidInputError: it is not one; the message names the key.
    """
    pairs = parse_pairs(text)
    try:
        op = Op(pairs.get("op", ""))
    except ValueError:
        found = pairs.get("op", "")[:40]
        raise InvalidInputError(f"op: expected approve or reject, found {found!r}") from None
    stamp = stamp_of(pairs)
    return Approval(
        op=op,
        by=stamp.by,
        at=stamp.at,
        why=pairs.get("why", ""),
        pins=Pins(pairs.get("digest", ""), pairs.get("metadata", ""), pairs.get("card", "")),
        event=stamp.event,
        extra={key: value for key, value in pairs.items() if key not in _KEYS},
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Word:
    """One judged entry of a stage's approvals.

    Attributes:
        stage: for which.
        model: of which.
        version: about which.
        number: its place in the order.
        validity: what it is worth.
        approval: what it says; None where the text could not be read.
        owner: the kernel's owner (uid).
        when: the later of the text's time and the file system's.
        alarms: what is wrong with it, in words.
        remark: that the text's time and the file system's differ, or empty.
        void: what is no longer what it names: some of ``artifacts``, ``metadata`` and ``card``.
        superseded: the same person has spoken since.
    """

    stage: StageName
    model: ModelName
    version: int
    number: int
    validity: Validity
    approval: Approval | None
    owner: int
    when: datetime
    alarms: tuple[str, ...] = ()
    remark: str = ""
    void: tuple[str, ...] = ()
    superseded: bool = False

    @property
    def name(self) -> str:
        """The name in the stage's folder."""
        return approval_name(self.model, self.version, self.number)

    @property
    def by(self) -> Who:
        """Who spoke, as far as it counts; else whom the kernel says it belongs to."""
        return self.approval.by if self.approval and self.validity.counts else Who(self.owner)

    @property
    def stands(self) -> bool:
        """Whether it is to be heeded: it counts, it is its writer's last, and what it names is unchanged."""
        return self.validity.counts and not self.void and not self.superseded

    @property
    def notes(self) -> tuple[str, ...]:
        """Everything that is to be said about it: why it is not heeded, the alarms, the remark about its times."""
        changed = f"void: another {' and '.join(self.void)} now" if self.void else ""
        since = "spoke again since" if self.superseded else ""
        return tuple(filter(None, (changed, since, *self.alarms, self.remark)))

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``show --json`` and ``history --approvals --json``."""
        said = self.approval
        return {
            "stage": self.stage,
            "ref": str(version_ref(self.model, self.version)),
            "number": self.number,
            "approval": f"{FOLDER}/{self.stage}/{self.name}",
            "op": said.op.value if said else None,
            "validity": self.validity.value,
            "counts": self.validity.counts,
            "stands": self.stands,
            "void": list(self.void),
            "superseded": self.superseded,
            "by": str(said.by) if said else None,
            "owner": self.owner,
            "at": iso(said.at) if said else None,
            "when": iso(self.when),
            "reason": said.why if said else "",
            "digest": said.pins.digest if said else "",
            "metadata": said.pins.metadata if said else "",
            "card": said.pins.card if said else "",
            "extra": dict(said.extra) if said else {},
            "alarms": [*self.alarms, *([self.remark] if self.remark else [])],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Approvals:
    """All that was said about one version and one stage.

    Attributes:
        words: oldest first, also those that do not count.
        next_number: what the next one is called: after the highest present, whatever that contains.
    """

    words: tuple[Word, ...] = ()
    next_number: int = 1

    @property
    def full(self) -> str:
        """The name that has the last number, so that nobody can speak any more; empty where there is room."""
        return self.words[-1].name if self.words and parse_number(str(self.next_number)) is None else ""

    def weighed(self, pins: Pins | None) -> tuple[Word, ...]:
        """The words, oldest first, each with what has become of it.

        Args:
            pins: what the version is now; None where that cannot be had: then every word is void.
        """
        last = {word.by.uid: word.number for word in self.words if word.validity.counts}
        return tuple(
            replace(word, void=_changed(word.approval.pins, pins), superseded=last[word.by.uid] != word.number)
            if word.approval and word.validity.counts
            else word
            for word in self.words
        )


def _changed(named: Pins, now: Pins | None) -> tuple[str, ...]:
    if now is None:
        return ("artifacts",)
    parts = {
        "artifacts": (named.digest, now.digest),
        "metadata": (named.metadata, now.metadata),
        "card": (named.card, now.card),
    }
    return tuple(part for part, (before, after) in parts.items() if before != after)


def gather(
    folder: StageFolder, entries: Iterable[Entry]
) -> tuple[dict[tuple[ModelName, int], Approvals], tuple[Entry, ...]]:
    """Judge everything found in a stage's folder of approvals.

    Returns:
        What was said about every version that is named there, and the entries that are no approvals at all (foreign).
    """
    piles: dict[tuple[ModelName, int], list[tuple[int, Entry]]] = {}
    foreign: list[Entry] = []
    for entry in entries:
        parsed = parse_approval_name(entry.name)
        if parsed is None:
            foreign.append(entry)
        else:
            piles.setdefault(parsed[:2], []).append((parsed[2], entry))
    return {subject: _pile_of(folder, subject, pile) for subject, pile in sorted(piles.items())}, tuple(foreign)


def _pile_of(folder: StageFolder, subject: tuple[ModelName, int], pile: list[tuple[int, Entry]]) -> Approvals:
    words: list[Word] = []
    expected = 1
    for number, entry in sorted(pile, key=lambda pair: pair[0]):
        word = _word(folder, subject, number, entry)
        if number != expected:
            missing = f"{expected}" if number == expected + 1 else f"{expected} to {number - 1}"
            word = replace(word, alarms=(*word.alarms, f"gap: word {missing} is missing"))
        words.append(word)
        expected = number + 1
    return Approvals(words=tuple(words), next_number=expected)


def _word(folder: StageFolder, subject: tuple[ModelName, int], number: int, entry: Entry) -> Word:
    model, version = subject
    place = approval_place(folder.registry_id, folder.stage, approval_name(model, version, number))
    validity, approval, alarms = judged(entry, place=place, folder_owner=folder.owner, parse=parse_approval)
    when, remark = times_of(entry, validity, approval)
    return Word(
        stage=folder.stage,
        model=model,
        version=version,
        number=number,
        validity=validity,
        approval=approval,
        owner=entry.owner,
        when=when,
        alarms=alarms,
        remark=remark,
    )
