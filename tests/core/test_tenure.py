"""Who held a stage from when to when, as a ledger tells it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from stackroom.core.attested import Validity, Who
from stackroom.core.ledger import Event, Move
from stackroom.core.names import ModelName, StageName
from stackroom.core.tenure import tenures

START = datetime(2026, 1, 1, tzinfo=UTC)
ANA = Who(1003, "ana")


def event(
    number: int,
    to: int | None,
    day: int,
    *,
    stage: str = "production",
    validity: Validity = Validity.ATTESTED,
    readable: bool = True,
) -> Event:
    when = START + timedelta(days=day)
    move = Move(to=to, origin=None, by=ANA, at=when, event="x") if readable else None
    return Event(
        stage=StageName(stage),
        model=ModelName("fraud"),
        number=number,
        validity=validity,
        move=move,
        owner=1003,
        when=when,
        changed=when,
        text="",
    )


def told(*events: Event) -> list[tuple[str, int, int, int | None]]:
    found = []
    for tenure in tenures(events):
        end = None if tenure.end is None else (tenure.end - START).days
        found.append((str(tenure.stage), tenure.number, (tenure.start - START).days, end))
    return found


def test_each_move_ends_the_tenure_before_and_the_last_one_lasts() -> None:
    assert told(event(1, 1, 0), event(2, 2, 5), event(3, 1, 7)) == [
        ("production", 1, 0, 5),
        ("production", 2, 5, 7),
        ("production", 1, 7, None),
    ]


def test_a_cleared_stage_is_held_by_nobody() -> None:
    assert told(event(1, 1, 0), event(2, None, 3), event(3, 2, 9)) == [
        ("production", 1, 0, 3),
        ("production", 2, 9, None),
    ]
    assert told(event(1, None, 0)) == []


def test_a_version_that_is_moved_where_it_is_goes_on() -> None:
    assert told(event(1, 1, 0), event(2, 1, 4), event(3, 2, 6)) == [("production", 1, 0, 6), ("production", 2, 6, None)]


def test_what_does_not_count_changes_nothing() -> None:
    forged = event(2, 9, 2, validity=Validity.FORGED)
    unread = event(3, 8, 3, validity=Validity.FOREIGN, readable=False)
    assert told(event(1, 1, 0), forged, unread) == [("production", 1, 0, None)]
    copied = tenures([event(1, 1, 0, validity=Validity.UNATTESTED)])
    assert [tenure.attested for tenure in copied] == [False]


def test_stages_are_apart_and_the_order_of_the_numbers_decides() -> None:
    found = told(event(2, 2, 1), event(1, 1, 5), event(1, 1, 2, stage="staging"))
    assert found == [("production", 1, 5, 5), ("production", 2, 5, None), ("staging", 1, 2, None)]
