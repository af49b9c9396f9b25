from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.approvals import (
    Approval,
    Op,
    Word,
    approval_name,
    approval_place,
    format_approval,
    gather,
    parse_approval,
    parse_approval_name,
)
from stackroom.core.attested import EVENT_LIMIT, Entry, Pins, StageFolder, Validity, Who
from stackroom.core.ledger import Move, event_place, format_move, parse_move
from stackroom.core.names import ModelName, StageName
from stackroom.errors import InvalidInputError

T0 = datetime(2026, 11, 23, 4, 22, tzinfo=UTC)
STAGE = StageName("production")
FRAUD = ModelName("fraud")
FOLDER = StageFolder(registry_id="reg", stage=STAGE, owner=61000)
CAROL, DAVE = Who(61003, "carol"), Who(61004, "dave")
NOW = Pins("sha256:a", "sha256:m", "sha256:c")


def said(number: int, who: Who = CAROL, op: Op = Op.APPROVE, **changes: object) -> Approval:
    place = approval_place("reg", STAGE, approval_name(FRAUD, 2, number))
    return replace(Approval(op=op, by=who, at=T0, pins=NOW, event=place), **changes)  # type: ignore[arg-type]  # fields of Approval


def entry(number: int, text: str | None, owner: int = CAROL.uid) -> Entry:
    return Entry(name=approval_name(FRAUD, 2, number), text=text, owner=owner, changed=T0)


def words(*entries: Entry, pins: Pins | None = NOW) -> tuple[Word, ...]:
    piles, _ = gather(FOLDER, entries)
    return piles[FRAUD, 2].weighed(pins)


@given(
    st.builds(
        Approval,
        op=st.sampled_from(Op),
        by=st.builds(Who, st.integers(0, 2**32 - 1), st.text(max_size=8)),
        at=st.datetimes(timezones=st.just(UTC)),
        why=st.text(max_size=40),
        pins=st.builds(Pins, *[st.sampled_from(["", "sha256:ab"])] * 3),
        event=st.just("reg/approvals/production/fraud:2@1"),
        extra=st.dictionaries(st.from_regex(r"x[a-z0-9_]{0,5}", fullmatch=True), st.text(max_size=9), max_size=2),
    )
)
def test_an_approval_is_read_back_as_it_was_written(given_word: Approval) -> None:
    text = format_approval(given_word)
    assert parse_approval(text) == given_word
    assert text.startswith("op=")
    assert len(text.encode()) <= EVENT_LIMIT
    assert text.endswith(f"event={given_word.event}")


@given(st.one_of(st.text(), st.lists(st.sampled_from(["op=approve", "op=", "by=1:x", "at=2026", "=", "event=x", "%"]))))
def test_reading_a_text_raises_nothing_but_its_own_error(text: str | list[str]) -> None:
    try:
        parse_approval(text if isinstance(text, str) else " ".join(text))
    except InvalidInputError as error:
        assert str(error)  # noqa: PT017 - not raising is as well


@given(st.from_regex(r"[a-z0-9]{1,8}", fullmatch=True), st.integers(1, 999_999_999), st.integers(1, 999_999_999))
def test_a_name_is_read_back_as_it_was_made(model: str, version: int, number: int) -> None:
    if model not in {"model", "models"}:
        assert parse_approval_name(approval_name(model, version, number)) == (model, version, number)


@pytest.mark.parametrize("name", ["fraud@1", "fraud:2", "fraud:02@1", "fraud:2@0", "Fraud:2@1", "fraud:2@1234567890"])
def test_other_names_are_foreign(name: str) -> None:
    assert parse_approval_name(name) is None
    assert gather(FOLDER, [Entry(name=name, text="x", owner=1, changed=T0)])[1]


def test_a_move_is_no_approval_and_an_approval_is_no_move() -> None:
    place = event_place("reg", STAGE, FRAUD, 1)
    move = format_move(Move(to=2, origin=None, by=CAROL, at=T0, event=place))
    assert words(entry(1, move))[0].validity is Validity.FORGED
    with pytest.raises(InvalidInputError, match="to: expected"):
        parse_move(format_approval(said(1)))
    # A stage may be called approvals; its events' places are shorter all the same.
    assert event_place("reg", "approvals", "fraud", 1).count("/") < said(1).event.count("/")


@pytest.mark.parametrize(
    ("text", "owner", "validity"),
    [
        (format_approval(said(1)), CAROL.uid, Validity.ATTESTED),
        (format_approval(said(1)), FOLDER.owner, Validity.UNATTESTED),
        (format_approval(said(1)), DAVE.uid, Validity.FORGED),
        (format_approval(said(2)), CAROL.uid, Validity.FORGED),
        (format_approval(said(1)).replace("reg/", "other/"), CAROL.uid, Validity.FORGED),
        (format_approval(said(1)).replace("op=approve ", ""), CAROL.uid, Validity.FORGED),
        (None, CAROL.uid, Validity.FOREIGN),
    ],
    ids=["own", "copied", "in her name", "other number", "other registry", "no op", "a file"],
)
def test_what_an_approval_is_worth(text: str | None, owner: int, validity: Validity) -> None:
    (word,) = words(entry(1, text, owner))
    assert word.validity is validity
    assert word.stands is validity.counts
    assert bool(word.alarms) is not validity.counts


@pytest.mark.parametrize("part", ["artifacts", "metadata", "card"])
def test_a_word_is_void_once_any_of_the_three_is_another(part: str) -> None:
    now = replace(NOW, **{{"artifacts": "digest"}.get(part, part): "sha256:other"})
    (word,) = words(entry(1, format_approval(said(1))), pins=now)
    assert word.void == (part,)
    assert not word.stands
    assert f"void: another {part} now" in word.notes


def test_a_word_about_what_cannot_be_read_is_void() -> None:
    assert not words(entry(1, format_approval(said(1))), pins=None)[0].stands


def test_the_latest_word_of_a_person_stands() -> None:
    found = words(
        entry(1, format_approval(said(1))),
        entry(2, format_approval(said(2, DAVE)), DAVE.uid),
        entry(3, format_approval(said(3, op=Op.REJECT))),
    )
    assert [word.stands for word in found] == [False, True, True]


def test_an_older_word_does_not_come_back_when_the_later_one_is_void() -> None:
    """Else an author takes a rejection back by undoing the edit that it was about."""
    edited = replace(NOW, metadata="sha256:edited")
    found = words(
        entry(1, format_approval(said(1))),
        entry(2, format_approval(said(2, op=Op.REJECT, pins=edited))),
    )
    assert [word.stands for word in found] == [False, False]


def test_a_forged_word_supersedes_nothing() -> None:
    found = words(
        entry(1, format_approval(said(1))),
        entry(2, format_approval(said(2, op=Op.REJECT)), owner=DAVE.uid),
    )
    assert [word.stands for word in found] == [True, False]


def test_the_next_number_follows_the_highest_present_and_a_gap_is_told() -> None:
    piles, _ = gather(FOLDER, [entry(3, "nonsense"), entry(1, format_approval(said(1)))])
    pile = piles[FRAUD, 2]
    assert pile.next_number == 4
    assert "gap: word 2 is missing" in pile.words[1].alarms


def test_the_document_of_a_word_holds_everything() -> None:
    late = replace(entry(1, format_approval(said(1, why="read it"))), changed=T0 + timedelta(hours=1))
    document = words(late)[0].document()
    assert document["ref"] == "fraud:2"
    assert document["reason"] == "read it"
    assert document["when"] == "2026-11-23T05:22:00Z"
    assert "the file system says" in document["alarms"][0]
