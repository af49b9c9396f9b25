"""What guards look at, and what they answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.core.attested import NOBODY, Who
from stackroom.core.metadata import iso
from stackroom.core.soak import Soaked
from stackroom.core.values import dataclass, field

if TYPE_CHECKING:
    from datetime import datetime

    from stackroom.core.approvals import Word
    from stackroom.core.metadata import Record
    from stackroom.core.names import Ref, StageName
    from stackroom.core.policy import Policy, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """A guard's answer.

    Attributes:
        guard: its name in ``registry.toml``, with the metric or field where it has several.
        passed: whether the move meets it.
        seen: the value that was found, in words.
        wanted: the value that was asked for, in words.
        advice: what would put it right; empty where it passed.
        key: where the rule stands, such as ``stages.production.guards.not_worse.auc``.
        overridable: ``registry.toml`` says that a mover with a reason may override it.
        overridden: it refuses, and the mover overrides it.
        pending: it was not asked, because another one refuses or the caller may not move; it has not passed.
    """

    guard: str
    passed: bool
    seen: str
    wanted: str
    advice: str = ""
    key: str = ""
    overridable: bool = False
    overridden: bool = False
    pending: bool = False

    @property
    def refuses(self) -> bool:
        """Whether the move cannot be made because of it."""
        return not self.passed and not self.overridden

    @property
    def name(self) -> str:
        """The guard's name alone, as ``--override`` takes it."""
        return self.guard.partition(" ")[0]

    def sentence(self) -> str:
        """The verdict as half a sentence: ``auc is 0.81; the guard 'metrics auc' wants: >= 0.85``."""
        return f"{self.seen}; the guard {self.guard!r} wants: {self.wanted}"

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "guard": self.guard,
            "passed": self.passed,
            "seen": self.seen,
            "wanted": self.wanted,
            "advice": self.advice,
            "key": self.key,
            "overridable": self.overridable,
            "overridden": self.overridden,
            "pending": self.pending,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """A version as guards see it.

    Attributes:
        ref: which.
        record: its metadata: current for the one that moves, *as promoted* for the holder.
        has_card: whether it has a model card that says something.
        held: every stage that it holds or has held.
        writers: the owners of its current revisions of metadata and card.
        author: the owner of its folder, who is its author for the guards, whatever its metadata say.
    """

    ref: Ref
    record: Record
    has_card: bool = False
    held: frozenset[StageName] = frozenset()
    author: Who = NOBODY
    writers: tuple[Who, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What people said about the candidate, and who else could speak.

    Attributes:
        words: weighed against what the candidate is now.
        trouble: why they cannot be gone by, or empty.
        advice: what to do about that.
        speakers: who may approve, as half a sentence.
    """

    words: tuple[Word, ...] = ()
    trouble: str = ""
    advice: str = ""
    speakers: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ran:
    """What came of the guard's program.

    Attributes:
        passed: it ended with 0.
        seen: how it ended and what it printed, harmless to show; or why it was not run.
        advice: what would put it right.
    """

    passed: bool
    seen: str
    advice: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Everything that the verdicts depend on.

    Attributes:
        candidate: the version that wants to move.
        stage: where to.
        policy: of the registry.
        holder: who holds the stage, or held it last; None where nobody ever did or it is the candidate itself.
        held_until: when the stage was cleared of that holder; None where it is held.
        holder_trouble: why the holder's metadata as promoted could not be had; empty where it could.
        reason: what the mover says.
        damage: what re-reading the artifacts found wrong, in words; None where it was not done.
        remembered: some of them were read before, and not now, because they look as they did.
        mover: who would move it; None where the caller may not.
        heard: what people said about it.
        soaked: for how long it has held a stage before.
        soak_trouble: why that cannot be gone by, or empty.
        steward: the owner of the registry's folder.
        model_place: the model's folder, absolute, as a word for a shell.
        model_owner: the owner of the model's folder.
        ran: what came of the guard's program, or why it must not be run; None where it waits for the other guards.
    """

    candidate: Candidate
    stage: Stage
    policy: Policy
    holder: Candidate | None = None
    holder_trouble: str = ""
    held_until: datetime | None = None
    reason: str = ""
    damage: tuple[str, ...] | None = None
    remembered: bool = False
    mover: Who | None = None
    heard: Heard = field(default_factory=Heard)
    soaked: Soaked = field(default_factory=Soaked)
    soak_trouble: str = ""
    steward: Who = NOBODY
    model_place: str = "models/MODEL"
    model_owner: Who = NOBODY
    ran: Ran | None = None

    @property
    def holder_told(self) -> str:
        """The holder in words, with the time until which it was one."""
        if self.holder is None:
            return "nobody else"
        until = f" held it until {iso(self.held_until.replace(microsecond=0))}" if self.held_until else ""
        return f"{self.holder.ref}{until}"

    def key(self, guard: str) -> str:
        """Where a guard of the stage stands in ``registry.toml``."""
        return f"stages.{self.stage.name}.guards.{guard}"
