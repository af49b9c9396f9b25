"""The text that an editor is given and gives back, and the file in which it is kept: a record with lines of ours.

Our lines start with ``#:``, and the first of them names the version and the revision that the text was made from. So a
text that was kept for hours still says what it is an edit of, and handing it in cannot undo what somebody wrote
meanwhile without a word.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stackroom.core.metadata import document_of, record_of
from stackroom.core.names import NUMBER_DIGITS, parse_ref
from stackroom.core.patching import patched
from stackroom.core.patterns import pattern
from stackroom.core.text import visible
from stackroom.core.threeway import on_top, three_ways
from stackroom.core.toml import format_toml, parse_toml
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.names import Ref
    from stackroom.registry.editables import Editable

_OURS: Final = "#:"
_FROM: Final = pattern(rf"^#: (\S+), revision ([0-9]{{1,{NUMBER_DIGITS}}})\b", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What somebody typed.

    Attributes:
        text: without our lines.
        ref: what it is an edit of; None where no line of ours says so.
        revision: that it was made from; None likewise.
    """

    text: str
    ref: Ref | None = None
    revision: int | None = None


def draft_text(ref: Ref, revision: int, text: str, notes: Sequence[str] = ()) -> str:
    """A record as an editor gets it.

    Args:
        ref: of what.
        revision: the one that saving it replaces.
        text: the record.
        notes: lines that the editing person should read.
    """
    lines = [
        f"{ref}, revision {revision}. Save and leave to write the next revision; lines that start",
        f"with {_OURS} are dropped. Change nothing to change nothing.",
        *notes,
    ]
    # Names and values of others stand in the notes: a line feed in one would be a line of the record.
    return "".join(f"{_OURS} {visible(line)}\n" for line in lines) + _without_ours(text)


def _without_ours(text: str) -> str:
    """The text without our lines; what looks like one inside a text of several lines stays."""
    lines = text.split("\n")
    while lines and lines[0].startswith(_OURS):
        del lines[0]
    rest = "\n".join(lines)
    own = "\n".join(line for line in lines if not line.startswith(_OURS))
    if own == rest:
        return own
    try:
        same = repr(parse_toml(own.encode(), where="the text")) == repr(parse_toml(rest.encode(), where="the text"))
    except (InvalidInputError, UnicodeEncodeError):
        return own
    return own if same else rest


def taken_up(start: Editable, draft: Draft) -> tuple[str, list[str]]:
    """A text that others have overtaken, brought up to date for another round in the editor.

    What the others changed is in it, but for fields that both changed: these are as they were typed, and the lines to
    read say what the others made of them.

    Returns:
        The text, and the lines.

    Raises:
        NotFoundError: there is no revision that the text could have been made from.
    """
    if draft.revision is None or draft.revision == start.revision:
        return draft.text, []
    base = start.at(draft.revision).record
    try:
        mine = record_of(parse_toml(draft.text.encode(), where="the text"))
    except InvalidInputError:
        mine = None
    if base is None or mine is None:
        return draft.text, [f"Made from revision {draft.revision}; what others changed since is not in it."]
    fields = three_ways(base, start.record, mine)
    merged = on_top(base, start.record, mine, mine_wins=True) or mine
    text = patched(draft.text, merged)
    who = start.chain[-1].owner.label if start.chain else "somebody"
    lines = [
        f"Made from revision {draft.revision}; {who} wrote revision {start.revision}, and it is in here now, but for:"
    ]
    lines += [
        f"  {field.key}: was {_shown(field.base)}, {who} made it {_shown(field.theirs)}, and you {_shown(field.mine)}"
        for field in fields
        if field.clash
    ]
    lines.append("To write the text as it stands, take this line out.")
    return format_toml(document_of(merged)) if text is None else text, lines


def _shown(value: str | None) -> str:
    return "nothing" if value is None else " ".join(value.split())


def read_draft(text: str) -> Draft:
    """What came back from an editor, or lies in a file: with our lines, or without any."""
    own = _without_ours(text)
    found = _FROM.search(text)
    if not found:
        return Draft(text=own)
    try:
        ref = parse_ref(found[1])
    except InvalidInputError:
        return Draft(text=own)
    return Draft(text=own, ref=ref, revision=int(found[2]))
