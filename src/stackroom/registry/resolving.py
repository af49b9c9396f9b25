"""Which version a reference names, and what is said where there is none: never was, is deleted, or is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.names import Ref, version_ref
from stackroom.errors import IntegrityError, NotFoundError, UsageError
from stackroom.store.numbers import newest_number

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Deletion, Holding
    from stackroom.store.scan import ModelListing


def number_of(reader: Reader, folder: Folder, ref: Ref, listing: ModelListing, holdings: Sequence[Holding]) -> int:
    """The number of the version that a reference names.

    Raises:
        NotFoundError: there is none; where it was deleted, by whom, and what brings it back.
        IntegrityError: a stage's holder is missing.
        UsageError: the reference names a whole model.
    """
    match ref.kind:
        case "model":
            latest = f":{newest_number(folder, listing) or 1}"
            raise UsageError(f"{ref} is a model; name a version of it, such as {ref}{latest} or {ref}:latest")
        case "latest":
            newest = newest_number(folder, listing)
            if newest is None:
                raise NotFoundError(f"{ref.model} has no versions yet", facts={"model": ref.model})
            return newest
        case "stage":
            return _holder(reader, folder, ref, listing, holdings)
        case _:
            number = named_number(ref, listing)
            if number is None:
                what = f"{ref.model} has no label {ref.value}" if ref.kind == "label" else f"there is no version {ref}"
                raise NotFoundError(what, hint=versions_hint(folder, listing), facts={"ref": str(ref)})
            if number not in listing.numbers:
                raise not_here(reader, folder, listing, number, named=ref)
            return number


def number_named(reader: Reader, ref: Ref) -> int:
    """The number of the version that a reference names, without a look at the stages where it names none.

    Raises:
        RegistryError: as :meth:`Reader.version`.
    """
    if ref.kind != "number":
        return reader.version(ref).number
    with reader.model_folder(ref.model) as (_, folder, listing):
        return number_of(reader, folder, ref, listing, ())


def named_number(ref: Ref, listing: ModelListing) -> int | None:
    """The number that a reference by number or label spells, of a version that is here or was deleted; else None."""
    if ref.kind == "number":
        number = ref.number
        return number if number in listing.numbers or number in listing.removed else None
    return next((number for number, labels in listing.labels.items() if ref.value in labels), None)


def not_here(
    reader: Reader, folder: Folder, listing: ModelListing, number: int, *, named: Ref | None = None
) -> NotFoundError:
    """The error for a version that has no folder: was it deleted, by whom, and what brings it back."""
    ref = version_ref(listing.name, number)
    deletion = _deletion(reader, folder, listing, number)
    if deletion is None:
        return NotFoundError(f"there is no version {ref}", hint=versions_hint(folder, listing), facts={"ref": str(ref)})
    what = f"{named}, which is version {number}," if named is not None and named != ref else str(ref)
    return NotFoundError(
        f"{what} is {deletion.sentence()}",
        hint=restore_hint(deletion),
        facts={"ref": str(ref), "deleted": deletion.document()},
    )


def _deletion(reader: Reader, folder: Folder, listing: ModelListing, number: int) -> Deletion | None:
    if number not in listing.removed:
        return None
    from stackroom.store.removal import read_deletion  # noqa: PLC0415 - only for what is not here

    return read_deletion(folder, listing, reader.id, number)


def restore_hint(deletion: Deletion) -> str:
    """What brings a deleted version back, or what can be looked at where nothing does."""
    if deletion.state in {"deleted", "unmarked"}:
        return f"stackroom restore {deletion.ref}"
    return f"its bytes are gone; stackroom list {deletion.model} --deleted tells when and why"


def _holder(reader: Reader, folder: Folder, ref: Ref, listing: ModelListing, holdings: Sequence[Holding]) -> int:
    stage = reader.check_stage(ref.value)
    holding = next((found for found in holdings if found.stage == stage), None)
    if holding is None or holding.number is None:
        raise NotFoundError(f"nothing of {ref.model} holds {stage}", facts={"ref": str(ref)})
    if holding.missing:
        held = version_ref(ref.model, holding.number)
        what = f"{ref} is version {holding.number}"
        raise missing_holder(reader, folder, listing, held, what=what, stage=stage)
    return holding.number


def missing_holder(
    reader: Reader, folder: Folder, listing: ModelListing, ref: Ref, *, what: str, stage: str
) -> IntegrityError:
    """The error for a version that holds or held a stage and has no folder any more."""
    number = int(ref.value)
    deletion = _deletion(reader, folder, listing, number)
    facts = {"ref": str(ref), "version": number, "stage": stage}
    if deletion is None:
        hint = f"stackroom history {listing.name} --stage {stage} shows who moved it"
        return IntegrityError(f"{what}, and its folder is missing", hint=hint, facts=facts)
    return IntegrityError(f"{what}, which is {deletion.sentence()}", hint=restore_hint(deletion), facts=facts)


def versions_hint(folder: Folder, listing: ModelListing) -> str:
    """What versions a model has, for whoever named one that it has not."""
    newest = newest_number(folder, listing)
    if newest is None:
        return f"{listing.name} has no versions yet"
    return f"{listing.name} has {len(listing.numbers)} versions, the newest is {newest}"
