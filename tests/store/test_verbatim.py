"""What the index keeps of a version is what was read, and no more is understood of it than is looked at."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from stackroom.core.attested import text_digest
from stackroom.core.metadata import Record, RevisionNote, Seal, note_document, sealed_document
from stackroom.core.toml import format_toml
from stackroom.store.verbatim import Verbatim, fields_in, remaining, verbatim

WHEN = datetime(2026, 1, 2, tzinfo=UTC)
SEAL = Seal(model="fraud", uid="u", created=WHEN, files=1, bytes=2, digest="sha256:" + "0" * 64)
NOTE = RevisionNote(revised=WHEN, revised_by="3:ana", reason="why", previous="sha256:1")
SEALED = format_toml(sealed_document(SEAL, Record(author="ana"))).encode()
REVISED = format_toml(note_document(NOTE) | {"author": "bob", "mood": "good"}).encode()


def fields(kept: Verbatim) -> dict[str, object]:
    return {**fields_in(kept, {}, {}, lambda _: {}), **remaining(kept)}


def test_a_version_that_was_never_edited_is_told_by_one_text() -> None:
    assert fields(verbatim(SEALED, b"", revision=0, card=-1)) == {
        "seal": SEAL,
        "record": Record(author="ana"),
        "revision": 0,
        "card_revision": -1,
        "metadata_digest": text_digest(SEALED),
        "note": None,
    }


def test_of_an_edited_version_the_seal_stays_and_the_rest_is_the_revisions() -> None:
    assert fields(verbatim(REVISED, SEALED, revision=2, card=1)) == {
        "seal": SEAL,
        "record": Record(author="bob", extra={"mood": "good"}),
        "revision": 2,
        "card_revision": 1,
        "metadata_digest": text_digest(REVISED),
        "note": NOTE,
    }


def test_what_the_row_tells_is_not_looked_for_in_the_text() -> None:
    kept = verbatim(b"not TOML at all", b"", revision=0, card=0)
    found = fields_in(kept, {"files": 3}, {"author": "ana"}, lambda name: {"tags": ("x",)} if name == "tags" else {})
    assert (found["seal"].files, found["record"].author, found["record"].tags) == (3, "ana", ("x",))
    with pytest.raises(ValueError, match="damaged"):
        found["record"].extra  # noqa: B018  # asked for, and so understood


@pytest.mark.parametrize("text", ["text", "sealed"])
def test_damage_is_noticed_by_the_sum(text: str) -> None:
    kept = verbatim(REVISED, SEALED, revision=1, card=0)
    assert kept.whole
    assert not kept._replace(**{text: getattr(kept, text).replace(b"author", b"Author")}).whole
