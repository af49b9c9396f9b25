"""Models, and the versions of one of them, beside each other where there is room: what is shown, and in which pane."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal

from textual.containers import Container

from stackroom.core.show import count
from stackroom.tui.present import models as model_list
from stackroom.tui.present import versions as version_list
from stackroom.tui.present.filtering import Filter
from stackroom.tui.screens import recalled
from stackroom.tui.screens.lists import ModelsTable, Preview, VersionsTable, View, sortable
from stackroom.tui.screens.metric_keys import BrowseMetricKeys
from stackroom.tui.screens.shown import Shown, ShownModels, ShownVersions
from stackroom.tui.widgets.divider import Divider

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from stackroom.core.names import Ref
    from stackroom.store.records import Model, Version
    from stackroom.tui.memory import Memory
    from stackroom.tui.present.words import Line
    from stackroom.tui.widgets.line_table import LineTable

Pane = Literal["models", "versions"]

PANES: Final = 100
_WIDE: Final = 160
"""Columns from which on both lists are shown, and the preview beside them."""

_TALL: Final = 30
"""Rows from which on the preview below the versions is a tall one."""

_MODELS_WIDTH: Final = 46
"""Cells of the models beside the versions: a name and two stages."""

_PREVIEW: Final = 7
_TALL_PREVIEW: Final = 12
_PREVIEW_WIDTH: Final = 60
"""Rows of the preview below a list, and cells of the one beside it."""


class PanesPage(BrowseMetricKeys):
    """Models and versions: what is shown of them, and where.

    Args:
        memory: where somebody was the last time.
    """

    DEFAULT_CSS = """
    PanesPage #body { layout: horizontal; }
    PanesPage #left, BrowsePage #right { layout: vertical; height: 1fr; width: 1fr; }
    PanesPage #middle { width: 1; height: 1fr; }
    """

    def __init__(self, memory: Memory) -> None:
        super().__init__()
        self.models = ModelsTable(id="models")
        self.versions = VersionsTable(id="versions")
        self.previews = (Preview(), Preview())
        self._lines = (Divider(), Divider())
        self._left = Container(self.models, self._lines[0], self.previews[0], id="left")
        self._middle = Divider(id="middle")
        self._right = Container(self.versions, self._lines[1], self.previews[1], id="right")
        self._shown_models = ShownModels(
            self.models, View(sort="model", empty="reading the registry …"), self._filtered
        )
        self._shown_versions = ShownVersions(self.versions, View(sort="version", descending=True), self._filtered)
        self.pane: Pane = "models"
        self.model: str | None = None
        self.preview_wanted: bool | None = None
        self.zoomed = False
        self.archived = False
        self._wanted_version: str | None = None
        self._wanted_model: str | None = None
        self._memory: Memory | None = memory
        recalled.prepare(self, memory)

    @property
    def scope(self) -> Pane:  # type: ignore[override]  # the keys follow the pane
        """The pane that has the keys."""
        return self.pane

    def compose_body(self) -> ComposeResult:
        """Two lists, each with a preview."""
        yield self._left
        yield self._middle
        yield self._right

    def on_mount(self) -> None:
        """The models have the keys."""
        self.models.set_empty(self._shown_models.view.empty)
        self.arrange_panes()
        self.set_focus(self.models, scroll_visible=False)

    def on_resize(self) -> None:
        """More or less room: panes come and go."""
        self.arrange_panes()

    # ---- where we are

    @property
    def remembered_model(self) -> str:
        """The model that somebody was at the last time, until it is shown again; or nothing."""
        return self._memory.model if self._memory is not None else ""

    @property
    def table(self) -> LineTable:
        """The list that has the keys."""
        return self.models if self.pane == "models" else self.versions

    @property
    def view(self) -> View:
        """How that list is shown."""
        return self.shown.view

    @property
    def views(self) -> tuple[View, View]:
        """How the models and the versions are shown."""
        return self._shown_models.view, self._shown_versions.view

    @property
    def shown(self) -> Shown:
        """What fills that list."""
        return self._shown_models if self.pane == "models" else self._shown_versions

    @property
    def has_right(self) -> bool:
        """Whether the versions are on the screen."""
        return bool(self._right.display)

    @property
    def has_panes(self) -> bool:
        """Whether both lists are on the screen."""
        return self.size.width >= PANES and not self.zoomed

    def opened(self) -> Model | None:
        """The model whose versions are shown, once all of them are read."""
        return self.browser.picture.opened.get(self.model or "")

    def version(self) -> Version | None:
        """The version under the cursor."""
        model, key = self.opened(), self.versions.cursor_key
        return model.version(int(key)) if model and key and key.isdigit() else None

    def steps(self) -> Sequence[str]:
        """The model, when its versions have the keys."""
        return [self.model] if self.pane == "versions" and self.model else []

    def facts(self) -> Sequence[str]:
        """How many, what is marked, how it is filtered and sorted."""
        view, table, problems = self.view, self.table, self.browser.picture.problems
        noun = "model" if self.pane == "models" else "version"
        shown = self.shown.count
        total = count(view.total, noun) if shown == view.total else f"{shown:,} of {count(view.total, noun)}"
        label = next((column.label for column in table.columns if column.key == view.sort), view.sort)
        arrow = self.browser.glyphs.descending if view.descending else self.browser.glyphs.ascending
        return [
            total if self.browser.picture.ready or self.pane == "versions" else self._reading_fact(),
            f"{view.hidden:,} archived ({self.browser.key_of('archived')} shows)" if view.hidden else "",
            model_list.beside_fact(problems) if self.pane == "models" else "",
            f"{len(table.marks)} marked" if table.marks else "",
            f"filter: {view.filter.text}" if view.filter else "",
            self.shown.busy or view.filter.problem,
            f"{table.new_above} new {self.browser.glyphs.up}" if table.new_above else "",
            f"sort {label} {arrow}" if view.total > 1 else "",
            "archived too" if self.archived else "",
        ]

    def _reading_fact(self) -> str:
        """How many models were read, while the others are not."""
        picture = self.browser.picture
        if not picture.total:
            return ""
        matching = f"{self.models.row_count:,} match in " if self.view.filter else ""
        read = f"{matching}{len(picture.models):,} of {count(picture.total, 'model')}"
        return f"{read}, esc stops reading" if self.browser.reading else f"{read}, r reads the others"

    def arrange_panes(self) -> None:
        """Show what there is room for."""
        width, height = self.size
        panes, at_models = self.has_panes, self.pane == "models"
        preview = panes if self.preview_wanted is None else self.preview_wanted
        beside = preview and panes and width >= _WIDE
        self._left.display, self._middle.display, self._right.display = (
            panes or at_models,
            panes,
            panes or not at_models,
        )
        self._left.styles.width = _MODELS_WIDTH if panes else "1fr"
        self._right.styles.layout = "horizontal" if beside else "vertical"
        for pane, line, shown in zip(self.previews, self._lines, (preview and not panes, preview), strict=True):
            pane.display = line.display = shown
            aside = beside and pane is self.previews[1]
            pane.styles.width = _PREVIEW_WIDTH if aside else "1fr"
            pane.styles.height = "1fr" if aside else _TALL_PREVIEW if panes and height >= _TALL else _PREVIEW
            line.styles.width, line.styles.height = (1, "1fr") if aside else ("1fr", 1)
        if panes and at_models and self.models.cursor_key:
            self.show_model(self.models.cursor_key)

    def go_to(self, pane: Pane) -> None:
        """Give the keys to a pane."""
        self.pane = pane
        self.arrange_panes()
        self.set_focus(self.table, scroll_visible=False)
        self.show_preview()
        self.show_bars()

    def open_ref(self, ref: Ref) -> None:
        """Go to a model's versions, and to one of them."""
        if self.model != ref.model:
            self.show_model(ref.model)
        self.models.move_to(ref.model)
        self._wanted_version = ref.value if ref.kind == "number" else None
        self._find_wanted()
        self.go_to("versions")

    def open_made(self, ref: Ref) -> None:
        """Go to what was just made: once it is read the cursor goes there, and a version's row is flagged.

        Nothing is marked: what is done next is done to the cursor's row.
        """
        self.open_ref(ref)
        self._wanted_model = ref.model

    def open_model(self, name: str, version: str) -> None:
        """A model's versions, and one of them once it is read, without going there."""
        self.show_model(name)
        self._wanted_version = version or None

    def _find_wanted(self) -> None:
        if self._wanted_version is not None and self.versions.move_to(self._wanted_version):
            self._wanted_version = None

    # ---- what is shown

    def picture_grew(self) -> None:
        """More models; what is there stays as it is."""
        self.show_models()
        if self._memory is not None and self._memory.model in self.browser.picture.models:
            self._take_up()
        self.show_preview()
        self.show_bars()

    def _take_up(self) -> None:
        memory, self._memory = self._memory, None
        if memory is not None:
            recalled.take_up(self, memory)

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Other models, other versions; cursors and marks stay where they are."""
        self._shown_models.forget()
        self.show_models(keep_gone=True)
        self.models.flag(changed)
        if self.browser.picture.ready:
            self._take_up()
        here = self.model in self.browser.picture.models
        if here and (self.model in changed or self.opened() is None):
            self._read_versions()
        self._shown_versions.forget()
        self.show_versions(keep_gone=True)
        self.versions.flag(changed.get(self.model or "", ()))
        self.show_preview()
        self.show_bars()

    def show_models(self, *, keep_gone: bool = False) -> None:
        """Fill the list of models."""
        self._shown_models.fill(self.browser, archived=self.archived, keep_gone=keep_gone)
        if self._wanted_model is not None and self.models.move_to(self._wanted_model):
            self._wanted_model = None

    def absent(self, meanwhile: str = "still reading") -> str:
        """Why there are no versions to show or to do something with."""
        picture = self.browser.picture
        return f"{self.model} is gone" if picture.ready and self.model not in picture.models else meanwhile

    def show_versions(self, *, keep_gone: bool = False) -> None:
        """Fill the list of versions."""
        model = self.opened()
        if model is None:
            self._shown_versions.nothing(self.absent("reading …") if self.model else "")
            return
        self._shown_versions.model = model
        self._shown_versions.fill(self.browser, archived=self.archived, keep_gone=keep_gone)
        self._find_wanted()

    def _filtered(self) -> None:
        """A filter that took its time has come further."""
        self._find_wanted()
        self.show_preview()
        self.show_bars()

    def show_preview(self) -> None:
        """Say more about the cursor's row."""
        lines: list[Line] = []
        now = self.browser.now
        if self.pane == "models":
            model = self.browser.picture.models.get(self.models.cursor_key or "")
            lines = model_list.preview(model, now) if model else []
            lines.extend(model_list.beside(self.browser.picture.problems))
        else:
            model, version = self.opened(), self.version()
            lines = version_list.preview(model, version, now) if model and version else []
        for pane in self.previews:
            pane.set_lines(lines, fold=True)

    def show_model(self, name: str) -> None:
        """Other versions: those of a model."""
        if name == self.model:
            return
        self.model = name
        self.versions.set_marks(())
        self._shown_versions.view.filter = Filter("")
        self._shown_versions.forget()
        if self.opened() is None:
            self._read_versions()
        self.versions.set_rows([])
        self.show_versions()
        self.versions.action_first_row()

    def _read_versions(self) -> None:
        if self.model is not None:
            self.browser.read_model(self.model)

    # ---- what the lists say

    def on_line_table_cursor_moved(self, event: LineTable.CursorMoved) -> None:
        """The preview follows, and where there is room, the versions."""
        event.stop()
        if event.table is self.models and self.pane == "models" and self.has_panes and event.key:
            self.show_model(event.key)
        self.show_preview()
        self.show_bars()

    def on_line_table_marks_changed(self, event: LineTable.MarksChanged) -> None:
        """The facts count them."""
        event.stop()
        self.show_bars()

    def on_line_table_new_above_changed(self, event: LineTable.NewAboveChanged) -> None:
        """The facts count them."""
        event.stop()
        self.show_bars()

    def on_line_table_header_clicked(self, event: LineTable.HeaderClicked) -> None:
        """A click sorts, a second one turns it around."""
        event.stop()
        view = (self._shown_models if event.table is self.models else self._shown_versions).view
        if event.column == view.sort:
            view.descending = not view.descending
        elif event.column in sortable(event.table.columns):
            view.sort_by(event.column, self.browser.registry.policy)
        self.show_lists()

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self.act("open")

    def on_descendant_focus(self) -> None:
        """A click into the other pane takes the keys there."""
        if self.focused in {self.models, self.versions}:
            pane: Pane = "models" if self.focused is self.models else "versions"
            if pane != self.pane:
                self.go_to(pane)

    def show_lists(self) -> None:
        """Both lists and what is said about them."""
        self.show_models()
        self.show_versions()
        self.show_preview()
        self.show_bars()

    def step(self, lines: int) -> None:
        """The list behind the filter line."""
        if lines > 0:
            self.table.action_row_down()
        else:
            self.table.action_row_up()

    def filter_text(self) -> str:
        """What the list is filtered by."""
        return self.view.filter.text

    def filter_changed(self, text: str) -> None:
        """Filter while typing."""
        if text.strip() != self.view.filter.text:
            self.shown.filter(text)
            self.show_preview()
            self.show_bars()

    def dismiss_one(self) -> bool:
        """First a range, then the filter, then the marks, then the reading of a large registry."""
        if self.table.cancel_range():
            return True
        if self.view.filter:
            self.filter_changed("")
            return True
        if self.table.marks:
            self.table.set_marks(())
            return True
        return self.pane == "models" and self._stopped_reading()

    def _stopped_reading(self) -> bool:
        stopped = self.browser.stop_reading()
        if stopped:
            self.show_bars()
        return stopped
