"""Approvals through the whole program, by people whom the kernel tells apart."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

import stackroom
from stackroom.core.approvals import Approval, Op, approval_name, approval_place
from stackroom.core.attested import Pins, Who
from stackroom.core.names import StageName
from stackroom.errors import ConflictError
from stackroom.registry.approving import all_approvals
from stackroom.registry.facade import Registry
from stackroom.store.approvals import append_approval
from stackroom.store.folder import Folder
from support.registries import ALICE, CAROL, DAVE, ID, NOW, STEWARD, artifacts, make, shared, tree
from support.users import ChildFailed, User, run_as, start_as

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

FRANK = User(uid=61007, gid=61007, groups=CAROL.groups, name="frank")
"""One more reviewer."""

PRODUCTION = StageName("production")


@pytest.fixture
def root(reachable_path: Path) -> Path:
    """A team's registry with one version of alice's."""
    path = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    for found in (source, *source.rglob("*")):
        found.chmod(0o755 if found.is_dir() else 0o644)
    run_as(ALICE, lambda: Registry(path).register("fraud", source, metrics={"auc": 0.9}, card="# card").number)
    return path


def approved(root: Path, user: User = CAROL, reason: str = "") -> str:
    return run_as(user, lambda: Registry(root).approve("fraud:1", "production", reason=reason).approval)


def standing(root: Path) -> list[tuple[int, str]]:
    found = Registry(root).approvals("fraud:1", "production")
    return [(word.by.uid, word.approval.op.value) for word in found if word.stands and word.approval]


@pytest.mark.root
def test_an_approval_is_one_name_that_its_writer_owns(root: Path) -> None:
    before = set(tree(root))
    assert approved(root, reason="read it") == "approvals/production/fraud:1@1"
    assert set(tree(root)) - before == {"approvals/production/fraud:1@1"}
    path = root / "approvals/production/fraud:1@1"
    text = os.readlink(path)
    assert text.startswith(f"op=approve by={CAROL.uid} at=")
    assert " why=read%20it digest=sha256:" in text
    assert " metadata=sha256:" in text
    assert " card=sha256:" in text
    assert text.endswith(f" event={ID}/approvals/production/fraud:1@1")
    assert os.lstat(path).st_uid == CAROL.uid


@pytest.mark.root
def test_who_may_not_is_told_whom_to_ask_and_nothing_is_written(root: Path) -> None:
    before = tree(root)
    actions: list[Callable[[], bool]] = [
        lambda: Registry(root).approve("fraud:1", "production").made,
        lambda: Registry(root).reject("fraud:1", "production").made,
    ]
    for action in actions:
        with pytest.raises(
            ChildFailed, match=r"you may not .* fraud:1 for production: .*approvals/production"
        ) as failed:
            run_as(DAVE, action)
        assert failed.value.type_name == "PermissionDeniedError"
    assert tree(root) == before


@pytest.mark.root
def test_the_later_of_one_persons_words_stands(root: Path) -> None:
    approved(root)
    approved(root, FRANK)
    run_as(CAROL, lambda: Registry(root).reject("fraud:1", "production", reason="leaked labels").made)
    assert standing(root) == [(FRANK.uid, "approve"), (CAROL.uid, "reject")]
    approved(root)
    assert standing(root) == [(FRANK.uid, "approve"), (CAROL.uid, "approve")]
    assert [word.number for word in Registry(root).approvals("fraud:1")] == [1, 2, 3, 4]


@pytest.mark.root
def test_saying_the_same_of_the_same_again_writes_nothing(root: Path) -> None:
    approved(root)
    before = tree(root)
    spoken = run_as(CAROL, lambda: Registry(root).approve("fraud:1", "production").document())
    assert (spoken["made"], spoken["already"], spoken["approval"]) == (False, True, "approvals/production/fraud:1@1")
    assert tree(root) == before


@pytest.mark.root
@pytest.mark.parametrize(
    ("change", "void"),
    [
        (stackroom.Edit(put={"description": "other"}), "metadata"),
        (stackroom.Edit(card="# other"), "card"),
    ],
    ids=["metadata", "card"],
)
def test_an_edit_makes_every_word_void(root: Path, change: stackroom.Edit, void: str) -> None:
    approved(root)
    run_as(FRANK, lambda: Registry(root).reject("fraud:1", "production").made)
    run_as(ALICE, lambda: Registry(root).edit("fraud:1", change).made)
    assert standing(root) == []
    assert [word.void for word in Registry(root).approvals("fraud:1", "production")] == [(void,), (void,)]
    approved(root)
    assert standing(root) == [(CAROL.uid, "approve")]


@pytest.mark.root
def test_everybody_who_speaks_at_once_is_heard(root: Path) -> None:
    people = [User(uid=61100 + number, gid=61100, groups=CAROL.groups) for number in range(8)]

    def speak() -> bool:
        return Registry(root).approve("fraud:1", "production").made

    assert start_as([(one, speak) for one in people]) == [True] * 8
    assert sorted(uid for uid, _ in standing(root)) == [one.uid for one in people]
    assert [word.number for word in Registry(root).approvals("fraud:1", "production")] == list(range(1, 9))


def forge(root: Path, name: str, text: str) -> Callable[[], None]:
    return lambda: os.symlink(text, root / "approvals/production" / name)


@pytest.mark.root
def test_forged_and_borrowed_words_never_count_and_are_shown(root: Path) -> None:
    approved(root)
    genuine = os.readlink(root / "approvals/production/fraud:1@1")
    run_as(FRANK, forge(root, "fraud:1@2", genuine.replace("fraud:1@1", "fraud:1@2")))
    run_as(FRANK, forge(root, "fraud:1@3", genuine))
    run_as(CAROL, lambda: Registry(root).promote("fraud:1", "staging").made)
    event = os.readlink(root / "stages/staging/fraud@1")
    run_as(CAROL, forge(root, "fraud:1@4", event))
    run_as(CAROL, lambda: Registry(root).approve("fraud:1", "staging").made)
    elsewhere = os.readlink(root / "approvals/staging/fraud:1@1")
    run_as(CAROL, forge(root, "fraud:1@5", elsewhere))
    run_as(FRANK, lambda: (root / "approvals/production/fraud:1@6").write_text("approve"))
    words = Registry(root).approvals("fraud:1", "production")
    assert [word.validity.value for word in words] == ["attested", *["forged"] * 4, "foreign"]
    assert [word.stands for word in words] == [True, *[False] * 5]
    assert all(word.alarms for word in words[1:])
    run_as(CAROL, lambda: os.symlink(genuine, root / "stages/staging/fraud@2"))
    assert Registry(root).ledger("fraud", "staging").holder == 1
    assert approved(root, FRANK) == "approvals/production/fraud:1@7"


@pytest.mark.root
def test_a_folder_that_cannot_be_read_is_no_silence(root: Path) -> None:
    approved(root)
    (root / "approvals/production").chmod(0o700)

    def ask() -> int:
        return len(Registry(root).approvals("fraud:1", "production"))

    with pytest.raises(ChildFailed, match=r"cannot read .*approvals/production: permission denied"):
        run_as(ALICE, ask)
    assert run_as(STEWARD, ask) == 1


def test_a_folder_that_is_missing_is_empty_and_is_made_by_the_first_word(registry: Registry, tmp_path: Path) -> None:
    registry.register("fraud", artifacts(tmp_path / "out"))
    for stage in ("staging", "production"):
        (registry.path / "approvals" / stage).rmdir()
    (registry.path / "approvals").rmdir()
    assert registry.approvals("fraud:1") == ()
    spoken = registry.approve("fraud:1", "production")
    assert spoken.made
    assert spoken.remarks == (
        "production has no guard 'approvals': nothing asks for this word yet",
        "you registered fraud:1: an author's own approval does not count",
    )


def test_a_dry_run_names_what_it_would_write_and_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    registry.register("fraud", artifacts(tmp_path / "out"))
    before = tree(registry.path)
    spoken = registry.reject("fraud:1", "production", dry_run=True)
    assert (spoken.made, spoken.approval) == (False, "approvals/production/fraud:1@1")
    assert tree(registry.path) == before


def test_the_words_about_a_version_that_is_gone_are_void(registry: Registry, tmp_path: Path) -> None:
    registry.register("fraud", artifacts(tmp_path / "out"))
    registry.approve("fraud:1", "production")
    os.rename(registry.path / "models/fraud/1", registry.path / "models/fraud/.trash-1-aa")
    assert [word.void for word in all_approvals(registry)] == [("artifacts",)]


def test_a_reason_that_is_too_long_writes_nothing(registry: Registry, tmp_path: Path) -> None:
    registry.register("fraud", artifacts(tmp_path / "out"))
    with pytest.raises(stackroom.InvalidInputError, match="the event would take"):
        registry.approve("fraud:1", "production", reason="ü" * 600)
    assert os.listdir(registry.path / "approvals/production") == []


def _given(number: int, why: str) -> Approval:
    name = approval_name("fraud", 1, number)
    return Approval(
        op=Op.APPROVE,
        by=Who(os.geteuid()),
        at=NOW,
        why=why,
        pins=Pins(),
        event=approval_place(ID, PRODUCTION, name),
    )


def test_a_number_is_won_once_and_a_retransmission_is_not_a_conflict(tmp_path: Path) -> None:
    path = make(tmp_path / "r").path
    with Folder.open(str(path)) as root:
        append_approval(root, PRODUCTION, "fraud:1@1", _given(1, "mine"))
        append_approval(root, PRODUCTION, "fraud:1@1", _given(1, "mine"))
        with pytest.raises(ConflictError, match="fraud:1@1 is taken"):
            append_approval(root, PRODUCTION, "fraud:1@1", _given(1, "other"))


def test_an_approval_that_the_file_system_gives_to_another_is_taken_back(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    registry.register("fraud", artifacts(tmp_path / "out"))
    monkeypatch.setattr(os, "geteuid", lambda: 4242)
    with pytest.raises(stackroom.PermissionDeniedError, match="recorded uid"):
        registry.approve("fraud:1", "production")
    assert os.listdir(registry.path / "approvals/production") == []
