"""Publishing a version: built where nobody looks, sealed, and made visible by one rename.

The order is the promise. Every byte is on disk and every mode is set before the rename; the rename is on disk before
the caller is told. A process killed at any instruction leaves either no version or a complete one, and at most a
``.tmp-<uid>-<uuid>`` folder beside it. Nobody waits for anybody: two writers who want the same number make two names,
and the kernel decides.
"""

from __future__ import annotations

import contextlib
import errno
import os
import stat
from typing import TYPE_CHECKING, Final

from stackroom.core.metadata import Record, Seal, document_of, sealed_document
from stackroom.core.toml import METADATA_LIMIT, format_toml, parse_toml
from stackroom.core.values import dataclass
from stackroom.errors import ConflictError, InvalidInputError, RegistryError
from stackroom.store import layout
from stackroom.store.access import refused
from stackroom.store.copying import Copier
from stackroom.store.digest import Progress, hollow, may_be_hollow, silent
from stackroom.store.erasing import remove_tree
from stackroom.store.folder import Folder, explained
from stackroom.store.hashing import FileDigest, TwoDigests, digested
from stackroom.store.numbers import who_can_free
from stackroom.store.scan import list_model
from stackroom.store.sidebyside import AT_ONCE, side_by_side
from stackroom.store.sums import artifacts_digest, sums_text, walk
from stackroom.store.uuids import uuid4, uuid7

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from stackroom.core.names import ModelName
    from stackroom.store.sources import SourceFile

_TAKEN: Final = (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR, errno.EPERM, errno.EACCES)
"""What rename says where the name is somebody's already; a sticky directory says EPERM about another user's name."""


_DOUBTS: Final = 8
"""How often a number that no listing shows may be refused before it is taken for a lack of permission."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A version before it has a number.

    Attributes:
        model: whose.
        record: its metadata.
        created: when.
        files: what to copy in.
        card: the text of its model card, or None (a README.md among the files is one too).
        move: take the files away from where they are, once they are published.
    """

    model: ModelName
    record: Record
    created: datetime
    files: Sequence[SourceFile]
    card: bytes | None = None
    move: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Published:
    """A version that is on disk: its number and what was sealed."""

    number: int
    seal: Seal


def publish(folder: Folder, draft: Draft, progress: Progress = silent) -> Published:
    """Publish a version into a model's folder.

    Args:
        folder: the model's.
        draft: what to publish.
        progress: is told about the bytes of the artifacts.

    Raises:
        PermissionDeniedError: the kernel refuses.
        InvalidInputError: a source changed while it was read, the metadata is too long, or the disk is full.
    """
    build = _Build(folder, draft)
    try:
        seal = build.run(progress)
        number = _claim(folder, build.name, seal.uid)
    except OSError as error:
        build.discard()
        doing = f"register a version of {draft.model}"
        raise refused(error, folder.path, doing) or explained(error, f"{doing} in", folder.path) from error
    except BaseException:
        build.discard()
        raise
    if draft.move:
        build.remove_sources()
    return Published(number=number, seal=seal)


class _Build:
    """The temporary folder of one version, from nothing to sealed."""

    def __init__(self, folder: Folder, draft: Draft) -> None:
        self._folder = folder
        self._draft = draft
        self.name = layout.temporary_name(os.geteuid(), uuid4())
        self._folders = sorted({folder for file in draft.files for folder in _folders_of(file.target)})
        self._linked: list[tuple[str, int]] = []
        self._taken: list[tuple[str, os.stat_result]] = []

    def discard(self) -> None:
        """Leave nothing behind; sources that were linked in get their mode back."""
        remove_tree(self._folder, self.name)
        for source, mode in self._linked:
            with contextlib.suppress(OSError):
                # A second name that is left is a published one: an error came after the rename, and the seal stays.
                if os.lstat(source).st_nlink == 1:
                    os.chmod(source, mode)

    def remove_sources(self) -> None:
        """Take away what was moved, unless somebody has written to it since: nothing else holds that."""
        for source, status in self._taken:
            with contextlib.suppress(OSError):
                now = os.stat(source)
                if (now.st_dev, now.st_ino, now.st_size, now.st_mtime_ns) == (
                    status.st_dev,
                    status.st_ino,
                    status.st_size,
                    status.st_mtime_ns,
                ):
                    os.unlink(source)

    def run(self, progress: Progress) -> Seal:
        """Build and seal; returns what ``version.toml`` says."""
        _check_length(format_toml(document_of(self._draft.record)).encode())
        os.mkdir(self.name, layout.BUILDING_MODE, dir_fd=self._folder.fd)
        with self._folder.child(self.name) as root:
            # The setgid bit that the parent gave stays: what is made in here belongs to the authors' group.
            os.fchmod(root.fd, layout.BUILDING_MODE | root.status().st_mode & stat.S_ISGID)
            digests = self._take_all(root, progress)
            if self._draft.card is not None:
                root.create(layout.CARD_FILE, self._draft.card, layout.SEALED_FILE_MODE, sync=False)
                digests.append(_digest_of(layout.CARD_FILE, self._draft.card))
            if may_be_hollow(sum(digest.size for digest in digests)):
                _check_not_hollow(root, moved=self._draft.move)
            seal = self._write_texts(root, digests)
            self._seal(root, [digest.path for digest in digests], progress)
        return seal

    def _write_texts(self, root: Folder, digests: list[FileDigest]) -> Seal:
        strong = sums_text((digest.path, digest.sha256) for digest in digests)
        seal = Seal(
            model=self._draft.model,
            uid=uuid7(self._draft.created),
            created=self._draft.created,
            files=len(digests),
            bytes=sum(digest.size for digest in digests),
            digest=artifacts_digest(strong),
        )
        text = format_toml(sealed_document(seal, self._draft.record)).encode()
        _check_length(text)
        quick = sums_text((digest.path, digest.xxh128) for digest in digests)
        root.create(layout.SHA256_FILE, strong, layout.SEALED_FILE_MODE, sync=False)
        root.create(layout.XXH128_FILE, quick, layout.SEALED_FILE_MODE, sync=False)
        root.create(layout.VERSION_FILE, text, layout.SEALED_FILE_MODE, sync=False)
        return seal

    def _take_all(self, root: Folder, progress: Progress) -> list[FileDigest]:
        """Every file, in their order; on a network file system several at once, where each waits for its server."""
        files = self._draft.files
        copier = Copier(root.path, root.fd)
        for folder in self._folders:
            os.mkdir(folder, layout.BUILDING_MODE, dir_fd=root.fd)
        threads = AT_ONCE if copier.remote and len(files) >= AT_ONCE else 1
        with side_by_side(threads, progress) as (mapped, told):
            return list(mapped(lambda file: self._take(root, file, copier, told), files))

    def _take(self, root: Folder, file: SourceFile, copier: Copier, progress: Progress) -> FileDigest:
        source = _open_source(file)
        try:
            return self._copy(root, file, source, copier, progress)
        finally:
            os.close(source)

    def _copy(self, root: Folder, file: SourceFile, source: int, copier: Copier, progress: Progress) -> FileDigest:
        before = os.fstat(source)
        linked = self._draft.move and self._link(root, file, before)
        if linked:
            digests = digested(source, lambda chunk: progress(len(chunk)), expected=before.st_size)
        else:
            digests = _filled(root, file.target, lambda target: copier.copy(source, target, before, progress))
        after = os.fstat(source)
        self._taken.append((file.source, after))
        if _changed(before, after, linked=linked) or digests.size != before.st_size:
            raise InvalidInputError(
                f"{file.source} changed while it was read",
                hint="wait until the training has finished writing it, and register again",
                facts={"path": file.source},
            )
        return digests.of(file.target)

    def _link(self, root: Folder, file: SourceFile, status: os.stat_result) -> bool:
        """Move by a second name that becomes the only one after publishing: no instant at which a crash loses the file.

        Only for a file of one's own with no other name; anything else is copied.
        """
        if status.st_uid != os.geteuid() or status.st_nlink != 1 or os.path.islink(file.source):
            return False
        if not os.access(os.path.dirname(file.source) or ".", os.W_OK | os.X_OK, effective_ids=True):
            # The old name could not be taken away afterwards, and would stay as a second one.
            return False
        try:
            os.link(file.source, file.target, dst_dir_fd=root.fd, follow_symlinks=False)
        except OSError:
            return False
        made = root.lstat(file.target)
        if (made.st_dev, made.st_ino) != (status.st_dev, status.st_ino):
            # Somebody put another file there after it was opened.
            root.unlink(file.target)
            return False
        self._linked.append((file.source, stat.S_IMODE(status.st_mode)))
        return True

    def _seal(self, root: Folder, artifacts: list[str], progress: Progress) -> None:
        """Read-only modes, and everything on disk, bottom up: fsync is what makes the coming rename mean something.

        The one place where a version is synced, so that no file waits for the disk twice. Many files wait together:
        what one of them has the file system write is mostly what the others wait for.
        """
        files = [*artifacts, *sorted(layout.UNLISTED_FILES)]
        with side_by_side(AT_ONCE if len(files) > AT_ONCE else 1, progress) as (mapped, told):
            for _ in mapped(lambda path: _seal_file(root, path, told), files):
                pass
        for folder in reversed(self._folders):
            with root.child(folder) as inside:
                _seal_folder(inside)
        _seal_folder(root)


def _folders_of(target: str) -> Iterator[str]:
    """The folders that an artifact lies in, below the version's."""
    parts = target.split("/")
    return ("/".join(parts[:depth]) for depth in range(1, len(parts)))


def _filled(root: Folder, path: str, fill: Callable[[int], TwoDigests]) -> TwoDigests:
    """Make a file and fill it; close is checked: NFS reports a full disk there."""
    target = root.create_empty(path)
    try:
        digests = fill(target)
        os.fchmod(target, layout.SEALED_FILE_MODE)
    except BaseException:
        with contextlib.suppress(OSError):
            os.close(target)
        raise
    os.close(target)
    return digests


def _seal_file(root: Folder, path: str, progress: Progress) -> None:
    fd = root.open_file(path)
    try:
        if stat.S_IMODE(os.fstat(fd).st_mode) != layout.SEALED_FILE_MODE:
            os.fchmod(fd, layout.SEALED_FILE_MODE)
        os.fsync(fd)
    finally:
        os.close(fd)
    progress(0)


def _seal_folder(folder: Folder) -> None:
    os.fchmod(folder.fd, layout.SEALED_FOLDER_MODE)
    folder.sync()


def _open_source(file: SourceFile) -> int:
    try:
        source = os.open(file.source, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
    except OSError as error:
        message = f"cannot read {file.source}: {(error.strerror or str(error)).lower()}"
        raise InvalidInputError(message, facts={"path": file.source}) from None
    if not stat.S_ISREG(os.fstat(source).st_mode):
        os.close(source)
        raise InvalidInputError(f"{file.source} is not a file any more", facts={"path": file.source})
    return source


def _check_length(text: bytes) -> None:
    if len(text) > METADATA_LIMIT:
        raise InvalidInputError(
            f"the metadata takes {len(text):,} bytes, and {layout.VERSION_FILE} holds at most {METADATA_LIMIT:,}",
            hint="keep long lists in an artifact instead",
        )


def _check_not_hollow(root: Folder, *, moved: bool) -> None:
    """A file with holes keeps them where it is moved, or shares its blocks: who verifies would call that damage."""
    damage = hollow(root, sorted(walk(root), key=lambda one: (-one.status.st_size, one.path)))
    if damage:
        what = "register it without --move, or write" if moved else "write"
        raise InvalidInputError(
            f"{damage}: nobody would read such a version, so it could not be verified",
            hint=f"{what} it in full first: cp --sparse=never --reflink=never",
            facts={"path": damage.partition(": ")[0]},
        )


def _changed(before: os.stat_result, after: os.stat_result, *, linked: bool) -> bool:
    """Whether a source changed between two looks; a link of ours changes its ctime, and nothing else."""
    same = (before.st_size, before.st_mtime_ns) == (after.st_size, after.st_mtime_ns)
    return not (same and (linked or before.st_ctime_ns == after.st_ctime_ns))


def _digest_of(path: str, content: bytes) -> FileDigest:
    digests = TwoDigests()
    digests.update(memoryview(content))
    return digests.of(path)


def _claim(folder: Folder, temporary: str, uid: str) -> int:
    """Rename the finished folder to the first number that nobody ever used; returns it.

    The listing may be stale the moment it is read; on NFS it may be stale still after the rename has failed, when the
    other's name came within one tick of the server's clock. That a name is taken is believed all the same, but not for
    ever where only permission could be the matter.
    """
    number = _next_number(folder)
    doubts = 0
    while True:
        try:
            folder.rename(temporary, str(number))
        except FileNotFoundError:
            # After a lost reply NFS says ENOENT about our own success: the uid inside tells.
            found = _published_as(folder, uid)
            if found is None:
                raise
            number = found
        except OSError as error:
            if error.errno not in _TAKEN:
                raise
            if error.errno in {errno.EPERM, errno.EACCES} and not folder.has(str(number)):
                doubts += 1
                if doubts > _DOUBTS:
                    raise
            number = max(_next_number(folder), number + 1)
            continue
        if folder.has(layout.tombstone_name(number)):
            # The number came and went between listing and rename: it is used up.
            temporary = str(number)
            number = max(_next_number(folder), number + 1)
            continue
        folder.sync()
        return number


def _next_number(folder: Folder) -> int:
    name = folder.path.rpartition("/")[2]
    highest = list_model(folder, name).highest  # type: ignore[arg-type]  # only messages use the name here
    if highest >= 10**9 - 1:
        raise InvalidInputError(
            f"{folder.path}: the number {highest} is the last one that the format has",
            hint=f"somebody used it up: {who_can_free(folder, highest)}",
        )
    return highest + 1


def _published_as(folder: Folder, uid: str) -> int | None:
    """The number under which a version with this uid was published, if it was."""
    for number in reversed(list_model(folder, folder.path.rpartition("/")[2]).numbers):  # type: ignore[arg-type]  # as above
        try:
            with folder.child(str(number)) as inside:
                text = inside.read(layout.VERSION_FILE, METADATA_LIMIT)
            if parse_toml(text, where=layout.VERSION_FILE).get("uid") == uid:
                return number
        except (OSError, RegistryError):
            continue
    return None


def model_mode(models: Folder) -> int:
    """The mode of a new model's folder: like ``models/`` itself, but that every author may add names to it."""
    mode = stat.S_IMODE(models.status().st_mode)
    if not mode & stat.S_ISGID:
        return mode & 0o777
    return layout.SHARED_FOLDER_MODE if mode & stat.S_IROTH else layout.SHARED_FOLDER_MODE & ~0o007


def _check_is_folder(models: Folder, model: ModelName) -> None:
    try:
        mode = models.lstat(model).st_mode
    except OSError:
        return
    if not stat.S_ISDIR(mode):
        raise ConflictError(
            f"{models.path}/{model} is no folder, and nothing of ours",
            hint="choose another name, or ask its owner to take it away",
            facts={"model": model},
        )


def make_model(models: Folder, model: ModelName, metadata: str) -> bool:
    """Make a model's folder with the first revision of its metadata; False where it is there already.

    Built beside its place and renamed, so that nobody sees it with half its mode. It is never empty, so that the rename
    fails where another one is.

    Raises:
        PermissionDeniedError: the kernel refuses.
    """
    if models.has(model):
        _check_is_folder(models, model)
        return False
    temporary = layout.temporary_name(os.geteuid(), uuid4())
    doing = f"make the model {model}"
    try:
        models.make_folder(temporary, model_mode(models))
        with models.child(temporary) as inside:
            inside.create(layout.metadata_name(None, 1), metadata.encode(), layout.SEALED_FILE_MODE)
            inside.sync()
        models.rename(temporary, model)
        models.sync()
    except OSError as error:
        remove_tree(models, temporary)
        if error.errno in _TAKEN and models.has(model):
            return False
        if error.errno == errno.ENOENT and models.has(model):
            return True
        raise refused(error, models.path, doing) or explained(error, f"{doing} in", models.path) from error
    except BaseException:
        remove_tree(models, temporary)
        raise
    return True
