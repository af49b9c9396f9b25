"""Cleaning up: which versions the rules let go, and deleting those that the caller may delete."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from stackroom.core.names import Ref, parse_ref, version_ref
from stackroom.core.pruning import Candidate, Fate, Rules, fates
from stackroom.core.values import dataclass, replace
from stackroom.errors import RegistryError, UsageError
from stackroom.registry.families import Families
from stackroom.registry.holdings import ledgers_to_decide_on
from stackroom.registry.reading import listed
from stackroom.registry.removing import delete
from stackroom.store import layout
from stackroom.store.access import access_to
from stackroom.store.folder import explained
from stackroom.store.removal import may_take
from stackroom.store.scan import list_models, read_version

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from stackroom.core.ledger import Ledger
    from stackroom.core.names import ModelName, StageName
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Version
    from stackroom.store.scan import ModelListing


@dataclass(frozen=True, slots=True, kw_only=True)
class PruneRow:
    """A version, and what becomes of it.

    Attributes:
        version: as it stands.
        goes: whether it goes, or with a dry run would; False where only its owner may delete it.
        why: what keeps it, or what the rules said.
        others: the rules let it go, and the caller may not delete it.
        made: whether it was deleted.
        error: why that failed, or None.
    """

    version: Version
    goes: bool
    why: str
    others: bool = False
    made: bool = False
    error: RegistryError | None = None

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        version = self.version
        return {
            "ref": str(version.ref),
            "goes": self.goes,
            "others": self.others,
            "why": self.why,
            "bytes": version.seal.bytes if version.seal else None,
            "owner": {"uid": version.owner.uid, "name": version.owner.name},
            "made": self.made,
            "error": str(self.error) if self.error else "",
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Prune:
    """What a clean-up did, or with a dry run would do.

    Attributes:
        made: whether it was more than a dry run.
        rules: what it went by, in words.
        rows: every version of the models, by model and number.
        warnings: what could not be looked at.
    """

    made: bool
    rules: str
    rows: tuple[PruneRow, ...]
    warnings: tuple[str, ...]

    @property
    def bytes(self) -> int:
        """Of the versions that go: what a purge would free afterwards."""
        return sum(row.version.seal.bytes for row in self.rows if row.goes and row.version.seal)

    @property
    def errors(self) -> tuple[RegistryError, ...]:
        """Why versions that should go did not."""
        return tuple(row.error for row in self.rows if row.error)

    def document(self) -> dict[str, Any]:
        """In JSON's types; the schema of ``prune --json``."""
        return {
            "made": self.made,
            "rules": self.rules,
            "bytes": self.bytes,
            "versions": [row.document() for row in self.rows],
            "warnings": list(self.warnings),
        }


def prune(reader: Reader, models: Sequence[str], rules: Rules, *, reason: str = "", dry_run: bool = True) -> Prune:
    """Delete what every rule lets go and nothing protects.

    Protected is what holds a stage, what a rollback would go back to, a parent, the newest of its model, and what
    cannot be read.

    Args:
        reader: the registry.
        models: of which models; all without.
        rules: what may go; at least one.
        reason: why, in every tombstone; else the rules.
        dry_run: say what would go, and delete nothing.

    Raises:
        UsageError: no rule was given, or one makes no sense.
        InvalidInputError: nobody said which way a metric is better.
        NotFoundError: there is no such model.
        RegistryError: a ledger cannot be read.
    """
    if reader.policy_error:
        raise reader.policy_error
    rules.check(reader.policy)
    families = Families.read(reader)
    rows = [row for model in _asked_for(reader, models) for row in _rows(reader, model, rules, families)]
    if not dry_run:
        why = reason.strip() or f"pruned: {rules}"
        rows = [_deleted(reader, row, why, families) if row.goes else row for row in rows]
    warnings = tuple(f"{place} cannot be read: nobody knows its parents" for place in families.unread)
    return Prune(made=not dry_run, rules=str(rules), rows=tuple(rows), warnings=warnings)


def _asked_for(reader: Reader, models: Sequence[str]) -> list[ModelName]:
    names: dict[ModelName, None] = {}
    for text in models:
        ref = parse_ref(text)
        if ref.kind != "model":
            raise UsageError(f"{ref} is a version; models are cleaned up", hint=f"stackroom delete {ref}")
        names[ref.model] = None
    if names:
        return list(names)
    with reader.root() as root:
        try:
            with root.child(layout.MODELS) as folder:
                return list_models(folder)[0]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise explained(error, "list", f"{reader.path}/{layout.MODELS}") from error


def _rows(reader: Reader, model: ModelName, rules: Rules, families: Families) -> Iterator[PruneRow]:
    with reader.model_folder(model) as (root, folder, _):
        ledgers = ledgers_to_decide_on(reader, root, model)
        # Listed after the ledgers: what was registered and promoted just now is seen as holding.
        listing = listed(folder, model)
        versions = {number: read_version(folder, listing, number) for number in listing.numbers}
        newest = max((number for number, version in versions.items() if version.registered), default=None)
        candidates = [
            Candidate(
                number=number,
                created=version.created,
                registered=version.registered,
                metrics=version.metrics,
                protected=_protection(version, listing, ledgers, families, newest=newest),
            )
            for number, version in versions.items()
        ]
        writable = access_to(folder.path).allowed
        for fate in fates(candidates, rules, reader.policy, reader.clock()):
            yield _row(folder, versions[fate.number], fate, writable=writable)


def _row(folder: Folder, version: Version, fate: Fate, *, writable: bool) -> PruneRow:
    yours = writable and may_take(folder, str(version.number))
    others = fate.goes and not yours
    why = f"is {version.owner.label}'s to delete" if others else fate.why
    return PruneRow(version=version, goes=fate.goes and yours, why=why, others=others)


def _protection(
    version: Version,
    listing: ModelListing,
    ledgers: Mapping[StageName, Ledger],
    families: Families,
    *,
    newest: int | None,
) -> str:
    """Why a version stays whatever the rules say, or an empty text."""
    for stage, ledger in ledgers.items():
        if ledger.holder == version.number:
            return f"holds {stage}"
    for stage, ledger in ledgers.items():
        previous = ledger.previous_holder()
        if previous and previous.move and previous.move.to == version.number:
            return f"held {stage} before: a rollback goes back to it"
    children = families.children_of(listing, version.number, newest)
    if children:
        return f"is a parent of {children[0]}"
    if version.number in listing.tombstones:
        return "has a tombstone already: delete or restore it"
    if version.seal is None or any(problem.severity == "error" for problem in version.problems):
        return "cannot be read as it was registered"
    return ""


def _deleted(reader: Reader, row: PruneRow, why: str, families: Families) -> PruneRow:
    ref: Ref = version_ref(row.version.model, row.version.number)
    try:
        return replace(row, made=delete(reader, ref, reason=why, families=families).made)
    except RegistryError as error:
        return replace(row, error=error)
