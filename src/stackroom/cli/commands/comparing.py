"""``diff``: versions side by side, for people, or as the text of another program."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from stackroom.cli import streams
from stackroom.cli.parsing import Command
from stackroom.cli.style import Piece, Styled
from stackroom.cli.table import Column
from stackroom.cli.words import MISSING
from stackroom.core import show
from stackroom.core.export import FORMATS, change_text, exported, summary, value_text
from stackroom.errors import UsageError

if TYPE_CHECKING:
    from argparse import ArgumentParser, Namespace
    from collections.abc import Sequence

    from stackroom.cli.context import Context
    from stackroom.cli.style import Glyphs
    from stackroom.core.compare import Comparison, MetricCell, MetricRow, Section


def _diff_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("refs", metavar="REF", nargs="+", help="two versions or more; the first is the base")
    parser.add_argument("--all", action="store_true", help="also what does not differ")
    parser.add_argument(
        "--format", choices=("text", *FORMATS), default="text", help="markdown: tables for a comment on a change"
    )
    parser.add_argument(
        "--markdown", dest="format", action="store_const", const="markdown", help="the same as --format markdown"
    )


def _diff(context: Context, options: Namespace) -> int:
    if len(options.refs) < 2:
        raise UsageError(
            "two versions are compared, or more",
            hint=f"stackroom diff {options.refs[0]}@production {options.refs[0]}:latest"
            if re.fullmatch(r"[a-z0-9._-]+", options.refs[0])
            else f"stackroom diff {options.refs[0]} REF",
        )
    comparison = context.reader.compare(options.refs)
    form = "json" if context.json else options.format
    if form in FORMATS:
        streams.put(exported(comparison, form, everything=options.all))
    else:
        _put(context, comparison, everything=options.all)
    return 0


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
            cells.append(f"{value_text(cell.value)}{'*' if cell.best else ''}")
            if index != comparison.base:
                cells += [change_text(cell), show.share(cell.ratio), _outcome(cell, glyphs)]
        table.append(cells)
    context.table(columns, table)


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


COMMANDS: Final = {
    "diff": Command(
        arguments=_diff_arguments,
        run=_diff,
        examples=(
            "stackroom diff fraud-detector@production fraud-detector:latest",
            "stackroom diff fraud-detector:6 fraud-detector:7 --format markdown > comment.md",
            "stackroom diff fraud-detector:5 fraud-detector:6 fraud-detector:7 --all --format csv > sheet.csv",
        ),
        about="A metric has a winner only where registry.toml says which way it is better and both were measured on\n"
        "the same data. * marks the best of all.",
    ),
}
