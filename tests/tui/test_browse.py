"""Models and versions: what is shown at each size, how it is filtered, sorted and marked, and how one leaves."""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

import pytest

from stackroom.core.attested import Who
from stackroom.core.toml import format_toml
from stackroom.registry.facade import Registry
from stackroom.store import access
from stackroom.tui.glyphs import ASCII
from stackroom.tui.screens.browse import BrowsePage
from stackroom.tui.screens.plot import PlotPage
from stackroom.tui.screens.text import TextPage
from stackroom.tui.screens.version import VersionPage
from support.registries import plant_revision
from tui.browsing import MIDDLE, NARROW, NOW, WIDE, Walk, key_event, walk
from tui.screen import until
from tui.tables import HOSTILE

if TYPE_CHECKING:
    from pathlib import Path

    from stackroom.store.access import Access
    from stackroom.store.records import Model


def browse(somebody: Walk) -> BrowsePage:
    page = somebody.page
    assert isinstance(page, BrowsePage)
    return page


@pytest.mark.parametrize("size", [NARROW, MIDDLE, WIDE])
def test_models_and_versions_look_as_they_did(registry: Registry, size: tuple[int, int]) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k")
        somebody.golden("models")
        if size == NARROW:
            await somebody.press("p")
            somebody.golden("models-preview")
            await somebody.press("p")
        await somebody.press("l")
        somebody.golden("versions")
        await somebody.press("space", "space")
        await somebody.type("/auc>0.98")
        somebody.golden("versions-filtered")

    walk(registry, steps, size=size)


def test_ascii_terminals_get_ascii(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k", "l")
        assert somebody.text.isascii()
        somebody.golden("versions-ascii")

    walk(registry, steps, glyphs=ASCII)


def test_escape_gives_up_one_thing_at_a_time_and_never_quits(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k", "l")
        await somebody.press("space", "v")
        await somebody.type("/auc")
        await somebody.press("enter")
        page = browse(somebody)
        assert page.versions.in_range
        await somebody.press("escape")
        assert page.versions.cancel_range() is False
        assert page.versions.marks
        await somebody.press("escape")
        assert "filter" not in somebody.status
        await somebody.press("escape")
        assert page.versions.marks == ()
        await somebody.press("escape")
        assert page.pane == "models"
        for _ in range(3):
            await somebody.press("escape")
        assert not somebody.left

    walk(registry, steps)


@pytest.mark.parametrize("keys", [("q",), ("l", "q", "q"), ("l", "ctrl+q"), ("slash", "ctrl+q"), ("y", "ctrl+q")])
def test_q_at_the_models_and_ctrl_q_anywhere_quit(registry: Registry, keys: tuple[str, ...]) -> None:
    async def steps(somebody: Walk) -> None:
        for key in keys:
            somebody.app.post_message(key_event(key))
        await until(lambda: somebody.left, "the app exits")

    app = walk(registry, steps)
    assert app.return_code == 0


def test_filters_and_sorts_by_key_and_by_command(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = browse(somebody)
        await somebody.type("/stage:production")
        assert page.models.row_count == 4
        await somebody.type(" !wine")
        assert page.models.row_count == 3
        await somebody.press("enter")
        await somebody.press("slash")
        await somebody.press(*["backspace"] * 30)
        await somebody.press("enter")
        assert page.models.row_count == 5
        await somebody.type(":sort -updated")
        await somebody.press("enter")
        assert somebody.status == "5 models · sort UPDATED ▲"
        await somebody.press("O", "o")
        assert somebody.status == "5 models · sort VERSIONS ▼"
        await somebody.type(":sort nonsense")
        await somebody.press("enter")
        assert "no column nonsense" in somebody.status
        await somebody.type(":open tumor-screening")
        await somebody.press("enter")
        await somebody.type(":sort log_loss")
        await somebody.press("enter")
        assert page.versions.cursor_key == "5"
        assert [page.versions._viewport.keys[0], page.versions._viewport.keys[-1]] == ["4", "1"]

    walk(registry, steps)


def test_a_new_filter_replaces_the_old_one_and_a_blank_or_a_key_that_moves_goes_on_with_it(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = browse(somebody)
        for typed, then in (
            ("wine", "wine"),
            ("tumor", "tumor"),
            (" screening", "tumor screening"),
            (["end", "x"], "tumor screeningx"),
            (["ctrl+e", "y"], "tumor screeningxy"),
            (["home", "z"], "ztumor screeningxy"),
            (["right", "!"], "ztumor screeningxy!"),
            (["backspace"], ""),
        ):
            await somebody.press("/", *typed, "enter")
            assert page.filter_text() == then

    walk(registry, steps)


def test_commands_are_completed_and_wrong_ones_explained(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("colon")
        await somebody.type("op")
        await somebody.press("tab")
        await somebody.type("tu")
        await somebody.press("tab")
        assert ": open tumor-screening" in somebody.text
        await somebody.press("backspace")
        await somebody.type("@production")
        await somebody.press("enter")
        assert isinstance(somebody.page, VersionPage)
        assert str(somebody.page.ref) == "tumor-screening:4"
        for wrong, told in (("fly", "no command fly here"), ("open nobody", "there is no model nobody")):
            await somebody.type(f":{wrong}")
            await somebody.press("enter")
            assert told in somebody.status
        await somebody.type(":")
        await somebody.press("escape")
        assert isinstance(somebody.page, VersionPage)

    walk(registry, steps)


def test_what_is_typed_ahead_of_an_answers_end_is_for_what_it_leads_to(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*"/tumor", "enter", "l")  # what is plotted has to be read before one can go through it
        await somebody.press(*":plot accuracy", "enter", "n", "h", *":nosuch", "enter", "h")
        page = somebody.page
        assert isinstance(page, PlotPage)
        assert (page.metric, page.number) == ("auc", 3)
        assert not page.prompt.question
        await somebody.press("q", "/", *"3", "escape", "g", "enter")
        assert somebody.where() == "version"

    walk(registry, steps)


def test_what_is_typed_ahead_of_a_question_is_its_answer(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        # All keys at once, as a slow link delivers them.
        await somebody.press(*"/iris", "enter")
        assert browse(somebody).models.row_count == 1
        assert "filter: iris" in somebody.status
        await somebody.press("l")
        await somebody.press("l", "4", "q", *":compare iris-species:1 iris-species:2", "enter")
        assert somebody.text.startswith(" sample models › iris-species › compare")  # noqa: RUF001  # a glyph

    walk(registry, steps)


def test_what_is_typed_ahead_of_an_answer_is_for_what_comes_after_it(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press("y")
        await somebody.press("escape", "j", "j", "y", "r")
        assert browse(somebody).models.cursor_key == "iris-species"
        assert somebody.status.endswith("copied: iris-species")
        await somebody.press("y")
        await somebody.press("r", "x")
        assert "write as:" in somebody.text

    walk(registry, steps)


def test_an_answer_is_for_the_question_that_was_asked_when_it_was_given(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = browse(somebody)
        page.act("copy")
        page.choices.on_key(key_event("r"))
        page.act("export")
        await somebody.settle()
        assert "write as:" in somebody.text
        assert "copied: diabetes-progression" in somebody.status
        page.act("copy")
        await somebody.press("escape", "j")
        assert page.models.cursor_key == "digit-reader"

    walk(registry, steps)


def test_a_question_that_nobody_takes_the_keys_back_from_passes_none_on_to_itself(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = browse(somebody)
        page.set_focus(None)  # as on a terminal that is too small
        page.choose("which", [("a", "one")], lambda _: None)
        await somebody.press("x", "j")
        assert page.focused is page.models
        assert page.models.cursor_key == "digit-reader"
        page.set_focus(None)
        page.ask(":")
        await somebody.press("escape", "j")
        assert page.focused is page.models
        assert page.models.cursor_key == "iris-species"

    walk(registry, steps)


def test_a_plot_that_is_asked_for_while_its_model_is_read_has_the_keys_at_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    read, go_on = Registry.model, threading.Event()

    def held(self: Registry, name: str) -> Model:
        assert go_on.wait(20)
        return read(self, name)

    async def shown_meanwhile(somebody: Walk, *keys: str) -> str:
        go_on.clear()
        for key in keys:
            somebody.app.post_message(key_event(key))
        await until(lambda: somebody.where() == "plot" and somebody.text.count("reading …") == 2, "the plot is open")
        shown = somebody.text
        go_on.set()
        await somebody.settle()
        return shown

    async def steps(somebody: Walk) -> None:
        meanwhile = await shown_meanwhile(somebody, *"/tumor", "enter", "l", *":plot auc", "enter", "o")
        assert "› tumor-screening › auc" in meanwhile  # noqa: RUF001  # the path has glyphs
        assert "metric 2 of 5" in somebody.status
        assert "by time" in somebody.text
        await somebody.press("q", "h", "escape", "g")
        meanwhile = await shown_meanwhile(somebody, "M")
        assert "› diabetes-progression\n reading …" in meanwhile  # noqa: RUF001  # a glyph
        assert "› diabetes-progression › rmse" in somebody.text  # noqa: RUF001  # the path has glyphs
        await somebody.press("q", "j", "j")
        await shown_meanwhile(somebody, *":plot auc2", "enter")
        assert "iris-species has no metric auc2 (there are accuracy, auc," in somebody.status

    monkeypatch.setattr(Registry, "model", held)
    walk(registry, steps)


def test_what_is_typed_ahead_of_a_tab_or_an_arrow_finds_the_line_as_they_leave_it(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":doc", "tab", "enter")
        assert somebody.where() == "doctor"
        await somebody.press("q", *":open iris", "tab", "backspace", *":2", "enter")
        assert somebody.text.startswith(" sample models › iris-species › 2\n")  # noqa: RUF001  # a glyph
        await somebody.press("q", ":", "up", "up", "enter")
        assert somebody.where() == "doctor"
        await somebody.press("q", "ctrl+p", *"iris-species:", "down", "down", "enter")
        assert somebody.text.startswith(" sample models › iris-species › 1\n")  # noqa: RUF001  # the same

    walk(registry, steps)


def test_copying_says_what_was_copied(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TMUX", raising=False)

    async def steps(somebody: Walk) -> None:
        await somebody.press("y", "r")
        assert "copied: diabetes-progression" in somebody.status
        assert somebody.app.clipboard == "diabetes-progression"
        await somebody.press("y", "x")
        assert "copied" not in somebody.status
        somebody.app.copy("x" * 80_000)
        await somebody.settle()
        assert "too long to copy" in somebody.status
        somebody.app.copy(os.fsdecode(b"/srv/\xff/models"))
        await somebody.settle()
        assert "cannot be copied" in somebody.status

    walk(registry, steps)


def test_tmux_gets_what_is_copied(registry: Registry, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    tmux = tmp_path / "tmux"
    tmux.write_text(f"#!/bin/sh\n[ $2 = -w ] && exit 1\ncat > {tmp_path}/taken\n")
    tmux.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setenv("TMUX", "socket,1,0")

    async def steps(somebody: Walk) -> None:
        await somebody.press("y", "c")
        assert "copied into tmux: stackroom show diabetes-progression" in somebody.status

    walk(registry, steps)
    assert (tmp_path / "taken").read_text() == "stackroom show diabetes-progression"


def test_broken_and_missing_versions_are_rows_with_their_reason(registry: Registry, sample: Path) -> None:
    import shutil  # noqa: PLC0415  # only here

    (sample / "models/tumor-screening/2/version.toml").write_text("metrics = 3\n")
    shutil.rmtree(sample / "models/tumor-screening/4")

    async def steps(somebody: Walk) -> None:
        await somebody.press("G", "k")
        somebody.golden("models-damaged")
        await somebody.press("l")
        somebody.golden("versions-damaged")

    walk(registry, steps)


def test_a_wrong_registry_file_is_a_banner_and_moves_are_refused(registry: Registry, sample: Path) -> None:
    file = sample / "registry.toml"
    file.write_text(file.read_text() + '[stages.canary]\nguards = { requires = ["card"] }\n')

    async def steps(somebody: Walk) -> None:
        assert "registry.toml" in somebody.status
        assert browse(somebody).models.row_count == 5
        await somebody.press("l")
        await somebody.press("s")
        assert somebody.page is browse(somebody)
        assert "registry.toml" in somebody.page.status.message
        assert "requires" in somebody.page.status.message

    walk(registry, steps)


def test_versions_that_are_archived_are_counted_where_they_are_not_shown(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open digit-reader", "enter")
        assert "5 versions · 1 archived (. shows)" in somebody.status
        await somebody.press("full_stop")
        assert "6 versions · sort" in somebody.status

    walk(registry, steps)


def test_readers_see_everything_and_write_keys_say_who_may(
    registry: Registry, sample: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from stackroom.tui import picture  # noqa: PLC0415  # its view of the disk is replaced

    real = access.access_to

    def denied(directory: str) -> Access:
        from dataclasses import replace  # noqa: PLC0415  # only here

        return replace(real(directory), allowed=False, group="ml-release", members=("bo", "eva"), group_may=True)

    monkeypatch.setattr(picture, "access_to", denied)
    monkeypatch.setattr(picture, "access_to_models", lambda root: denied(f"{root}/models"))
    registry.who = Who(4711, "ana")
    before = sorted((place, *sorted(folders), *sorted(files)) for place, folders, files in os.walk(sample))

    async def steps(somebody: Walk) -> None:
        assert "[read-only: ml-release]" in somebody.text
        await somebody.press("l")
        for key, doing, folder in (
            ("U", "move versions", "stages/production"),
            ("z", "move versions", "stages/production"),
            ("e", "edit metadata", "models"),
            ("E", "edit metadata", "models"),
            ("C", "edit a card", "models"),
            ("t", "change tags", "models"),
            ("n", "register a version", "models"),
        ):
            await somebody.press(key)
            assert isinstance(somebody.page, TextPage), key
            assert f"you may not {doing}: {sample}/{folder} is" in " ".join(somebody.text.split())
            assert "group ml-release may (bo, eva)" in somebody.text
            await somebody.press("q")
        await somebody.type(":move digit-reader:6 production")
        await somebody.press("enter")
        assert "card is missing or empty" in somebody.text
        await somebody.press("C")
        assert isinstance(somebody.page, TextPage)

    walk(registry, steps)
    assert sorted((place, *sorted(folders), *sorted(files)) for place, folders, files in os.walk(sample)) == before


def test_hostile_texts_never_reach_the_screen(registry: Registry) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in HOSTILE]
    for number, (clean, other, third) in enumerate(zip(texts[::3], texts[1::3], texts[2::3], strict=False)):
        said = {"description": clean, "author": other, "tags": [third[:100] or "x"]}
        registry.register(f"hostile-{number}", __file__, metadata=said, card=third)
        # Names like these are not written any more; an older program may have.
        names = {"metrics": {"auc": 0.5, "[red]x[/]\x1b[31m": 1.0}, "hyperparameters": {clean or "x": other}}
        plant_revision(registry.path, f"hostile-{number}", 1, format_toml(said | names))

    async def steps(somebody: Walk) -> None:
        await somebody.press("p")
        for number in range(len(texts) // 3):
            somebody.app.open_text(f"hostile-{number}")
            await somebody.settle()
            shown = [somebody.text]
            for key in ("l", "2", "3", "4", "6"):
                await somebody.press(key)
                shown.append(somebody.text)
            for bad in ("\x1b", "\x9b", "\x07", "\u202e", "\x90", "\x7f", "\r"):
                assert not [text for text in shown if bad in text]

    walk(registry, steps)


@pytest.mark.parametrize(("size", "told"), [((59, 24), True), ((80, 15), True), ((60, 16), False), ((20, 2), True)])
def test_a_terminal_that_is_too_small_gets_one_line(registry: Registry, size: tuple[int, int], *, told: bool) -> None:
    async def steps(somebody: Walk) -> None:
        assert (f"needs 60x16, have {size[0]}x{size[1]}"[: size[0]] == somebody.text.rstrip()) is told
        await somebody.pilot.resize_terminal(*NARROW)
        await somebody.settle()
        assert "tumor-screening" in somebody.text

    walk(registry, steps, size=size)


def test_panes_come_and_go_with_the_room_and_the_cursor_stays(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        page = browse(somebody)
        await somebody.press("G", "k", "l")
        await somebody.press("j", "j")
        for size in ((120, 40), (60, 16), (200, 50), (90, 30), (100, 20)):
            await somebody.pilot.resize_terminal(*size)
            await somebody.settle()
            assert (page.pane, page.models.cursor_key, page.versions.cursor_key) == ("versions", "tumor-screening", "3")
        await somebody.press("tab")
        assert page.pane == "models"
        await somebody.press("plus")
        assert "VERSION ▼" not in somebody.text
        await somebody.press("plus")
        assert "VERSION ▼" in somebody.text

    walk(registry, steps)


def test_archived_models_and_versions_are_shown_when_asked_for(registry: Registry) -> None:
    registry.archive("iris-species:1")
    registry.archive("iris-species")

    async def steps(somebody: Walk) -> None:
        assert "iris-species" not in somebody.text
        await somebody.press("full_stop")
        assert "iris-species" in somebody.text
        await somebody.type(":open iris-species")
        await somebody.press("enter")
        assert somebody.status.startswith("3 versions")
        await somebody.press("full_stop")
        assert somebody.status.startswith("2 versions")

    walk(registry, steps)


def test_an_empty_registry_says_how_to_begin(tmp_path: Path) -> None:
    (tmp_path / "registry.toml").write_text('format = 1\nid = "x"\n')

    async def steps(somebody: Walk) -> None:
        assert "no models yet: n makes one" in somebody.text
        for key in ("l", "s", "c", "y", "U", "E", "o", "O", "p", "tab", "plus", "n", "r"):
            await somebody.press(key)

    walk(Registry(tmp_path, clock=lambda: NOW), steps)


def test_a_click_on_the_footer_is_the_key_and_a_click_on_a_label_sorts(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.pilot.click("KeyHints", offset=(2, 0))
        await somebody.settle()
        assert browse(somebody).pane == "versions"
        await somebody.pilot.click("#versions", offset=(29, 0))
        await somebody.settle()
        assert "sort RMSE" in somebody.status
        await somebody.pilot.click("StatusLine", offset=(5, 0))
        await somebody.press("q")
        assert browse(somebody).pane == "models"

    walk(registry, steps)


def test_keys_of_versions_say_on_models_what_is_missing(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        for key in ("s", "c", "space", "v"):
            await somebody.press("j")
            await somebody.press(key)
            assert "open a model first" in somebody.status, key

    walk(registry, steps)


def test_foreign_names_beside_the_models_are_counted_and_listed(registry: Registry, sample: Path) -> None:
    (sample / "models/bad!name").mkdir()

    async def steps(somebody: Walk) -> None:
        assert "! models/bad!name" in somebody.status
        assert "Beside the models" in somebody.text
        assert "foreign folder" in somebody.text

    walk(registry, steps, size=WIDE)


def test_the_trend_is_of_the_metric_that_is_sorted_by(registry: Registry) -> None:
    async def steps(somebody: Walk) -> None:
        await somebody.press(*":open tumor-screening", "enter")
        assert somebody.text.splitlines()[1].endswith("ACCURACY")
        await somebody.press(*":sort auc", "enter")
        assert "TREND(AUC)" in somebody.text

    walk(registry, steps)
