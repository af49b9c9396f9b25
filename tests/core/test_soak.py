from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.core.attested import Entry, StageFolder, Who
from stackroom.core.ledger import Ledger, Move, event_name, event_place, format_move, prev_of, replay
from stackroom.core.names import ModelName, StageName
from stackroom.core.soak import Soaked, soaked

T0 = datetime(2026, 11, 23, 4, 22, tzinfo=UTC)
STAGING = StageName("staging")
FRAUD = ModelName("fraud")
CAROL = Who(61003, "carol")
STEWARD = 61000
HOUR = timedelta(hours=1)

Step = tuple[int | None, float, float]
"""What is moved in, the hour that the text says, and the hour that the file system says."""


def ledger(*steps: Step, owner: int = CAROL.uid, without: tuple[int, ...] = ()) -> Ledger:
    entries = []
    prev = ""
    for number, (to, says, changed) in enumerate(steps, 1):
        move = Move(
            to=to,
            origin=None,
            by=CAROL,
            at=T0 + says * HOUR,
            digest=f"sha256:{to}" if to else "",
            prev=prev,
            event=event_place("reg", STAGING, FRAUD, number),
        )
        text = format_move(move)
        prev = prev_of(text)
        if number not in without:
            name = event_name(FRAUD, number)
            entries.append(Entry(name=name, text=text, owner=owner, changed=T0 + changed * HOUR))
    return replay(StageFolder(registry_id="reg", stage=STAGING, owner=STEWARD), entries)[0][FRAUD]


def hours(found: Ledger, now: float, number: int = 7) -> float:
    return soaked([found], number, f"sha256:{number}", T0 + now * HOUR).seconds / 3600


def test_a_holder_soaks_until_now() -> None:
    found = soaked([ledger((7, 0, 0))], 7, "sha256:7", T0 + 30 * HOUR)
    assert found == Soaked(seconds=30 * 3600, stage=STAGING, since=T0)


def test_a_version_that_never_held_the_stage_has_not_soaked() -> None:
    assert soaked([ledger((6, 0, 0))], 7, "sha256:7", T0 + 30 * HOUR) == Soaked()
    assert soaked([ledger((7, 0, 0))], 7, "sha256:other", T0 + 30 * HOUR) == Soaked()


@pytest.mark.parametrize("owner", [CAROL.uid, STEWARD], ids=["attested", "unattested"])
def test_a_backdated_text_does_not_lengthen_the_soak(owner: int) -> None:
    assert hours(ledger((7, -1000, 0), owner=owner), now=2) == 2


def test_a_postdated_text_shortens_it() -> None:
    assert hours(ledger((7, 5, 0)), now=7) == 2
    assert hours(ledger((7, 5, 0)), now=3) == 0


def test_an_interruption_begins_it_anew() -> None:
    assert hours(ledger((7, 0, 0), (6, 10, 10), (7, 11, 11)), now=12) == 10
    assert hours(ledger((7, 0, 0), (None, 1, 1), (7, 11, 11)), now=20) == 9


def test_a_postdated_successor_does_not_lengthen_the_soak_of_what_it_replaced() -> None:
    assert hours(ledger((7, 0, 0), (6, 48, 1)), now=50) == 1
    assert soaked([ledger((7, 0, 0), (6, 48, 1))], 7, "sha256:7", T0 + 50 * HOUR).since is None


def test_promoting_the_holder_again_is_no_interruption() -> None:
    assert hours(ledger((7, 0, 0), (7, 10, 10)), now=20) == 20


def test_an_event_that_was_removed_may_have_been_the_interruption() -> None:
    assert hours(ledger((7, 0, 0), (6, 10, 10), (7, 11, 11), without=(2,)), now=12) == 1


def test_an_event_that_does_not_count_is_no_interruption() -> None:
    whole = ledger((7, 0, 0), (6, 10, 10), (7, 11, 11))
    assert hours(whole, now=12) == 10
    forged = replay(
        StageFolder(registry_id="reg", stage=STAGING, owner=STEWARD),
        [
            Entry(name="fraud@1", text=whole.events[0].text, owner=CAROL.uid, changed=T0),
            Entry(name="fraud@2", text=whole.events[1].text, owner=61009, changed=T0 + 10 * HOUR),
        ],
    )[0][FRAUD]
    assert hours(forged, now=12) == 12


@given(
    st.lists(
        st.tuples(st.sampled_from([6, 7, None]), st.integers(-500, 500), st.integers(0, 5)), min_size=1, max_size=8
    )
)
def test_no_text_makes_a_soak_longer_than_the_file_system_bears_out(drawn: list[tuple[int | None, int, int]]) -> None:
    clock, steps = 0, []
    for to, says, passed in drawn:
        clock += passed
        steps.append((to, float(says), float(clock)))
    honest = [(to, changed, changed) for to, _, changed in steps]
    now = clock + 3
    assert hours(ledger(*steps), now) <= hours(ledger(*honest), now)
