"""What somebody without any right sees of a registry with the commands that check it, as lines of text."""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final

from stackroom.core.attested import Validity
from stackroom.errors import RegistryError
from stackroom.registry.facade import Registry

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from stackroom.core.approvals import Word

_LATER = timedelta(hours=1)
"""A pointer that is behind for a minute is nothing to speak of: the look is one of an hour later."""


def _verify(registry: Registry) -> Iterator[str]:
    for check in registry.verify():
        for line in (*check.damage, *check.warnings):
            yield f"{check.ref}: {line}"


def _history(registry: Registry) -> Iterator[str]:
    for event in registry.history():
        place = f"{event.stage}/{event.name}"
        owner = f"owner {event.owner}"
        if event.validity is not Validity.ATTESTED:
            yield f"{place}: {event.validity.value}, {owner}"
        for note in event.notes:
            yield f"{place}: {note}, {owner}"

    for word in (word for number in (3, 5) for word in _words(registry, number)):
        place = f"approvals/{word.stage}/{word.model}:{word.version}@{word.number}"
        if word.validity is not Validity.ATTESTED or word.void:
            yield f"{place}: {word.validity.value}, void for {word.void}, owner {word.owner}"
    for gone in registry.vanished():
        yield gone.message


def _words(registry: Registry, number: int) -> tuple[Word, ...]:
    try:
        return registry.approvals(f"fraud:{number}")
    except RegistryError:
        return ()


def _list(registry: Registry) -> Iterator[str]:
    found = registry.models(every_version=True)
    for problem in found.problems:
        yield f"{problem.place}: {problem.message}"
    for model in found.models:
        for problem in (*model.problems, *(problem for version in model.versions for problem in version.problems)):
            yield f"{problem.place}: {problem.message}"


def _doctor(registry: Registry) -> Iterator[str]:
    """What is good to know, as that somebody made a model, is no report."""
    for found in registry.examine():
        if found.severity == "note" and found.kind in {"model-self-made", "trash-kept"}:
            continue
        owner = found.owner.uid if found.owner else None
        yield f"{found.kind}: {found.place}: {found.message}, owner {owner}"


CHECKS: Final = {"doctor": _doctor, "verify": _verify, "history": _history, "list": _list}


def look(root: str, wanted: Sequence[str]) -> dict[str, Any]:
    """The lines of some checks, and who holds production."""
    base = os.path.dirname(os.path.dirname(root))
    os.environ["XDG_STATE_HOME"] = f"{base}/own/{os.getuid()}/state"
    registry = Registry(root, clock=lambda: datetime.now(UTC) + _LATER)
    answer: dict[str, Any] = {}
    for name in wanted:
        try:
            answer[name] = list(CHECKS[name](registry))
        except RegistryError as error:
            answer[name] = [f"error {error.exit_code}: {error}"]
    return answer | holders(root)


def holders(root: str) -> dict[str, Any]:
    """Who holds production, by model."""
    registry = Registry(root)
    return {"holders": {model: registry.ledger(model, "production").holder for model in ("fraud", "churn")}}
