from __future__ import annotations

import os
import struct
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stackroom.store import caveats as module
from stackroom.store import mounts
from stackroom.store.caveats import Surroundings, caveats, caveats_of, named_by, surroundings
from stackroom.store.mounts import FileSystem
from support.registries import DAVE, EVE, RELEASERS, artifacts, shared
from support.users import User, run_as

if TYPE_CHECKING:
    from pathlib import Path


NFS = FileSystem("nfs4", "/srv", local=False, options=frozenset({"rw", "vers=4.2", "sec=sys"}))
FIRST = tuple(range(50_000, 50_016))
"""Sixteen groups whose numbers come before those of the registry."""

USUAL = Surroundings(
    path="/srv/r/stages/production",
    uid=61_004,
    gid=61_004,
    groups=(RELEASERS,),
    file_system=NFS,
    id_map=("0", "0", "4294967295"),
    directory_gid=RELEASERS,
    mode=0o3775,
)


def told(seen: Surroundings) -> dict[str, str]:
    return {one.kind: str(one) for one in caveats_of(seen)}


def test_where_all_is_as_usual_nothing_is_said() -> None:
    assert told(USUAL) == {}
    assert told(replace(USUAL, groups=(*FIRST[:15], RELEASERS))) == {}
    assert told(replace(USUAL, directory_gid=None, mode=0, id_map=())) == {}


def test_a_seventeenth_group_may_not_reach_the_server() -> None:
    text = told(replace(USUAL, groups=(RELEASERS, *FIRST)))["many-groups"]
    assert "you are in 17 groups, and NFS with sec=sys tells the server of 16" in text
    assert f"{RELEASERS} is number 17 of them, and the server may not know that you are in it" in text
    assert "manage-gids" in text


@pytest.mark.parametrize(
    "changed",
    [
        {"groups": (RELEASERS, *range(70_000, 70_016))},
        {"groups": (RELEASERS, *FIRST), "gid": RELEASERS},
        {"groups": (*FIRST, 50_016), "directory_gid": None},
    ],
    ids=["among the first", "the primary one", "not known"],
)
def test_with_many_groups_the_needed_one_is_named_only_where_it_is_left_out(changed: dict[str, object]) -> None:
    text = told(replace(USUAL, **changed))["many-groups"]  # type: ignore[arg-type]  # fields of Surroundings
    assert "in 17 groups" in text
    assert "is number" not in text


@pytest.mark.parametrize(
    "file_system",
    [
        replace(NFS, options=frozenset({"rw", "sec=krb5"})),
        FileSystem("ext4", "/", local=True, options=frozenset({"rw"})),
    ],
    ids=["krb5", "local"],
)
def test_elsewhere_groups_are_not_counted(file_system: FileSystem) -> None:
    assert told(replace(USUAL, groups=(RELEASERS, *FIRST), file_system=file_system)) == {}


def test_a_mount_that_names_no_security_is_taken_for_auth_sys() -> None:
    plain = replace(NFS, options=frozenset({"rw"}))
    assert "many-groups" in told(replace(USUAL, groups=(RELEASERS, *FIRST), file_system=plain))


def test_root_on_nfs_is_told_that_it_is_nobody() -> None:
    assert "belongs to nobody" in told(replace(USUAL, uid=0))["root-squash"]
    assert told(replace(USUAL, uid=0, file_system=FileSystem("ext4", "/", local=True))) == {}


def test_a_read_only_mount_a_namespace_an_acl_and_a_missing_sticky_bit_are_told() -> None:
    readonly = replace(NFS, options=frozenset({"ro", "rw"}))
    assert "/srv is mounted read-only" in told(replace(USUAL, file_system=readonly))["read-only"]
    assert "container" in told(replace(USUAL, id_map=("0", "100000", "65536")))["user-namespace"]
    assert "its mode does not tell" in told(replace(USUAL, acl=True))["acl"]
    text = told(replace(USUAL, mode=0o2775))["not-sticky"]
    assert f"every member of {RELEASERS} can take away what you make in it" in text
    assert "everybody can" in told(replace(USUAL, mode=0o0777))["not-sticky"]


def entry(who: bytes) -> bytes:
    padded = who + b"\0" * (-len(who) % 4)
    return struct.pack(">IIII", 0, 0, 0x1601BF, len(who)) + padded


def acl_of(*names: bytes) -> bytes:
    return struct.pack(">I", len(names)) + b"".join(entry(name) for name in names)


def test_an_nfs_acl_that_says_no_more_than_the_mode_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = acl_of(b"OWNER@", b"GROUP@", b"EVERYONE@")

    def attribute(_path: str, name: str) -> bytes:
        if name != "system.nfs4_acl":
            raise OSError(95, "Operation not supported")
        return shown

    monkeypatch.setattr(os, "getxattr", attribute)
    assert not surroundings(str(tmp_path)).acl
    shown = acl_of(b"OWNER@", b"dave@example.org", b"EVERYONE@")
    assert surroundings(str(tmp_path)).acl


@given(st.lists(st.binary(max_size=40)), st.binary(max_size=30))
def test_an_nfs_acl_is_understood_as_far_as_it_goes_and_never_a_crash(names: list[bytes], tail: bytes) -> None:
    assert named_by(acl_of(*names)) == tuple(names)
    assert len(named_by(acl_of(*names)[: -len(tail) or None])) <= len(names) + 1
    named_by(tail)


def test_a_posix_acl_is_seen(tmp_path: Path) -> None:
    assert not surroundings(str(tmp_path)).acl
    user, mask, somebody = 0x02, 0x10, 61_006
    entries = [
        (0x01, 7, 2**32 - 1),
        (user, 7, somebody),
        (0x04, 5, 2**32 - 1),
        (mask, 7, 2**32 - 1),
        (0x20, 5, 2**32 - 1),
    ]
    text = struct.pack("<I", 2) + b"".join(struct.pack("<HHI", *one) for one in entries)
    try:
        os.setxattr(tmp_path, "system.posix_acl_access", text)
    except OSError as error:
        pytest.skip(f"this file system has no access control lists: {error.strerror}")
    assert [one.kind for one in caveats(str(tmp_path)) if one.kind == "acl"] == ["acl"]


def test_what_cannot_be_seen_is_left_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ID_MAP", str(tmp_path / "none"))
    seen = surroundings(str(tmp_path / "none"))
    assert (seen.directory_gid, seen.mode, seen.id_map, seen.acl) == (None, 0, (), False)


@pytest.mark.root
def test_can_says_so_to_a_person_and_to_a_program(reachable_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from stackroom.registry.facade import Registry  # noqa: PLC0415 - this test alone asks a registry

    root = shared(reachable_path)
    source = artifacts(reachable_path / "out")
    Registry(root).register("fraud", source)
    table = reachable_path / "mountinfo"
    table.write_text(f"23 22 0:21 / {reachable_path} rw - nfs4 server:/srv rw,sec=sys\n", encoding="ascii")
    table.chmod(0o644)
    monkeypatch.setattr(mounts, "MOUNT_TABLE", str(table))
    many = User(uid=DAVE.uid, gid=DAVE.gid, groups=(*FIRST, RELEASERS))

    def ask() -> list[str]:
        judgement = Registry(root).can("fraud:1", "production")
        return [one["kind"] for one in judgement.document()["warnings"]]

    assert run_as(many, ask) == ["many-groups"]
    assert run_as(EVE, ask) == []
