"""The sample registry, unpacked from the one archive that the wheel carries.

The copy is sealed as a registry is, which a git clone cannot be: git keeps no modes. Its events keep the texts of the
people who made them, so they are *unattested*, and count because the one who unpacks owns the stage folders.
"""

from __future__ import annotations

import os
import tarfile
import tempfile
from importlib.resources import as_file, files
from typing import Final

from stackroom.errors import ConflictError, InvalidInputError
from stackroom.store import layout
from stackroom.store.folder import explained

ARCHIVE: Final = "sample_registry.tar.gz"
"""In the package ``stackroom.data``: build back ends drop or follow symlinks, and an archive keeps them."""


def unpack_demo(directory: str | None) -> str:
    """Unpack the sample registry.

    Args:
        directory: a new or empty folder; None for a fresh private one below the temporary directory.

    Returns:
        Where it is.

    Raises:
        ConflictError: the folder holds something already.
    """
    if directory is None:
        directory = tempfile.mkdtemp(prefix="stackroom-demo-")
    try:
        os.makedirs(directory, mode=0o700, exist_ok=True)
        if os.listdir(directory):
            raise ConflictError(f"{directory} is not empty", hint="name a new folder", facts={"path": directory})
        with as_file(files("stackroom") / "data" / ARCHIVE) as path, tarfile.open(path) as archive:
            for member in archive:
                _unpack(archive, member, directory)
        _seal(directory)
    except OSError as error:
        raise explained(error, "unpack the demo in", directory) from error
    return directory


def _unpack(archive: tarfile.TarFile, member: tarfile.TarInfo, directory: str) -> None:
    parts = member.name.split("/")
    if ".." in parts or member.name.startswith("/"):
        raise InvalidInputError(f"the archive names a place outside itself: {member.name}")
    path = os.path.join(directory, *parts)
    if member.isdir():
        os.makedirs(path, mode=0o755, exist_ok=True)
    elif member.issym():
        os.symlink(member.linkname, path)
    elif member.isreg() and (content := archive.extractfile(member)) is not None:
        with open(path, "xb") as file:
            file.write(content.read())
    else:
        raise InvalidInputError(f"the archive holds something that no registry does: {member.name}")


def _seal(directory: str) -> None:
    """Give every folder and file below ``models/`` the modes that a register would have given them."""
    models = os.path.join(directory, layout.MODELS)
    for folder, _, names in os.walk(models, topdown=False):
        for name in names:
            path = os.path.join(folder, name)
            if not os.path.islink(path):
                os.chmod(path, layout.SEALED_FILE_MODE)
        depth = os.path.relpath(folder, models).count("/")
        sealed = folder != models and depth >= 1
        os.chmod(folder, layout.SEALED_FOLDER_MODE if sealed else 0o755)
