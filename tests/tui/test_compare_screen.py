"""Versions side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from stackroom.core.compare import Subject, compare
from stackroom.core.files import FileFact
from stackroom.core.metadata import Dataset, Record
from stackroom.core.names import parse_ref
from stackroom.core.policy import MetricInfo, Policy
from stackroom.registry.editing import Edit
from stackroom.tui.glyphs import UNICODE
from stackroom.tui.present import compare as present
from stackroom.tui.screens.compare import ComparePage
from stackroom.tui.screens.text import TextPage
from tui.browsing import MIDDLE, NARROW, WIDE, Walk, check_golden, walk

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry
    from stackroom.tui.widgets.line_table import Row


async def compare_tumor(somebody: Walk, *numbers: int) -> ComparePage:
    refs = " ".join(f"tumor-screening:{number}" for number in numbers)
    await somebody.press(*f":compare {refs}", "enter")
    page = somebody.page
    assert isinstance(page, ComparePage)
    return page


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
def test_two_and_three_versions_look_as_they_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        somebody.golden("compare-two")
        await somebody.press("equals_sign", "percent_sign")
        somebody.golden("compare-two-differences-as-values")
        await somebody.press("q")
        await compare_tumor(somebody, 3, 4, 5)
        somebody.golden("compare-three")

    walk(registry, steps, size=size)


def test_who_is_better_is_seen_at_sixty_columns(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        rows = somebody.text.splitlines()[2:7]
        assert [[sign for sign in "\u25b2\u25bc" if sign in row] for row in rows] == [
            ["\u25bc"],  # accuracy
            ["\u25bc"],  # auc
            ["\u25bc"],  # log_loss
            ["\u25b2"],  # latency_ms
            ["\u25b2"],  # size_kb
        ]

    walk(registry, steps, size=(60, 16))


def test_marked_versions_are_compared_the_oldest_as_the_base(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press("space", "j", "space", "c")
        page = somebody.page
        assert isinstance(page, ComparePage)
        assert [str(ref) for ref in page.refs] == ["tumor-screening:3", "tumor-screening:5"]

    walk(registry, steps)


def test_the_base_moves_on_and_columns_scroll(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 1, 2, 3, 4)
        assert "versions 1-1 of 3" in somebody.status
        await somebody.press("l", "l", "l")
        assert "versions 3-3 of 3" in somebody.status
        assert "4: " in somebody.status
        assert "2: " not in somebody.status
        await somebody.press("h")
        assert "versions 2-2 of 3" in somebody.status
        await somebody.press("b")
        assert "2 (base)" in somebody.text
        await somebody.press("b", "b", "b")
        assert "1 (base)" in somebody.text

    walk(registry, steps)


def test_what_was_measured_on_other_data_is_said_to_be_not_comparable(registry: Registry) -> None:
    for number in (2, 3):
        tested = {"name": "iris", "split": "test", "digest": f"sha256:{number}" + "0" * 63}
        registry.edit(f"iris-species:{number}", Edit(put={"datasets": [tested]}))

    async def steps(somebody: Walk) -> None:
        await somebody.press(*":compare iris-species:2 iris-species:3", "enter")
        assert "3: not comparable: other test data" in somebody.status

    walk(registry, steps)


def test_a_row_opens_in_full_and_the_card_as_its_differences(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        await somebody.press("enter")
        assert isinstance(somebody.page, TextPage)
        assert "0.978070175" in somebody.text
        assert "-0.07456" in somebody.text
        await somebody.press("q", "G", "enter")
        somebody.golden("compare-card")
        await somebody.press("q")
        await somebody.press(*"/solver", "enter")
        await somebody.press("enter")
        assert "saga" in somebody.text

    walk(registry, steps)


def test_the_comparison_is_copied_as_markdown(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)

    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        await somebody.press("y", "m")
        assert "copied: the comparison as Markdown" in somebody.status
        check_golden("compare-markdown", somebody.app.clipboard)

    walk(registry, steps)


NUMBERS = {
    "a_tie": (0.5, 0.5, 0.5),
    "better_and_worse": (0.5, 0.6, 0.4),
    "from_zero": (0.0, 0.1, 0.0),
    "infinite": (1.0, float("inf"), float("-inf")),
    "lower_wins": (10.0, 9.0, 11.0),
    "missing": (0.5, None, 0.6),
    "missing_base": (None, 0.5, 0.6),
    "not_a_number": (0.5, float("nan"), 0.6),
    "undeclared": (1.0, 2.0, 3.0),
}


def subjects(*, other_data: bool = False) -> list[Subject]:
    found = []
    for place in range(3):
        digest = "xxh128:b" if other_data and place == 2 else "xxh128:a"
        record = Record(
            metrics={name: value for name, values in NUMBERS.items() if (value := values[place]) is not None},
            hyperparameters={"depth": (1, 1.0, "1")[place], "same": True, "long": "word " * (place * 20)},
            datasets=(Dataset(name="d", digest=digest, split="test"),),
        )
        files = (FileFact(path="model.onnx", size=None if place == 1 else 7, digest=f"sha256:{place}"),)
        found.append(Subject(ref=parse_ref(f"m:{place + 1}"), record=record, files=files, card="one\n" * (place + 1)))
    return found


def drawn(rows: list[Row]) -> str:
    return "\n".join(" | ".join(f"{cell.text}<{cell.style}>" for cell in row.cells) for row in rows)


def test_every_kind_of_difference_is_told_as_it_was() -> None:
    better = {name: MetricInfo(better="higher") for name in NUMBERS if name not in {"undeclared", "lower_wins"}}
    policy = Policy(id="x", metrics=better | {"lower_wins": MetricInfo(better="lower", unit="ms")})
    forms: tuple[tuple[present.DeltaForm, bool], ...] = (("both", False), ("percent", True), ("value", True))
    shown = [
        drawn(present.rows(compare(subjects(), policy), form, UNICODE, only_differences=only)) for form, only in forms
    ]
    shown.append(
        drawn(present.rows(compare(subjects(other_data=True), policy, base=1), "both", UNICODE, only_differences=False))
    )
    check_golden("compare-kinds", "\n\n".join(shown))


def test_a_missing_or_undefined_value_never_wins() -> None:
    policy = Policy(id="x", metrics={name: MetricInfo(better="higher") for name in NUMBERS})
    rows = {row.key: row for row in present.rows(compare(subjects(), policy), "both", UNICODE, only_differences=False)}
    for name in ("missing", "not_a_number", "a_tie"):
        texts = [cell.text for cell in rows[f"metric:{name}"].cells]
        assert not [text for text in texts if "nan" in text and "*" in text], name
        assert not [text for text in texts if "missing" in text and ("*" in text or "▲" in text or "▼" in text)], name
    assert "n/a" in rows["metric:from_zero"].cells[2].text
    assert not [cell for cell in rows["metric:a_tie"].cells if "*" in cell.text]


@pytest.mark.parametrize(("key", "ending"), [("m", "md"), ("v", "csv"), ("j", "json")])
def test_the_view_is_written_to_a_file(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str, ending: str
) -> None:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / f"tumor-screening-4-5.{ending}"

    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        await somebody.press("b", "equals_sign", *"/e", "enter")
        await somebody.press("x")
        await somebody.press(key)
        await somebody.press("enter")
        assert f"written: {path.name}" in somebody.status

    walk(registry, steps, size=MIDDLE)
    check_golden(f"compare-exported-{ending}", path.read_text(encoding="utf-8"))


def test_nothing_is_written_over_without_being_asked(registry: Registry, tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("mine")

    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        await somebody.press(*f":export csv {path}", "enter")
        assert "is there already" in somebody.text
        await somebody.press("escape")
        assert path.read_text() == "mine"
        await somebody.press(*f":export csv {path}", "enter")
        await somebody.press("o")
        assert "written:" in somebody.status
        assert path.read_text().startswith("part,name,better")
        await somebody.press(*f":export csv {tmp_path}/nosuch/x.csv", "enter")
        assert "there is no folder" in somebody.status
        await somebody.press(*":export", "enter")
        await somebody.press("escape")
        await somebody.press(*":export xml", "enter")
        assert "name a form and a file" in somebody.status

    walk(registry, steps, size=MIDDLE)


@pytest.mark.parametrize(("key", "start"), [("v", "part,name"), ("j", "{"), ("m", "**tumor")])
def test_the_view_is_copied_in_every_form(
    registry: Registry, monkeypatch: pytest.MonkeyPatch, key: str, start: str
) -> None:
    monkeypatch.delenv("TMUX", raising=False)

    async def steps(somebody: Walk) -> None:
        await compare_tumor(somebody, 4, 5)
        await somebody.press("y", key)
        assert somebody.app.clipboard.startswith(start)

    walk(registry, steps)
