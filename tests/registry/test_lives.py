"""Versions that come and go in any order: no number is used twice, and nothing is lost that was not purged."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from stackroom.errors import ConflictError, NotFoundError
from support.registries import artifacts, make, unseal

if TYPE_CHECKING:
    from stackroom.registry.facade import Registry


class Lives(RuleBasedStateMachine):
    """One model; a plain dict says what should have become of every number."""

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="stackroom-lives-"))
        self.registry: Registry = make(self.folder / "registry")
        self.registry.new("fraud")
        self.lives: dict[int, str] = {}
        self.contents: dict[int, bytes] = {}
        self.labels: dict[str, int] = {}
        self.holder: int | None = None

    def teardown(self) -> None:
        for version in self.folder.glob("registry/models/fraud/*[0-9a-f]/"):
            unseal(version)
        shutil.rmtree(self.folder, ignore_errors=True)

    def number(self, place: int) -> int:
        """One of the numbers that were given, and a few that were not."""
        return place % (len(self.lives) + 2) + 1

    @rule(content=st.binary(max_size=4))
    def register(self, content: bytes) -> None:
        source = artifacts(self.folder / "out", {"model.bin": content})
        version = self.registry.register("fraud", source)
        assert version.number not in self.lives
        assert version.number == max(self.lives, default=0) + 1
        self.lives[version.number] = "here"
        self.contents[version.number] = content

    @rule(place=st.integers(0, 20))
    def delete(self, place: int) -> None:
        number = self.number(place)
        try:
            made = self.registry.delete(f"fraud:{number}", reason="x").made
        except NotFoundError:
            assert number not in self.lives
            return
        except ConflictError:
            assert number == self.holder
            return
        assert made == (self.lives[number] == "here")
        if made:
            self.lives[number] = "deleted"

    @rule(place=st.integers(0, 20))
    def restore(self, place: int) -> None:
        number = self.number(place)
        try:
            self.registry.restore(f"fraud:{number}")
        except NotFoundError:
            assert self.lives.get(number) in {None, "purged"}
            return
        assert self.lives[number] in {"here", "deleted"}
        self.lives[number] = "here"

    @precondition(lambda self: "deleted" in self.lives.values())
    @rule()
    def purge(self) -> None:
        self.registry.purge(dry_run=False)
        self.lives = {number: "purged" if state == "deleted" else state for number, state in self.lives.items()}

    @rule(place=st.integers(0, 20), name=st.sampled_from(["1.0.0", "2.0.0", "rc"]))
    def label(self, place: int, name: str) -> None:
        number = self.number(place)
        try:
            self.registry.label(f"fraud:{number}", name)
        except NotFoundError:
            assert self.lives.get(number) != "here"
        except ConflictError:
            assert self.labels[name] != number
        else:
            assert self.labels.setdefault(name, number) == number

    @rule(place=st.integers(0, 20))
    def promote(self, place: int) -> None:
        number = self.number(place)
        try:
            self.registry.promote(f"fraud:{number}", "staging")
        except NotFoundError:
            assert self.lives.get(number) != "here"
            return
        self.holder = number

    @invariant()
    def nothing_is_lost_and_nothing_comes_back(self) -> None:
        model = self.registry.model("fraud")
        assert not model.all_problems
        assert [version.number for version in model.versions] == [
            number for number, state in self.lives.items() if state == "here"
        ]
        for version in model.versions:
            assert (version.path / "model.bin").read_bytes() == self.contents[version.number]
        states = {deletion.number: deletion.state for deletion in self.registry.deleted("fraud").versions}
        assert states == {number: state for number, state in self.lives.items() if state != "here"}
        for deletion in self.registry.deleted("fraud").versions:
            if deletion.state == "deleted":
                path = model.path / deletion.folder / "model.bin"
                assert path.read_bytes() == self.contents[deletion.number]


TestLives = Lives.TestCase
TestLives.settings = settings(
    max_examples=15, stateful_step_count=18, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
