"""``edit``, ``log``, ``revert`` and ``archive``: revising what is said, and seeing how it came to be said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.metadata import metadata_text_from
from stackroom.cli.parsing import Command, dry_run_option, reason_option
from stackroom.cli.style import Piece, Styled
from stackroom.cli.versions import moment
from stackroom.cli.words import MISSING, fields_of
from stackroom.core.metadata import Record, iso, record_of
from stackroom.core.names import parse_ref
from stackroom.core.toml import parse_toml
from stackroom.errors import ConflictError, InvalidInputError, RegistryError, UsageError
from stackroom.registry.editing import Edit, Revised, differences
from stackroom.store.scan import CARD_LIMIT
from stackroom.store.userfiles import edited, read_user_file

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Mapping, Sequence

    from stackroom.cli.context import Context
    from stackroom.registry.editing import Editable
    from stackroom.store.scan import RevisionText

    Changes = Mapping[str, tuple[str | None, str | None]]

_OURS: Final = "#: "
"""Starts the lines that are for the person at the editor; they are taken out again."""


def _edit_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a version, or a model")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="FIELD=VALUE",
        help="again for more; FIELD= is the empty text, --unset takes it away",
    )
    parser.add_argument("--unset", action="append", default=[], metavar="FIELD", help="again for more")
    parser.add_argument("--card", metavar="FILE", help="the new model card; - is stdin")
    parser.add_argument("--metadata", metavar="FILE", help="the whole record from a .toml or .json file; - is stdin")
    parser.add_argument(
        "--editor",
        action="store_true",
        help="open $VISUAL or $EDITOR; on a terminal the default where nothing is given",
    )
    reason_option(parser)
    dry_run_option(parser)


def _edit(context: Context, options: Namespace) -> int:
    given = bool(options.set or options.unset or options.card or options.metadata)
    if options.editor and given:
        raise UsageError("--editor goes with no other change", hint="set fields, or edit them")
    if options.metadata and (options.set or options.unset):
        raise UsageError("--metadata is the whole record, and --set changes a part", hint="use one of them")
    if not given:
        if not options.editor and not (sys.stdin.isatty() and context.watched):
            raise UsageError(
                "nothing to change is named, and there is no terminal for an editor",
                hint="--set FIELD=VALUE, --unset FIELD, --card FILE or --metadata FILE",
            )
        return _edit_in_editor(context, options)
    change = Edit(
        put=fields_of(options.set),
        drop=tuple(options.unset),
        text=_own_lines(metadata_text_from(options.metadata)) if options.metadata else None,
        card=_card(options.card) if options.card else None,
        reason=options.reason,
        dry_run=options.dry_run,
    )
    return _revise(context, options, lambda: context.registry.edit(options.ref, change))


def _card(path: str) -> str:
    try:
        return read_user_file(path, CARD_LIMIT).decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 at byte {error.start}", facts={"file": path}) from None


def _edit_in_editor(context: Context, options: Namespace) -> int:
    registry = context.registry
    start = registry.editable(options.ref)
    with edited(_head(start) + start.text, ".toml") as text:
        own = _own_lines(text)
        change = Edit(text=own, reason=options.reason, base=start.revision, dry_run=options.dry_run)
        try:
            return _revise(context, options, lambda: registry.edit(options.ref, change))
        except ConflictError:
            _show_both(context, start, own)
            raise
        except RegistryError as error:
            error.hint = error.hint or f"mend the text, then: stackroom edit {start.ref} --metadata FILE"
            raise


def _own_lines(text: str) -> str:
    """The text without our lines: of an editor, or of a file that was kept after one."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(_OURS.strip()))


def _head(start: Editable) -> str:
    return (
        f"{_OURS}{start.ref}, revision {start.revision}. Save and leave to write the next revision; lines that start\n"
        f"{_OURS}with {_OURS.strip()} are dropped. Change nothing to change nothing.\n"
    )


def _show_both(context: Context, start: Editable, text: str) -> None:
    """What they changed meanwhile and what you changed, so that nobody has to guess."""
    present = context.registry.editable(start.ref)
    context.say(Styled(f"changed meanwhile, now revision {present.revision}:", "bold"))
    _say_changes(context, differences(start.record, present.record))
    context.say(Styled("changed by you, not written:", "bold"))
    try:
        _say_changes(context, differences(start.record, record_of(parse_toml(text.encode(), where="your text"))))
    except InvalidInputError as error:
        context.say(f"  {error}")


def _revise(context: Context, options: Namespace, action: Any) -> int:  # noqa: ANN401 - a call that gives Revised
    if not options.dry_run:
        context.commits(f"stackroom log {options.ref}")
    revised: Revised = action()
    if context.json:
        context.document(revised.document())
        return 0
    if revised.made:
        context.out(f"{revised.ref} {revised.revision}")
    if not revised.changes:
        context.say(f"{revised.ref} says so already; nothing was changed")
        return 0
    written = f"is now at revision {revised.revision}" if revised.made else "would change; nothing was changed"
    context.say(Styled(str(revised.ref), "bold"), f" {written}:")
    _say_changes(context, revised.changes)
    return 0


def _say_changes(context: Context, changes: Changes) -> None:
    for line in _change_lines(changes):
        context.say(*line)
    if not changes:
        context.say("  nothing")


def _change_lines(changes: Changes) -> list[list[Piece]]:
    return [
        [f"  {key}: ", Styled(_or_missing(before), "red"), " -> ", Styled(_or_missing(after), "green")]
        for key, (before, after) in changes.items()
    ]


def _or_missing(value: str | None) -> str:
    return MISSING if value is None else value


# --- log


def _log_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a version, or a model")


def _log(context: Context, options: Namespace) -> int:
    ref = parse_ref(options.ref)
    if ref.kind != "model":
        ref = context.reader.version(ref).ref
    chain = context.reader.revisions(ref)
    steps = _steps(chain)
    if context.json:
        rows = [_revision_document(revision, changes) for revision, changes in zip(chain, steps, strict=True)]
        context.document({"ref": str(ref), "revisions": rows})
        return 0
    for revision, changes in reversed(list(zip(chain, steps, strict=True))):
        _put_revision(context, revision, changes)
    if not chain:
        context.say(f"nobody has said anything about {ref} yet")
    return 0


def _steps(chain: Sequence[RevisionText]) -> list[Changes]:
    """What every revision changed of the one before; the first one says everything for the first time."""
    steps: list[Changes] = []
    before: Record | None = None
    for revision in chain:
        if revision.record is None or before is None:
            steps.append({})
        else:
            steps.append(differences(before, revision.record))
        before = revision.record or before
    return steps


def _revision_document(revision: RevisionText, changes: Changes) -> dict[str, Any]:
    note = revision.note
    return {
        "revision": revision.number,
        "file": revision.name,
        "at": iso(note.revised) if note else None,
        "by": note.revised_by if note else None,
        "owner": {"uid": revision.owner.uid, "name": revision.owner.name},
        "reason": note.reason if note else "",
        "digest": revision.digest,
        "changes": {key: {"before": before, "after": after} for key, (before, after) in changes.items()},
        "problem": revision.problem.document() if revision.problem else None,
    }


def _put_revision(context: Context, revision: RevisionText, changes: Changes) -> None:
    note = revision.note
    when = f"{moment(note.revised, exact=not context.terminal)} by {note.revised_by}" if note else "as registered"
    signed = str(revision.owner)
    # The name in the text is a label; the file's owner is the evidence.
    evidence = "" if note is None or note.revised_by == signed else f" (the file's owner: {signed})"
    reason = f": {note.reason}" if note and note.reason else ""
    context.out(Styled(f"revision {revision.number}", "bold"), f"  {when}{evidence}{reason}")
    for line in _change_lines(changes):
        context.out(*line)
    if revision.problem:
        context.out(Styled(f"  broken: {revision.problem.message}", "red"))


# --- revert and archive


def _revert_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a version, or a model")
    parser.add_argument("--to", type=int, required=True, metavar="N", help="the revision; 0 is as registered")
    reason_option(parser)
    dry_run_option(parser)


def _revert(context: Context, options: Namespace) -> int:
    def action() -> Revised:
        return context.registry.revert(options.ref, options.to, reason=options.reason, dry_run=options.dry_run)

    return _revise(context, options, action)


def _archive_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a version, or a model")
    parser.add_argument("--undo", action="store_true", help="take it out of the archive again")
    reason_option(parser)
    dry_run_option(parser)


def _archive(context: Context, options: Namespace) -> int:
    def action() -> Revised:
        return context.registry.archive(options.ref, reason=options.reason, undo=options.undo, dry_run=options.dry_run)

    return _revise(context, options, action)


COMMANDS: Final = {
    "edit": Command(
        arguments=_edit_arguments,
        run=_edit,
        examples=(
            "stackroom edit fraud-detector:7 --set metrics.auc=0.934 --set tags=tabular,eu --reason 'measured again'",
            "stackroom edit fraud-detector:7 --card README.md",
            "stackroom edit fraud-detector:7",
        ),
        about="Every edit is a new revision; older ones stay. Nothing of another person's edit is overwritten, and\n"
        "nothing that you typed into the editor is lost.",
    ),
    "log": Command(arguments=_log_arguments, run=_log, examples=("stackroom log fraud-detector:7",)),
    "revert": Command(
        arguments=_revert_arguments,
        run=_revert,
        examples=("stackroom revert fraud-detector:7 --to 2 --reason 'the old description was right'",),
    ),
    "archive": Command(
        arguments=_archive_arguments,
        run=_archive,
        examples=(
            "stackroom archive fraud-detector:3 --reason 'superseded'",
            "stackroom archive fraud-detector:3 --undo",
        ),
        about="What is archived is not listed unless it is asked for. What holds a stage cannot be archived.",
    ),
}
