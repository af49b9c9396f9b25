"""Every way in which stackroom says no.

One tree: a caller catches :class:`RegistryError` and gets a sentence (``str(error)``), an ``exit_code`` that is
stable across releases, a ``hint`` with one thing to try next, and the facts as attributes. The sentence says what
happened, to what, in the user's words; the hint says what to do. Text from a registry appears in both and is
untrusted: whoever prints it makes it visible first (``stackroom.core.text``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from collections.abc import Mapping


class RegistryError(Exception):
    """Something that a user can understand and act upon.

    Attributes:
        exit_code: what the command line exits with.
        kind: one word for machines, the ``error.kind`` of ``--json``.
        hint: one thing to try next, or an empty text.
        facts: what a program needs to react, in JSON's types.
    """

    exit_code: ClassVar[int] = 1
    kind: ClassVar[str] = "internal"

    def __init__(self, message: str, *, hint: str = "", facts: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.hint = hint
        self.facts: dict[str, Any] = dict(facts or {})


class UsageError(RegistryError):
    """The command line or the call does not make sense, whatever the registry holds."""

    exit_code = 2
    kind = "usage"


class NotFoundError(RegistryError):
    """The registry, model, version, label, stage holder or revision is not there."""

    exit_code = 3
    kind = "not-found"


class PermissionDeniedError(RegistryError):
    """The kernel refuses, or would refuse, the caller.

    Facts: ``directory``, ``owner``, ``group``, ``mode``, ``members`` (who may), where they are known.
    """

    exit_code = 4
    kind = "permission"


class GuardRefusedError(RegistryError):
    """A guard of the stage says no. Facts: ``verdicts``, as ``can --json`` lists them."""

    exit_code = 5
    kind = "guard"


class ConflictError(RegistryError):
    """Somebody else was faster, or what was expected is no longer so."""

    exit_code = 6
    kind = "conflict"


class IntegrityError(RegistryError):
    """Something on disk is not what was sealed or promoted."""

    exit_code = 7
    kind = "integrity"


class InvalidInputError(RegistryError):
    """Input that the format does not allow: a name, a metadata file, a source, ``registry.toml``.

    Facts: ``file``, ``key`` and ``line`` where they are known.
    """

    exit_code = 8
    kind = "invalid"
