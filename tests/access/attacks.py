"""What takes more than one system call: forgeries made with care, by somebody who has read the format.

Each gets the registry's folder and a fresh path of the actor's own on the same file system.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

import xxhash

from access.operations import command, everybody_and
from stackroom.core.attested import Who
from stackroom.core.ledger import Move, format_move, prev_of
from stackroom.registry.facade import Registry

if TYPE_CHECKING:
    from collections.abc import Callable

PRODUCTION: Final = "stages/production"
APPROVALS: Final = "approvals/production"


def _move(root: str, number: int, to: int | None, **changes: Any) -> str:  # noqa: ANN401 - fields of Move
    """The text of an event of fraud in production, true in everything but what is changed."""
    registry = Registry(root)
    ledger = registry.ledger("fraud", "production")
    promoted = registry.version(f"fraud:{to}") if to and to <= 5 else None
    move = Move(
        to=to,
        origin=ledger.holder,
        by=Who(os.getuid()),
        at=datetime.now(UTC),
        digest=promoted.seal.digest if promoted and promoted.seal else "",
        metadata=promoted.metadata_digest if promoted else "",
        prev=prev_of(ledger.events[-1].text),
        event=f"{registry.id}/production/fraud@{number}",
    )
    return format_move(replace(move, **changes))


def _plant(root: str, number: int, text: str) -> None:
    os.symlink(text, f"{root}/{PRODUCTION}/fraud@{number}")


def _point(root: str, own: str, text: str) -> None:
    os.symlink(text, own)
    os.rename(own, f"{root}/live/production/fraud")


def _plant_and_point(root: str, own: str, **changes: Any) -> None:  # noqa: ANN401 - fields of Move
    """A move that nothing judged, with the pointer in step: that nobody forgets a trace is not counted upon."""
    _plant(root, 5, _move(root, 5, 3, **changes))
    _point(root, own, "../../models/fraud/3")


def _take_back(root: str, own: str) -> None:
    os.unlink(f"{root}/{PRODUCTION}/fraud@4")
    _point(root, own, "../../models/fraud/1")


def _rewrite(path: str, content: bytes) -> None:
    """What an owner can do to his own file, whatever its mode."""
    os.chmod(path, 0o644)
    with open(path, "wb") as stream:
        stream.write(content)
    os.chmod(path, 0o444)


def _read(path: str) -> bytes:
    with open(path, "rb") as stream:
        return stream.read()


def _append(path: str, text: bytes) -> None:
    _rewrite(path, _read(path) + text)


def _reseal(version: str) -> None:
    """Other weights with digests that agree with each other."""
    os.chmod(version, 0o755)
    weights = b"poison!"
    old = _read(f"{version}/SHA256SUMS")
    _rewrite(f"{version}/model.bin", weights)
    _rewrite(f"{version}/SHA256SUMS", f"{hashlib.sha256(weights).hexdigest()}  model.bin\n".encode())
    _rewrite(f"{version}/XXH128SUMS", f"{xxhash.xxh3_128_hexdigest(weights)}  model.bin\n".encode())
    before, after = (hashlib.sha256(text).hexdigest().encode() for text in (old, _read(f"{version}/SHA256SUMS")))
    _rewrite(f"{version}/version.toml", _read(f"{version}/version.toml").replace(before, after))
    os.chmod(version, 0o555)


def _call_a_purge(root: str, number: int) -> None:
    model, by = f"{root}/models/fraud", Who(os.getuid())
    place = f"{Registry(root).id}/models/fraud/{number}@deleted"
    os.symlink(f"op=delete by={by} at=2026-11-23T04:22:00Z event={place}", f"{model}/{number}@deleted")
    os.rename(f"{model}/{number}", f"{model}/.purge-{number}-0a")


def _swap_version(root: str, number: int) -> None:
    """Somebody's version goes, and a folder of one's own with other weights comes in its place."""
    version = f"{root}/models/fraud/{number}"
    os.rename(version, f"{root}/models/fraud/.gone")
    shutil.copytree(f"{root}/models/fraud/.gone", version)
    _reseal(version)


def _make_loose_model(root: str, _own: str) -> None:
    os.mkdir(f"{root}/models/loose")
    os.chmod(f"{root}/models/loose", 0o777)


def _write_late(root: str, own: str) -> None:
    with open(own, "wb") as stream:
        stream.write(b"weights")
    os.mkdir(f"{own}.d")
    source = f"{own}.d/model.bin"
    os.rename(own, source)
    descriptor = os.open(source, os.O_WRONLY)
    answer = command(["-R", root, "register", "fraud", source, "--move"])
    assert answer["code"] == 0, answer
    os.pwrite(descriptor, b"W", 0)
    os.close(descriptor)


def _add_file(root: str, _own: str) -> None:
    os.chmod(f"{root}/models/fraud/2", 0o755)
    with open(f"{root}/models/fraud/2/pickle.bin", "xb"):
        pass
    os.chmod(f"{root}/models/fraud/2", 0o555)


def _remove_file(root: str, _own: str) -> None:
    os.chmod(f"{root}/models/fraud/2", 0o755)
    os.unlink(f"{root}/models/fraud/2/model.bin")
    os.chmod(f"{root}/models/fraud/2", 0o555)


def _link_to_artifact(root: str, own: str) -> None:
    os.link(f"{root}/models/fraud/2/model.bin", own)


def _folder_as_pointer(root: str, _own: str) -> None:
    os.unlink(f"{root}/live/production/fraud")
    os.mkdir(f"{root}/live/production/fraud")


def _plant_odd_names(root: str, _own: str) -> None:
    text = _move(root, 5, 3)
    for name in (
        "fraud@05",
        "fraud@5 ",
        "Fraud@5",
        "fraud@\u0665",
        "fraud@-5",
        "fraud@5.0",
        "fraud@9999999999",
        "fr\u0430ud@5",
    ):
        os.symlink(text, f"{root}/{PRODUCTION}/{name}")


def _copied(root: str) -> str:
    """Where dave keeps his copy of a registry."""
    base, number = root.rsplit("/", 2)[:2]
    return f"{base}/own/61004/copy-of-{number}"


def _copy_the_registry(root: str, _own: str) -> None:
    """``cp -r``: a copy has the same id, and everybody whom its owner lets may move there."""
    shutil.copytree(root, _copied(root), symlinks=True)
    for folder in (PRODUCTION, "live/production"):
        os.chmod(f"{_copied(root)}/{folder}", 0o777)


def _move_in_the_copy(root: str, _own: str) -> None:
    Registry(_copied(root)).promote("fraud:3", "production", reason="only trying")


def _borrow_from_the_copy(root: str, own: str) -> None:
    os.rename(f"{_copied(root)}/{PRODUCTION}/fraud@5", f"{root}/{PRODUCTION}/fraud@5")
    _point(root, own, "../../models/fraud/3")


def _replace_stage(root: str, _own: str) -> None:
    stage = f"{root}/{PRODUCTION}"
    os.rename(stage, f"{root}/stages/.before")
    os.mkdir(stage)
    os.chmod(stage, 0o755)


def _new_id(root: str, _own: str) -> None:
    text = _read(f"{root}/registry.toml").replace(b"11111111-", b"99999999-")
    with open(f"{root}/registry.toml", "wb") as stream:
        stream.write(text)


def _loosen_guards(root: str, _own: str) -> None:
    with open(f"{root}/registry.toml", "ab") as stream:
        stream.write(b"# nothing is asked any more\n")


def _hint_lies(root: str, _own: str) -> None:
    os.symlink("op=promote ref=fraud:3", f"{root}/feed/20991123T042200.123456Z-abcdefabcdef-fraud")


def _open_to_all(path: str, _own: str) -> None:
    os.setxattr(path, "system.posix_acl_access", everybody_and(61006))


def _hint(root: str, _own: str) -> None:
    os.symlink("op=register ref=fraud:1", f"{root}/feed/20261123T042200.123456Z-0123456789ab-fraud")


def _speak_as_frank(root: str, _own: str) -> None:
    text = os.readlink(f"{root}/{APPROVALS}/fraud:3@1").replace("fraud:3@1", "fraud:3@2")
    os.symlink(re.sub("by=[^ ]*", "by=61014:frank", text), f"{root}/{APPROVALS}/fraud:3@2")


def _backdate(root: str, own: str) -> None:
    _plant_and_point(root, own, at=datetime.now(UTC) - timedelta(days=90))


ATTACKS: Final[dict[str, Callable[[str, str], Any]]] = {
    # an author, on what is hers
    "rewrite the artifact": lambda root, _own: _rewrite(f"{root}/models/fraud/2/model.bin", b"poison!"),
    "rewrite artifact and seal": lambda root, _own: _reseal(f"{root}/models/fraud/2"),
    "rewrite a version that never moved": lambda root, _own: _reseal(f"{root}/models/fraud/5"),
    "rewrite version.toml": lambda root, _own: _append(f"{root}/models/fraud/2/version.toml", b"\n[metrics]\n"),
    "rewrite a revised revision": lambda root, _own: _append(f"{root}/models/fraud/1@1.toml", b"\n"),
    "rewrite the newest revision": lambda root, _own: _append(f"{root}/models/fraud/1@2.toml", b"\n"),
    "rewrite the model's metadata": lambda root, _own: _append(f"{root}/models/fraud/model@1.toml", b"\n"),
    "rewrite a card": lambda root, _own: _append(f"{root}/models/fraud/1@1.md", b"\n"),
    "unseal": lambda root, _own: os.chmod(f"{root}/models/fraud/2", 0o755),
    "add a file": _add_file,
    "remove a file": _remove_file,
    "link the artifact elsewhere": _link_to_artifact,
    "write through an old descriptor": _write_late,
    "take the holder away": lambda root, _own: os.rename(f"{root}/models/fraud/2", f"{root}/models/fraud/.gone"),
    "take a loose version away": lambda root, _own: os.rename(f"{root}/models/fraud/5", f"{root}/models/fraud/.gone"),
    "swap the holder": lambda root, _own: _swap_version(root, 2),
    "take the tombstone away": lambda root, _own: os.unlink(f"{root}/models/fraud/4@deleted"),
    "take the label away": lambda root, _own: os.unlink(f"{root}/models/fraud/1.0.0"),
    "plant a tombstone": lambda root, _own: os.symlink("op=delete", f"{root}/models/fraud/5@deleted"),
    "squat the next version": lambda root, _own: os.mkdir(f"{root}/models/fraud/6"),
    "squat the last version": lambda root, _own: os.mkdir(f"{root}/models/fraud/999999999"),
    "a symlink as a version": lambda root, _own: os.symlink("/etc", f"{root}/models/fraud/6"),
    "make a model by hand": _make_loose_model,
    "lie in the feed": _hint_lies,
    # the maker of a model, on what is others'
    "swap another's version": lambda root, _own: _swap_version(root, 3),
    "call another's version a purge": lambda root, _own: _call_a_purge(root, 3),
    "take another's label": lambda root, _own: os.unlink(f"{root}/models/fraud/3.0.0"),
    "take another's revision": lambda root, _own: os.unlink(f"{root}/models/fraud/3@1.toml"),
    "take the model away": lambda root, _own: os.rename(f"{root}/models/fraud", f"{root}/models/.gone"),
    "open the model to all": lambda root, _own: os.chmod(f"{root}/models/fraud", 0o777),
    "give eve an entry in the access list": lambda root, own: _open_to_all(f"{root}/models/fraud", own),
    "close the model to authors": lambda root, _own: os.chmod(f"{root}/models/fraud", 0o755),
    # a releaser
    "take back the newest": _take_back,
    "take back an older one": lambda root, _own: os.unlink(f"{root}/{PRODUCTION}/fraud@2"),
    "renumber the newest": lambda root, _own: os.rename(f"{root}/{PRODUCTION}/fraud@4", f"{root}/{PRODUCTION}/fraud@5"),
    "date the newest back": lambda root, _own: os.utime(f"{root}/{PRODUCTION}/fraud@4", (1, 1), follow_symlinks=False),
    "plant in another's name": lambda root, _own: _plant(root, 5, _move(root, 5, 3, by=Who(61014, "frank"))),
    "plant without the guards": _plant_and_point,
    "plant in the past": _backdate,
    "plant after a gap": lambda root, _own: _plant(root, 9, _move(root, 9, 3)),
    "plant a broken chain": lambda root, _own: _plant(root, 5, _move(root, 5, 3, prev="sha256:" + "0" * 32)),
    "plant a version that is not there": lambda root, _own: _plant(root, 5, _move(root, 5, 77)),
    "plant other artifacts": lambda root, _own: _plant(root, 5, _move(root, 5, 3, digest="sha256:" + "0" * 64)),
    "plant what cannot be read": lambda root, _own: _plant(root, 5, "/etc/passwd"),
    "plant for another stage": lambda root, _own: _plant(root, 5, os.readlink(f"{root}/stages/staging/fraud@3")),
    "plant a file": lambda root, _own: open(f"{root}/{PRODUCTION}/fraud@5", "xb").close(),
    "plant a folder": lambda root, _own: os.mkdir(f"{root}/{PRODUCTION}/fraud@5"),
    "plant odd names": _plant_odd_names,
    "plant the last number": lambda root, _own: _plant(root, 999_999_999, "used=up"),
    "copy the registry": _copy_the_registry,
    "move in the copy": _move_in_the_copy,
    "borrow from the copy": _borrow_from_the_copy,
    "take the last number back": lambda root, _own: os.unlink(f"{root}/{PRODUCTION}/fraud@999999999"),
    "borrow a pointer": lambda root, _own: os.rename(f"{root}/live/production/churn", f"{root}/{PRODUCTION}/fraud@5"),
    "link another's event": lambda root, _own: os.link(
        f"{root}/{PRODUCTION}/fraud@3", f"{root}/{PRODUCTION}/fraud@5", follow_symlinks=False
    ),
    "link another's revision": lambda root, _own: os.link(
        f"{root}/models/fraud/1@2.toml", f"{root}/models/fraud/5@1.toml"
    ),
    "repoint": lambda root, own: _point(root, own, "../../models/fraud/3"),
    "repoint outside": lambda root, own: _point(root, own, "../../../own"),
    "point at what never moved": lambda root, _own: os.symlink(
        "../../models/fraud/5", f"{root}/live/production/fraud-eu"
    ),
    "remove the pointer": lambda root, _own: os.unlink(f"{root}/live/production/fraud"),
    "a folder as the pointer": _folder_as_pointer,
    # a reviewer, and who is reviewed
    "speak in another's name": _speak_as_frank,
    "say it of another version": lambda root, _own: os.symlink(
        os.readlink(f"{root}/{APPROVALS}/fraud:3@1"), f"{root}/{APPROVALS}/fraud:5@1"
    ),
    "take one's word back": lambda root, _own: os.unlink(f"{root}/{APPROVALS}/fraud:3@1"),
    "rewrite what was approved": lambda root, _own: _reseal(f"{root}/models/fraud/3"),
    # the steward
    "rewrite the policy": _loosen_guards,
    "rewrite the id": _new_id,
    "take another's event": lambda root, _own: os.unlink(f"{root}/{PRODUCTION}/fraud@2"),
    "take another's newest event": _take_back,
    "move in another's name": lambda root, own: _plant_and_point(root, own, by=Who(61004, "dave")),
    "open the stage to all": lambda root, _own: os.chmod(f"{root}/{PRODUCTION}", 0o3777),
    "make the stage anew": _replace_stage,
    "take a maker's model": lambda root, _own: os.rename(f"{root}/models/fraud", f"{root}/models/.gone"),
    # how the template came about
    "leave a hint": _hint,
}
"""By a name that reads as a sentence of a confession."""
