"""What an edit starts from: the present record as a text without what the tool writes, or the present card."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.attested import Who
from stackroom.core.metadata import REVISION_KEYS, SEALED_KEYS, Record, document_of, record_of
from stackroom.core.names import Ref, parse_ref
from stackroom.core.patterns import pattern
from stackroom.core.toml import format_toml, parse_toml
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError, NotFoundError
from stackroom.store.folder import explained
from stackroom.store.scan import RevisionText, read_card, read_revisions

if TYPE_CHECKING:
    from stackroom.registry.reading import Reader


@dataclass(frozen=True, slots=True, kw_only=True)
class Editable:
    """What an editor starts from.

    Attributes:
        ref: of what.
        revision: the present one.
        text: the editable record as TOML, with its comments.
        previous: the digest of the present revision's file.
        record: the same, understood.
        chain: every revision until now, oldest first; empty for a model of which nothing was ever said.
    """

    ref: Ref
    revision: int
    text: str
    previous: str
    record: Record
    chain: tuple[RevisionText, ...] = ()

    def at(self, revision: int) -> RevisionText:
        """A revision that an edit was made from.

        Raises:
            NotFoundError: there is none of that number.
        """
        found = next((one for one in self.chain if one.number == revision), None)
        if found is None and revision == 0 and self.ref.number is None:
            nobody = Who(-1)
            return RevisionText(number=0, name="", text=b"", digest="", record=Record(), note=None, owner=nobody)
        if found is None:
            numbers = ", ".join(str(one.number) for one in self.chain) or "none"
            raise NotFoundError(
                f"{self.ref} has no revision {revision}",
                hint=f"it has {numbers}",
                facts={"ref": str(self.ref), "revision": revision},
            )
        return found


@dataclass(frozen=True, slots=True, kw_only=True)
class EditableCard:
    """What an editor of a card starts from.

    Attributes:
        ref: whose.
        revision: the present one of the card; 0 as registered, -1 where there is none.
        text: of the card; empty where there is none.
    """

    ref: Ref
    revision: int
    text: str


def named(reader: Reader, ref: str | Ref) -> Ref:
    """A model, or a version by its number."""
    parsed = parse_ref(ref) if isinstance(ref, str) else ref
    return parsed if parsed.kind == "model" else reader.version(parsed).ref


def editable(reader: Reader, ref: str | Ref) -> Editable:
    """The present metadata of a version or a model, ready for an editor.

    Raises:
        InvalidInputError: no revision can be read.
    """
    parsed = named(reader, ref)
    with reader.model_folder(parsed.model) as (_, folder, listing):
        chain = read_revisions(folder, listing, parsed.number)
    if not chain:
        return Editable(ref=parsed, revision=0, text="", previous="", record=Record())
    newest = chain[-1]
    # A broken revision is mended by the next one, made from the last that could be read.
    readable = next((revision for revision in reversed(chain) if revision.record is not None), None)
    if readable is None or readable.record is None:
        problem = newest.problem.message if newest.problem else "unreadable"
        raise InvalidInputError(f"{parsed} cannot be edited: {problem}", hint=f"stackroom show {parsed}")
    return Editable(
        ref=parsed,
        revision=newest.number,
        text=editable_text(readable.text.decode()),
        previous=newest.digest,
        record=readable.record,
        chain=chain,
    )


def editable_card(reader: Reader, ref: str | Ref) -> EditableCard:
    """The present card of a version or a model, ready for an editor.

    Raises:
        InvalidInputError: it is not UTF-8, so that an editor would change what nobody touched.
    """
    parsed = named(reader, ref)
    with reader.model_folder(parsed.model) as (_, folder, listing):
        try:
            card = read_card(folder, listing, parsed.number)
        except OSError as error:
            raise explained(error, "read the card of", str(parsed)) from error
        revision = card_revision(listing.cards.get(parsed.number), card)
    try:
        text = (card or b"").decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(
            f"the card of {parsed} is not UTF-8 at byte {error.start}",
            hint=f"stackroom edit {parsed} --card FILE replaces it",
            facts={"ref": str(parsed)},
        ) from None
    return EditableCard(ref=parsed, revision=revision, text=text)


def card_revision(highest: int | None, card: bytes | None) -> int:
    """The number of a card's present revision: the highest, 0 as registered, -1 where there is none."""
    return highest if highest is not None else 0 if card is not None else -1


_TOP_LEVEL_LINE = pattern(r"\s*([A-Za-z0-9_-]+)\s*=")
_TABLE_LINE = pattern(r"\s*\[{1,2}\s*([A-Za-z0-9_-]+)[^\[\]]*+\]")


def editable_text(text: str) -> str:
    """A metadata file without what the tool writes, comments kept.

    By line where that gives the same record, which it does for every file that this program wrote; else written anew.
    """
    kept: list[str] = []
    table = ""
    for line in text.split("\n"):
        if header := _TABLE_LINE.match(line):
            table = header[1]
        assigned = _TOP_LEVEL_LINE.match(line) if not table else None
        if (assigned and assigned[1] in {*SEALED_KEYS, *REVISION_KEYS}) or table == "artifacts":
            continue
        kept.append(line)
    plain = "\n".join(kept).strip("\n") + "\n"
    wanted = record_of(parse_toml(text.encode(), where="metadata"))
    try:
        document = parse_toml(plain.encode(), where="metadata")
        if record_of(document) == wanted and not document.keys() & {*SEALED_KEYS, *REVISION_KEYS}:
            return plain
    except InvalidInputError:
        pass
    return format_toml(document_of(wanted))
