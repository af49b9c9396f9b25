"""``delete``, ``restore``, ``purge`` and ``prune``: versions that go, come back, or make room."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from stackroom.cli.deletions import size_text
from stackroom.cli.parsing import Command, dry_run_option, reason_option
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.versions import moment
from stackroom.cli.words import MISSING
from stackroom.core import show
from stackroom.core.pruning import age_of
from stackroom.errors import PermissionDeniedError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.registry.pruning import Prune, PruneRow
    from stackroom.registry.purging import Purge, PurgeRow
    from stackroom.registry.removing import Removed

_AGE: Final = "an age: 12h, 30d or 8w (hours, days, weeks)"


def _delete_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version")
    reason_option(parser)
    dry_run_option(parser)


def _delete(context: Context, options: Namespace) -> int:
    if not options.dry_run:
        context.commits(f"stackroom list {options.ref.partition(':')[0]} --deleted")
    removed = context.registry.delete(options.ref, reason=options.reason, dry_run=options.dry_run)
    if context.json:
        context.document(removed.document())
        return 0
    if removed.made:
        context.out(str(removed.ref))
        size = f"; its {show.long_size(removed.bytes)} stay until it is purged" if removed.bytes is not None else ""
        back = context.runnable(f"stackroom restore {removed.ref}")
        context.say(Styled("deleted", "green"), f" {removed.ref}{size}; {back} brings it back")
    elif options.dry_run and removed.changes:
        context.say(f"{removed.ref} can be deleted; nothing was")
        _say_changes(context, removed)
    elif removed.deletion:
        context.say(f"{removed.ref} is {removed.deletion.sentence()}; nothing was changed")
    for warning in removed.warnings:
        context.warn(warning)
    return 0


def _say_changes(context: Context, removed: Removed) -> None:
    for change in removed.changes:
        context.say(f"  would make or take away {change}")


def _restore_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the deleted version, by its number or a label")
    dry_run_option(parser)


def _restore(context: Context, options: Namespace) -> int:
    if not options.dry_run:
        context.commits(f"stackroom list {options.ref.partition(':')[0]} --deleted")
    removed = context.registry.restore(options.ref, dry_run=options.dry_run)
    if context.json:
        context.document(removed.document())
        return 0
    if removed.made:
        context.out(str(removed.ref))
        context.say(Styled("restored", "green"), f" {removed.ref}")
    elif options.dry_run and removed.changes:
        context.say(f"{removed.ref} can be restored; nothing was")
        _say_changes(context, removed)
    else:
        context.say(f"{removed.ref} is not deleted; nothing was changed")
    for warning in removed.warnings:
        context.warn(warning)
    return 0


def _yes_option(parser: ArgumentParser, doing: str) -> None:
    """Declare ``--yes``, without which nothing happens, and ``--dry-run``, which says so."""
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--yes", action="store_true", help=f"{doing}; without it nothing is changed")
    group.add_argument("--dry-run", action="store_true", help="change nothing: the default")


# --- purge


def _purge_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("refs", nargs="*", metavar="REF", help="deleted versions, or models; everything without")
    parser.add_argument("--older-than", metavar="AGE", help=f"only what was deleted so long ago; {_AGE}")
    _yes_option(parser, "free the bytes, for good")


def _purge(context: Context, options: Namespace) -> int:
    older_than = age_of(options.older_than) if options.older_than else None
    registry = context.registry
    total = 0
    if options.yes and context.watched:
        total = registry.purge(options.refs, older_than=older_than).bytes
    if options.yes:
        context.commits("stackroom list --deleted")
    with context.bar(total, "purging") as bar:
        purge = registry.purge(options.refs, older_than=older_than, dry_run=not options.yes, progress=bar)
    left = any(row.left for row in purge.rows)
    if context.json:
        context.document(purge.document())
    else:
        _put_purge(context, purge)
    return PermissionDeniedError.exit_code if left else 0


def _put_purge(context: Context, purge: Purge) -> None:
    exact = not context.terminal
    columns = [
        Column(title="REF"),
        Column(title="SIZE", right=True, priority=1),
        Column(title="DELETED", priority=3),
        Column(title="BY", priority=4, least=6),
        Column(title="OWNER", priority=2, least=6),
        Column(title="WHAT", least=14),
    ]
    context.table(columns, [_purge_cells(purge, row, exact=exact) for row in purge.rows])
    context.warn_of(purge.problems)
    for row in purge.rows:
        for left in row.left:
            context.warn(f"{row.deletion.ref}: not removed: {left}")
    going = [row for row in purge.rows if row.goes]
    versions = show.count(len(going), "version")
    if purge.made:
        context.say(Styled("freed", "green"), f" {show.long_size(purge.freed)} of {versions}")
    elif going:
        context.say(f"{show.long_size(purge.bytes)} of {versions} would be freed, for good; nothing was: --yes does it")
    else:
        context.say("there is nothing to free")
    for others in purge.others:
        whose, versions = others.owner.label, show.count(len(others.refs), "version")
        context.say(f"{show.long_size(others.bytes)} of {versions} are {whose}'s: {whose} can free them, or root of")
        context.say("the file server with (the paths are those of this host):")
        context.say(f"  {others.command}")


def _purge_cells(purge: Purge, row: PurgeRow, *, exact: bool) -> list[Piece]:
    deletion = row.deletion
    tombstone = deletion.tombstone
    what: Piece = "stays: " + row.why if row.why else "goes"
    if row.goes and purge.made:
        what = Styled("left over", "red") if row.left else Styled("freed", "green")
    return [
        str(deletion.ref),
        size_text(deletion.bytes, exact=exact),
        moment(tombstone.when if tombstone else None, exact=exact),
        tombstone.by.label if tombstone and tombstone.by else MISSING,
        deletion.owner.label if deletion.owner else MISSING,
        what,
    ]


# --- prune


def _prune_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("models", nargs="*", metavar="MODEL", help="of which models; all without")
    parser.add_argument("--keep-last", type=int, metavar="N", help="the newest N of each model stay")
    parser.add_argument("--older-than", metavar="AGE", help=f"only what was registered so long ago goes; {_AGE}")
    parser.add_argument(
        "--keep-best",
        action="append",
        default=[],
        metavar="METRIC[:N]",
        help="the best N (1) by a metric stay; again for more metrics",
    )
    reason_option(parser)
    _yes_option(parser, "delete them")


def _prune(context: Context, options: Namespace) -> int:
    if options.yes:
        context.commits("stackroom list --deleted")
    prune = context.registry.prune(
        options.models,
        keep_last=options.keep_last,
        older_than=options.older_than,
        keep_best=options.keep_best,
        reason=options.reason,
        dry_run=not options.yes,
    )
    if context.json:
        context.document(prune.document())
    else:
        _put_prune(context, prune)
    return prune.errors[0].exit_code if prune.errors else 0


def _put_prune(context: Context, prune: Prune) -> None:
    exact = not context.terminal
    columns = [
        Column(title="REF"),
        Column(title="WHAT"),
        Column(title="SIZE", right=True, priority=1),
        Column(title="CREATED", priority=4),
        Column(title="OWNER", priority=3, least=6),
        Column(title="WHY", priority=2, least=14),
    ]
    context.table(columns, [_prune_cells(prune, row, exact=exact) for row in prune.rows])
    for warning in prune.warnings:
        context.warn(warning)
    for error in prune.errors:
        context.warn(f"{error}" + (f" ({context.runnable(error.hint)})" if error.hint else ""))
    going = [row for row in prune.rows if row.goes and not row.error]
    what = f"{show.count(len(going), 'version')} of {len(prune.rows):,}, {show.long_size(prune.bytes)}"
    if not going:
        context.say("nothing goes")
    elif prune.made:
        purge = context.runnable("stackroom purge --yes")
        context.say(Styled("deleted", "green"), f" {what}, which {purge} frees")
    else:
        context.say(f"{what}, would be deleted; nothing was: --yes does it")


def _prune_cells(prune: Prune, row: PruneRow, *, exact: bool) -> list[Piece]:
    version = row.version
    what: Piece = "stays"
    if row.error:
        what = Styled("failed", "red")
    elif row.goes:
        what = Styled("deleted", "green") if prune.made else Styled("goes", "yellow")
    return [
        str(version.ref),
        what,
        size_text(version.seal.bytes if version.seal else None, exact=exact),
        moment(version.created, exact=exact),
        version.owner.label,
        str(row.error) if row.error else row.why,
    ]


COMMANDS: Final = {
    "delete": Command(
        arguments=_delete_arguments,
        run=_delete,
        examples=("stackroom delete fraud-detector:3 --reason 'trained on the wrong month'",),
        about="What holds a stage or is another version's parent is not deleted. The number is never given again, and\n"
        "until it is purged the version can be restored. Only its owner and the owner of the model's folder may.",
    ),
    "restore": Command(arguments=_restore_arguments, run=_restore, examples=("stackroom restore fraud-detector:3",)),
    "purge": Command(
        arguments=_purge_arguments,
        run=_purge,
        examples=("stackroom purge", "stackroom purge fraud-detector --older-than 30d --yes"),
        about="Frees the bytes of your own deleted versions, for good; of what somebody else deleted, only where the\n"
        "version is named. Nobody but root can free those of others: they are listed by owner, with the command\n"
        "for the server's root.",
    ),
    "prune": Command(
        arguments=_prune_arguments,
        run=_prune,
        examples=(
            "stackroom prune fraud-detector --keep-last 5 --older-than 30d",
            "stackroom prune --older-than 8w --keep-best auc:3 --yes",
        ),
        about="A version goes only if every rule that is given lets it go. What holds a stage, what a rollback would\n"
        "go back to, a parent, and the newest of a model always stay. Until they are purged, versions can be restored.",
    ),
}
