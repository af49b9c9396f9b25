"""What is on a screen, in a file: as it is filtered and sorted, with whole values."""

from __future__ import annotations

import csv
import json
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from tui.browsing import NOW, Walk, walk

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.registry.facade import Registry


def table(path: Path) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as stream:
        return list(csv.reader(stream))


def document(path: Path) -> Any:  # noqa: ANN401  # whatever JSON holds
    return json.loads(path.read_text(encoding="utf-8"))


def test_models_and_versions_are_written_as_they_are_filtered_and_sorted(registry: Registry, tmp_path: Path) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*"/tumor", "enter")
        await somebody.press(*f":export csv {tmp_path}/models.csv", "enter")
        assert "written" in somebody.status
        await somebody.press(*":open tumor-screening", "enter")
        await somebody.press(*":sort accuracy", "enter")
        await somebody.press(*"/accuracy>0.95", "enter")
        await somebody.press(*f":export csv {tmp_path}/versions.csv", "enter")
        await somebody.press(*f":export json {tmp_path}/versions.json", "enter")
        await somebody.press(*f":export markdown {tmp_path}/versions.md", "enter")

    walk(registry, steps)
    head, *rows = table(tmp_path / "models.csv")
    assert [row[0] for row in rows] == ["tumor-screening"]
    assert head[:2] == ["model", "latest"]
    head, *rows = table(tmp_path / "versions.csv")
    values = [float(row[head.index("metrics.accuracy")]) for row in rows]
    assert values == sorted(values, reverse=True)
    assert len(values) == 3
    assert [row[0] for row in rows] == [
        str(version["version"]) for version in document(tmp_path / "versions.json")["versions"]
    ]
    assert (tmp_path / "versions.md").read_text().startswith("| version | labels |")


@pytest.mark.parametrize(
    ("screen", "name", "head"),
    [
        (":activity", "activity", ["when", "model", "version", "what"]),
        (":review", "review", ["what", "severity", "version", "why"]),
        (":doctor", "doctor", ["severity", "kind", "place", "message"]),
        (":plot accuracy", "tumor-screening-accuracy", ["kind", "version", "accuracy", "when"]),
    ],
)
def test_every_list_has_the_key_and_a_name_for_its_file(
    registry: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, screen: str, name: str, head: list[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    registry.observe("tumor-screening:4", {"accuracy": 0.9}, at=NOW - timedelta(days=1))

    async def steps(somebody: Walk) -> None:
        if "plot" in screen:
            await somebody.press(*":open tumor-screening", "enter")
        await somebody.press(*screen, "enter")
        for key in "vj":
            await somebody.press("x")
            await somebody.press(key)
            await somebody.press("enter")
            assert f"written: {name}." in somebody.status

    walk(registry, steps)
    first, *rows = table(tmp_path / f"{name}.csv")
    assert first[:4] == head
    assert rows
    assert sum(len(part) for part in document(tmp_path / f"{name}.json").values() if isinstance(part, list)) >= len(
        rows
    )
