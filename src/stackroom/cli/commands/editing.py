"""``edit``, ``revert`` and ``archive``: revising what is said."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.conflicts import say_changes, say_conflict
from stackroom.cli.metadata import metadata_text_from
from stackroom.cli.parsing import Command, dry_run_option, reason_option
from stackroom.cli.style import Styled
from stackroom.cli.words import fields_of
from stackroom.core.values import replace
from stackroom.errors import ConflictError, InvalidInputError, RegistryError, UsageError
from stackroom.registry.conflicts import take_up
from stackroom.registry.drafts import Draft, draft_text, read_draft, taken_up
from stackroom.registry.editing import Edit, Revised
from stackroom.registry.reading import may_write
from stackroom.store.scan import CARD_LIMIT
from stackroom.store.userfiles import STANDARD_INPUT, edited, kept_on_failure, read_user_file

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.registry.editables import Editable

_IN_EDITOR: Final = ""
"""What ``--card`` holds where it names no file."""


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
    parser.add_argument(
        "--card",
        nargs="?",
        const=_IN_EDITOR,
        metavar="FILE",
        help="the new model card; - is stdin; without FILE, which has to be the last word, opens the editor on it",
    )
    parser.add_argument("--metadata", metavar="FILE", help="the whole record from a .toml or .json file; - is stdin")
    parser.add_argument(
        "--editor",
        action="store_true",
        help="open $VISUAL or $EDITOR; on a terminal the default where nothing is given; with --metadata, on that file",
    )
    parser.add_argument(
        "--base", type=int, metavar="N", help="the revision that this is an edit of: a newer one is a conflict"
    )
    parser.add_argument(
        "--merge",
        action="store_true",
        help="where somebody changed other fields meanwhile, put this edit on top of theirs",
    )
    reason_option(parser)
    dry_run_option(parser)


def _edit(context: Context, options: Namespace) -> int:
    fields = bool(options.set or options.unset)
    _check_sense(options, fields=fields)
    if options.card == _IN_EDITOR:
        return _edit_card(context, options)
    if not (fields or options.card or options.metadata):
        if not options.editor and not _person_there(context):
            raise UsageError(
                "nothing to change is named, and there is no terminal for an editor",
                hint="--set FIELD=VALUE, --unset FIELD, --card FILE or --metadata FILE",
            )
        return _edit_in_editor(context, options, None)
    draft = read_draft(metadata_text_from(options.metadata)) if options.metadata else None
    if draft and draft.ref:
        _check_draft(context, draft, options)
    if options.editor:
        return _edit_in_editor(context, options, draft)
    base = options.base if options.base is not None else draft.revision if draft else None
    change = Edit(
        put=fields_of(options.set),
        drop=tuple(options.unset),
        text=draft.text if draft else None,
        card=_card(options.card) if options.card else None,
        reason=options.reason,
        base=None if options.card and not (fields or draft) else base,
        card_base=base if options.card and not (fields or draft) else None,
        merge=options.merge,
        dry_run=options.dry_run,
    )
    # What came through a pipe lies nowhere else.
    if options.metadata == STANDARD_INPUT and change.text is not None:
        with kept_on_failure(change.text, ".toml"):
            return _revise_or_ask(context, options, change)
    if options.card == STANDARD_INPUT and change.card and change.card.strip():
        with kept_on_failure(change.card, ".md"):
            return _revise_or_ask(context, options, change)
    return _revise_or_ask(context, options, change)


def _check_sense(options: Namespace, *, fields: bool) -> None:
    if options.editor and (fields or options.card is not None):
        raise UsageError("--editor goes with no other change but --metadata", hint="set fields, or edit them")
    if options.metadata and fields:
        raise UsageError("--metadata is the whole record, and --set changes a part", hint="use one of them")
    if options.card == _IN_EDITOR and (fields or options.metadata):
        raise UsageError("--card without a file opens the editor, and goes with no other change")
    if options.card is not None and (fields or options.metadata) and options.base is not None:
        raise UsageError("--base is a revision of the metadata or of the card", hint="edit one after the other")
    if options.base is not None and options.base < -1:
        raise UsageError("--base is the number of a revision; 0 is as registered")


def _check_draft(context: Context, draft: Draft, options: Namespace) -> None:
    """A text that was kept belongs to what it is an edit of."""
    ref = context.registry.editable(options.ref).ref
    if draft.ref != ref:
        raise UsageError(
            f"{options.metadata} is an edit of {draft.ref}, as its first line says, and not of {ref}",
            hint="take the lines that start with #: out of it, if it is meant",
            facts={"file": options.metadata},
        )


def _person_there(context: Context) -> bool:
    return sys.stdin.isatty() and context.watched


def _card(path: str) -> str:
    try:
        return read_user_file(path, CARD_LIMIT).decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 at byte {error.start}", facts={"file": path}) from None


def _edit_in_editor(context: Context, options: Namespace, draft: Draft | None) -> int:
    """Open the editor on the present record, or on a text that was kept, and write what comes back."""
    registry = context.registry
    start = registry.editable(options.ref)
    if not options.dry_run:
        may_write(registry, start.ref.model, f"edit {start.ref}")
    text, notes = (start.text, []) if draft is None else taken_up(start, draft)
    before = draft_text(start.ref, start.revision, text, notes)
    with edited(before, ".toml") as back:
        if draft is not None and back == before:
            context.say(f"nothing was changed, and {options.metadata} is still there")
            return _revised_nothing(context, start)
        change = Edit(
            text=read_draft(back).text,
            reason=options.reason,
            base=start.revision,
            merge=options.merge,
            dry_run=options.dry_run,
        )
        try:
            return _revise_or_ask(context, options, change)
        except ConflictError as error:
            error.hint = (
                f"stackroom edit {start.ref} --metadata FILE --merge"
                if error.facts.get("mergeable")
                else f"stackroom edit {start.ref} --metadata FILE --editor"
            ) + " takes the file below up again"
            raise
        except RegistryError as error:
            error.hint = error.hint or f"mend the text, then: stackroom edit {start.ref} --metadata FILE"
            raise


def _revised_nothing(context: Context, start: Editable) -> int:
    if context.json:
        context.document(Revised(ref=start.ref, revision=start.revision, made=False, changes={}).document())
    return 0


def _edit_card(context: Context, options: Namespace) -> int:
    registry = context.registry
    start = registry.editable_card(options.ref)
    if not options.dry_run:
        may_write(registry, start.ref.model, f"edit the card of {start.ref}")
    with edited(start.text, ".md") as text:
        base = start.revision if options.base is None else options.base
        change = Edit(card=text, reason=options.reason, card_base=base, dry_run=options.dry_run)
        try:
            return _revise_or_ask(context, options, change)
        except ConflictError as error:
            error.hint = take_up(error, start.ref)
            raise


def _revise_or_ask(context: Context, options: Namespace, change: Edit) -> int:
    """Write the revision; where others changed other fields, ask whoever sits there whether both edits stand."""
    try:
        return _revise(context, options, lambda: context.registry.edit(options.ref, change))
    except ConflictError as error:
        if not context.json:
            say_conflict(context, error)
        if not error.facts.get("mergeable") or change.merge or context.json or not _person_there(context):
            if error.facts.get("mergeable"):
                error.hint = "--merge puts your edit on top of theirs"
            raise
        context.say("put your edit on top of theirs? [y/N]")
        if sys.stdin.readline().strip().lower() not in {"y", "yes"}:
            raise
    return _revise(context, options, lambda: context.registry.edit(options.ref, replace(change, merge=True)))


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
    say_changes(context, revised.changes)
    for note in revised.notes:
        context.say(Styled("note:", "yellow"), f" {note}")
    return 0


# --- revert and archive


def _revert_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a version, or a model")
    parser.add_argument("--to", type=int, required=True, metavar="N", help="the revision; 0 is as registered")
    parser.add_argument("--card", action="store_true", help="of the card, and not of the metadata")
    reason_option(parser)
    dry_run_option(parser)


def _revert(context: Context, options: Namespace) -> int:
    def action() -> Revised:
        return context.registry.revert(
            options.ref, options.to, card=options.card, reason=options.reason, dry_run=options.dry_run
        )

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
            "stackroom edit fraud-detector:7 --card",
        ),
        about="Every edit is a new revision; older ones stay. Nothing of another person's edit is overwritten, and\n"
        "nothing that you typed into the editor is lost.",
    ),
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
