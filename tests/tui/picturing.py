"""Screens as pictures that are the same on every machine."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from rich.console import Console

from stackroom.store.access import Access
from tui.browsing import UPDATE

if TYPE_CHECKING:
    from collections.abc import Callable

    from stackroom.tui.app import Browser

PICTURES = Path(__file__).resolve().parents[2] / "docs" / "pictures"


@pytest.fixture
def plain_svg(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pictures without a font from somewhere else: no address of a host is committed."""
    real = Console.export_svg

    def export_svg(self: Console, *, title: str) -> str:
        svg = real(self, title=title)
        svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL)
        return re.sub(r"<!--.*?-->\s*", "", svg)

    monkeypatch.setattr(Console, "export_svg", export_svg)


def stable_access_init(directory_is: str = "/srv/models") -> Callable[..., None]:
    """An access whose directory has one name on every machine.

    Args:
        directory_is: what the random folder of a test is called there.
    """
    real = Access.__init__

    def init(self: Access, *, directory: str, **facts: object) -> None:
        directory = re.sub(r"/tmp/stackroom-\w{8}", directory_is, directory)  # noqa: S108  # a pattern
        real(self, directory=directory, **facts)  # type: ignore[arg-type]  # handed through

    return init


def check_picture(app: Browser, name: str) -> None:
    """The picture of this name in the documentation is the screen."""
    svg = re.sub(r"\bterminal-\d+-([\w-]+)", r"terminal-\1", app.export_screenshot(title="stackroom"))
    path = PICTURES / f"{name}.svg"
    if UPDATE:
        path.write_text(svg, encoding="utf-8")
    assert path.read_text(encoding="utf-8") == svg, f"{path}; to accept it, run again with UPDATE_GOLDENS=1"
    assert "http" not in svg.replace("http://www.w3.org/2000/svg", "")
