"""The tabs of one version."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from stackroom.core.attested import Validity
from stackroom.core.compare import Subject, compare
from stackroom.core.metadata import flat
from stackroom.core.show import age, count, field_text, percent, signed, size
from stackroom.tui.present.versions import author
from stackroom.tui.present.words import Line, arrow, fact, facts, heading, holder_role, problem_lines, short
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from stackroom.core.files import FileFact
    from stackroom.core.ledger import Event
    from stackroom.core.policy import Policy
    from stackroom.store.records import Model, Version
    from stackroom.store.scan import RevisionText
    from stackroom.tui.glyphs import Glyphs
    from stackroom.tui.present.observed import Production

TABS: Final = ("Overview", "Metrics", "Hyperparameters", "Card", "Files", "History")
"""In their order; the number of each is its key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Texts:
    """What is read of a version only when it is opened.

    Attributes:
        card: None where there is none.
        files: as its seal lists them.
        files_trouble: why the seal cannot be read, or empty.
        revisions: of its metadata, oldest first.
        events: of its model, oldest first.
        measured: what production measured of it.
    """

    card: str | None
    files: tuple[FileFact, ...]
    files_trouble: str
    revisions: tuple[RevisionText, ...]
    events: tuple[Event, ...]
    measured: Production


def overview(model: Model, version: Version, now: datetime, observed: Sequence[Line] = ()) -> list[Line]:
    """All facts of a version, what is wrong with it first; what production measured stands below its stages."""
    record, seal = version.record, version.seal
    lines = problem_lines(version.problems)
    lines.extend((Cell(line),) for line in record.description.splitlines())
    lines.append(())
    lines.append(heading("Stages"))
    lines.extend(_stage_lines(model, version, now))
    lines.extend(observed)
    lines.append(heading("Version"))
    created = f"{seal.created:%Y-%m-%d %H:%M} UTC, {age(seal.created, now)}" if seal else "unknown"
    source = ", ".join(f"{key}={field_text(value)}" for key, value in flat(dict(record.source)).items())
    lines.extend(
        facts(
            [
                ("ref", str(version.ref)),
                ("labels", ", ".join(version.labels)),
                ("state", version.state),
                ("registered", f"{created} by {version.owner.label}"),
                ("author", record.author),
                ("team", record.team),
                ("tags", ", ".join(record.tags)),
                ("license", record.license),
                ("framework", record.framework),
                ("size", f"{size(seal.bytes)} in {count(seal.files, 'file')}" if seal else "unknown"),
                ("digest", seal.digest if seal else ""),
                ("card", _card(version)),
                ("metadata", f"revision {version.revision}" if version.revision else "as registered"),
                ("path", str(version.path)),
            ]
        )
    )
    for dataset in record.datasets:
        rows = f", {dataset.rows:,} rows" if dataset.rows is not None else ""
        lines.append(fact("dataset", f"{dataset.name} {dataset.split}{rows}  {dataset.digest or dataset.uri}"))
    lineage = facts([("parents", ", ".join(record.parents)), ("base model", record.base_model), ("source", source)])
    if lineage:
        lines.extend([heading("Lineage"), *lineage])
    known = {"inputs", "outputs"}
    signature = [(key, field_text(value)) for key, value in record.signature.items() if key in known]
    if signature:
        lines.extend([heading("Signature"), *facts(signature)])
    if record.extra:
        lines.extend([heading("Other fields"), *facts((k, field_text(v)) for k, v in flat(dict(record.extra)).items())])
    return lines if lines[0] else lines[1:]


def _card(version: Version) -> str:
    if not version.has_card:
        return "none"
    return f"revision {version.card_revision}" if version.card_revision else "as registered"


def _stage_lines(model: Model, version: Version, now: datetime) -> list[Line]:
    lines: list[Line] = []
    for held in model.holdings:
        if held.number != version.number or held.event is None or held.event.move is None:
            continue
        move = held.event.move
        said = f"since {age(move.at, now)}, by {move.by.label}"
        lines.append((Cell(f"  {held.stage:<14}", "dim"), Cell(said, holder_role(held))))
        lines.extend([(Cell(" " * 16), Cell(move.why))] if move.why else [])
        if held.event.validity is Validity.UNATTESTED:
            lines.append(
                (Cell(" " * 16), Cell("? unattested: the event's file is not of whom it names: a copy", "warn"))
            )
    return lines or [(Cell("  holds no stage", "dim"),)]


def metric_columns(version: Version, holder: Version | None, policy: Policy) -> tuple[Column, ...]:
    """Of the tab Metrics; the holder's column says who that is."""
    stage = policy.last_stage or ""
    other = holder is not None and holder.number != version.number
    label = f"{stage.upper()} ({holder.number})" if holder is not None and other else ""
    return (
        Column(key="metric", label="METRIC"),
        Column(key="better", label="", width=1),
        Column(key="value", label="THIS", align="right"),
        Column(key="holder", label=label, align="right", max_width=24, priority=1),
        Column(key="delta", label="DELTA" if other else "", align="right", priority=2),
        Column(key="ratio", label="%" if other else "", align="right", priority=3),
        Column(key="outcome", label="", priority=4),
        Column(key="unit", label="UNIT", priority=5),
    )


def metric_rows(version: Version, holder: Version | None, policy: Policy, glyphs: Glyphs) -> list[Row]:
    """The metrics of a version against those of whoever holds the last stage."""
    base = holder if holder is not None and holder.number != version.number else version
    subjects = [Subject(ref=one.ref, record=one.record) for one in (base, version)]
    rows: list[Row] = []
    for found in compare(subjects, policy).metrics:
        reference, cell = found.cells
        role = {"better": "good", "worse": "bad"}.get(cell.outcome, "")
        compared = base is not version and cell.delta is not None
        rows.append(
            Row(
                found.name,
                (
                    Cell(found.name, "strong"),
                    Cell(arrow(found.better, glyphs), "dim"),
                    Cell(short(cell.value, glyphs)),
                    Cell(short(reference.value, glyphs) if base is not version else "", "dim"),
                    Cell(signed(cell.delta) if compared else "", role),
                    Cell(percent(cell.ratio) if compared else "", role),
                    Cell(_outcome(cell.outcome, glyphs) if compared and not cell.note else cell.note, role or "dim"),
                    Cell(found.unit, "dim"),
                ),
            )
        )
    return rows


def _outcome(outcome: str, glyphs: Glyphs) -> str:
    signs = {"better": glyphs.better, "worse": glyphs.worse}
    return f"{signs.get(outcome, '=')} {outcome}"


HYPERPARAMETER_COLUMNS: Final = (
    Column(key="name", label="HYPERPARAMETER", max_width=50),
    Column(key="value", label="VALUE", max_width=200, min_width=10),
    Column(key="type", label="TYPE", priority=1),
)
"""Of the tab Hyperparameters."""


def hyperparameter_rows(version: Version) -> list[Row]:
    """The hyperparameters by their dotted names."""
    return [
        Row(name, (Cell(name, "strong"), Cell(field_text(value)), Cell(type(value).__name__, "dim")))
        for name, value in sorted(flat(dict(version.hyperparameters)).items())
    ]


FILE_COLUMNS: Final = (
    Column(key="path", label="FILE", max_width=80, min_width=20),
    Column(key="size", label="SIZE", align="right", priority=1),
    Column(key="digest", label="SHA256", max_width=64, min_width=12, priority=2),
)
"""Of the tab Files."""


def file_rows(files: Sequence[FileFact]) -> list[Row]:
    """The artifacts; one that is gone says so."""
    return [
        Row(
            file.path,
            (
                Cell(file.path, "bad" if file.size is None else ""),
                Cell("gone" if file.size is None else size(file.size), "bad" if file.size is None else "dim"),
                Cell(file.digest.removeprefix("sha256:"), "dim"),
            ),
        )
        for file in files
    ]


HISTORY_COLUMNS: Final = (
    Column(key="when", label="WHEN", priority=1),
    Column(key="what", label="WHAT", max_width=60, min_width=20),
    Column(key="by", label="BY", max_width=16),
    Column(key="why", label="WHY", max_width=200, min_width=10, priority=2),
)
"""Of the tab History."""


def history_rows(version: Version, texts: Texts, now: datetime) -> list[Row]:
    """What happened to a version, newest first: its registration, the moves it took part in, edits of its metadata."""
    found: list[tuple[datetime, Row]] = []

    def add(when: datetime, key: str, what: Cell, by: str, why: str = "") -> None:
        found.append((when, Row(key, (Cell(age(when, now), "dim"), what, Cell(by), Cell(why)))))

    if version.seal:
        add(version.seal.created, "registered", Cell("registered"), author(version))
    for event in texts.events:
        move = event.move
        if move is None or version.number not in {move.to, move.origin}:
            continue
        came = move.to == version.number
        after = f"replaced by {move.to}" if move.to else "cleared"
        what = f"moved to {event.stage}" if came else f"left {event.stage}: {after}"
        doubt = "" if event.validity is Validity.ATTESTED else f" ({event.validity.value})"
        doubt += f" (overrode {', '.join(move.override)})" if move.override else ""
        role = ("good" if came else "") if event.validity.counts else "bad"
        add(move.at, f"{event.stage}/{event.name}", Cell(what + doubt, role), move.by.label, move.why)
    for revision in texts.revisions:
        note = revision.note
        if note is not None:
            what = f"metadata revision {revision.number}" + (" (broken)" if revision.problem else "")
            add(note.revised, f"revision:{revision.number}", Cell(what), revision.owner.label, note.reason)
    return [row for _, row in sorted(found, key=lambda pair: pair[0], reverse=True)]
