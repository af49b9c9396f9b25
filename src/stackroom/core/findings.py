"""What ``doctor`` can find: every kind with its severity, why it matters and what to do.

One table, :data:`KINDS`, which ``docs/reference/doctor.md`` repeats and a test compares with it. Nothing here looks at
a disk: the registry layer says where something was found and which command puts it right.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Iterable

    from stackroom.core.attested import Who

Severity = Literal["error", "warning", "note"]
"""``error``: something cannot be read, is not what was sealed or promoted, or is open to replacement by others;
``warning``: works, and should be put right; ``note``: good to know."""

SEVERITIES: Final[tuple[Severity, ...]] = ("error", "warning", "note")
"""The worst first."""


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of finding.

    Attributes:
        severity: of every finding of this kind.
        explanation: why it matters.
        remedy: what to do, for people; a finding may also carry the very command.
        fixed: whether ``doctor --fix`` puts it right for who may.
    """

    severity: Severity
    explanation: str
    remedy: str
    fixed: bool = False


_LEAVE: Final = (
    "Ask its owner, and leave it: what follows it would have a gap. Of the newest one keep a note; the steward may then"
    " remove it."
)

KINDS: Final[dict[str, Kind]] = {
    # --- the file and the folders
    "registry-file-wrong": Kind(
        "error",
        "Without a registry.toml that is right no move can be judged, so nothing can be moved; reading goes on.",
        "The steward puts the named key right in registry.toml.",
    ),
    "registry-file-owner": Kind(
        "error",
        "Whoever owns registry.toml writes the guards. That should be the owner of the registry and nobody else.",
        "An administrator gives the file to the steward.",
    ),
    "registry-file-writable": Kind(
        "error",
        "Somebody besides the steward can change the guards of every stage.",
        "The file's owner takes the permission away.",
        fixed=True,
    ),
    "guard-program": Kind(
        "warning",
        "The program of a guard is missing, or somebody besides the steward may write it or a folder on the way to it."
        " The guard does not run it then, and nothing is moved into its stage.",
        "The steward puts it right: his, or root's, and writable for nobody else.",
    ),
    "folder-missing": Kind(
        "warning",
        "A folder of the format is not there. Readers take it for empty, and nobody but the steward can make it.",
        "The steward makes it, and gives it the group that may write there.",
        fixed=True,
    ),
    "folder-mode": Kind(
        "warning",
        "The folder's mode is not what the format gives it, as after rsync or git clone: who may write there, or the"
        " group that new names get, is not what was agreed.",
        "The folder's owner sets the mode.",
        fixed=True,
    ),
    "folder-group": Kind(
        "warning",
        "The folder belongs to another group than the rest of the tree says: the wrong people may write there, or the"
        " right ones may not.",
        "The folder's owner, being a member of the group, gives the folder to it.",
        fixed=True,
    ),
    "folder-owner": Kind(
        "error",
        "The owner of a guarded folder can remove and replace every name in it, whatever its mode says.",
        "An administrator gives the folder to the steward.",
    ),
    "folder-open": Kind(
        "error",
        "Others may write into this folder and it is not sticky, or nobody but the steward should write there: they can"
        " rename away what is evidence and put something else in its place.",
        "The folder's owner sets the mode.",
        fixed=True,
    ),
    "way-open": Kind(
        "warning",
        "Others may write into a folder above the registry that is not sticky, or own it: they can put another registry"
        " in its place, and whoever moves there runs what its steward says.",
        "An administrator takes the permission away, or the registry moves to a folder where nobody else may write.",
    ),
    "folder-replaced": Kind(
        "error",
        "Where the format has a folder lies something else, or the other way round; what belongs there is gone.",
        "The steward looks at what it is, moves it away and restores what belongs there.",
    ),
    "stage-undeclared": Kind(
        "warning",
        "registry.toml does not declare this stage, so its ledger is not read and nothing can be moved there.",
        "The steward declares the stage in registry.toml, or removes the folder.",
    ),
    "foreign-name": Kind(
        "warning",
        "No rule of the format allows this name here. It is left alone and hides nothing, but somebody put it there.",
        "Its owner takes it away.",
    ),
    "unreadable": Kind(
        "error",
        "It could not be read, so nothing can be said about what is in it; it is not taken for empty.",
        "Its owner opens it to the registry's readers, or an administrator looks at the file system.",
    ),
    # --- left-overs
    "temporary-stale": Kind(
        "warning",
        "A writer was killed and left this unfinished thing more than a day ago. It takes space and is never read.",
        "Its owner removes it.",
        fixed=True,
    ),
    "temporary-young": Kind(
        "note",
        "Somebody is writing, or was killed less than a day ago.",
        "Wait; where no writer is left, doctor removes it after a day.",
    ),
    "trash-kept": Kind(
        "note",
        "Deleted versions keep their bytes until they are purged, so that they can be restored.",
        "Their owners purge them, or restore them.",
    ),
    "delete-unfinished": Kind(
        "warning",
        "The version is here and has a tombstone, or lies in the trash without one, or is half gone: a deletion, a"
        " restoring or a purge was interrupted, or somebody brought back what another had deleted. Nothing in the tree"
        " tells which.",
        "Whoever may decides: restore keeps the version and takes the tombstone away, delete deletes it; a purge goes"
        " on.",
    ),
    "trash-renamed": Kind(
        "error",
        "What lies in the trash under this name is not what was deleted as that version, or holds a stage: the owner of"
        " the model's folder, or of the version, renamed it. Nobody purges it.",
        "Its owner or the owner of the model's folder renames it back.",
    ),
    # --- models
    "model-self-made": Kind(
        "note",
        "The owner of a folder is not bound by its sticky bit: who made this model can rename other authors' versions"
        " away, though not alter them.",
        "Where that matters the steward makes the models: stackroom new --steward-owned, or a strict registry.",
    ),
    "model-similar": Kind(
        "warning",
        "Two models differ only in case or in '-', '_', '.': people and tools will take one for the other.",
        "Their owners agree on one of the names and archive the other model.",
    ),
    "number-squatted": Kind(
        "warning",
        "The name is a version's number, and it is no version. While it is there, the number is not given to another.",
        "Its owner takes it away, or registers a version instead.",
    ),
    "number-far": Kind(
        "warning",
        "A number far above all others is taken, and new versions are counted from there on.",
        "Its owner takes the name away before more versions are registered.",
    ),
    "numbers-running-out": Kind(
        "error",
        "Numbers have nine digits, and those above the highest one are nearly used up: soon nothing more can be"
        " registered, moved or edited there.",
        "The owner of the highest name, or of the folder, takes that name away.",
    ),
    "label-dangling": Kind(
        "warning",
        "The label names a version that is not here, so whoever asks for it is told that there is none.",
        "The version's owner restores it, or the label's owner takes the label away.",
    ),
    # --- versions
    "version-unreadable": Kind(
        "error",
        "What the version says about itself cannot be understood, so it cannot be searched, compared or promoted.",
        "Its author registers it again, and archives or deletes this one.",
    ),
    "version-elsewhere": Kind(
        "error",
        "The version was registered for another model and carried here.",
        "Who carried it takes it back; to publish the artifacts here as well, register them.",
    ),
    "seal-broken": Kind(
        "error",
        "What lies in the version's folder is not what its sums and version.toml list.",
        "Its author registers the right artifacts as a new version; verify names every byte that differs.",
    ),
    "sealed-writable": Kind(
        "warning",
        "Sealed things are read-only, so that no accident alters them. After git clone or rsync they often are not.",
        "The owner takes the write permission away.",
        fixed=True,
    ),
    "version-linked": Kind(
        "warning",
        "The file has a second name elsewhere, through which it can be changed without a trace in the registry.",
        "Its owner removes the other name, or registers a copy as a new version.",
    ),
    "version-touched": Kind(
        "note",
        "Something of this version was touched after the promotion; its bytes were read again and are as promoted.",
        "Nothing has to be done; it is said so that nobody wonders.",
    ),
    "version-changed": Kind(
        "error",
        "What holds the stage is not what was promoted: somebody wrote to sealed files afterwards.",
        "Roll the stage back or promote another version, and ask the owner of the named file.",
    ),
    "revision-broken": Kind(
        "error",
        "What the revision says cannot be understood. The one before it is shown instead, and the version cannot"
        " be promoted or approved.",
        "Whoever may edit writes the next revision, which starts from the last that can be read.",
    ),
    "revision-edited": Kind(
        "error",
        "The next revision names the digest of this text, and the text is another one: the owner of this one wrote to"
        " it, or the owner of the next one never told the truth. Nothing here tells which of the two.",
        "Look at what both say now, ask both owners, and write a new revision that says what is right.",
    ),
    "revision-untrue": Kind(
        "warning",
        "The revision says that it replaced a text that never was: an event or an approval has the text before it as"
        " it still is.",
        "Ask its owner, not the owner of the text before it; the new text itself is what everybody reads.",
    ),
    "revision-borrowed": Kind(
        "warning",
        "The revision says that somebody else wrote it than the owner of its file.",
        "Take the owner of the file for its author; he may explain it in a new revision.",
    ),
    "revision-linked": Kind(
        "warning",
        "The file of the revision has another name. Where the kernel lets people link what they do not own"
        " (fs.protected_hardlinks is 0, or they may write it), its owner need not have put it here.",
        "Ask the owner of the file; the owner of the model's folder takes away what he did not write.",
    ),
    "revision-gap": Kind(
        "warning",
        "A revision is missing in the row: its owner took it away.",
        "Ask who wrote it; the later ones still say what is so.",
    ),
    # --- ledgers
    "event-forged": Kind(
        "error",
        "The event says that somebody made it who does not own it. It never counts.",
        _LEAVE,
    ),
    "event-borrowed": Kind(
        "error",
        "The event was made for another place and carried here. It never counts.",
        _LEAVE,
    ),
    "event-unreadable": Kind(
        "error",
        "The name is an event's and the text is not, or it is no symlink. It never counts.",
        _LEAVE,
    ),
    "event-unattested": Kind(
        "note",
        "The tree was copied, and who moved is known from the texts alone. These events count.",
        "Nothing has to be done; promoting a holder again attests it.",
    ),
    "event-gap": Kind(
        "warning",
        "Events or approvals are missing in the row: an owner took some of his own away.",
        "Ask who moved then; what holds the stage is not changed by it.",
    ),
    "chain-broken": Kind(
        "warning",
        "The event names the digest of the one before it, and that is another one now, or is gone.",
        "Look at the history of the model, and ask the owners of both.",
    ),
    "holder-missing": Kind(
        "error",
        "The stage is held by a version whose folder is not there. It is not given back to the version before.",
        "Restore the version, or move the stage: roll it back, promote another version, or clear it.",
    ),
    "past-the-guards": Kind(
        "warning",
        "What holds the stage would not have met its guards, and the event does not say that one was overridden: it was"
        " made by hand, or registry.toml asks for more than it did then.",
        "Ask who moved it, and promote the version again once it meets the guards, or roll the stage back.",
    ),
    "live-behind": Kind(
        "warning",
        "Programs that follow live/ load another version than the one that holds the stage: a mover was killed between"
        " the two steps.",
        "Whoever may move versions into the stage lets doctor mend the pointer; the next move does so, too.",
        fixed=True,
    ),
    "approval-forged": Kind(
        "error",
        "The approval says that somebody gave it who does not own it, or was made for another place. It never counts.",
        _LEAVE,
    ),
    "tombstone-forged": Kind(
        "error",
        "The tombstone does not say what it should, or says that somebody made it who does not own it.",
        "Ask its owner; who made it, or owns the model's folder, may remove it.",
    ),
    "observation-forged": Kind(
        "warning",
        "The file's name says that somebody else wrote these observations than who owns it. They never count.",
        "Ask its owner, who may take the file away.",
    ),
    "observation-open": Kind(
        "warning",
        "Others than its owner may write to this file of observations, so nobody knows whose they are.",
        "Its owner takes the permission away.",
    ),
    "observation-broken": Kind(
        "note",
        "Lines of this file cannot be understood: no JSON, no time, or a metric that is no number. The others count.",
        "Its owner looks at what writes it, and may take the file away once the observations are old.",
    ),
    "head-vanished": Kind(
        "warning",
        "You saw a newer event in this ledger before. Its owner took it away, which nothing in the tree can prove.",
        "Ask who moved then, and move the stage to what it should be; then take it for known.",
    ),
    # --- the host, the file system, the caller
    "owner-squashed": Kind(
        "error",
        "It belongs to nobody: the file server or a container put an anonymous user in its maker's place, and so the"
        " kernel vouches for nobody.",
        "Use an export that keeps users (no all_squash, one idmap domain), and make it again as an ordinary user.",
    ),
    "fsync-missing": Kind(
        "warning",
        "The file system refuses to flush a directory: what is acknowledged may be lost in a power cut.",
        "Keep the registry on a file system that flushes directories: ext4, XFS, btrfs, NFS.",
    ),
    "case-insensitive": Kind(
        "warning",
        "The file system takes names that differ in case for one. The format's own names do not, but artifacts may.",
        "Keep the registry on a file system that tells them apart.",
    ),
    "modes-not-kept": Kind(
        "error",
        "This kind of file system keeps no owners, modes or sticky bits of its own, so the kernel guards nothing.",
        "Keep the registry on a file system with Unix permissions: ext4, XFS, btrfs, NFS, Lustre.",
    ),
    "clock-differs": Kind(
        "note",
        "The events' own times and the file system's differ by minutes, as after a copy or where clocks differ. Soaks"
        " are reckoned from the later one.",
        "Set the clocks of the hosts that move; in a copied tree nothing has to be done.",
    ),
    "clock-ahead": Kind(
        "warning",
        "The file system's clock is ahead of this host's by minutes: ages and durations here are wrong.",
        "Set the clock of this host, or that of the file server.",
    ),
    "permission-unsure": Kind(
        "warning",
        "What is said about who may do what is a prediction, and here it may be wrong.",
        "Try the change with --dry-run where it is offered; only the kernel, or the file server, decides.",
    ),
}
"""By slug, which never changes; in the order in which the reference lists them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that ``doctor`` found.

    Attributes:
        kind: its slug in :data:`stackroom.core.findings.KINDS`.
        place: below the registry's root; empty for the root itself.
        message: what is there; untrusted text may be part of it.
        owner: of what was found, where that matters.
        command: what puts it right, ready for a shell, or an empty text.
        fixable: whether the caller may have ``doctor --fix`` put it right.
        mode: the permission bits that the place should have, or None.
        group: the gid that the place should have, or None.
        changed: the newest time of a left-over, in seconds by the file system's clock, or None.
    """

    kind: str
    place: str
    message: str
    owner: Who | None = None
    command: str = ""
    fixable: bool = False
    mode: int | None = None
    group: int | None = None
    changed: float | None = None

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return KINDS[self.kind].severity

    @property
    def explanation(self) -> str:
        """Why it matters."""
        return KINDS[self.kind].explanation

    @property
    def remedy(self) -> str:
        """What to do."""
        return KINDS[self.kind].remedy

    def document(self) -> dict[str, Any]:
        """In JSON's types; a row of ``doctor --json``."""
        return {
            "kind": self.kind,
            "severity": self.severity,
            "place": self.place,
            "message": self.message,
            "explanation": self.explanation,
            "remedy": self.remedy,
            "command": self.command,
            "fixable": self.fixable,
            "owner": {"uid": self.owner.uid, "name": self.owner.name} if self.owner else None,
        }


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    """Findings by severity, kind and place."""
    order = {kind: (SEVERITIES.index(about.severity), at) for at, (kind, about) in enumerate(KINDS.items())}
    return sorted(findings, key=lambda finding: (*order[finding.kind], finding.place))
