"""Two or more versions side by side, as one table: metrics first, then what may explain them."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core.compare import OTHER_DATA
from stackroom.core.export import order_of
from stackroom.core.show import percent, signed
from stackroom.tui.present.words import Line, arrow, heading, short
from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell, width_of
from stackroom.tui.widgets.line_table import Row

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from stackroom.core.compare import CardDifference, Comparison, FieldRow, MetricCell, MetricRow
    from stackroom.core.names import Ref
    from stackroom.store.records import Version
    from stackroom.tui.glyphs import Glyphs

DeltaForm = Literal["both", "value", "percent"]
"""How a difference is written."""

_SEEN_ANYWAY: Final = frozenset({"the base has none", "its direction is not declared"})
"""Notes on a value that its row shows already: by an empty base, by a ``?``."""

DELTA_FORMS: Final[tuple[DeltaForm, ...]] = ("both", "value", "percent")

_VALUE_LIMIT: Final = 44
"""Cells of one version's column at most."""

_BASE_LEAST: Final = 19
_OTHER_LEAST: Final = 31
"""Cells of the base's column, and of another's, which holds a value, two differences and a sign, at least."""

_ROOMY: Final = 76
"""Cells from which on the base and another version are seen whole."""

_WIDE: Final = 100
"""Cells from which on the names have more room."""

_NARROW: Final = 80
"""Cells below which a base and another version do not stand side by side with both differences."""

_NARROW_NAME: Final = 16
_NARROW_BASE: Final = 14
_NARROW_OTHER: Final = 22
"""Cells of the columns there: another version's holds a value, one difference and a sign."""


def form_within(form: DeltaForm, room: int) -> DeltaForm:
    """How differences are written in so many cells: both forms of them only where a number need not be cut."""
    return "value" if form == "both" and room < _NARROW else form


def columns(comparison: Comparison, states: dict[Ref, Version], room: int) -> tuple[Column, ...]:
    """The name, the base, and one column for each other version, so wide that at least one of them is seen whole.

    Args:
        comparison: what is shown.
        states: the versions that are known, for the stages that they hold.
        room: cells of the table.
    """
    narrow = room < _NARROW
    name = _NARROW_NAME if narrow else 22 if room < _WIDE else 28
    least, other_least = (_NARROW_BASE, _NARROW_OTHER) if narrow else (_BASE_LEAST, _OTHER_LEAST)
    left = room - name - 6
    seen = max(1, min(len(comparison.refs) - 1, (left - least) // (other_least + 2)))
    other = max(other_least, min(_VALUE_LIMIT, (left - least) // seen - 2))
    base = max(least, min(_VALUE_LIMIT, left - seen * (other + 2)))
    labels = []
    for place in order_of(comparison):
        ref = comparison.refs[place]
        version = states.get(ref)
        held = f" {', '.join(version.stages)}" if version and version.stages else ""
        labels.append(f"{_name(ref, comparison)}{held}{' (base)' if place == comparison.base else ''}")
    return (
        Column(key="name", label="METRIC", max_width=name),
        *(
            Column(key=str(place), label=label, max_width=base if place == comparison.base else other)
            for place, label in zip(order_of(comparison), labels, strict=True)
        ),
    )


def _name(ref: Ref, comparison: Comparison) -> str:
    """Within one model the number is enough."""
    one_model = len({other.model for other in comparison.refs}) == 1
    return ref.value if one_model else str(ref)


def shown_metrics(comparison: Comparison, chosen: Sequence[str]) -> list[MetricRow]:
    """The metrics that somebody chose, or all where nobody did or none of them is compared."""
    wanted = set(chosen)
    return [row for row in comparison.metrics if row.name in wanted] or list(comparison.metrics)


def rows(
    comparison: Comparison,
    form: DeltaForm,
    glyphs: Glyphs,
    *,
    only_differences: bool,
    chosen: Sequence[str] = (),
    room: int = 80,
) -> list[Row]:
    """All rows, each part under its title.

    Args:
        comparison: what is shown.
        form: how differences are written.
        glyphs: to draw with.
        only_differences: leave out what is the same everywhere.
        chosen: the metrics that are shown; none for all.
        room: cells of the table. Where a version does not fit whole, the sign of who is better stands by the value.
    """
    order = order_of(comparison)
    found: list[Row] = []
    metrics = [row for row in shown_metrics(comparison, chosen) if row.differs or not only_differences]
    found.extend(_metric_rows(metrics, order, form, glyphs, tight=room < _ROOMY))
    for section in comparison.sections:
        shown = [row for row in section.rows if row.differs or not only_differences]
        if not shown:
            continue
        differing = sum(row.differs for row in section.rows)
        title = f"{section.title.upper()}"
        told = Cell(f"{differing} of {len(section.rows)} differ", "dim")
        found.append(Row(f"title:{section.title}", (Cell(title, "key"), told)))
        found.extend(_field_row(section.title, row, order, glyphs) for row in shown)
    cards = {card.ref: card for card in comparison.cards}
    if any(card.lines for card in comparison.cards) or (comparison.cards and not only_differences):
        cells = [Cell("", "dim")]
        cells += [_card_cell(cards[comparison.refs[place]]) for place in order[1:]]
        found.append(Row("title:card", (Cell("CARD", "key"), Cell("enter shows the differences", "dim"))))
        found.append(Row("card", (Cell("README.md"), *cells)))
    return found


def _metric_rows(
    metrics: Sequence[MetricRow], order: Sequence[int], form: DeltaForm, glyphs: Glyphs, *, tight: bool
) -> list[Row]:
    """The metrics, with values and differences of each column below each other."""
    parts = [[_parts(row.cells[place], form, glyphs, base=place == order[0]) for place in order] for row in metrics]
    widths = [
        [max((width_of(line[column][part], limit=40) for line in parts), default=0) for part in range(3)]
        for column in range(len(order))
    ]
    found = []
    for row, line in zip(metrics, parts, strict=True):
        unit = f" {row.unit}" if row.unit else ""
        cells = [Cell(f"{row.name} {arrow(row.better, glyphs)}{unit}", "strong")]
        for column, place in enumerate(order):
            cell, texts = row.cells[place], line[column]
            padded = [text.rjust(width) for text, width in zip(texts, widths[column], strict=True) if width]
            sign = {"better": glyphs.better, "worse": glyphs.worse}.get(cell.outcome, "")
            note = "" if cell.value is None or cell.note in _SEEN_ANYWAY else cell.note
            sign = sign or ("=" if cell.outcome == "equal" and place != order[0] else "")
            at = 1 if tight else len(padded)
            text = "  ".join([*padded[:at], f"{sign:<1}" if tight else sign, *padded[at:]])
            role = {"better": "good", "worse": "bad"}.get(cell.outcome, "dim" if cell.value is None else "")
            cells.append(Cell(f"{text} {note}".rstrip(), role))
        found.append(Row(f"metric:{row.name}", tuple(cells)))
    return found


def _parts(cell: MetricCell, form: DeltaForm, glyphs: Glyphs, *, base: bool) -> tuple[str, str, str]:
    """The value with its crown, the difference and the ratio; empty where not asked for."""
    if cell.value is None:
        return "missing", "", ""
    value = short(cell.value, glyphs) + (glyphs.best if cell.best else " ")
    if base or cell.delta is None or cell.outcome == "equal":
        return value, "", ""
    delta = signed(cell.delta) if form != "percent" else ""
    ratio = percent(cell.ratio) if form != "value" else ""
    return value, delta, ratio


def _field_row(section: str, row: FieldRow, order: Sequence[int], glyphs: Glyphs) -> Row:
    base = row.values[order[0]]
    cells = [Cell(row.name, "strong" if row.differs else "dim")]
    for place in order:
        value = row.values[place]
        text = glyphs.missing if value is None else value
        role = "dim" if value is None or not row.differs else "accent" if value != base else ""
        cells.append(Cell(f"{text}  {row.note}" if row.note and value != base else text, role))
    return Row(f"{section}:{row.name}", tuple(cells))


def _card_cell(card: CardDifference) -> Cell:
    if not card.lines:
        return Cell("the same", "dim")
    body = card.lines[2:]
    added = sum(line.startswith("+") for line in body)
    removed = sum(line.startswith("-") for line in body)
    return Cell(f"+{added} -{removed} lines", "accent")


def view_of(comparison: Comparison, keys: Collection[str]) -> Comparison:
    """The part of a comparison that is on the screen, for writing it to a file.

    Args:
        comparison: all of it.
        keys: of the rows that are shown.
    """
    return replace(
        comparison,
        metrics=tuple(row for row in comparison.metrics if f"metric:{row.name}" in keys),
        sections=tuple(
            replace(section, rows=tuple(row for row in section.rows if f"{section.title}:{row.name}" in keys))
            for section in comparison.sections
        ),
        cards=comparison.cards if "card" in keys else (),
    )


def summary(comparison: Comparison) -> list[str]:
    """For each version but the base, in how many metrics it is better and worse, or why that cannot be said."""
    return [
        f"{_name(comparison.refs[place], comparison)}: {_verdict(comparison, place)}"
        for place in order_of(comparison)[1:]
    ]


def _verdict(comparison: Comparison, place: int) -> str:
    better, worse = comparison.wins()[place]
    if not better and not worse and any(row.cells[place].note == OTHER_DATA for row in comparison.metrics):
        return "not comparable: other test data"
    return f"{better} better, {worse} worse"


def details(comparison: Comparison, key: str, glyphs: Glyphs) -> list[Line]:
    """A row of the table in full, each version on lines of its own; for the card, the differences."""
    if key in {"card", "title:card"}:
        return card_lines(comparison)
    order = order_of(comparison)
    for row in comparison.metrics:
        if key == f"metric:{row.name}":
            return [line for place in order for line in _metric_details(comparison.refs[place], row, place, glyphs)]
    for section in comparison.sections:
        for field in section.rows:
            if key == f"{section.title}:{field.name}":
                values = [(comparison.refs[place], field.values[place]) for place in order]
                lines = [
                    line
                    for ref, value in values
                    for line in (heading(str(ref)), (Cell("  "), Cell("missing" if value is None else value)))
                ]
                return [*lines, *([(Cell(field.note, "warn"),)] if field.note else [])]
    return []


def _metric_details(ref: Ref, row: MetricRow, place: int, glyphs: Glyphs) -> list[Line]:
    cell = row.cells[place]
    told = "missing" if cell.value is None else f"{cell.value!r} {row.unit}".rstrip()
    lines: list[Line] = [heading(str(ref)), (Cell(f"  {told}", "strong"),)]
    if cell.delta is not None:
        sign = {"better": glyphs.better, "worse": glyphs.worse}.get(cell.outcome, "")
        lines.append((Cell(f"  {signed(cell.delta)}  {percent(cell.ratio)} {sign} {cell.outcome}"),))
    if cell.note:
        lines.append((Cell(f"  {cell.note}", "warn"),))
    return lines


def card_lines(comparison: Comparison) -> list[Line]:
    """The unified differences of the cards against the base's."""
    lines: list[Line] = []
    for card in comparison.cards:
        lines.append(heading(f"{comparison.refs[comparison.base]} and {card.ref}"))
        if not card.lines:
            lines.append((Cell("the same", "dim"),))
        for line in card.lines:
            role = {"+": "good", "-": "bad", "@": "accent"}.get(line[:1], "")
            lines.append((Cell(line, "dim" if line.startswith(("+++", "---")) else role),))
    return lines
