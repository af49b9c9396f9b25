from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.attested import Entry, Validity, Who
from stackroom.core.tombstones import Tombstone, format_tombstone, judge_tombstone, tombstone_place
from stackroom.errors import InvalidInputError
from support.registries import NOW

PLACE = tombstone_place("id", "models/fraud/3@deleted")
GOOD = format_tombstone(by=Who(7, "bob"), at=NOW, why="too old", digest="sha256:aa", trash="0a-1b", place=PLACE)


def judged(text: str | None, *, owner: int = 7, changed: datetime = NOW, folder_owner: int = 1) -> Tombstone:
    entry = Entry(name="3@deleted", text=text, owner=owner, changed=changed)
    return judge_tombstone(entry, place=PLACE, folder_owner=folder_owner)


def test_a_tombstone_reads_as_ls_shows_it() -> None:
    assert GOOD == (
        "op=delete by=7:bob at=2026-11-23T04:22:00Z why=too%20old digest=sha256:aa trash=0a-1b "
        "event=id/models/fraud/3@deleted"
    )


def test_the_owner_attests_a_tombstone_and_a_copy_is_unattested() -> None:
    tombstone = judged(GOOD)
    assert (tombstone.validity, tombstone.by, tombstone.why) == (Validity.ATTESTED, Who(7, "bob"), "too old")
    assert (tombstone.digest, tombstone.trash, tombstone.trouble) == ("sha256:aa", "0a-1b", "")
    assert judged(GOOD, owner=1).validity is Validity.UNATTESTED


def test_the_later_of_two_times_counts_unless_the_copying_made_it() -> None:
    later = NOW + timedelta(days=3)
    assert judged(GOOD, changed=later).when == later
    assert judged(GOOD, changed=NOW - timedelta(days=3)).when == NOW
    assert judged(GOOD, owner=1, changed=later).when == NOW


@pytest.mark.parametrize(
    ("text", "owner", "trouble"),
    [
        (None, 7, "not a symlink"),
        ("3", 7, "unreadable: '3' is not key=value"),
        (GOOD.replace("op=delete", "op=approve"), 7, "op: expected delete"),
        (GOOD.replace("by=7:bob", "by=bob"), 7, "by: expected a number"),
        (GOOD.replace("at=2026", "at=x"), 7, "at: expected a time"),
        (GOOD.replace("3@deleted", "4@deleted"), 7, "names another place, id/models/fraud/4@deleted"),
        (GOOD.replace("event=id/models/fraud/3@deleted", "x=1"), 7, "names another place, none"),
        (GOOD, 8, "says 7:bob, and its owner is 8"),
    ],
)
def test_whatever_does_not_fit_is_worth_nothing_and_says_why(text: str | None, owner: int, trouble: str) -> None:
    tombstone = judged(text, owner=owner)
    assert not tombstone.validity.counts
    assert trouble in tombstone.trouble


def test_a_reason_that_is_too_long_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="would take"):
        format_tombstone(by=Who(7), at=NOW, why="x" * 900, digest="", trash="", place=PLACE)


def test_a_tombstone_cannot_lead_out_of_the_trash() -> None:
    assert judged(GOOD.replace("trash=0a-1b", "trash=../../x")).trash == ""


@given(st.text())
def test_any_text_is_judged(text: str) -> None:
    assert not judged(text).validity.counts


@given(st.text(max_size=100), st.text(alphabet="abc", max_size=9), st.integers(0, 2**32 - 1))
def test_what_is_written_is_read_again(why: str, name: str, uid: int) -> None:
    text = format_tombstone(by=Who(uid, name), at=NOW, why=why, digest="", trash="0a", place=PLACE)
    tombstone = judged(text, owner=uid)
    assert tombstone.validity is Validity.ATTESTED
    assert (tombstone.by, tombstone.why) == (Who(uid, name), why)
