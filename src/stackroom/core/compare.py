"""Differences between two or more versions, with a winner only where there can be one.

A metric has a winner where its direction is declared, both values are numbers, and both were measured on the same data
as far as anybody recorded it. What is missing is missing, not zero; NaN never wins; a tie has no winner; a base of zero
has no ratio. A change of a hyperparameter's type is a change.
"""

from __future__ import annotations

import difflib
import math
from typing import TYPE_CHECKING, Any, Final, Literal

from stackroom.core.guards import evaluation_data
from stackroom.core.metadata import Record, document_of, flat, jsonable
from stackroom.core.show import field_text
from stackroom.core.values import dataclass

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from stackroom.core.files import FileFact
    from stackroom.core.names import Ref
    from stackroom.core.policy import Better, Policy

Outcome = Literal["better", "worse", "equal", "unknown"]
"""How a value stands against the base's; ``unknown`` where nobody can say."""

OTHER_DATA: Final = "measured on other test data"
"""The note on a value that cannot be compared with the base's, as far as anybody recorded why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    """One version to compare.

    Attributes:
        ref: which.
        record: its current metadata.
        files: its artifacts.
        card: its model card, or empty.
    """

    ref: Ref
    record: Record
    files: tuple[FileFact, ...] = ()
    card: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricCell:
    """One version's value of a metric, against the base.

    Attributes:
        value: None where it is not recorded.
        delta: the difference in the metric's unit; None for the base and where one is missing.
        ratio: the difference as a ratio of the base's value, 0.01 for one per cent; None for a base of zero.
        outcome: against the base.
        best: the best of all that can be compared; nobody is where two are.
        note: why there is no outcome, or empty.
    """

    value: float | None
    delta: float | None = None
    ratio: float | None = None
    outcome: Outcome = "unknown"
    best: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricRow:
    """One metric over all versions."""

    name: str
    better: Better | None
    unit: str
    cells: tuple[MetricCell, ...]

    @property
    def differs(self) -> bool:
        """Whether any value is not the base's."""
        return len({_same(cell.value) for cell in self.cells}) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldRow:
    """One field over all versions, as texts; None where it is missing."""

    name: str
    values: tuple[str | None, ...]
    note: str = ""

    @property
    def differs(self) -> bool:
        """Whether any value is not the base's."""
        return len(set(self.values)) > 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Rows of one kind, such as hyperparameters or files."""

    title: str
    rows: tuple[FieldRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CardDifference:
    """A unified diff of one version's card against the base's; no lines where they are equal."""

    ref: Ref
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """Two or more versions side by side.

    Attributes:
        refs: which, in the order asked for.
        base: the index of the one that the others are measured against.
        metrics: sorted by name, declared ones first.
        sections: hyperparameters, datasets, metadata, files, signature: sorted by name within each.
        cards: against the base's.
    """

    refs: tuple[Ref, ...]
    base: int
    metrics: tuple[MetricRow, ...]
    sections: tuple[Section, ...]
    cards: tuple[CardDifference, ...]

    def wins(self) -> tuple[tuple[int, int], ...]:
        """For every version the number of metrics in which it is better and worse than the base."""
        return tuple(
            (
                sum(row.cells[index].outcome == "better" for row in self.metrics),
                sum(row.cells[index].outcome == "worse" for row in self.metrics),
            )
            for index in range(len(self.refs))
        )

    def document(self) -> dict[str, Any]:
        """In JSON's types."""
        return {
            "refs": [str(ref) for ref in self.refs],
            "base": str(self.refs[self.base]),
            "metrics": [_metric_document(self.refs, row) for row in self.metrics],
            "sections": {
                section.title: [
                    {
                        "name": row.name,
                        "values": {str(ref): value for ref, value in zip(self.refs, row.values, strict=True)},
                        "differs": row.differs,
                        "note": row.note,
                    }
                    for row in section.rows
                ]
                for section in self.sections
            },
            "cards": {str(card.ref): list(card.lines) for card in self.cards},
        }


def _metric_document(refs: Sequence[Ref], row: MetricRow) -> dict[str, Any]:
    return {
        "name": row.name,
        "better": row.better,
        "unit": row.unit,
        "differs": row.differs,
        "values": {
            str(ref): {
                "value": jsonable(cell.value),
                "delta": jsonable(cell.delta),
                "ratio": jsonable(cell.ratio),
                "outcome": cell.outcome,
                "best": cell.best,
                "note": cell.note,
            }
            for ref, cell in zip(refs, row.cells, strict=True)
        },
    }


def compare(subjects: Sequence[Subject], policy: Policy, *, base: int = 0) -> Comparison:
    """Put versions side by side; ``base`` is the index of the one to measure against."""
    return Comparison(
        refs=tuple(subject.ref for subject in subjects),
        base=base,
        metrics=_metric_rows(subjects, policy, base),
        sections=_sections(subjects),
        cards=tuple(
            CardDifference(ref=subject.ref, lines=_card_lines(subjects[base], subject))
            for index, subject in enumerate(subjects)
            if index != base
        ),
    )


def _metric_rows(subjects: Sequence[Subject], policy: Policy, base: int) -> tuple[MetricRow, ...]:
    present = {name for subject in subjects for name in subject.record.metrics}
    declared = [name for name in policy.metrics if name in present]
    names = declared + sorted(present - set(declared))
    return tuple(_metric_row(subjects, policy, base, name) for name in names)


def _metric_row(subjects: Sequence[Subject], policy: Policy, base: int, name: str) -> MetricRow:
    better = policy.better(name)
    info = policy.metrics.get(name)
    reference = subjects[base]
    cells = [
        _cell(
            subject.record.metrics.get(name), reference.record.metrics.get(name), better, _data_note(reference, subject)
        )
        if index != base
        else MetricCell(value=subject.record.metrics.get(name), outcome="equal")
        for index, subject in enumerate(subjects)
    ]
    data = {evaluation_data(one.record, "test") for one in subjects if name in one.record.metrics} - {frozenset()}
    crowned = _crowned(cells, better) if len(data) < 2 else tuple(cells)
    return MetricRow(name=name, better=better, unit=info.unit if info else "", cells=crowned)


def _data_note(reference: Subject, subject: Subject) -> str:
    """Why two versions' metrics are not comparable, as far as anybody recorded it."""
    mine = evaluation_data(subject.record, "test")
    theirs = evaluation_data(reference.record, "test")
    return OTHER_DATA if mine and theirs and mine != theirs else ""


def _cell(value: float | None, base: float | None, better: Better | None, data_note: str) -> MetricCell:
    if value is None:
        return MetricCell(value=None, note="missing")
    if base is None:
        return MetricCell(value=value, note="the base has none")
    if math.isnan(value) or math.isnan(base):
        return MetricCell(value=value, note="not a number")
    if value == base:
        return MetricCell(value=value, delta=0.0, ratio=0.0, outcome="equal", note=data_note)
    delta = float(value) - float(base)
    ratio = delta / abs(base) if base and math.isfinite(delta / abs(base)) else None
    if data_note or better is None:
        return MetricCell(value=value, delta=delta, ratio=ratio, note=data_note or "its direction is not declared")
    outcome: Outcome = "better" if (delta > 0) == (better == "higher") else "worse"
    return MetricCell(value=value, delta=delta, ratio=ratio, outcome=outcome)


def _crowned(cells: list[MetricCell], better: Better | None) -> tuple[MetricCell, ...]:
    """The cells with the best of them marked, where there is exactly one among at least two."""
    values = [cell.value for cell in cells if cell.value is not None and not math.isnan(cell.value)]
    if better is None or len(values) < 2:
        return tuple(cells)
    best = max(values) if better == "higher" else min(values)
    if values.count(best) != 1:
        return tuple(cells)
    return tuple(
        MetricCell(
            value=cell.value, delta=cell.delta, ratio=cell.ratio, outcome=cell.outcome, note=cell.note, best=True
        )
        if cell.value == best
        else cell
        for cell in cells
    )


def _same(value: float | None) -> object:
    """A value for a set: NaN equals itself here, and a missing one only another missing one."""
    return None if value is None else "nan" if math.isnan(value) else float(value)


def _sections(subjects: Sequence[Subject]) -> tuple[Section, ...]:
    documents = [document_of(subject.record) for subject in subjects]
    tables = ("hyperparameters", "signature", "source")
    sections = {
        table: _field_rows([flat(document.get(table, {})) for document in documents])
        for table in ("hyperparameters", "signature")
    }
    plain = [
        {
            key: value
            for key, value in flat(document).items()
            if key.partition(".")[0] not in {*tables, "metrics", "datasets"}
        }
        for document in documents
    ]
    data = [
        {
            f"{dataset.name} {dataset.split}".strip(): dataset.digest or dataset.uri
            for dataset in subject.record.datasets
        }
        for subject in subjects
    ]
    files = [{file.path: file for file in subject.files} for subject in subjects]
    return (
        Section(title="hyperparameters", rows=sections["hyperparameters"]),
        Section(title="datasets", rows=_field_rows(data)),
        Section(title="metadata", rows=_field_rows(plain)),
        Section(title="signature", rows=sections["signature"]),
        Section(title="files", rows=_file_rows(files)),
    )


def _field_rows(tables: Sequence[Mapping[str, Any]]) -> tuple[FieldRow, ...]:
    rows: list[FieldRow] = []
    for name in sorted({key for table in tables for key in table}):
        values = [table.get(name) for table in tables]
        kinds = {type(value) for value in values if value is not None}
        texts = tuple(None if value is None else field_text(value) for value in values)
        note = f"type changes ({' / '.join(sorted(kind.__name__ for kind in kinds))})" if len(kinds) > 1 else ""
        if note and len(set(texts)) == 1:
            # 1 and 1.0, or 1 and "1": equal to the eye, and not to the program that reads them.
            texts = tuple(None if value is None else repr(value) for value in values)
        rows.append(FieldRow(name=name, values=texts, note=note))
    return tuple(rows)


def _file_rows(tables: Sequence[Mapping[str, FileFact]]) -> tuple[FieldRow, ...]:
    rows: list[FieldRow] = []
    for path in sorted({path for table in tables for path in table}):
        facts = [table.get(path) for table in tables]
        rows.append(FieldRow(name=path, values=tuple(None if fact is None else _file_text(fact) for fact in facts)))
    return tuple(rows)


def _file_text(fact: FileFact) -> str:
    size = "gone" if fact.size is None else f"{fact.size} B"
    return f"{size} {fact.digest.removeprefix('sha256:')[:12]}"


def _card_lines(base: Subject, subject: Subject) -> tuple[str, ...]:
    if base.card == subject.card:
        return ()
    return tuple(
        line.rstrip("\n")
        for line in difflib.unified_diff(
            base.card.splitlines(), subject.card.splitlines(), str(base.ref), str(subject.ref), lineterm="", n=2
        )
    )
