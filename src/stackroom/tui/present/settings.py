"""What the settings say, as a text to read, and what is wrong in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from stackroom.tui.present.filtering import Filter
from stackroom.tui.present.words import Line, fact, heading
from stackroom.tui.widgets.drawing import Cell

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.settings import SavedView
    from stackroom.tui.places import Personal


def told(problems: Sequence[str]) -> str:
    """The first problem, with its file's name alone, and how many more there are."""
    folder, slash, first = problems[0].partition(": ")[0].rpartition("/")
    short = problems[0].removeprefix(f"{folder}{slash}") if first else problems[0]
    return short + (f" (and {len(problems) - 1} more: :settings)" if len(problems) > 1 else "")


def lines(personal: Personal, problems: Sequence[str], views: Sequence[SavedView]) -> list[Line]:
    """Everything."""
    settings, looks = personal.settings, personal.settings.looks
    found: list[Line] = [fact("file", settings.file or "none; docs/reference/configuration.md says where and what")]
    if problems:
        found += [(), heading("What is wrong"), *((Cell("! ", "warn"), Cell(one, "warn")) for one in problems)]
    found += [(), heading("Looks")]
    chosen = {"mouse": looks.mouse, "ascii": looks.ascii, "colours": looks.colours, "theme": looks.theme}
    found += [fact(name, "as it fits" if value in {None, "", "auto"} else str(value)) for name, value in chosen.items()]
    found += [fact("state", "kept" if personal.remembers else "not kept: --no-state, or STACKROOM_NO_STATE")]
    if settings.keys:
        found += [(), heading("Keys")]
        found += [fact(id_, " ".join(keys) or "none") for id_, keys in settings.keys.items()]
    places = dict.fromkeys((*personal.named, *settings.registries))
    if places:
        found += [(), heading("Registries")]
        found += [fact(place.name, f"{place.path}  {place.accent}".rstrip()) for place in places]
    if views:
        found += [(), heading("Views")]
        found += [_view(view) for view in views]
    return found


def _view(view: SavedView) -> Line:
    """A saved view, and what is wrong with its filter."""
    told = fact(view.name, f"{view.list}: {view.filter}  {view.sort}".rstrip())
    problem = Filter(view.filter).problem
    return (*told, Cell(f"  ! {problem}", "warn")) if problem else told
