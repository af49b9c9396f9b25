"""Reading ``registry.toml``: right or wrong, whatever it yields is part of the answer."""

from __future__ import annotations

import errno
import re
from typing import TYPE_CHECKING, Any

from stackroom.core.names import StageName, is_stage_name
from stackroom.core.policy import Policy, policy_of, registry_id_of, stage_names_of
from stackroom.core.toml import METADATA_LIMIT, line_of, parse_toml
from stackroom.core.values import dataclass
from stackroom.errors import InvalidInputError
from stackroom.store import layout

if TYPE_CHECKING:
    from stackroom.store.folder import Folder


@dataclass(frozen=True, slots=True, kw_only=True)
class RegistryFile:
    """What ``registry.toml`` yields, right or wrong.

    Attributes:
        policy: None where the file is wrong: nothing can be moved then.
        error: what is wrong, naming file, line and key.
        id: the registry's id, also from a file that is wrong elsewhere.
        stages: the names of its stages, likewise.
    """

    policy: Policy | None
    error: InvalidInputError | None
    id: str
    stages: tuple[StageName, ...]


def read_registry_file(root: Folder) -> RegistryFile:
    """Read ``registry.toml``; whatever is wrong with its content is part of the answer.

    Raises:
        OSError: it is not there, or cannot be read.
    """
    try:
        text = root.read(layout.REGISTRY_FILE, METADATA_LIMIT)
    except OSError as error:
        if error.errno not in {errno.EFBIG, errno.EINVAL, errno.ELOOP}:
            raise
        wrong = InvalidInputError(f"{layout.REGISTRY_FILE}: {error.strerror}", facts={"file": layout.REGISTRY_FILE})
        return RegistryFile(policy=None, error=wrong, id="", stages=_stage_folders(root, b""))
    try:
        document = parse_toml(text, where=layout.REGISTRY_FILE)
    except InvalidInputError as error:
        return RegistryFile(policy=None, error=error, id=_salvaged_id(text), stages=_stage_folders(root, text))
    stages = stage_names_of(document)
    try:
        policy = policy_of(document)
    except InvalidInputError as error:
        return RegistryFile(
            policy=None, error=_placed(error, text.decode()), id=registry_id_of(document), stages=stages
        )
    return RegistryFile(policy=policy, error=None, id=policy.id, stages=stages)


def _salvaged_id(text: bytes) -> str:
    """The id in a text that is no TOML: a slip of the pen further down must not make every event worthless."""
    found = re.search(rb"""^\s*id\s*=\s*["']([\w.-]{1,64})["']""", text, re.MULTILINE)
    return found[1].decode() if found else ""


def _stage_folders(root: Folder, text: bytes) -> tuple[StageName, ...]:
    """The stages that have folders, those that the text names first and in its order."""
    try:
        with root.child(layout.STAGES) as stages:
            present = sorted(name for name in stages.names() if is_stage_name(name))
    except OSError:
        return ()
    named = re.findall(r"stages\.([\w.-]+?)(?:\.guards)?\]", text.decode(errors="replace"))
    order = {name: index for index, name in reversed(list(enumerate(named)))}
    return tuple(StageName(name) for name in sorted(present, key=lambda name: order.get(name, len(named))))


def _placed(error: InvalidInputError, text: str) -> InvalidInputError:
    """The error with the file and line of its key in front."""
    path = error.facts.pop("path", None)
    line = line_of(text, tuple(path)) if path else None
    place = f"{layout.REGISTRY_FILE}:{line}" if line else layout.REGISTRY_FILE
    facts: dict[str, Any] = {"file": layout.REGISTRY_FILE, **error.facts} | ({"line": line} if line else {})
    return InvalidInputError(f"{place}: {error}", hint="nothing can be moved until this is right", facts=facts)
