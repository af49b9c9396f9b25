"""Activity, Review and Doctor: lists over the whole registry, read in the background."""

from __future__ import annotations

import os
import shutil
import threading
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from stackroom.core.attested import Who
from stackroom.registry import examining, remembering
from stackroom.registry.editing import Edit
from stackroom.registry.whoami import Caller, May
from stackroom.store.access import Access
from stackroom.store.mounts import FileSystem
from stackroom.tui.places import Personal
from stackroom.tui.present import doctor
from stackroom.tui.screens.activity import ActivityPage
from stackroom.tui.screens.doctor import DoctorPage
from stackroom.tui.screens.mending import MendPage
from stackroom.tui.screens.review import ReviewPage
from stackroom.tui.screens.text import TextPage
from stackroom.tui.screens.version import VersionPage
from tui.browsing import MIDDLE, NARROW, WIDE, Walk, key_event, walk
from tui.screen import until

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from stackroom.core.findings import Finding
    from stackroom.registry.facade import Registry
    from stackroom.registry.mending import Repair
    from stackroom.registry.reading import Reader


# ---- activity


def test_activity_tells_moves_words_registrations_edits_and_deletions_of_all_models(registry: Registry) -> None:
    registry.edit("iris-species:3", Edit(put={"team": "flowers"}, reason="found an owner"))
    registry.edit("iris-species:3", Edit(card="# new card\n"))
    registry.approve("iris-species:3", "staging", reason="fine")
    registry.promote("iris-species:3", "staging", reason="a try")
    registry.delete("iris-species:2", reason="too old")

    async def steps(somebody: Walk) -> None:
        await somebody.press("L")
        page = somebody.page
        assert isinstance(page, ActivityPage)
        told = {(one.kind, str(one.ref or one.model), one.why) for one in page._found.values()}
        assert {
            ("edited", "iris-species:3", "found an owner"),
            ("approved", "iris-species:3", "fine"),
            ("moved", "iris-species:3", "a try"),
            ("deleted", "iris-species:2", "too old"),
        } <= told
        assert ("registered", "tumor-screening:3", "") in told
        assert any(kind == "card" and ref == "iris-species:3" for kind, ref, _ in told)
        times = [one.when for one in page._found.values()]
        assert times == sorted(times, reverse=True)

    walk(registry, steps)


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_activity_looks_as_it_did_is_filtered_and_opens_the_version(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("L")
        # The times of the files are those of the copy; the texts' own are older.
        await somebody.press(*"/registered tumor", "enter")
        await until(lambda: "enter open" in somebody.text, "the line of the filter is closed")
        somebody.golden("activity")
        await somebody.press("G", "enter")
        page = somebody.page
        assert isinstance(page, VersionPage)
        assert page.ref.model == "tumor-screening"

    walk(registry, steps, size=size)


def test_activity_of_one_model_is_opened_from_its_versions_and_follows_what_happens(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open iris-species", "enter")
        await somebody.press("L")
        page = somebody.page
        assert isinstance(page, ActivityPage)
        assert {one.model for one in page._found.values()} == {"iris-species"}
        registry.promote("iris-species:3", "staging", reason="while you look")
        somebody.app.read_model("iris-species")
        await somebody.settle()
        assert "while you look" in [one.why for one in page._found.values()]
        await somebody.press("g")
        assert "moved to staging by ana" in somebody.text

    walk(registry, steps)


def test_a_forged_event_is_told_and_does_not_count(registry: Registry, sample: Path) -> None:
    registry.promote("iris-species:3", "staging", reason="mine")
    link = sample / "stages" / "staging" / "iris-species@1"
    text = os.readlink(link)
    link.with_name("iris-species@2").symlink_to(text)

    async def steps(somebody: Walk) -> None:
        await somebody.press("L")
        page = somebody.page
        assert isinstance(page, ActivityPage)
        found = page._found["stages/staging/iris-species@2"]
        assert found.validity is not None
        assert not found.validity.counts
        await somebody.press(*"/staging iris", "enter")
        assert "it does not count" in somebody.text

    walk(registry, steps)


# ---- review


@pytest.mark.parametrize("size", [(60, 16), NARROW, MIDDLE, WIDE])
def test_review_says_why_and_which_command_helps(
    registry: Registry, sample: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.rmtree(sample / "stages" / "staging")
    (sample / "stages" / "staging").mkdir()
    for card in (sample / "models" / "iris-species").glob("*/README.md"):
        card.parent.chmod(0o755)
        card.unlink()

    async def steps(somebody: Walk) -> None:
        await somebody.press("R")
        page = somebody.page
        assert isinstance(page, ReviewPage)
        somebody.golden("review")
        await somebody.press(*"/no-card iris", "enter")
        assert "stackroom edit iris-species:3 --card README.md" in somebody.text
        copied: list[str] = []
        monkeypatch.setattr(somebody.app, "copy", copied.append)
        await somebody.press("y")
        assert copied == ["stackroom edit iris-species:3 --card README.md"]
        await somebody.press("enter")
        assert isinstance(somebody.page, VersionPage)

    walk(registry, steps, size=size)


# ---- doctor


@pytest.mark.parametrize("size", [NARROW, MIDDLE])
def test_doctor_shows_who_one_is_and_a_finding_in_full(
    registry: Registry, sample: Path, size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    (sample / "registry.toml").chmod(0o666)

    async def steps(somebody: Walk) -> None:
        await somebody.press("D")
        page = somebody.page
        assert isinstance(page, DoctorPage)
        assert page._caller is not None
        assert "ana, the steward" in somebody.text
        kinds = [finding.kind for finding in page._findings]
        severities = [finding.severity for finding in page._findings]
        assert severities == sorted(severities, key=["error", "warning", "note"].index)
        await somebody.press(*"/registry-file-writable", "enter")
        assert "registry-file-writable" in kinds
        copied: list[str] = []
        monkeypatch.setattr(somebody.app, "copy", copied.append)
        await somebody.press("y")
        assert copied
        assert "chmod" in copied[0]
        await somebody.press("enter")
        assert isinstance(somebody.page, TextPage)
        somebody.golden("doctor-finding")
        assert "Somebody besides the steward can change the guards" in somebody.text
        await somebody.press("q", "escape", "g", "enter")
        assert "You may" in somebody.text

    walk(registry, steps, size=size)


def test_doctor_mends_what_one_may_once_it_is_shown_and_typed(registry: Registry, sample: Path) -> None:
    file, pointer = sample / "registry.toml", sample / "live" / "production" / "tumor-screening"
    file.chmod(0o666)
    pointer.unlink()

    async def steps(somebody: Walk) -> None:
        await somebody.press("D")
        await somebody.press("f")
        somebody.golden("doctor-fix")
        fixing = somebody.page
        assert isinstance(fixing, MendPage)
        would = {repair.message for repair in fixing._repairs}
        assert {"would take the write permission away", "would bring the pointer in step with the ledger"} <= would
        await somebody.press(*"yes", "enter")
        assert "type fix to confirm, or esc" in somebody.status
        await somebody.press("escape")
        assert file.stat().st_mode & 0o777 == 0o666
        await somebody.press("w", *"fix", "enter")
        assert "finished" in somebody.status
        assert all(repair.done for repair in fixing._repairs)
        assert not file.stat().st_mode & 0o022
        assert pointer.is_symlink()
        await somebody.press("q")
        page = somebody.page
        assert isinstance(page, DoctorPage)
        assert not {"registry-file-writable", "live-behind"} & {one.kind for one in page._findings}

    walk(registry, steps)


def test_doctor_asks_for_the_word_only_once_it_shows_what_it_would_do(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = sample / "registry.toml"
    file.chmod(0o666)
    looked, fix = threading.Event(), registry.fix

    def slow(findings: Iterable[Finding] | None = None, *, dry_run: bool = False) -> Iterator[Repair]:
        looked.wait()
        yield from fix(findings, dry_run=dry_run)

    monkeypatch.setattr(registry, "fix", slow)

    async def steps(somebody: Walk) -> None:
        await somebody.press("D")
        somebody.app.post_message(key_event("f"))
        await until(lambda: isinstance(somebody.page, MendPage), "it looks")
        somebody.app.post_message(key_event("w"))
        await until(lambda: "still looking" in somebody.status or somebody.page.prompt.display, "w is answered")
        assert not somebody.page.prompt.display
        looked.set()
        await somebody.settle()
        assert "type fix to confirm" in somebody.text
        assert file.stat().st_mode & 0o777 == 0o666

    walk(registry, steps)


def test_on_a_read_only_mount_who_one_is_says_so_once() -> None:
    reason = "/srv is on a file system that is mounted read-only"
    bad = Access(
        allowed=False, directory="/srv", owner=Who(1), group="ml", mode=0o755, members=(), group_may=True, reason=reason
    )
    caller = Caller(
        who=Who(1, "ana"),
        groups=(),
        steward=False,
        owner=Who(2),
        may=tuple(May(doing=doing, access=bad, allowed=False) for doing in ("make models", "move into staging")),
        models=(0, 1),
        system=FileSystem(type="nfs4", mount_point="/srv", local=False, options=frozenset({"ro"})),
    )
    lines = ["".join(cell.text for cell in line) for line in doctor.about_you(caller)]
    assert lines[-2:] == [f"  make models: {reason}", f"  move into staging: {reason}"]
    lines = ["".join(cell.text for cell in line) for line in doctor.about_you(replace(caller, read_only=reason))]
    assert sum(reason in line for line in lines) == 1


def test_examining_is_given_up_with_escape(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    going_on = threading.Event()
    real = examining.examine

    def slow(reader: Reader) -> Iterator[Finding]:
        yield next(iter(real(reader)))
        going_on.wait(10)
        yield from real(reader)

    monkeypatch.setattr(examining, "examine", slow)

    async def steps(somebody: Walk) -> None:
        somebody.app.show_doctor()
        await until(lambda: "examining: 1 finding" in somebody.text, "progress is shown")
        page = somebody.page
        page.act("escape")
        assert somebody.page is page
        assert "given up" in page.status.message
        going_on.set()
        await somebody.settle()
        await somebody.press("escape")
        assert somebody.page is not page

    walk(registry, steps)


# ---- what vanished


def test_an_event_that_vanished_is_news_and_stays_in_the_banner_until_it_is_known(
    registry: Registry, sample: Path
) -> None:
    registry.promote("iris-species:3", "staging", reason="soon gone")

    async def steps(somebody: Walk) -> None:
        assert "vanished" not in somebody.text
        (sample / "stages" / "staging" / "iris-species@1").unlink()
        somebody.app.read_model("iris-species")
        await somebody.settle()
        assert somebody.app.banner() == ["! 1 event that you saw vanished: :vanished"]
        assert "staging of iris-species was event 1" in somebody.page.status.message
        await somebody.press(*":vanished", "enter")
        assert "soon gone" in " ".join(somebody.text.split())
        assert "stackroom history --acknowledge" in somebody.text
        await somebody.press("q", "p")
        assert "1 event that you saw vanished: :vanished" in somebody.text
        remembering.forget(registry)
        await somebody.press("r")
        assert "vanished" not in somebody.text

    walk(registry, steps, personal=Personal(remembers=True))


def test_without_a_memory_of_its_own_the_interface_still_tells_what_the_commands_remember(
    registry: Registry, sample: Path
) -> None:
    registry.promote("iris-species:3", "staging", reason="soon gone")
    remembering.remember(registry)
    (sample / "stages" / "staging" / "iris-species@1").unlink()

    async def steps(somebody: Walk) -> None:
        assert somebody.app.banner() == ["! 1 event that you saw vanished: :vanished"]

    walk(registry, steps)
