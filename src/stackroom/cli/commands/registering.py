"""``register`` and ``label``: publishing a version, and naming it once more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.ending import cleaned_up
from stackroom.cli.metadata import metadata_from
from stackroom.cli.parsing import Command, dry_run_option
from stackroom.cli.style import Styled
from stackroom.cli.words import dataset_of, metrics_of, parameters_of
from stackroom.core import show
from stackroom.core.metadata import record_of
from stackroom.errors import InvalidInputError, UsageError
from stackroom.registry.registering import Registered, Registration
from stackroom.store.scan import CARD_LIMIT
from stackroom.store.sources import gather
from stackroom.store.userfiles import read_user_file

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace

    from stackroom.cli.context import Context
    from stackroom.registry.facade import Registry

_TEXTS: Final = ("description", "team", "author", "license", "framework")


def _register_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("model", metavar="MODEL", help="whose version; the model is made where it is missing")
    parser.add_argument("sources", metavar="SOURCE", nargs="+", help="a file, or a folder whose contents are meant")
    said = parser.add_argument_group("what is said about it")
    said.add_argument("--metric", action="append", default=[], metavar="NAME=NUMBER", help="again for more")
    said.add_argument(
        "--param", action="append", default=[], metavar="NAME=VALUE", help="a hyperparameter: number, true, false, text"
    )
    said.add_argument(
        "--dataset",
        action="append",
        default=[],
        metavar="name=…,…",
        help="what it was trained or measured on: name=…,uri=…,digest=…,split=…,rows=…",
    )
    said.add_argument(
        "--metadata", metavar="FILE", help="all of it from a .toml or .json file; options win; - is stdin"
    )
    said.add_argument("--card", metavar="FILE", help="the model card, Markdown; - is stdin")
    said.add_argument("--description", metavar="TEXT", help="one or a few lines")
    said.add_argument("--tag", action="append", default=[], metavar="TAG", help="a word, or key=value; again for more")
    said.add_argument("--team", metavar="TEXT", help="who answers for it")
    said.add_argument("--author", metavar="TEXT", help="else you")
    said.add_argument("--license", metavar="SPDX", help="such as Apache-2.0")
    said.add_argument("--framework", metavar="TEXT", help="what loads it, such as 'scikit-learn 1.7.2'")
    said.add_argument(
        "--parent", action="append", default=[], metavar="REF", help="a version it was made from; again for more"
    )
    said.add_argument("--label", metavar="NAME", help="one more name for it, such as 2.1.0")
    how = parser.add_argument_group("how")
    how.add_argument("--move", action="store_true", help="take the files away from where they are, without a copy")
    how.add_argument("--follow", action="store_true", help="copy what symlinks point at")
    how.add_argument(
        "--if-exists",
        choices=("skip", "fail"),
        help="where the very same files are a version already: skip prints its reference, fail refuses",
    )
    dry_run_option(parser)


def _register(context: Context, options: Namespace) -> int:
    if "" in options.sources:
        raise UsageError("the source is empty text", hint="a variable that is not set? A SOURCE is a file or a folder")
    registry = context.registry
    document = _document(registry, options)
    card = _text_of(options.card) if options.card else None
    with context.bar(_bytes_to_read(context, options), f"registering {options.model}") as bar:
        registration = Registration(
            sources=options.sources,
            record=record_of(document),
            card=card,
            label=options.label,
            if_exists=options.if_exists,
            move=options.move,
            follow=options.follow,
            dry_run=options.dry_run,
            progress=bar,
        )
        try:
            with cleaned_up():
                registered = registry.publish(options.model, registration)
        except KeyboardInterrupt:
            if not (options.dry_run or bar.reading):
                context.commits(f"stackroom list {options.model}")
            elif not options.dry_run:
                context.interrupted = "no version was published"
            raise
    if context.json:
        context.document(registered.document())
    else:
        _tell(context, options, registered)
    return 0


def _document(registry: Registry, options: Namespace) -> dict[str, Any]:
    """Everything that is said: the file first, and over it the options."""
    document = metadata_from(options.metadata) if options.metadata else {}
    document |= {key: getattr(options, key) for key in _TEXTS if getattr(options, key) is not None}
    for key, given in (("metrics", metrics_of(options.metric)), ("hyperparameters", parameters_of(options.param))):
        if given:
            document[key] = {**document.get(key, {}), **given}
    if options.dataset:
        document["datasets"] = [*document.get("datasets", []), *map(dataset_of, options.dataset)]
    if options.tag:
        document["tags"] = [*document.get("tags", []), *options.tag]
    lineage = document.get("lineage", {})
    parents = [*lineage.get("parents", []), *options.parent]
    if parents:
        # A stage or label would mean another version some day: what is recorded is the number.
        numbered = [str(registry.version(parent).ref) for parent in parents]
        document["lineage"] = {**lineage, "parents": list(dict.fromkeys(numbered))}
    return document


def _text_of(path: str) -> str:
    try:
        return read_user_file(path, CARD_LIMIT).decode()
    except UnicodeDecodeError as error:
        raise InvalidInputError(f"{path} is not UTF-8 at byte {error.start}", facts={"file": path}) from None


def _bytes_to_read(context: Context, options: Namespace) -> int:
    if not context.watched:
        return 0
    size = sum(file.size for file in gather(options.sources, follow=options.follow))
    # With --if-exists every byte is read once for the comparison, and once more where it is new.
    return size * 2 if options.if_exists else size


def _tell(context: Context, options: Namespace, registered: Registered) -> None:
    what = f"{show.count(registered.files, 'file')}, {show.long_size(registered.bytes)}"
    if options.dry_run:
        if registered.ref.number is not None:
            context.out(str(registered.ref))
            context.say(f"{registered.ref} has the very same artifacts; nothing would be published")
        else:
            new = "the new model " if registered.new_model else ""
            context.say(f"a version of {new}{registered.ref} can be published: {what}; nothing was")
        return
    context.out(str(registered.ref))
    if not registered.made:
        context.say(f"{registered.ref} has the very same artifacts already; nothing was published")
        return
    new = " (a new model)" if registered.new_model else ""
    context.say(Styled("registered", "green"), f" {registered.ref}{new}: {what}, in {registered.path}")


def _label_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="the version")
    parser.add_argument("label", metavar="NAME", help="such as 2.1.0; unique in its model, and it never moves")
    dry_run_option(parser)


def _label(context: Context, options: Namespace) -> int:
    registry = context.registry
    if not options.dry_run:
        context.commits(f"stackroom show {options.ref}")
    version, new = registry.label(options.ref, options.label, dry_run=options.dry_run)
    made = new and not options.dry_run
    if context.json:
        context.document({"ref": str(version.ref), "label": options.label, "made": made})
        return 0
    if options.dry_run:
        context.say(f"{version.ref} {'can be' if new else 'is already'} labelled {options.label}; nothing was changed")
        return 0
    context.out(f"{version.model}:{options.label}")
    context.say(f"{version.ref} is {'now' if new else 'already'} labelled {options.label}")
    return 0


COMMANDS: Final = {
    "register": Command(
        arguments=_register_arguments,
        run=_register,
        examples=(
            "stackroom register fraud-detector out/ --metric auc=0.934 --param learning_rate=0.05",
            "stackroom register fraud-detector model.onnx --metadata run.toml --card README.md --label 2.1.0",
            'ref=$(stackroom register fraud-detector out/ --if-exists skip) && stackroom promote "$ref" staging',
        ),
        about="Prints the reference of the version on stdout and everything else on stderr. Host, git commit, command\n"
        "and job are recorded by themselves.",
    ),
    "label": Command(arguments=_label_arguments, run=_label, examples=("stackroom label fraud-detector:7 2.1.0",)),
}
