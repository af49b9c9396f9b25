"""One thing that happened in a registry, as far as its files tell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from stackroom.core.metadata import iso
from stackroom.core.names import version_ref
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.core.approvals import Word
    from stackroom.core.attested import Validity
    from stackroom.core.ledger import Event
    from stackroom.core.names import ModelName, Ref, StageName

Kind = Literal[
    "moved",
    "cleared",
    "approved",
    "rejected",
    "unreadable",
    "created",
    "registered",
    "edited",
    "card",
    "deleted",
    "labelled",
    "archived",
    "unarchived",
    "restored",
    "purged",
    "vanished",
]
"""What it was; ``created`` is a model, ``registered`` a version, ``card`` an edit of the card, ``unreadable`` a name in
a ledger whose text is no move or word. What comes after ``deleted`` only who watches is told of: it leaves no time
behind, or is an edit by another name. ``vanished`` is an event that was told, or a folder that nobody deleted."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Happening:
    """One thing that happened.

    Attributes:
        kind: what.
        when: as the file system and the texts tell.
        model: to which.
        number: of the version; None where it is about the model, or a stage was cleared.
        stage: of a move or a word.
        by: who, as far as that is known.
        why: what he said.
        validity: what an event or a word is worth; None for all else.
        notes: what is odd about it.
        place: the name that says so, below the registry's root or the model's folder; unique.
    """

    kind: Kind
    when: datetime
    model: ModelName
    number: int | None = None
    stage: StageName | None = None
    by: str = ""
    why: str = ""
    validity: Validity | None = None
    notes: tuple[str, ...] = ()
    place: str

    @property
    def ref(self) -> Ref | None:
        """The version that it is about; None where it is about none."""
        return version_ref(self.model, self.number) if self.number is not None else None

    @property
    def what(self) -> str:
        """What happened, in a few words."""
        match self.kind:
            case "moved":
                return f"moved to {self.stage}"
            case "cleared":
                return f"{self.stage} cleared"
            case "approved" | "rejected":
                return f"{self.kind} for {self.stage}"
            case "card":
                return "card edited"
            case "unreadable":
                return f"unreadable in {self.stage}"
            case "vanished" if self.stage is not None:
                return f"event vanished from {self.stage}"
            case _:
                return self.kind

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "kind": self.kind,
            "when": iso(self.when),
            "model": self.model,
            "version": self.number,
            "stage": self.stage,
            "by": self.by,
            "reason": self.why,
            "validity": self.validity.value if self.validity else None,
            "notes": list(self.notes),
            "place": self.place,
        }


def of_event(event: Event) -> Happening:
    """A move or a clearing."""
    move = event.move
    return Happening(
        kind="unreadable" if move is None else "cleared" if move.to is None else "moved",
        when=event.when,
        model=event.model,
        number=move.to if move else None,
        stage=event.stage,
        by=move.by.label if move else str(event.owner),
        why=move.why if move else "",
        validity=event.validity,
        notes=(*(f"overrode {guard}" for guard in (move.override if move else ())), *event.notes),
        place=f"stages/{event.stage}/{event.name}",
    )


def of_word(word: Word) -> Happening:
    """An approval or a rejection."""
    said = word.approval
    return Happening(
        kind="unreadable" if said is None else "approved" if said.op == "approve" else "rejected",
        when=word.when,
        model=word.model,
        number=word.version,
        stage=word.stage,
        by=word.by.label,
        why=said.why if said else "",
        validity=word.validity,
        notes=word.notes,
        place=f"approvals/{word.stage}/{word.name}",
    )
