"""Trying a cell: what came of it that the table does not say, in words; an empty text where all is as it says."""

from __future__ import annotations

import errno
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from access.attacks import ATTACKS
from access.cells import Allowed, Cell, Hole, Refused
from access.checks import CHECKS
from access.world import PEOPLE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from access.cells import Condition, Expected
    from access.world import World

_ATTRIBUTES: Final[Mapping[str, Condition]] = {"setxattr": "no_attributes", "setfacl": "no_access_lists"}


class Trial:
    """Tries cells on a world; those that are refused share one copy, which has to stay as it was."""

    def __init__(self, world: World, *, nfs: bool = False) -> None:
        """Look at the template, which no check has a word about, and at what the file system has."""
        self._world = world
        self._conditions = (*_lacking(world), *(["nfs"] if nfs else []))
        # In the laboratory every call costs ten times as much, and what is listed or verified is no other than here.
        self._checks = ("doctor", "history") if nfs else tuple(CHECKS)
        self._quiet = world.look(0)
        self._renew()

    def run(self, cells: Iterable[Cell]) -> list[str]:
        """Try them all; a line for each one that came out otherwise."""
        troubles: list[str] = []
        for who, theirs in groupby(sorted(cells, key=lambda cell: cell.who), key=lambda cell: cell.who):
            refused: list[tuple[Cell, Refused]] = []
            for cell in theirs:
                match self._expected(cell):
                    case Refused() as expected:
                        refused.append((cell, expected))
                    case other:
                        troubles += _lines(cell, self._succeeds(cell, other))
            troubles += self._refused(who, refused)
        return troubles

    def _expected(self, cell: Cell) -> Expected:
        found = (cell.where[condition] for condition in self._conditions if condition in cell.where)
        return next(found, cell.expected)

    def _renew(self) -> None:
        self._shared = self._world.fresh()
        self._before = self._world.listing(self._shared)

    def _request(self, cell: Cell, copy: int) -> dict[str, Any]:
        if cell.is_command:
            return self._world.command(cell.how, copy)
        path = self._world.root(copy) if cell.how in ATTACKS else self._world.path(cell.what, copy)
        return self._world.call(cell.how, path, cell.who)

    def _refused(self, who: str, cells: Sequence[tuple[Cell, Refused]]) -> list[str]:
        """All that one person is refused, and then one look: what had been done could not be undone without a trace."""
        answers = self._world.ask(who, *(self._request(cell, self._shared) for cell, _ in cells))
        troubles: list[str] = []
        for (cell, expected), answer in zip(cells, answers, strict=True):
            troubles += _lines(cell, _not_refused(answer, expected))
        if (after := self._world.listing(self._shared)) != self._before:
            self._renew()
            if len(cells) == 1:
                return [*troubles, f"{cells[0][0]}: changed {sorted(dict(after.items() ^ self._before.items()))}"]
            return [trouble for cell in cells for trouble in self._refused(who, [cell])]
        return troubles

    def _succeeds(self, cell: Cell, expected: Allowed | Hole) -> Iterator[str]:
        copy = self._world.fresh()
        if isinstance(expected, Allowed):
            yield from self._allowed(cell, expected, copy)
        else:
            yield from self._hole(cell, expected, copy)
        self._world.drop(copy)

    def _allowed(self, cell: Cell, expected: Allowed, copy: int) -> Iterator[str]:
        yield from _succeeded(self._world.ask(cell.who, self._request(cell, copy))[0])
        seen = self._world.look(copy, self._checks)
        for check in self._checks:
            if seen[check] != self._quiet[check]:
                yield f"{check} says {seen[check]}"
        yield from _holds(seen, expected.holds)

    def _hole(self, cell: Cell, expected: Hole, copy: int) -> Iterator[str]:
        if expected.remembered:
            self._world.look(copy, ["history"])
        for who, words in expected.before:
            yield from _succeeded(self._world.step(who, words, copy))
        yield from _succeeded(self._world.ask(cell.who, self._request(cell, copy))[0])
        seen = self._world.look(copy, expected.reports or self._checks)
        yield from _reported(seen, self._quiet, expected)
        yield from _holds(seen, expected.holds, expected.churn)
        for who, words in expected.then:
            yield from _succeeded(self._world.step(who, words, copy))
        after = _holds(self._world.holders(copy), expected.after, expected.churn_after)
        yield from (f"after the next move: {trouble}" for trouble in after)


def _lacking(world: World) -> Iterator[Condition]:
    with open("/proc/sys/fs/protected_hardlinks", encoding="utf-8") as setting:
        if setting.read().strip() == "0":
            yield "unprotected"
    home = f"{world.ground.here}/own/{PEOPLE['alice'].uid}"
    for call, lacks in _ATTRIBUTES.items():
        if world.ask("alice", world.call(call, home, "alice"))[0]["errno"] == errno.EOPNOTSUPP:
            yield lacks


def _lines(cell: Cell, troubles: Iterable[str]) -> list[str]:
    return [f"{cell}: {trouble}" for trouble in troubles]


def _not_refused(answer: dict[str, Any], expected: Refused) -> Iterator[str]:
    if "code" in answer:
        if answer["code"] != expected.code:
            yield f"ended with {answer['code']}: {answer['err']}"
    elif not answer["errno"]:
        yield "succeeded"
    elif answer["errno"] not in expected.errnos:
        yield f"{errno.errorcode[answer['errno']]}: {answer['said']}"


def _succeeded(answer: dict[str, Any]) -> Iterator[str]:
    if answer.get("errno"):
        yield f"refused: {errno.errorcode[answer['errno']]}: {answer['said']}"
    if answer.get("code"):
        yield f"ended with {answer['code']}: {answer['err']}"


def _reported(seen: dict[str, Any], quiet: dict[str, Any], expected: Hole) -> Iterator[str]:
    """Whether each check that is named says so, and none does where the table says that none can."""
    new = {check: [line for line in seen[check] if line not in quiet[check]] for check in seen.keys() & CHECKS.keys()}
    named = str(PEOPLE[expected.names].uid) if expected.names else ""
    for check, text in expected.reports.items():
        if not any(text in line and named in line for line in new[check]):
            yield f"{check} does not say {text!r} with {named!r} but {new}"
    if not expected.reports and any(new.values()):
        yield f"is reported after all: {new}"


def _holds(seen: dict[str, Any], fraud: int | None, churn: int | None = 1) -> Iterator[str]:
    for model, wanted in (("fraud", fraud), ("churn", churn)):
        if seen["holders"][model] != wanted:
            yield f"{model}'s production is held by {seen['holders'][model]}, not {wanted}"
