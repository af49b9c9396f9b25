"""Tables to test with: versions as people have them, and names as nobody should."""

from __future__ import annotations

from stackroom.tui.widgets.columns import Column
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable, Row
from tui.screen import Bench

COLUMNS = (
    Column(key="version", label="VERSION"),
    Column(key="stage", label="STAGE", priority=1),
    Column(key="auc", label="AUC", align="right", priority=2),
    Column(key="loss", label="LOGLOSS", align="right", priority=4),
    Column(key="size", label="SIZE", align="right", priority=6),
    Column(key="created", label="CREATED", priority=3),
    Column(key="by", label="BY", priority=5),
    Column(key="trend", label="TREND(AUC)", priority=7),
)
STAGES = (("", ""), ("staging", "warn"), ("production", "good"), ("archived", "dim"))
HOSTILE = (
    "\x1b[31mred",
    "\x1b]52;c;ZXZpbA==\x07",
    "\x9b31mc1",
    "\x90q\x9c",
    "\u202egnp.exe\u2066",
    "[/x]",
    "[red]m[/]",
    "[@click=app.quit]go[/]",
    "v" * 300,
    "\u6a21\u578b" * 60,
    "\U0001f600\U0001f680" * 30,
    "\u2764\ufe0f heart",
    "z" + "\u0301" * 40,
    "tab\there\nline\rback\x00nul\x7fdel",
    "\ud800 surrogate \udcff",
    "\u200b\u200d\ufeff zero",
)


def row(number: int) -> Row:
    stage, role = STAGES[number % 4]
    best = number % 5 == 0
    return Row(
        f"v{number}",
        (
            Cell(str(number)),
            Cell(stage, role),
            Cell(f"0.9{number % 1000:03d}{'*' if best else ''}", "strong" if best else ""),
            Cell(f"0.1{number % 777:03d}"),
            Cell(f"{number % 999}M", "dim"),
            Cell(f"{number % 59}d ago", "dim"),
            Cell(("ana", "bo", "chen")[number % 3]),
            Cell("▁▂▃▄▅▆▇█"[: number % 8], "accent"),
        ),
    )


def rows(*numbers: int) -> list[Row]:
    return [row(number) for number in numbers]


def table_of(count: int, **options: object) -> Bench[LineTable]:
    table = LineTable(COLUMNS, **options)  # type: ignore[arg-type]  # any option of the table
    table.set_rows(rows(*range(count)))
    return Bench(table)
