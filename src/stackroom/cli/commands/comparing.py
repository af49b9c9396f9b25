"""``diff``: versions side by side, as tables, as JSON, or as Markdown for a comment on a change."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stackroom.cli import streams
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled, plain
from stackroom.cli.table import Column
from stackroom.cli.words import MISSING, metric_text, share_text
from stackroom.core import show
from stackroom.core.text import visible
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Iterator, Sequence

    from stackroom.cli.context import Context
    from stackroom.cli.style import Glyphs
    from stackroom.core.compare import Comparison, MetricCell, MetricRow, Section


def _diff_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("refs", metavar="REF", nargs="+", help="two versions or more; the first is the base")
    parser.add_argument("--all", action="store_true", help="also what does not differ")
    parser.add_argument("--markdown", action="store_true", help="tables for a comment on a change")


def _diff(context: Context, options: Namespace) -> int:
    if len(options.refs) < 2:
        raise UsageError(
            "two versions are compared, or more",
            hint=f"stackroom diff {options.refs[0]}@production {options.refs[0]}:latest"
            if re.fullmatch(r"[a-z0-9._-]+", options.refs[0])
            else f"stackroom diff {options.refs[0]} REF",
        )
    comparison = context.reader.compare(options.refs)
    if context.json:
        context.document(comparison.document() | {"summary": summary(comparison)})
    elif options.markdown:
        streams.put_lines(_markdown(comparison, everything=options.all))
    else:
        _put(context, comparison, everything=options.all)
    return 0


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


def metric_rows(comparison: Comparison, *, everything: bool) -> list[MetricRow]:
    """The rows of metrics to show."""
    return [row for row in comparison.metrics if everything or row.differs]


def _put(context: Context, comparison: Comparison, *, everything: bool) -> None:
    rows = metric_rows(comparison, everything=everything)
    if rows:
        context.out(Styled("metrics", "bold"))
        _put_metrics(context, comparison, rows)
        context.out("")
    for section in comparison.sections:
        _put_section(context, comparison, section, everything=everything)
    for card in comparison.cards:
        if card.lines:
            context.out(Styled("card", "bold"))
            for line in card.lines:
                context.out(_diff_line(line))
            context.out("")
    for line in summary(comparison):
        context.out(line)


def _diff_line(line: str) -> Piece:
    colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
    text = line.expandtabs(4)
    return Styled(text, colour) if colour else text


def _put_metrics(context: Context, comparison: Comparison, rows: Sequence[MetricRow]) -> None:
    refs = [str(ref) for ref in comparison.refs]
    columns = [Column(title="METRIC"), Column(title="BETTER IS", priority=2)]
    for index, ref in enumerate(refs):
        columns.append(Column(title=ref, right=True))
        if index != comparison.base:
            columns += [
                Column(title="CHANGE", right=True),
                Column(title="%", right=True, priority=3),
                Column(title="OUTCOME", priority=1, least=8),
            ]
    glyphs = context.glyphs
    table = []
    for row in rows:
        name = f"{row.name} ({row.unit})" if row.unit else row.name
        cells: list[Piece] = [name, row.better or "unknown"]
        for index, cell in enumerate(row.cells):
            cells.append(f"{metric_text(cell.value)}{'*' if cell.best else ''}")
            if index != comparison.base:
                cells += [change_text(cell), share_text(cell.ratio), _outcome(cell, glyphs)]
        table.append(cells)
    context.table(columns, table)


def change_text(cell: MetricCell) -> str:
    """The difference from the base with its sign."""
    return MISSING if cell.delta is None else f"{cell.delta:+.6g}"


def _outcome(cell: MetricCell, glyphs: Glyphs) -> Piece:
    match cell.outcome:
        case "better":
            return Styled(f"{glyphs.better} better", "green")
        case "worse":
            return Styled(f"{glyphs.worse} worse", "red")
        case "equal":
            return f"equal{f': {cell.note}' if cell.note else ''}"
        case _:
            return cell.note or "unknown"


def _put_section(context: Context, comparison: Comparison, section: Section, *, everything: bool) -> None:
    rows = [row for row in section.rows if everything or row.differs]
    if not rows:
        return
    context.out(Styled(section.title, "bold"))
    noted = any(row.note for row in rows)
    columns = [
        Column(title="FIELD", least=12),
        *(Column(title=str(ref), least=16) for ref in comparison.refs),
        *((Column(title="NOTE", priority=1),) if noted else ()),
    ]
    table = [[row.name, *(_value(value) for value in row.values), *((row.note,) if noted else ())] for row in rows]
    context.table(columns, table)
    context.out("")


def _value(value: str | None) -> Piece:
    return MISSING if value is None else value


# --- Markdown


def _markdown(comparison: Comparison, *, everything: bool) -> Iterator[str]:
    refs = [_escaped(str(ref)) for ref in comparison.refs]
    for line in summary(comparison):
        yield f"**{_escaped(line)}**"
        yield ""
    rows = metric_rows(comparison, everything=everything)
    if rows:
        heads = [refs[0], *(head for ref in refs[1:] for head in (ref, "change", "outcome"))]
        yield from _markdown_table(
            ["metric", "better is", *heads], [_markdown_metric(row, comparison.base) for row in rows]
        )
    for section in comparison.sections:
        fields = [row for row in section.rows if everything or row.differs]
        if fields:
            yield from _markdown_table(
                [section.title, *refs], [[row.name, *(plain(_value(value)) for value in row.values)] for row in fields]
            )
    for card in comparison.cards:
        if card.lines:
            yield from _markdown_card(card.lines)


def _markdown_metric(row: MetricRow, base: int) -> list[str]:
    cells = [f"{row.name} ({row.unit})" if row.unit else row.name, row.better or "unknown"]
    for index, cell in enumerate(row.cells):
        cells.append(f"{metric_text(cell.value)}{'*' if cell.best else ''}")
        if index != base:
            outcome = cell.outcome if cell.outcome != "unknown" else cell.note or "unknown"
            sign = {"better": "▲ ", "worse": "▼ "}.get(cell.outcome, "")
            change = MISSING if cell.delta is None else f"{change_text(cell)} ({share_text(cell.ratio)})"
            cells += [change, f"{sign}{outcome}"]
    return cells


def _markdown_table(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[str]:
    yield f"| {' | '.join(heads)} |"
    yield f"|{' --- |' * len(heads)}"
    for row in rows:
        yield f"| {' | '.join(_escaped(cell) for cell in row)} |"
    yield ""


def _markdown_card(lines: Sequence[str]) -> Iterator[str]:
    # A fence that is longer than any in the text cannot be closed by it.
    ticks = max((len(run) for line in lines for run in re.findall(r"`+", line)), default=0)
    fence = "`" * max(3, ticks + 1)
    yield "<details><summary>card</summary>"
    yield ""
    yield f"{fence}diff"
    yield from (visible(line.expandtabs(4)) for line in lines)
    yield fence
    yield ""
    yield "</details>"
    yield ""


def _escaped(text: str) -> str:
    """Text that Markdown shows as it is: no table, link, image, emphasis, mention or HTML comes out of it."""
    return re.sub(r"[\\`*_{}\[\]|~#!&<@]", lambda found: _HARMLESS.get(found[0], f"\\{found[0]}"), visible(text))


_HARMLESS: Final = {"&": "&amp;", "<": "&lt;", "@": "&#64;"}
"""What no backslash takes the meaning of everywhere, as entities."""


COMMANDS: Final = {
    "diff": Command(
        arguments=_diff_arguments,
        run=_diff,
        examples=(
            "stackroom diff fraud-detector@production fraud-detector:latest",
            "stackroom diff fraud-detector:6 fraud-detector:7 --markdown > comment.md",
        ),
        about="A metric has a winner only where registry.toml says which way it is better and both were measured on\n"
        "the same data. * marks the best of all.",
    ),
}
