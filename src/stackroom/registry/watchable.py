"""A registry that one can be told about, as things happen in it; the code for that is loaded by who does."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.registry.reading import Reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from stackroom.core.names import Ref
    from stackroom.registry.watching import Told


class Watchable(Reader):
    """A registry to read and to watch."""

    def watch(
        self, *, since: str | None = None, stage: str | None = None, seconds: float | None = None
    ) -> Iterator[Told]:
        """Tell what happens, as it happens; blocks in between, and hangs for as long as the file system does.

        Moves that count are told exactly: who goes on with the ``cursor`` of the last thing that he dealt with misses
        none and hears none again. All else (versions, edits, labels, approvals, deletions) is told only while one
        watches, as far as it can be known. What cannot be looked at is told once it can.

        Args:
            since: the text of a cursor, or ``start`` for every move that ever was; from now on without.
            stage: tell its moves alone, which asks a file server least.
            seconds: end after so many; None for never.

        Raises:
            UsageError: the cursor is another registry's, or about fewer stages.
            InvalidInputError: it is no cursor.
            NotFoundError: there is no such stage.
        """
        from stackroom.registry.watching import news  # noqa: PLC0415 - who does not watch does not load it

        for found in news(self, since=since, stage=stage, seconds=seconds):
            yield from found.told

    def wait(self, ref: str | Ref, *, changed: bool = False, timeout: float | None = None) -> Ref:
        """The version that holds a stage, once one does; blocks until then.

        Args:
            ref: ``model@stage``; the model need not be there yet.
            changed: not until another version holds it than now.
            timeout: seconds after which to give up; None for never.

        Raises:
            ConflictError: time was up.
            UsageError: the reference names no stage.
            NotFoundError: there is no such stage.
        """
        from stackroom.registry.watching import wait  # noqa: PLC0415 - who does not watch does not load it

        return wait(self, ref, changed=changed, timeout=timeout)
