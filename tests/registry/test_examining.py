"""What doctor finds: every state is made on a real tree, told with its place, and gone after its remedy."""

from __future__ import annotations

import errno
import os
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from stackroom.core.ledger import prev_of
from stackroom.registry.editing import Edit
from stackroom.registry.facade import Registry
from stackroom.registry.reading import utc_now
from stackroom.registry.remembering import remember
from stackroom.store import digest, mounts
from stackroom.store.folder import Folder
from support.registries import ID, artifacts, make, plant_revision, set_policy, tree, unseal

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from stackroom.core.findings import Finding
    from stackroom.store.hashing import FileDigest

WEEKS = timedelta(days=15)


@pytest.fixture
def registry(tmp_path: Path) -> Registry:
    """One person's: three versions with a label, revisions and cards; the second holds staging after the first."""
    made = make(tmp_path / "registry")
    source = artifacts(tmp_path / "out")
    for number in (1, 2, 3):
        made.register("fraud", source, metrics={"auc": number / 10}, card="# card\n")
    made.label("fraud:2", "2.1.0")
    made.edit("fraud:2", Edit(put={"team": "risk"}))
    made.edit("fraud:2", Edit(put={"team": "fraud"}))
    _tick(tmp_path)
    made.promote("fraud:1", "staging")
    made.promote("fraud:2", "staging")
    return made


def later(registry: Registry) -> Registry:
    """The same registry, looked at two weeks from now."""
    return Registry(registry.path, clock=lambda: utc_now() + WEEKS)


def kinds(registry: Registry) -> list[tuple[str, str]]:
    return [(finding.kind, finding.place) for finding in registry.examine()]


def of_kind(registry: Registry, kind: str) -> list[Finding]:
    return [finding for finding in registry.examine() if finding.kind == kind]


def run(command: str) -> None:
    """What a person does who pastes it."""
    ours = shlex.join((sys.executable, "-m", "stackroom"))
    shell = f'stackroom() {{ {ours} "$@"; }}\n{command}'
    done = subprocess.run(["sh", "-ec", shell], capture_output=True, text=True, check=False)
    assert done.returncode == 0, (command, done.stderr)


def test_a_healthy_registry_has_no_findings_and_is_not_written_to(registry: Registry) -> None:
    before = tree(registry.path)
    assert kinds(registry) == []
    assert list(registry.fix()) == []
    assert tree(registry.path) == before


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    """A state of a registry, what is to be found, and what puts it right: ``fix``, ``command`` or nobody alone."""

    breaks: Callable[[Registry], object]
    kind: str
    place: str
    says: str = ""
    cure: str = ""
    later: bool = False


def _event(registry: Registry, number: int, **pairs: str) -> None:
    """Plant an event in staging whose text is right but for what is given."""
    folder = registry.path / "stages/staging"
    before = folder / f"fraud@{number - 1}"
    known = {
        "to": "3",
        "from": "2",
        "by": str(registry.who),
        "at": utc_now().strftime("%Y-%m-%dT%H:%M:%SZ"),
        "digest": f"sha256:{0:064}",
        "metadata": f"sha256:{0:064}",
        "prev": prev_of(os.readlink(before)) if before.is_symlink() else "",
        "event": f"{ID}/staging/fraud@{number}",
    }
    text = " ".join(f"{key}={value}" for key, value in (known | pairs).items() if value)
    (folder / f"fraud@{number}").symlink_to(text)


def _edit(path: Path, old: str, new: str) -> None:
    path.chmod(0o644)
    path.write_text(path.read_text(encoding="utf-8").replace(old, new), encoding="utf-8")
    path.chmod(0o444)


def _in_version(number: int, name: str, content: bytes | None) -> Callable[[Registry], object]:
    """Write a file in a sealed version, or with None take it away, and seal it again."""

    def change(registry: Registry) -> None:
        version = registry.path / f"models/fraud/{number}"
        unseal(version)
        (version / name).unlink(missing_ok=True)
        if content is not None:
            (version / name).write_bytes(content)
        run(f"chmod -R a-w {version}")

    return change


def _gone(registry: Registry) -> None:
    version = registry.path / "models/fraud/2"
    unseal(version)
    shutil.rmtree(version)


def _pointer(name: str, text: str) -> Callable[[Registry], object]:
    """Replace a pointer of staging."""

    def change(registry: Registry) -> None:
        pointer = registry.path / "live/staging" / name
        pointer.unlink(missing_ok=True)
        pointer.symlink_to(text)

    return change


def _pointer_of_a_cleared_stage(registry: Registry) -> None:
    registry.clear("fraud", "staging")
    _pointer("fraud", "../../models/fraud/1")(registry)


def _twins(registry: Registry) -> None:
    registry.new("churn.rate")
    (registry.path / "models/churn-rate").mkdir(mode=0o755)


def _half_restored(registry: Registry) -> None:
    """The folder is renamed back, and the tombstone is still there."""
    registry.delete("fraud:3")
    _tick(registry.path.parent)
    (trash,) = (registry.path / "models/fraud").glob(".trash-3-*")
    trash.rename(registry.path / "models/fraud/3")


def _half_deleted(registry: Registry) -> None:
    """The tombstone was made after the folder got its name, and the folder is still there."""
    _half_restored(registry)
    _tick(registry.path.parent)
    tombstone = registry.path / "models/fraud/3@deleted"
    tombstone.rename(tombstone.with_name(".x")).rename(tombstone)


def _touch_after(registry: Registry) -> None:
    _tick(registry.path.parent)
    version = registry.path / "models/fraud/2"
    version.chmod(0o755)
    version.chmod(0o555)


def _tick(folder: Path) -> None:
    """Let the clock of the file system go on: it stamps everything within a few milliseconds alike."""
    clock = folder / "clock"
    clock.touch()
    before = clock.stat().st_ctime_ns
    while clock.stat().st_ctime_ns == before:
        clock.chmod(0o600)


STATES: dict[str, State] = {
    # --- the file and the folders
    "a wrong key": State(
        breaks=lambda r: set_policy(r.path, "[stages.staging]\n[stages.production]\nnonsense = 1\n"),
        kind="registry-file-wrong",
        place="registry.toml",
        says="nonsense",
    ),
    "no TOML": State(
        breaks=lambda r: (r.path / "registry.toml").write_text(f'id = "{ID}"\n= ='),
        kind="registry-file-wrong",
        place="registry.toml",
        says="registry.toml:2",
    ),
    "guards for everybody": State(
        breaks=lambda r: (r.path / "registry.toml").chmod(0o666),
        kind="registry-file-writable",
        place="registry.toml",
        cure="fix command",
    ),
    "stages for everybody": State(
        breaks=lambda r: (r.path / "stages").chmod(0o777), kind="folder-open", place="stages", cure="fix command"
    ),
    "a model for everybody": State(
        breaks=lambda r: (r.path / "models/fraud").chmod(0o777),
        kind="folder-open",
        place="models/fraud",
        cure="fix command",
    ),
    "a file for a folder": State(
        breaks=lambda r: ((r.path / "feed").rename(r.path / "models/.old"), (r.path / "feed").write_text("x")),
        kind="folder-replaced",
        place="feed",
    ),
    "a stage nobody declared": State(
        breaks=lambda r: (r.path / "stages/canary").mkdir(), kind="stage-undeclared", place="stages/canary"
    ),
    "a foreign name in the root": State(
        breaks=lambda r: (r.path / "notes.txt").write_text("x"), kind="foreign-name", place="notes.txt"
    ),
    "a foreign name among the models": State(
        breaks=lambda r: (r.path / "models/Upper Case").mkdir(), kind="foreign-name", place="models/Upper Case"
    ),
    "a foreign name in a model": State(
        breaks=lambda r: (r.path / "models/fraud/a b").write_text("x"), kind="foreign-name", place="models/fraud/a b"
    ),
    "a folder for a label": State(
        breaks=lambda r: (r.path / "models/fraud/stable").mkdir(), kind="foreign-name", place="models/fraud/stable"
    ),
    "a foreign name in a ledger": State(
        breaks=lambda r: (r.path / "stages/staging/junk").write_text("x"),
        kind="foreign-name",
        place="stages/staging/junk",
    ),
    "a foreign name in live": State(
        breaks=lambda r: (r.path / "live/staging/other").mkdir(), kind="foreign-name", place="live/staging/other"
    ),
    "a foreign name in the feed": State(
        breaks=lambda r: (r.path / "feed/hint").symlink_to("x"), kind="foreign-name", place="feed/hint"
    ),
    "a foreign name among the observations": State(
        breaks=lambda r: (r.path / "observations/x.csv").write_text("x"),
        kind="foreign-name",
        place="observations/x.csv",
    ),
    # --- left-overs
    "an unfinished version": State(
        breaks=lambda r: (r.path / f"models/fraud/.tmp-{os.geteuid()}-aa/sub").mkdir(parents=True, mode=0o700),
        kind="temporary-stale",
        place=f"models/fraud/.tmp-{os.geteuid()}-aa",
        cure="fix command",
        later=True,
    ),
    "an unfinished model": State(
        breaks=lambda r: (r.path / f"models/.tmp-{os.geteuid()}-aa").mkdir(mode=0o700),
        kind="temporary-stale",
        place=f"models/.tmp-{os.geteuid()}-aa",
        cure="fix command",
        later=True,
    ),
    "an unfinished revision": State(
        breaks=lambda r: (r.path / f"models/fraud/.tmp-{os.geteuid()}-bb").write_text("x"),
        kind="temporary-stale",
        place=f"models/fraud/.tmp-{os.geteuid()}-bb",
        cure="fix command",
        later=True,
    ),
    "an unfinished pointer": State(
        breaks=lambda r: (r.path / f"live/staging/.tmp-{os.geteuid()}-cc").symlink_to("../../models/fraud/1"),
        kind="temporary-stale",
        place=f"live/staging/.tmp-{os.geteuid()}-cc",
        cure="fix command",
        later=True,
    ),
    "a writer at work": State(
        breaks=lambda r: (r.path / f"models/fraud/.tmp-{os.geteuid()}-dd").mkdir(mode=0o700),
        kind="temporary-young",
        place=f"models/fraud/.tmp-{os.geteuid()}-dd",
    ),
    # --- models and numbers
    "names that look alike": State(
        breaks=_twins,
        kind="model-similar",
        place="models/churn.rate",
        says="churn-rate",
    ),
    "an empty folder for a version": State(
        breaks=lambda r: (r.path / "models/fraud/4").mkdir(),
        kind="number-squatted",
        place="models/fraud/4",
        cure="command",
    ),
    "a file for a version": State(
        breaks=lambda r: (r.path / "models/fraud/4").write_text("x"),
        kind="number-squatted",
        place="models/fraud/4",
        cure="command",
    ),
    "a symlink for a version": State(
        breaks=lambda r: (r.path / "models/fraud/4").symlink_to("3"),
        kind="number-squatted",
        place="models/fraud/4",
        cure="command",
    ),
    "a number far away": State(
        breaks=lambda r: (r.path / "models/fraud/70000").mkdir(), kind="number-far", place="models/fraud/70000"
    ),
    "the last version": State(
        breaks=lambda r: (r.path / "models/fraud/999999999").mkdir(),
        kind="numbers-running-out",
        place="models/fraud/999999999",
        says="0 left for another version",
    ),
    "the last version by a label": State(
        breaks=lambda r: (r.path / "models/fraud/end").symlink_to("999999999"),
        kind="numbers-running-out",
        place="models/fraud/end",
    ),
    "the last revision": State(
        breaks=lambda r: (r.path / "models/fraud/2@999999990.toml").write_text("x"),
        kind="numbers-running-out",
        place="models/fraud/2@999999990.toml",
    ),
    "the last event": State(
        breaks=lambda r: (r.path / "stages/staging/fraud@999999999").symlink_to("x"),
        kind="numbers-running-out",
        place="stages/staging/fraud@999999999",
    ),
    "a label of nothing": State(
        breaks=lambda r: (r.path / "models/fraud/rc1").symlink_to("8"),
        kind="label-dangling",
        place="models/fraud/rc1",
        cure="command",
    ),
    "a deletion that stopped after its tombstone": State(
        breaks=_half_deleted,
        kind="delete-unfinished",
        place="models/fraud/3",
        says="is here and whole, beside a tombstone of",
        cure="command",
    ),
    "a restoring that stopped before its end": State(
        breaks=_half_restored,
        kind="delete-unfinished",
        place="models/fraud/3",
        says="is here and whole, beside a tombstone of",
        cure="command",
    ),
    "a tombstone of another place": State(
        breaks=lambda r: (r.path / "models/fraud/3@deleted").symlink_to("op=delete by=0 at=2026-01-01 event=x"),
        kind="tombstone-forged",
        place="models/fraud/3@deleted",
        says="names another place",
        cure="command",
    ),
    "bytes in the trash": State(
        breaks=lambda r: r.delete("fraud:3"),
        kind="trash-kept",
        place="models",
        says="deleted versions of",
        cure="command",
    ),
    # --- versions
    "metadata that is no TOML": State(
        breaks=_in_version(3, "version.toml", b"= ="), kind="version-unreadable", place="models/fraud/3"
    ),
    "a version of another model": State(
        breaks=lambda r: (r.new("churn"), (r.path / "models/fraud/3").rename(r.path / "models/churn/1")),
        kind="version-elsewhere",
        place="models/churn/1",
        says="'fraud'",
    ),
    "an extra file": State(
        breaks=_in_version(3, "extra.bin", b"x"), kind="seal-broken", place="models/fraud/3/extra.bin"
    ),
    "a missing file": State(
        breaks=_in_version(3, "model.bin", None), kind="seal-broken", place="models/fraud/3", says="model.bin"
    ),
    "a shorter file": State(
        breaks=_in_version(3, "model.bin", b"x"), kind="seal-broken", place="models/fraud/3", says="bytes"
    ),
    "sums without a seal": State(
        breaks=_in_version(3, "SHA256SUMS", b"nonsense\n"), kind="seal-broken", place="models/fraud/3/SHA256SUMS"
    ),
    "no sums": State(breaks=_in_version(3, "SHA256SUMS", None), kind="seal-broken", place="models/fraud/3/SHA256SUMS"),
    "a writable version": State(
        breaks=lambda r: unseal(r.path / "models/fraud/3"),
        kind="sealed-writable",
        place="models/fraud/3",
        cure="fix command",
    ),
    "a writable revision": State(
        breaks=lambda r: (r.path / "models/fraud/2@1.toml").chmod(0o644),
        kind="sealed-writable",
        place="models/fraud/2@1.toml",
        cure="fix command",
    ),
    "a second name": State(
        breaks=lambda r: os.link(r.path / "models/fraud/3/model.bin", r.path.parent / "other"),
        kind="version-linked",
        place="models/fraud/3/model.bin",
    ),
    "another file in a holder": State(
        breaks=_in_version(2, "model.bin", b"WEIGHTS"),
        kind="version-changed",
        place="models/fraud/2/model.bin",
        says="sha256",
        cure="command",
    ),
    "other metadata in a holder": State(
        breaks=lambda r: _edit(r.path / "models/fraud/2@2.toml", "fraud", "fraux"),
        kind="version-changed",
        place="models/fraud/2",
        says="metadata",
        cure="command",
    ),
    "another version under a holder's number": State(
        breaks=lambda r: (
            (r.path / "models/fraud/2").rename(r.path / "models/fraud/.old"),
            r.register("other", artifacts(r.path.parent / "b", {"b": b"b"})),
            (r.path / "models/other/1").rename(r.path / "models/fraud/2"),
        ),
        kind="version-changed",
        place="models/fraud/2",
        says="other artifacts",
    ),
    "a touched holder": State(breaks=_touch_after, kind="version-touched", place="models/fraud/2", says="as promoted"),
    "an edited revision": State(
        breaks=lambda r: _edit(r.path / "models/fraud/2@1.toml", "risk", "rusk"),
        kind="revision-edited",
        place="models/fraud/2@1.toml",
        says="2@2.toml",
    ),
    "a revision that makes no sense": State(
        breaks=lambda r: plant_revision(r.path, "fraud", 2, "[", revision=3),
        kind="revision-broken",
        place="models/fraud/2@3.toml",
        says="not TOML",
        cure="command",
    ),
    "a missing revision": State(
        breaks=lambda r: (r.path / "models/fraud/2@1.toml").unlink(),
        kind="revision-gap",
        place="models/fraud/2@2.toml",
    ),
    # --- ledgers
    "an event by nobody": State(
        breaks=lambda r: _event(r, 3, by="4711:mallory", event=f"{ID}/production/fraud@3"),
        kind="event-borrowed",
        place="stages/staging/fraud@3",
        says="names another place",
        cure="command",
    ),
    "an event that is no text": State(
        breaks=lambda r: (r.path / "stages/staging/fraud@3").symlink_to("nonsense"),
        kind="event-unreadable",
        place="stages/staging/fraud@3",
        cure="command",
    ),
    "an event that is a file": State(
        breaks=lambda r: (r.path / "stages/staging/fraud@3").write_text("x"),
        kind="event-unreadable",
        place="stages/staging/fraud@3",
        cure="command",
    ),
    "an event of somebody else's copied": State(
        breaks=lambda r: _event(r, 3, by="4711:mallory"),
        kind="event-unattested",
        place="stages/staging/fraud@3",
    ),
    "a gap": State(
        breaks=lambda r: (r.path / "stages/staging/fraud@1").unlink(),
        kind="event-gap",
        place="stages/staging/fraud@2",
    ),
    "a broken chain": State(
        breaks=lambda r: _event(r, 3, prev=f"sha256:{1:032}"),
        kind="chain-broken",
        place="stages/staging/fraud@3",
    ),
    "another clock": State(
        breaks=lambda r: _event(r, 3, at="2020-01-01T00:00:00Z"),
        kind="clock-differs",
        place="stages/staging/fraud@3",
    ),
    "a missing holder": State(
        breaks=_gone, kind="holder-missing", place="stages/staging/fraud@2", says="version 2", cure="command"
    ),
    "a missing model": State(
        breaks=lambda r: (r.path / "models/fraud").rename(r.path.parent / "away"),
        kind="holder-missing",
        place="stages/staging/fraud@2",
    ),
    "a pointer that is behind": State(
        breaks=_pointer("fraud", "../../models/fraud/1"),
        kind="live-behind",
        place="live/staging/fraud",
        says="points at version 1, and the ledger says version 2",
        cure="fix",
    ),
    "no pointer": State(
        breaks=lambda r: (r.path / "live/staging/fraud").unlink(),
        kind="live-behind",
        place="live/staging/fraud",
        cure="fix",
    ),
    "a pointer elsewhere": State(
        breaks=_pointer("fraud", "/etc"),
        kind="live-behind",
        place="live/staging/fraud",
        cure="fix",
    ),
    "a pointer of a cleared stage": State(
        breaks=_pointer_of_a_cleared_stage,
        kind="live-behind",
        place="live/staging/fraud",
        says="the ledger says empty",
        cure="fix",
    ),
    "a pointer of no model": State(
        breaks=lambda r: (r.path / "live/staging/churn").symlink_to("../../models/churn/1"),
        kind="live-behind",
        place="live/staging/churn",
        cure="fix",
    ),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES.keys())
def test_every_state_is_found_with_its_place(registry: Registry, state: State) -> None:
    state.breaks(registry)
    before = tree(registry.path)
    looking = later(registry) if state.later else registry
    found = [finding for finding in looking.examine() if (finding.kind, finding.place) == (state.kind, state.place)]
    assert len(found) == 1, list(looking.examine())
    assert state.says in found[0].message
    assert found[0].fixable == ("fix" in state.cure)
    assert bool(found[0].command) == bool(state.cure) or state.kind in {"version-linked", "version-changed"}
    assert tree(registry.path) == before


CURED = {
    (name, cure): (state, cure) for name, state in STATES.items() for cure in ("fix", "command") if cure in state.cure
}


@pytest.mark.parametrize(("state", "cure"), CURED.values(), ids=[" by ".join(key) for key in CURED])
def test_the_remedy_works(registry: Registry, state: State, cure: str) -> None:
    state.breaks(registry)
    looking = later(registry) if state.later else registry
    finding = next(one for one in looking.examine() if (one.kind, one.place) == (state.kind, state.place))
    if cure == "fix":
        assert [repair.done for repair in looking.fix([finding])] == [True]
        assert list(looking.fix()) == []
    else:
        run(finding.command)
    assert (state.kind, state.place) not in kinds(looking)


def test_a_dry_run_says_what_it_would_do_and_does_nothing(registry: Registry) -> None:
    unseal(registry.path / "models/fraud/3")
    (registry.path / "live/staging/fraud").unlink()
    before = tree(registry.path)
    said = {repair.finding.place: repair.message for repair in registry.fix(dry_run=True)}
    assert said == {
        "models/fraud/3": "would take the write permission away",
        "live/staging/fraud": "would bring the pointer in step with the ledger",
    }
    assert tree(registry.path) == before


def test_everything_at_once_hides_nothing(registry: Registry) -> None:
    together = ["an unfinished version", "a file for a version", "a writable version", "an edited revision", "a gap"]
    together += ["a label of nothing", "no pointer", "a foreign name in a model", "stages for everybody", "a wrong key"]
    for name in together:
        STATES[name].breaks(registry)
    found = set(kinds(later(registry)))
    assert {(STATES[name].kind, STATES[name].place) for name in together} <= found


def test_fixing_never_touches_evidence(registry: Registry) -> None:
    for name in ("an unfinished version", "a writable version", "no pointer", "a foreign name in a ledger", "a gap"):
        STATES[name].breaks(registry)
    _event(registry, 3, by="4711:mallory", event=f"{ID}/production/fraud@3")
    kept = {place: facts for place, facts in tree(registry.path).items() if place.startswith("stages/")}
    texts = {
        place: facts[-1] for place, facts in tree(registry.path).items() if "/fraud/" in place and ".tmp" not in place
    }
    assert all(repair.done for repair in later(registry).fix())
    after = tree(registry.path)
    assert {place: facts for place, facts in after.items() if place.startswith("stages/")} == kept
    assert {place: facts[-1] for place, facts in after.items() if place in texts} == texts


def test_a_stale_left_over_that_is_written_to_meanwhile_stays(registry: Registry) -> None:
    STATES["an unfinished version"].breaks(registry)
    stale = of_kind(later(registry), "temporary-stale")
    left = registry.path / stale[0].place
    (left / "sub" / "weights.bin").write_bytes(b"still coming")
    (repair,) = later(registry).fix(stale)
    assert not repair.done
    assert (left / "sub" / "weights.bin").exists()


def test_a_folder_swapped_for_a_symlink_leads_nowhere(registry: Registry) -> None:
    unseal(registry.path / "models/fraud/3")
    (registry.path / "models/fraud").chmod(0o777)
    findings = list(registry.examine())
    elsewhere = registry.path.parent / "elsewhere"
    (registry.path / "models/fraud").rename(elsewhere)
    (registry.path / "models/fraud").symlink_to(elsewhere)
    before = tree(elsewhere)
    assert {repair.done for repair in registry.fix(findings)} == {False}
    assert tree(elsewhere) == before


def test_bytes_are_read_only_where_something_was_touched(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []
    original = digest.digest_file

    def watched(fd: int, path: str, progress: digest.Progress = digest.silent) -> FileDigest:
        read.append(path)
        return original(fd, path, progress)

    registry.register("later", artifacts(registry.path.parent / "out"))
    monkeypatch.setattr(digest, "digest_file", watched)
    assert kinds(registry) == []
    _touch_after(registry)
    assert kinds(registry) == [("version-touched", "models/fraud/2")]
    assert sorted(read) == ["README.md", "model.bin", "sub/vocab.txt"]


def test_a_registry_whose_clock_is_ahead_is_told(registry: Registry) -> None:
    behind = Registry(registry.path, clock=lambda: utc_now() - timedelta(hours=2.5))
    assert [finding.message for finding in behind.examine() if finding.kind == "clock-ahead"] == [
        "something here changed 2h from now by the clock of this host"
    ]


@pytest.mark.parametrize(
    ("kind", "system", "says"),
    [
        ("modes-not-kept", "vfat rw", "vfat, mounted at"),
        ("permission-unsure", "nfs4 rw,sec=sys", "you are root on NFS"),
        ("permission-unsure", "ext4 ro", "mounted read-only"),
    ],
)
def test_what_the_mount_table_tells_is_told(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, kind: str, system: str, says: str
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    name, options = system.split(" ")
    table = registry.path.parent / "mountinfo"
    table.write_text(f"1 1 0:1 / {registry.path} {options} - {name} source {options}\n")
    monkeypatch.setattr(mounts, "MOUNT_TABLE", str(table))
    assert [says in finding.message for finding in of_kind(registry, kind)] == [True]


def test_a_file_system_that_flushes_no_directories_is_told(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuses(_fd: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", refuses)
    assert [finding.place for finding in of_kind(registry, "fsync-missing")] == [""]


def test_a_file_system_that_ignores_case_is_told_and_a_second_name_is_not(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = registry.path / "REGISTRY.TOML"
    os.link(registry.path / "registry.toml", second)
    assert of_kind(registry, "case-insensitive") == []
    second.unlink()
    exact = Folder.lstat
    monkeypatch.setattr(Folder, "lstat", lambda folder, name: exact(folder, name.lower()))
    assert [finding.place for finding in of_kind(registry, "case-insensitive")] == [""]


def test_a_tree_that_is_nested_too_deep_is_told_and_stops_nothing(registry: Registry) -> None:
    deep = registry.path / "models/fraud/3"
    unseal(deep)
    for _ in range(150):
        deep /= "d"
        deep.mkdir()
    assert any("nested too deep" in finding.message for finding in of_kind(registry, "unreadable"))
    assert not of_kind(registry, "sealed-writable")[0].fixable


def test_a_model_that_is_a_symlink_or_a_loop_is_foreign_and_not_entered(registry: Registry) -> None:
    (registry.path / "models/loop").symlink_to("..")
    shutil.move(registry.path / "stages/production", registry.path.parent / "elsewhere")
    (registry.path / "stages/production").symlink_to(registry.path.parent / "elsewhere")
    found = kinds(registry)
    assert ("foreign-name", "models/loop") in found
    assert ("folder-replaced", "stages/production") in found


def test_trash_without_a_tombstone_is_told_and_brought_back_or_marked_by_who_says_so(registry: Registry) -> None:
    registry.delete("fraud:3")
    (registry.path / "models/fraud/3@deleted").unlink()
    (finding,) = of_kind(registry, "delete-unfinished")
    assert finding.place.startswith("models/fraud/.trash-3-")
    assert "no tombstone says" in finding.message
    assert list(registry.fix([finding])) == []
    run(finding.command)
    assert kinds(registry) == []
    registry.delete("fraud:3")
    (registry.path / "models/fraud/3@deleted").unlink()
    registry.delete("fraud:3")
    assert kinds(registry) == [("trash-kept", "models")]


def test_a_purge_that_was_interrupted_is_told_with_the_command_that_goes_on(registry: Registry) -> None:
    registry.delete("fraud:3")
    (trash,) = (registry.path / "models/fraud").glob(".trash-3-*")
    trash.rename(trash.with_name(trash.name.replace("trash", "purge")))
    (finding,) = of_kind(registry, "delete-unfinished")
    assert not finding.fixable
    run(finding.command)
    assert kinds(registry) == []


def test_what_somebody_planted_in_the_trash_is_told(registry: Registry) -> None:
    registry.delete("fraud:3")
    planted = "models/fraud/.trash-3-00000000-0000-0000-0000-000000000000"
    (registry.path / planted).mkdir()
    assert kinds(registry) == [("foreign-name", planted), ("trash-kept", "models")]


def test_an_event_that_its_owner_took_away_is_told_to_who_saw_it(registry: Registry) -> None:
    remember(registry)
    assert kinds(registry) == []
    (registry.path / "stages/staging/fraud@2").unlink()
    (registry.path / "live/staging/fraud").unlink()
    (registry.path / "live/staging/fraud").symlink_to("../../models/fraud/1")
    (finding,) = registry.examine()
    assert (finding.kind, finding.place) == ("head-vanished", "stages/staging/fraud@2")
    assert "event 2" in finding.message
    run(finding.command)
    assert kinds(registry) == []


def test_the_program_of_a_guard_is_at_home_in_the_registry_and_told_of_where_it_would_not_run(
    registry: Registry,
) -> None:
    set_policy(
        registry.path, '[stages.staging]\nguards = { command = ["checks/audit", "{path}"] }\n[stages.production]\n'
    )
    program = registry.path / "checks/audit"
    assert kinds(registry) == [("guard-program", "checks/audit")]
    program.parent.mkdir(mode=0o755)
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    assert kinds(registry) == []
    program.parent.chmod(0o775)
    (finding,) = of_kind(registry, "guard-program")
    assert "checks can be written by group" in finding.message
    assert "chmod go-w" in finding.message
    (registry.path / "notes").mkdir()
    assert ("foreign-name", "notes") in kinds(registry)
