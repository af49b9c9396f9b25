"""What people said about versions, one line each: who, when, yes or no, why, and what has become of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.versions import moment
from stackroom.cli.words import MISSING
from stackroom.core.names import version_ref

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.cli.context import Context
    from stackroom.core.approvals import Word


def put_words(context: Context, words: Sequence[Word], *, refs: bool) -> None:
    """Print the table; ``refs`` where the words are about several versions."""
    noted = any(word.notes for word in words)
    columns = [
        Column(title="WHEN"),
        Column(title="STAGE", priority=1),
        *((Column(title="VERSION", least=10),) if refs else ()),
        Column(title="BY", least=6),
        Column(title="WORD"),
        Column(title="VALIDITY", priority=4),
        Column(title="REASON", priority=5, least=10),
        *((Column(title="NOTES", priority=3, least=12),) if noted else ()),
    ]
    context.table(columns, [_row(context, word, refs=refs, noted=noted) for word in words])


def _row(context: Context, word: Word, *, refs: bool, noted: bool) -> list[Piece]:
    said = word.approval
    op = said.op.value if said else MISSING
    return [
        moment(word.when, exact=not context.terminal),
        word.stage,
        *((str(version_ref(word.model, word.version)),) if refs else ()),
        word.by.label,
        Styled(op, ("green" if op == "approve" else "red") if word.stands else "dim"),
        word.validity.value if word.validity.counts else Styled(word.validity.value, "yellow"),
        said.why if said and said.why else MISSING,
        *(("; ".join(word.notes) or MISSING,) if noted else ()),
    ]
