"""Taking one's own last move back: which move that is, and what held the stage before it.

Nothing is taken away: what undoes a move is a move of its own. Only the newest one can be undone, because whoever moved
after it has decided on what he saw.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Validity
from stackroom.core.names import version_ref
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, NotFoundError

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.core.attested import Who
    from stackroom.core.ledger import Event, Ledger


@dataclass(frozen=True, slots=True, kw_only=True)
class Undo:
    """A move that can be undone.

    Attributes:
        event: the move; it decides who holds the stage now.
        back_to: the version that held the stage before; None where nothing did.
    """

    event: Event
    back_to: int | None

    @property
    def done(self) -> str:
        """What the move did, in words."""
        to = self.event.move.to if self.event.move else None
        return f"cleared {self.event.stage}" if to is None else f"moved {to} to {self.event.stage}"

    @property
    def reason(self) -> str:
        """Why there is a move that undoes it."""
        return f"undoes {self.event.stage}/{self.event.name}, which {self.done}"


def undo_of(ledgers: Iterable[Ledger], model: str, who: Who) -> Undo:
    """The newest move that somebody made of a model, if it can be undone.

    Args:
        ledgers: of the model, one for each stage.
        model: of which.
        who: whose moves.

    Raises:
        NotFoundError: he moved nothing, or the move changed nobody's place.
        ConflictError: somebody moved after him; names who.
    """
    mine = [(event, ledger) for ledger in ledgers for event in ledger.counting() if _is_of(event, who)]
    if not mine:
        raise NotFoundError(f"you moved nothing of {model}: there is nothing of yours to undo")
    event, ledger = max(mine, key=lambda pair: (pair[0].when, pair[0].number))
    counting = ledger.counting()
    head = counting[-1]
    if head.number != event.number:
        by = head.move.by.label if head.move else "somebody"
        raise ConflictError(
            f"{by} moved after you ({head.stage}/{head.name}): your move is not the newest of {head.stage}",
            hint=f"give the stage back to its holder before: stackroom rollback {model} {head.stage}",
            facts={"event": head.name, "stage": head.stage, "model": model},
        )
    before = counting[-2].move if len(counting) > 1 else None
    back_to = before.to if before else None
    to = event.move.to if event.move else None
    if back_to == to:
        held = f"{version_ref(ledger.model, to)} held {event.stage}" if to is not None else f"{event.stage} was empty"
        raise NotFoundError(f"{held} before your last move, too: there is nothing to undo")
    return Undo(event=event, back_to=back_to)


def _is_of(event: Event, who: Who) -> bool:
    """Whether the kernel says that he made it: a copied event is not evidence enough to call it his own."""
    return event.validity is Validity.ATTESTED and event.owner == who.uid
