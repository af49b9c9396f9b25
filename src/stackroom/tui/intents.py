"""What somebody wants to do with a stage: how that is judged and done. For threads: all of it touches disks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stackroom.core.undoing import Undo, undo_of
from stackroom.errors import ConflictError
from stackroom.registry import judging, moving
from stackroom.registry.judging import Judgement, Options

if TYPE_CHECKING:
    from stackroom.core.names import ModelName
    from stackroom.registry.facade import Registry
    from stackroom.registry.moving import MoveResult
    from stackroom.store.digest import Progress

_PLACEHOLDER: Final = "(asked for on this screen)"
"""The reason that a move is judged with before one is typed: the screen asks for it by itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the mover says on the screen.

    Attributes:
        reason: why.
        override: the guards that shall not keep him.
    """

    reason: str = _PLACEHOLDER
    override: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Intent:
    """A version on its way to a stage, or a stage on its way back.

    Attributes:
        model: whose stages.
        number: the version; None where the ledger says which.
        undo: the move that is taken back; None where none is.
    """

    model: ModelName
    number: int | None = None
    undo: Undo | None = None

    @property
    def title(self) -> str:
        """What is being done, for the path."""
        if self.undo is not None:
            return f"undo {self.undo.event.name}"
        return f"move {self.number}" if self.number is not None else "roll back"

    @property
    def told(self) -> str:
        """What is to be known before the judgement is read."""
        if self.undo is None:
            return ""
        back = f"{self.model}:{self.undo.back_to}" if self.undo.back_to is not None else "nothing"
        return f"takes back {self.undo.event.name}, which {self.undo.done}; before it, {back} held it"

    def judge(self, registry: Registry, stage: str, said: Said, progress: Progress) -> Judgement:
        """What would come of it; reads every byte where the stage asks for it.

        Raises:
            ConflictError: the move that was to be undone is the newest no more.
        """
        options = Options(reason=said.reason, override=said.override, progress=progress)
        if self.number is not None:
            return judging.judge_move(registry, f"{self.model}:{self.number}", stage, options)
        if self.undo is not None:
            self._check_newest(registry)
        if self.undo is not None and self.undo.back_to is None:
            return moving.judge_clear(registry, self.model, stage, options)
        return moving.judge_rollback(registry, self.model, stage, options)

    def _check_newest(self, registry: Registry) -> None:
        found = last_own_move(registry, self.model)
        if self.undo is None or found.event.text != self.undo.event.text:
            raise ConflictError(f"you moved {self.model} again meanwhile: {found.event.stage}/{found.event.name}")

    def make(self, registry: Registry, judgement: Judgement, said: Said, progress: Progress) -> MoveResult:
        """Do it, if it is still what was judged.

        Raises:
            RegistryError: as the moves of a registry do; a conflict where anything is not what was judged.
        """
        options = Options(
            reason=said.reason,
            override=said.override,
            progress=progress,
            seen=judgement.head,
            pins=judgement.pins,
        )
        if self.number is not None:
            return moving.promote(registry, judgement.ref, judgement.stage, options)
        if self.undo is not None and self.undo.back_to is None:
            return moving.clear(registry, self.model, judgement.stage, options)
        return moving.rollback(registry, self.model, judgement.stage, options)


def last_own_move(registry: Registry, model: str) -> Undo:
    """The newest move of a model that the caller made, if it can be undone.

    Raises:
        NotFoundError: there is none.
        ConflictError: somebody moved after it.
    """
    return undo_of([registry.ledger(model, stage) for stage in registry.stages], model, registry.who)
