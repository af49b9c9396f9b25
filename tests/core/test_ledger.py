from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.attested import (
    EVENT_LIMIT,
    Entry,
    StageFolder,
    Validity,
    Who,
    decode,
    encode,
    format_pairs,
    parse_pairs,
)
from stackroom.core.ledger import (
    Move,
    event_name,
    event_place,
    format_move,
    parse_event_name,
    parse_move,
    prev_of,
    replay,
)
from stackroom.core.names import ModelName, StageName
from stackroom.errors import InvalidInputError

T0 = datetime(2026, 11, 23, 4, 22, tzinfo=UTC)
STAGE = StageName("production")
FOLDER = StageFolder(registry_id="reg", stage=STAGE, owner=61000)
DAVE = Who(61003, "dave")
UNICODE = st.text()
ANYTHING = st.text(alphabet=st.characters(exclude_categories=()))


def move(number: int, to: int | None, **changes: object) -> Move:
    plain = Move(to=to, origin=None, by=DAVE, at=T0, event=event_place("reg", STAGE, "fraud", number))
    return replace(plain, **changes)  # type: ignore[arg-type]  # fields of Move


def entry(number: int, text: str | None, owner: int = DAVE.uid, seconds: float = 0) -> Entry:
    return Entry(name=event_name("fraud", number), text=text, owner=owner, changed=T0 + timedelta(seconds=seconds))


@given(UNICODE)
def test_any_text_is_read_back_as_it_was_encoded(text: str) -> None:
    encoded = encode(text)
    assert decode(encoded) == text
    assert " " not in encoded
    assert encoded.isprintable()


@given(ANYTHING)
def test_half_a_surrogate_pair_never_reaches_the_file_system(text: str) -> None:
    encoded = encode(text)
    encoded.encode()
    assert decode(encode(decode(encoded))) == decode(encoded)


@given(st.binary(max_size=60))
def test_bytes_that_are_no_utf8_survive(raw: bytes) -> None:
    text = raw.decode(errors="surrogateescape")
    assert decode(encode(text)).encode(errors="surrogateescape") == raw


MOVES = st.builds(
    Move,
    to=st.one_of(st.none(), st.integers(1, 999_999_999)),
    origin=st.one_of(st.none(), st.integers(1, 999_999_999)),
    by=st.builds(Who, st.integers(0, 2**32 - 1), UNICODE.map(lambda text: text[:8])),
    at=st.datetimes(timezones=st.just(UTC)),
    why=UNICODE.map(lambda text: text[:40]),
    override=st.sampled_from([(), ("metrics",), ("soak_hours", "approvals")]),
    digest=st.sampled_from(["", "sha256:ab"]),
    metadata=st.sampled_from(["", "sha256:cd"]),
    card=st.sampled_from(["", "sha256:ef"]),
    prev=st.sampled_from(["", "sha256:01"]),
    event=st.just("reg/production/fraud@1"),
    extra=st.dictionaries(
        st.from_regex(r"x[a-z0-9_]{0,5}", fullmatch=True), UNICODE.map(lambda text: text[:9]), max_size=2
    ),
)


@given(MOVES)
def test_a_move_is_read_back_as_it_was_written(made: Move) -> None:
    text = format_move(made)
    assert parse_move(text) == made
    assert text[0] not in "/."
    assert len(text.encode()) <= EVENT_LIMIT
    assert text.endswith(f"event={made.event}")


@given(
    st.one_of(
        UNICODE,
        st.lists(st.sampled_from(["to=1", "to=", "by=1:x", "at=2026", " ", "=", "event=x", "%", "%41", "from=-"])).map(
            " ".join
        ),
    )
)
def test_reading_a_text_raises_nothing_but_its_own_error(text: str) -> None:
    try:
        parse_move(text)
    except InvalidInputError as error:
        refused = error
    else:
        return
    assert str(refused)


def test_a_text_reads_as_an_audit_log() -> None:
    text = format_move(move(3, 7, origin=6, why="beats 6", digest="sha256:d", metadata="sha256:m", prev="sha256:p"))
    assert text == (
        "to=7 from=6 by=61003:dave at=2026-11-23T04:22:00Z why=beats%206 "
        "digest=sha256:d metadata=sha256:m prev=sha256:p event=reg/production/fraud@3"
    )


def test_a_reason_that_is_too_long_is_refused_with_its_length() -> None:
    with pytest.raises(InvalidInputError, match=r"1\d\d\d bytes") as caught:
        format_move(move(1, 7, why="x" * 1000))
    assert caught.value.facts["limit"] == 900
    assert "shorten the reason" in caught.value.hint


def test_the_longest_names_leave_room_for_a_reason() -> None:
    place = event_place("i" * 64, "s" * 32, "m" * 64, 999_999_999)
    digest = "sha256:" + "f" * 64
    full = move(
        1,
        999_999_999,
        origin=999_999_999,
        digest=digest,
        metadata=digest,
        card=digest,
        prev=prev_of(""),
        why="x" * 200,
        event=place,
    )
    assert len(format_move(full)) <= EVENT_LIMIT


def test_the_first_of_two_values_stands() -> None:
    assert parse_pairs("to=1 to=2") == {"to": "1"}
    assert format_pairs({"op": "register", "ref": "a b"}) == "op=register ref=a%20b"


@pytest.mark.parametrize(
    "name",
    [
        "fraud",
        "fraud@",
        "fraud@0",
        "fraud@01",
        "@1",
        "Fraud@1",
        "fraud@1000000000",
        "a@b@1 ",
        "fraud@" + "1" * 2_000_000,
    ],
)
def test_the_name_is_no_event(name: str) -> None:
    assert parse_event_name(name) is None


def judged(*entries: Entry, folder: StageFolder = FOLDER) -> list[Validity]:
    ledgers, _ = replay(folder, entries)
    return [event.validity for event in ledgers[ModelName("fraud")].events]


def test_an_event_counts_by_owner_and_place_alone() -> None:
    good = format_move(move(1, 7))
    assert judged(entry(1, good)) == [Validity.ATTESTED]
    assert judged(entry(1, good, owner=FOLDER.owner)) == [Validity.UNATTESTED]
    assert judged(entry(1, good, owner=61004)) == [Validity.FORGED]
    assert judged(entry(2, good)) == [Validity.FORGED], "renamed to another number"
    assert judged(entry(1, good), folder=replace(FOLDER, registry_id="other")) == [Validity.FORGED]
    assert judged(entry(1, good), folder=replace(FOLDER, stage=StageName("staging"))) == [Validity.FORGED]
    assert judged(entry(1, None)) == [Validity.FOREIGN]
    assert judged(entry(1, "garbage \x1b[31m")) == [Validity.FORGED]


def test_a_forged_event_never_counts_and_still_uses_up_its_number() -> None:
    ledgers, _ = replay(FOLDER, [entry(1, format_move(move(1, 7))), entry(2, format_move(move(2, 9)), owner=61004)])
    ledger = ledgers[ModelName("fraud")]
    assert ledger.holder == 7
    assert ledger.next_number == 3
    assert any("its owner is 61004" in alarm for alarm in ledger.alarms)


def chain(*targets: int | None) -> list[Entry]:
    entries: list[Entry] = []
    before = ""
    for number, to in enumerate(targets, 1):
        text = format_move(move(number, to, prev=prev_of(before) if before else "", at=T0 + timedelta(seconds=number)))
        entries.append(entry(number, text, seconds=number))
        before = text
    return entries


def test_a_gap_and_a_broken_chain_are_alarms_and_decide_nothing() -> None:
    entries = chain(1, 2, 3, 4)
    whole = replay(FOLDER, entries)[0][ModelName("fraud")]
    assert whole.alarms == ()
    without_two = replay(FOLDER, [entries[0], *entries[2:]])[0][ModelName("fraud")]
    assert without_two.holder == 4
    assert [alarm for alarm in without_two.alarms if "gap: event 2" in alarm]
    assert [alarm for alarm in without_two.alarms if "broken chain" in alarm]
    without_first = replay(FOLDER, entries[1:])[0][ModelName("fraud")]
    assert without_first.holder == 4
    assert [alarm for alarm in without_first.alarms if "gap" in alarm]


def test_the_previous_holder_is_the_newest_that_is_another() -> None:
    def previous(*targets: int | None) -> int | None:
        event = replay(FOLDER, chain(*targets))[0][ModelName("fraud")].previous_holder()
        return event.move.to if event and event.move else None

    assert previous(1) is None
    assert previous(1, 2) == 1
    assert previous(1, 2, 2) == 1
    assert previous(1, 2, None) == 2
    assert previous(1, None) == 1
    assert previous(1, 2, 1) == 2


def test_a_clock_that_is_far_off_is_flagged_and_the_later_time_counts() -> None:
    text = format_move(move(1, 7))
    event = replay(FOLDER, [entry(1, text, seconds=4000)])[0][ModelName("fraud")].events[0]
    assert event.when == T0 + timedelta(seconds=4000)
    assert "the file system says" in event.remark
    assert event.notes == (event.remark,)
    # A copy made with its times has this for every event: it is no alarm.
    assert not event.alarms


KINDS = st.sampled_from(["attested", "unattested", "forged", "garbage", "file", "elsewhere"])


@given(
    st.lists(
        st.tuples(st.integers(1, 30), KINDS, st.one_of(st.none(), st.integers(1, 5)), st.integers(0, 100)),
        unique_by=lambda item: item[0],
    ),
    st.integers(-1, 101),
)
def test_the_head_is_the_highest_number_that_counts_now_and_at_any_instant(
    pile: list[tuple[int, str, int | None, int]], asked: int
) -> None:
    entries = []
    for number, kind, to, seconds in pile:
        made = move(number, to, at=T0 + timedelta(seconds=seconds))
        if kind == "elsewhere":
            made = replace(made, event="reg/staging/fraud@1")
        text = {"garbage": "\x1b garbage", "file": None}.get(kind, format_move(made))
        owner = {"unattested": FOLDER.owner, "forged": 61999}.get(kind, DAVE.uid)
        entries.append(entry(number, text, owner, seconds))
    ledgers, foreign = replay(FOLDER, [*entries, Entry(name="junk", text=None, owner=0, changed=T0)])
    assert [found.name for found in foreign] == ["junk"]
    if not pile:
        assert ledgers == {}
        return
    ledger = ledgers[ModelName("fraud")]
    counting = sorted(item for item in pile if item[1] in {"attested", "unattested"})
    assert ledger.holder == (counting[-1][2] if counting else None)
    assert (ledger.head.number if ledger.head else None) == (counting[-1][0] if counting else None)
    assert ledger.next_number == max(item[0] for item in pile) + 1
    # An event cannot have decided before one with a lower number did, nor be newer than an attested one that follows.
    expected, reached = None, -1
    for index, (number, _, _, seconds) in enumerate(counting):
        later = [item[3] for item in counting[index:] if item[1] == "attested"]
        reached = max(reached, min([seconds, *later]))
        if reached <= asked:
            expected = number
    head = ledger.head_at(T0 + timedelta(seconds=asked))
    assert (head.number if head else None) == expected


def test_who_sets_the_times_of_an_old_event_hides_it_no_longer_than_to_the_next() -> None:
    def held(days: float, touched: int) -> tuple[int | None, str]:
        found = [
            entry(number, format_move(move(number, number, at=T0 + timedelta(days=number))), DAVE.uid, number * 86_400)
            for number in (1, 2, 3)
        ]
        found[touched - 1] = replace(found[touched - 1], changed=T0 + timedelta(days=90))
        ledger = replay(FOLDER, found)[0][ModelName("fraud")]
        head = ledger.head_at(T0 + timedelta(days=days))
        return head.number if head else None, ledger.events[touched - 1].remark

    assert [held(days, touched=1)[0] for days in (1.5, 2, 2.5, 3, 80)] == [None, 2, 2, 3, 3]
    assert [held(days, touched=2)[0] for days in (1.5, 2, 2.5, 3, 80)] == [1, 1, 1, 3, 3]
    # The newest has nothing after it that says otherwise; that its times differ is told of every one.
    assert [held(days, touched=3)[0] for days in (1.5, 2, 2.5, 3, 80)] == [1, 2, 2, 2, 2]
    assert all("the file system says" in held(1, touched)[1] for touched in (1, 2, 3))
