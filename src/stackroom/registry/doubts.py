"""Whether revisions replaced the texts that they name: where one did not, who of two is to be believed.

A revision names the digest of the text before it. Where that is another text now, its owner has written to it since, or
whoever wrote the later revision never told the truth: the two texts alone do not say which. An event or an approval
that named the earlier text, made after the last change of that text and before that of the later revision, does.
"""

from __future__ import annotations

from contextlib import suppress
from itertools import pairwise
from typing import TYPE_CHECKING

from stackroom.core.values import dataclass
from stackroom.errors import RegistryError
from stackroom.store import layout
from stackroom.store.approvals import read_words
from stackroom.store.traces import Trace

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from stackroom.core.names import Ref
    from stackroom.registry.reading import Reader
    from stackroom.store.scan import RevisionText


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Two revisions in a row that contradict each other.

    Attributes:
        before: the text that is there.
        after: the revision that says it replaced another one.
        witness: the event or approval that clears the earlier one; None where nobody knows which of the two is wrong.
    """

    before: RevisionText
    after: RevisionText
    witness: str | None

    @property
    def about(self) -> RevisionText:
        """The revision to flag: the later one where the earlier one is cleared."""
        return self.after if self.witness else self.before

    def sentence(self) -> str:
        """What contradicts what, without the name of the file that it is about."""
        if self.witness:
            return (
                f"says that it replaced another text than {self.before.name} holds, and that one is as {self.witness}"
                " found it: such a text never was there"
            )
        return f"its text is not the one that {self.after.name} says it replaced"

    def whose(self) -> str:
        """Whose the files are, and when they changed; both where nobody knows which is wrong."""
        first = trace_of_revision(self.about)
        if self.witness:
            return str(first)
        return f"{first}; {self.after.name} is {trace_of_revision(self.after)}"

    def traces(self) -> tuple[Trace, ...]:
        """The files that it is about, as the kernel knows them."""
        found = (self.after,) if self.witness else (self.before, self.after)
        return tuple(trace for one in found if (trace := trace_of_revision(one)))


def trace_of_revision(revision: RevisionText) -> Trace | None:
    """A revision's file as the kernel knows it; None where it could not be read."""
    return Trace(place=revision.name, owner=revision.owner, changed=revision.changed) if revision.changed else None


def doubts_about(reader: Reader, ref: Ref, chain: Sequence[RevisionText]) -> tuple[Doubt, ...]:
    """Where the revisions of a version's or model's metadata contradict each other.

    Reads the ledgers and approvals only where they do; where these cannot be read, nobody is cleared.
    """
    broken = [pair for pair in pairwise(chain) if _contradict(*pair)]
    if not broken:
        return ()
    stated = tuple(_stated(reader, ref))
    return tuple(Doubt(before=one, after=other, witness=_witness(one, other, stated)) for one, other in broken)


def _contradict(before: RevisionText, after: RevisionText) -> bool:
    replaced = after.note.previous if after.note else ""
    known = bool(replaced and before.digest)
    return known and after.number == before.number + 1 and replaced != before.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stated:
    """That somebody found a text to be the metadata of a version."""

    place: str
    metadata: str
    when: datetime


def _stated(reader: Reader, ref: Ref) -> Iterator[_Stated]:
    if ref.number is None:
        return
    with suppress(RegistryError):
        for event in reader.history(ref.model):
            if event.validity.counts and event.move and event.move.to == ref.number:
                yield _Stated(place=f"{event.stage}/{event.name}", metadata=event.move.metadata, when=event.when)
    for stage in reader.stages:
        with suppress(RegistryError), reader.root() as root:
            for word in read_words(root, reader.id, stage, ref.model, ref.number).words:
                if word.validity.counts and word.approval:
                    place = f"{layout.APPROVALS}/{stage}/{word.name}"
                    yield _Stated(place=place, metadata=word.approval.pins.metadata, when=word.when)


def _witness(before: RevisionText, after: RevisionText, stated: Sequence[_Stated]) -> str | None:
    """What found the earlier text as it is, when the later revision could not have replaced another one any more.

    Nobody can set a time of change back: not the owner of the earlier text, who alters it for a while and has somebody
    replace that, nor who makes an approval of what he has altered.
    """
    if before.changed is None or after.changed is None:
        return None
    return next(
        (one.place for one in stated if one.metadata == before.digest and before.changed <= one.when <= after.changed),
        None,
    )
