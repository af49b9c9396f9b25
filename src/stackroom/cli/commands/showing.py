"""``show``: everything about one model or one version."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from stackroom.cli.approvals import put_words
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column, width_of
from stackroom.cli.versions import metric_columns, moment, put_versions, shown
from stackroom.cli.words import MISSING, metric_text
from stackroom.core import show
from stackroom.core.attested import Validity
from stackroom.core.metadata import iso
from stackroom.core.names import parse_ref
from stackroom.errors import IntegrityError, RegistryError
from stackroom.registry.approving import approvals
from stackroom.registry.families import relatives
from stackroom.store import layout

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterable, Mapping, Sequence

    from stackroom.cli.context import Context
    from stackroom.core.approvals import Word
    from stackroom.core.files import FileFact
    from stackroom.core.names import Ref
    from stackroom.core.observations import Latest
    from stackroom.registry.reading import Reader
    from stackroom.store.records import Holding, Model, Version


_NAME_CELLS: Final = 40
"""To which the names of facts are padded: one long name must not push all values off the screen."""


def _show_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("ref", metavar="REF", help="a model or a version")


def _show(context: Context, options: Namespace) -> int:
    ref = parse_ref(options.ref)
    if ref.kind == "model":
        return _show_model(context, context.reader.model(ref.model))
    return _show_version(context, context.reader.version(ref))


# --- a model


def _show_model(context: Context, model: Model) -> int:
    card = context.reader.card(model.name)
    if context.json:
        versions = [version.document() for version in model.versions]
        context.document({"model": model.document(), "card": card, "versions": versions})
        return 0
    context.out(Styled(model.name, "bold"), f"  {show.count(model.count, 'version')}")
    record = model.record
    facts = {
        "description": record.description,
        "team": record.team,
        "tags": ", ".join(record.tags),
        "archived": "yes" if record.archived else "",
        "owner": model.owner.label,
        "folder": model.folder,
        "revision": str(model.revision) if model.revision else "",
    }
    _put_facts(context, facts)
    _put_holdings(context, model.holdings)
    if model.versions:
        _heading(context, "versions")
        newest = list(reversed(model.versions))
        metrics = metric_columns(context.reader.policy, newest)
        put_versions(context, newest, ["version", "state", *metrics, "size", "created", "by", "description"])
    _put_card(context, card)
    context.warn_of(model.problems)
    return 0


def _put_holdings(context: Context, holdings: Sequence[Holding]) -> None:
    columns = [
        Column(title="STAGE"),
        Column(title="VERSION", right=True),
        Column(title="SINCE", priority=2),
        Column(title="BY", priority=1),
        Column(title="EVENT", priority=3),
        Column(title="REASON", priority=4, least=10),
    ]
    _put_rows(context, "stages", columns, [_holding_row(context, holding) for holding in holdings])


def _holding_row(context: Context, holding: Holding) -> list[Piece]:
    event = holding.event
    move = event.move if event else None
    known = MISSING if holding.number is None else str(holding.number)
    version: Piece = Styled("unread", "red") if holding.unread else known
    return [
        holding.stage,
        Styled(f"{known} missing", "red") if holding.missing else version,
        moment(event.when if event else None, exact=not context.terminal),
        move.by.label if move else MISSING,
        event.validity.value if event else MISSING,
        move.why if move and move.why else MISSING,
    ]


# --- a version


def _show_version(context: Context, version: Version) -> int:
    reader = context.reader
    files, trouble = _files(reader, version)
    card = reader.card(version.ref)
    holdings, children = relatives(reader, version)
    words, silence = _words(reader, version)
    measured, unobserved = _observed(reader, version)
    if context.json:
        document: dict[str, Any] = {
            "version": version.document(),
            "card": card,
            "artifacts": [{"path": file.path, "size": file.size, "digest": file.digest} for file in files],
            "revised": _revised(version),
            "children": [str(child) for child in children],
            "stages": [holding.document() for holding in holdings],
            "approvals": None if silence else [word.document() for word in words],
            "observed": None if unobserved else [one.document() for one in measured],
        }
        context.document(document)
        return 0
    _put_head(context, version, children)
    _put_holdings(context, holdings)
    if words:
        _heading(context, "approvals")
        put_words(context, words, refs=False)
    _put_table(context, "metrics", {name: _metric(reader, name, value) for name, value in version.metrics.items()})
    _put_observed(context, measured)
    _put_table(context, "hyperparameters", {key: shown(value) for key, value in version.hyperparameters.items()})
    _put_datasets(context, version)
    _put_table(context, "source", {key: shown(value) for key, value in version.record.source.items()})
    signature = version.record.signature.items()
    _put_table(context, "signature", {key: shown(value) for key, value in signature})
    _put_table(context, "more", {key: shown(value) for key, value in version.record.extra.items()})
    _put_files(context, files)
    _put_card(context, card)
    for warning in filter(None, (trouble, silence, unobserved)):
        context.warn(warning)
    context.warn_of(version.problems)
    return 0


def _files(reader: Reader, version: Version) -> tuple[Sequence[FileFact], str]:
    try:
        return reader.files(version.ref), ""
    except IntegrityError as error:
        return (), str(error)


def _words(reader: Reader, version: Version) -> tuple[Sequence[Word], str]:
    """What people said about it, or why that cannot be known."""
    try:
        return approvals(reader, version.ref), ""
    except RegistryError as error:
        return (), str(error)


def _observed(reader: Reader, version: Version) -> tuple[Sequence[Latest], str]:
    """What production measured of it last, or why that cannot be known."""
    with reader.root() as root:
        if root.lacks(layout.OBSERVATIONS):
            return (), ""
    from stackroom.core.observations import latest_of  # noqa: PLC0415 - most registries have no observations
    from stackroom.registry.observing import observed  # noqa: PLC0415 - the same

    try:
        return latest_of(observed(reader, version.ref).observations), ""
    except RegistryError as error:
        return (), str(error)


def _revised(version: Version) -> dict[str, Any] | None:
    note = version.note
    if note is None:
        return None
    return {"revision": version.revision, "at": iso(note.revised), "by": note.revised_by, "reason": note.reason}


def _put_head(context: Context, version: Version, children: Iterable[Ref]) -> None:
    record, seal = version.record, version.seal
    colour = "green" if version.stages else "dim"
    context.out(Styled(str(version.ref), "bold"), "  ", Styled(version.state, colour))
    author = record.author or version.owner.label
    note = version.note
    facts = {
        "description": record.description,
        "created": f"{moment(version.created, exact=not context.terminal)} by {author}"
        + ("" if author == version.owner.label else f" (folder's owner: {version.owner.label})"),
        "labels": ", ".join(version.labels),
        "tags": ", ".join(record.tags),
        "team": record.team,
        "license": record.license,
        "framework": record.framework,
        "archived": "yes" if record.archived else "",
        "parents": ", ".join(record.parents),
        "children": ", ".join(str(child) for child in children),
        "base model": record.base_model,
        "revision": f"{version.revision}, {moment(note.revised, exact=not context.terminal)} by {note.revised_by}"
        + (f": {note.reason}" if note.reason else "")
        if note
        else "",
        "artifacts": f"{show.count(seal.files, 'file')}, {show.long_size(seal.bytes)}" if seal else "",
        "digest": seal.digest if seal else "",
        "folder": version.folder,
    }
    _put_facts(context, facts)


def _metric(reader: Reader, name: str, value: float) -> str:
    info = reader.policy.metrics.get(name)
    unit = f" {info.unit}" if info and info.unit else ""
    direction = f"  ({info.better} is better)" if info and info.better else ""
    return f"{metric_text(value)}{unit}{direction}"


def _put_datasets(context: Context, version: Version) -> None:
    columns = [
        Column(title="NAME"),
        Column(title="SPLIT", priority=1),
        Column(title="ROWS", right=True, priority=2),
        Column(title="DIGEST", priority=3, least=12),
        Column(title="URI", priority=4, least=12),
    ]
    rows = [
        [
            one.name,
            one.split or MISSING,
            MISSING if one.rows is None else str(one.rows),
            one.digest or MISSING,
            one.uri or MISSING,
        ]
        for one in version.record.datasets
    ]
    _put_rows(context, "datasets", columns, rows)


def _put_observed(context: Context, measured: Sequence[Latest]) -> None:
    columns = [
        Column(title="METRIC"),
        Column(title="LATEST", right=True),
        Column(title="AT", priority=1),
        Column(title="BY", priority=2),
        Column(title="HOST", priority=4),
        Column(title="COUNT", right=True, priority=3),
    ]
    rows: list[list[Piece]] = [
        [
            one.metric,
            metric_text(one.value),
            moment(one.observation.at, exact=not context.terminal),
            one.observation.by.label + ("" if one.observation.validity is Validity.ATTESTED else " (unattested)"),
            one.observation.host,
            str(one.count),
        ]
        for one in measured
    ]
    _put_rows(context, "observed", columns, rows)


def _put_files(context: Context, files: Sequence[FileFact]) -> None:
    columns = [Column(title="SIZE", right=True), Column(title="SHA256", priority=1, least=12), Column(title="PATH")]
    rows = [[_size(context, file), file.digest.removeprefix("sha256:"), file.path] for file in files]
    _put_rows(context, "files", columns, rows)


def _size(context: Context, file: FileFact) -> Piece:
    if file.size is None:
        return Styled("missing", "red")
    return show.long_size(file.size) if context.terminal else str(file.size)


# --- parts of both


def _heading(context: Context, title: str) -> None:
    context.out("")
    context.out(Styled(title, "bold"))


def _put_facts(context: Context, facts: Mapping[str, str]) -> None:
    width = min(max((width_of(key) for key, value in facts.items() if value), default=0), _NAME_CELLS)
    for key, value in facts.items():
        if value:
            first, *rest = value.split("\n")
            context.out(Styled(key, "cyan"), " " * (max(width - width_of(key), 0) + 2), first)
            for line in rest:
                context.out(" " * (width + 2), line)


def _put_rows(context: Context, title: str, columns: Sequence[Column], rows: Sequence[Sequence[Piece]]) -> None:
    """A table under its title; nothing where it has no rows."""
    if rows:
        _heading(context, title)
        context.table(columns, rows)


def _put_table(context: Context, title: str, values: Mapping[str, str]) -> None:
    if values:
        _heading(context, title)
        _put_facts(context, values)


def _put_card(context: Context, card: str | None) -> None:
    if card:
        _heading(context, "card")
        for line in card.expandtabs(4).splitlines():
            context.out(line)


COMMANDS: Final = {
    "show": Command(
        arguments=_show_arguments,
        run=_show,
        examples=("stackroom show fraud-detector", "stackroom show fraud-detector@production --json"),
    ),
}
