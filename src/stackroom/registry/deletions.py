"""What was deleted, of one model or of all; one folder that cannot be looked at never hides another."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.core.names import parse_ref
from stackroom.core.values import dataclass
from stackroom.store import layout
from stackroom.store.removal import read_deletions
from stackroom.store.scan import list_model, list_models, os_problem

if TYPE_CHECKING:
    from stackroom.registry.reading import Reader
    from stackroom.store.folder import Folder
    from stackroom.store.records import Deletion, Problem


@dataclass(frozen=True, slots=True, kw_only=True)
class Deletions:
    """What was deleted, and what could not be looked at.

    Attributes:
        versions: by model and number.
        problems: of the models' folders.
    """

    versions: tuple[Deletion, ...]
    problems: tuple[Problem, ...]


def deletions_of(reader: Reader, model: str | None) -> Deletions:
    """The versions that were deleted or are being deleted, of one model or all.

    Raises:
        NotFoundError: there is no such model.
    """
    if model is not None:
        with reader.model_folder(parse_ref(model).model) as (_, folder, listing):
            return Deletions(versions=read_deletions(folder, listing, reader.id), problems=listing.problems)
    with reader.root() as root:
        try:
            with root.child(layout.MODELS) as models:
                return _all(reader, models)
        except FileNotFoundError:
            return Deletions(versions=(), problems=())
        except OSError as error:
            return Deletions(versions=(), problems=(os_problem(layout.MODELS, error, root),))


def _all(reader: Reader, models: Folder) -> Deletions:
    versions: list[Deletion] = []
    problems: list[Problem] = []
    for name in list_models(models)[0]:
        try:
            with models.child(name) as folder:
                versions += read_deletions(folder, list_model(folder, name), reader.id)
        except OSError as error:
            problems.append(os_problem(f"{layout.MODELS}/{name}", error, models))
    return Deletions(versions=tuple(versions), problems=tuple(problems))
