"""A comparison as a text that leaves the registry: Markdown for a review, CSV for a spreadsheet, JSON for a program.

The command line and the terminal interface write the same texts. Everything in them comes from other people: Markdown
and spreadsheets obey some of what they read, so it is written such that they do not.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal

from stackroom.core import show
from stackroom.core.text import visible

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from stackroom.core.compare import CardDifference, Comparison, FieldRow, MetricCell, MetricRow

Format = Literal["markdown", "csv", "json"]
"""What a comparison can be written as."""

FORMATS: Final[tuple[Format, ...]] = ("markdown", "csv", "json")

ENDINGS: Final[dict[Format, str]] = {"markdown": "md", "csv": "csv", "json": "json"}
"""How the names of such files end."""

_MISSING: Final = "-"


def exported(comparison: Comparison, form: Format, *, everything: bool = True) -> str:
    """A comparison as a text that ends with a line feed.

    Args:
        comparison: what to write.
        form: as what.
        everything: also what does not differ; JSON always says everything.
    """
    match form:
        case "markdown":
            return "".join(f"{line}\n" for line in markdown_lines(comparison, everything=everything))
        case "csv":
            return _csv(comparison, everything=everything)
        case "json":
            return show.json_text(comparison.document() | {"summary": summary(comparison)})


def order_of(comparison: Comparison) -> list[int]:
    """The versions' places as they are shown: the base first."""
    others = [place for place in range(len(comparison.refs)) if place != comparison.base]
    return [comparison.base, *others]


def summary(comparison: Comparison) -> list[str]:
    """One line for every version but the base: in how many metrics it is better, worse, or nobody can say."""
    lines: list[str] = []
    base = comparison.refs[comparison.base]
    for index, (better, worse) in enumerate(comparison.wins()):
        if index == comparison.base:
            continue
        cells = [row.cells[index] for row in comparison.metrics]
        equal = sum(cell.outcome == "equal" for cell in cells)
        unknown = len(cells) - better - worse - equal
        counted = [f"better in {better}", f"worse in {worse}"]
        counted += [f"equal in {equal}"] if equal else []
        counted += [f"not comparable in {unknown}"] if unknown else []
        of = show.count(len(cells), "metric")
        lines.append(f"{comparison.refs[index]} against {base}: {', '.join(counted)} of {of}")
    return lines


def value_text(value: float | None) -> str:
    """A metric in six significant digits, or the sign for nothing."""
    return _MISSING if value is None else show.number(value)


def change_text(cell: MetricCell) -> str:
    """The difference from the base with its sign."""
    return _MISSING if cell.delta is None else f"{cell.delta:+.6g}"


# --- Markdown


def markdown_lines(comparison: Comparison, *, everything: bool) -> Iterator[str]:
    """Tables and the cards' differences, with everything escaped that Markdown would obey."""
    order = order_of(comparison)
    base, *others = (escaped(str(comparison.refs[place])) for place in order)
    for line in summary(comparison):
        yield f"**{escaped(line)}**"
        yield ""
    rows = [row for row in comparison.metrics if everything or row.differs]
    if rows:
        heads = [base, *(head for ref in others for head in (ref, "change", "outcome"))]
        yield from markdown_table(["metric", "better is", *heads], [_markdown_metric(row, order) for row in rows])
    for section in comparison.sections:
        fields = [row for row in section.rows if everything or row.differs]
        if fields:
            noted = any(row.note for row in fields)
            heads = [section.title, base, *others, *(["note"] if noted else [])]
            yield from markdown_table(heads, [_markdown_field(row, order, noted=noted) for row in fields])
    for card in comparison.cards:
        if card.lines:
            yield from _markdown_card(card)


def _markdown_metric(row: MetricRow, order: Sequence[int]) -> list[str]:
    cells = [f"{row.name} ({row.unit})" if row.unit else row.name, row.better or "unknown"]
    for place in order:
        cell = row.cells[place]
        cells.append(f"{value_text(cell.value)}{'*' if cell.best else ''}")
        if place != order[0]:
            outcome = cell.outcome if cell.outcome != "unknown" else cell.note or "unknown"
            sign = {"better": "▲ ", "worse": "▼ "}.get(cell.outcome, "")
            change = _MISSING if cell.delta is None else f"{change_text(cell)} ({show.share(cell.ratio)})"
            cells += [change, f"{sign}{outcome}"]
    return cells


def _markdown_field(row: FieldRow, order: Sequence[int], *, noted: bool) -> list[str]:
    values = [row.values[place] for place in order]
    return [row.name, *(_MISSING if value is None else value for value in values), *([row.note] if noted else [])]


def markdown_table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """The lines of a table, and an empty one; cells are escaped, for heads the caller does so."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(escaped(cell) for cell in row)} |"
    yield ""


def _markdown_card(card: CardDifference) -> Iterator[str]:
    # A fence that is longer than any in the text cannot be closed by it.
    ticks = max((len(run) for line in card.lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield "<details><summary>card</summary>"
    yield ""
    yield f"{fence}diff"
    yield from (visible(line.expandtabs(4)) for line in card.lines)
    yield fence
    yield ""
    yield "</details>"
    yield ""


def escaped(text: str) -> str:
    """Text that Markdown shows as it is: no table, link, image, emphasis, mention or HTML comes out of it."""
    return re.sub(r"[\\`*_{}\[\]|~#!&<@]", lambda found: _HARMLESS.get(found[0], f"\\{found[0]}"), visible(text))


_HARMLESS: Final = {"&": "&amp;", "<": "&lt;", "@": "&#64;"}
"""What no backslash takes the meaning of everywhere, as entities."""


# --- CSV

_FORMULA: Final = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""What a spreadsheet takes a cell for a formula by; in some languages the wide forms count, too."""


def _csv(comparison: Comparison, *, everything: bool) -> str:
    """One line for each metric, field and file: values in full, what is missing as nothing, the card as counts."""
    order = order_of(comparison)
    refs = [str(comparison.refs[place]) for place in order]
    changes = [f"{ref} {what}" for ref in refs[1:] for what in ("change", "ratio", "outcome")]
    lines: list[list[str]] = [["part", "name", "better", "unit", *refs, *changes, "note"]]
    lines.extend(_csv_metric(row, order) for row in comparison.metrics if everything or row.differs)
    blank = [""] * len(changes)
    for section in comparison.sections:
        for field in section.rows:
            if everything or field.differs:
                values = [csv_cell(field.values[place] or "") for place in order]
                lines.append([section.title, csv_cell(field.name), "", "", *values, *blank, csv_cell(field.note)])
    if any(card.lines for card in comparison.cards) or (everything and comparison.cards):
        lines.append(["card", "README.md", "", "", "", *(card_text(card) for card in comparison.cards), *blank, ""])
    return "".join(f"{csv_line(line)}\n" for line in lines)


def csv_line(cells: Iterable[str]) -> str:
    """A line of cells that :func:`csv_cell` or a number gave."""
    return ",".join(map(_quoted, cells))


def _quoted(text: str) -> str:
    """A cell as RFC 4180 writes it; line ends are pictures of themselves by now."""
    return '"' + text.replace('"', '""') + '"' if "," in text or '"' in text else text


def _csv_metric(row: MetricRow, order: Sequence[int]) -> list[str]:
    cells = [row.cells[place] for place in order]
    values = ["" if cell.value is None else repr(cell.value) for cell in cells]
    changes = [
        text
        for cell in cells[1:]
        for text in (
            "" if cell.delta is None else repr(cell.delta),
            "" if cell.ratio is None else repr(cell.ratio),
            cell.outcome,
        )
    ]
    notes = [cell.note for cell in cells[1:] if cell.note]
    return [
        "metrics",
        csv_cell(row.name),
        row.better or "",
        csv_cell(row.unit),
        *values,
        *changes,
        "; ".join(dict.fromkeys(notes)),
    ]


def card_text(card: CardDifference) -> str:
    """How many lines of a card were added and removed."""
    if not card.lines:
        return "the same"
    body = card.lines[2:]
    added = sum(line.startswith("+") for line in body)
    return f"{added} lines added, {sum(line.startswith('-') for line in body)} removed"


def csv_cell(text: str) -> str:
    """A text that a spreadsheet shows and does not work out; a number stays a number."""
    shown = visible(text)
    if not shown.lstrip().startswith(_FORMULA):
        return shown
    try:
        float(shown)
    except ValueError:
        return f"'{shown}"
    return shown
