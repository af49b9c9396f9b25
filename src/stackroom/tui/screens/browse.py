"""The first screen: models, and the versions of one of them; beside each other where there is room."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final, Literal

from textual.containers import Container

from stackroom.core.show import count
from stackroom.tui.present import models as model_list
from stackroom.tui.present import versions as version_list
from stackroom.tui.present.filtering import Filter
from stackroom.tui.screens.lists import ModelsTable, VersionsTable, View, sortable
from stackroom.tui.screens.metric_keys import BrowseMetricKeys
from stackroom.tui.widgets.divider import Divider
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult

    from stackroom.core.names import Ref
    from stackroom.store.records import Model, Version
    from stackroom.tui.present.words import Line
    from stackroom.tui.widgets.line_table import LineTable

Pane = Literal["models", "versions"]

_PANES: Final = 100
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


class BrowsePage(BrowseMetricKeys):
    """Models and versions."""

    DEFAULT_CSS = """
    BrowsePage #body { layout: horizontal; }
    BrowsePage #left, BrowsePage #right { layout: vertical; height: 1fr; width: 1fr; }
    BrowsePage #middle { width: 1; height: 1fr; }
    """

    def __init__(self) -> None:
        super().__init__()
        self.models = ModelsTable(id="models")
        self.versions = VersionsTable(id="versions")
        self._previews = (TextPane(), TextPane())
        self._lines = (Divider(), Divider())
        self._left = Container(self.models, self._lines[0], self._previews[0], id="left")
        self._middle = Divider(id="middle")
        self._right = Container(self.versions, self._lines[1], self._previews[1], id="right")
        self._views: dict[Pane, View] = {
            "models": View(sort="model"),
            "versions": View(sort="version", descending=True),
        }
        self.pane: Pane = "models"
        self.model: str | None = None
        self._preview: bool | None = None
        self._zoom = False
        self._archived = False
        self._wanted_version: str | None = None

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
        self.models.set_empty("reading the registry …")
        self._arrange()
        self.set_focus(self.models, scroll_visible=False)

    def on_resize(self) -> None:
        """More or less room: panes come and go."""
        self._arrange()

    # ---- where we are

    @property
    def table(self) -> LineTable:
        """The list that has the keys."""
        return self.models if self.pane == "models" else self.versions

    @property
    def view(self) -> View:
        """How that list is shown."""
        return self._views[self.pane]

    @property
    def has_panes(self) -> bool:
        """Whether both lists are on the screen."""
        return self.size.width >= _PANES and not self._zoom

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
        shown = table.row_count
        total = count(view.total, noun) if shown == view.total else f"{shown:,} of {count(view.total, noun)}"
        label = next((column.label for column in table.columns if column.key == view.sort), view.sort)
        arrow = self.browser.glyphs.descending if view.descending else self.browser.glyphs.ascending
        return [
            total if self.browser.picture.ready else "",
            model_list.beside_fact(problems) if self.pane == "models" else "",
            f"{len(table.marks)} marked" if table.marks else "",
            f"filter: {view.filter.text}" if view.filter else "",
            f"{table.new_above} new {self.browser.glyphs.up}" if table.new_above else "",
            f"sort {label} {arrow}" if view.total > 1 else "",
            "archived too" if self._archived else "",
        ]

    def _arrange(self) -> None:
        """Show what there is room for."""
        width, height = self.size
        panes, at_models = self.has_panes, self.pane == "models"
        preview = panes if self._preview is None else self._preview
        beside = preview and panes and width >= _WIDE
        self._left.display, self._middle.display, self._right.display = (
            panes or at_models,
            panes,
            panes or not at_models,
        )
        self._left.styles.width = _MODELS_WIDTH if panes else "1fr"
        self._right.styles.layout = "horizontal" if beside else "vertical"
        for pane, line, shown in zip(self._previews, self._lines, (preview and not panes, preview), strict=True):
            pane.display = line.display = shown
            aside = beside and pane is self._previews[1]
            pane.styles.width = _PREVIEW_WIDTH if aside else "1fr"
            pane.styles.height = "1fr" if aside else _TALL_PREVIEW if panes and height >= _TALL else _PREVIEW
            line.styles.width, line.styles.height = (1, "1fr") if aside else ("1fr", 1)
        if panes and at_models and self.models.cursor_key:
            self._show_model(self.models.cursor_key)

    def go_to(self, pane: Pane) -> None:
        """Give the keys to a pane."""
        self.pane = pane
        self._arrange()
        self.set_focus(self.table, scroll_visible=False)
        self.show_preview()
        self.show_bars()

    def open_ref(self, ref: Ref) -> None:
        """Go to a model's versions, and to one of them."""
        if self.model != ref.model:
            self._show_model(ref.model)
        self.models.move_to(ref.model)
        self._wanted_version = ref.value if ref.kind == "number" else None
        self._find_wanted()
        self.go_to("versions")

    def _find_wanted(self) -> None:
        if self._wanted_version is not None and self.versions.move_to(self._wanted_version):
            self._wanted_version = None

    # ---- what is shown

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """Other models, other versions; cursors and marks stay where they are."""
        self._views["models"].fields = {}
        self.show_models(keep_gone=True)
        self.models.flag(changed)
        here = self.model in self.browser.picture.models
        if here and (self.model in changed or self.opened() is None):
            self._read_versions()
        self._views["versions"].fields = {}
        self.show_versions(keep_gone=True)
        self.versions.flag(changed.get(self.model or "", ()))
        self.show_preview()
        self.show_bars()

    def show_models(self, *, keep_gone: bool = False) -> None:
        """Fill the list of models."""
        app, view = self.browser, self._views["models"]
        registry, now, glyphs = app.registry, app.now, app.glyphs
        stages, policy = registry.stages, registry.policy
        known = [model for model in app.picture.models.values() if self._archived or not model.record.archived]
        view.total = len(known)
        known = [one for one in known if view.matches(one.name, functools.partial(model_list.fields, one))]
        columns = model_list.columns(stages)
        if columns != self.models.columns:
            self.models.set_columns(columns)
        self.models.set_sort(view.sort, descending=view.descending)
        ordered = model_list.sorted_models(known, view.sort, policy, descending=view.descending)
        if app.picture.ready:
            self.models.set_empty("nothing matches the filter" if view.filter else "no models yet: stackroom new MODEL")
        models = {str(model.name): model for model in ordered}
        self.models.set_lazy_rows(
            list(models), lambda key: model_list.row(models[key], stages, policy, now, glyphs), keep_gone=keep_gone
        )

    def _absent(self, meanwhile: str = "still reading") -> str:
        """Why there are no versions to show or to do something with."""
        picture = self.browser.picture
        return f"{self.model} is gone" if picture.ready and self.model not in picture.models else meanwhile

    def show_versions(self, *, keep_gone: bool = False) -> None:
        """Fill the list of versions."""
        app, view, model = self.browser, self._views["versions"], self.opened()
        if model is None:
            view.total = 0
            self.versions.set_empty(self._absent("reading …") if self.model else "")
            self.versions.set_rows([])
            return
        policy, glyphs = app.registry.policy, app.glyphs
        known = [version for version in model.versions if self._archived or not version.archived]
        view.total = len(known)
        known = [version for version in known if view.matches(str(version.number), version.fields)]
        columns = version_list.columns(model, policy, glyphs, view.sort, chosen=app.chosen_metrics)
        if columns != self.versions.columns:
            self.versions.set_columns(columns)
        if view.sort not in {column.key for column in columns}:
            view.sort, view.descending = "version", True
        self.versions.set_sort(view.sort, descending=view.descending)
        self.versions.set_empty("nothing matches the filter" if view.filter else "no versions yet")
        ordered = version_list.sorted_versions(model, known, view.sort, descending=view.descending)
        rows = version_list.Rows(model, policy, app.now, glyphs, view.sort, chosen=app.chosen_metrics)
        self.versions.set_lazy_rows(version_list.keys_of(model, ordered), rows.row, keep_gone=keep_gone)
        self._find_wanted()

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
        for pane in self._previews:
            pane.set_lines(lines, fold=True)

    def _show_model(self, name: str) -> None:
        if name == self.model:
            return
        self.model = name
        self.versions.set_marks(())
        self._views["versions"].filter = Filter("")
        self._views["versions"].fields = {}
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
            self._show_model(event.key)
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
        view = self._views["models" if event.table is self.models else "versions"]
        if event.column == view.sort:
            view.descending = not view.descending
        elif event.column in sortable(event.table.columns):
            view.sort_by(event.column, self.browser.registry.policy)
        self.show_lists()

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self.do_open()

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
            self.view.filter = Filter(text)
            self.show_lists()

    def dismiss_one(self) -> bool:
        """First a range, then the filter, then the marks."""
        if self.table.cancel_range():
            return True
        if self.view.filter:
            self.filter_changed("")
            return True
        if self.table.marks:
            self.table.set_marks(())
            return True
        return False

    # ---- actions

    def do_open(self, *words: str) -> None:
        """A model's versions; a version; whatever was typed."""
        if words:
            self.browser.open_text(words[0])
        elif self.pane == "models" and self.models.cursor_key:
            self._show_model(self.models.cursor_key)
            self.go_to("versions")
        elif (version := self.version()) is not None:
            self.browser.open_version(version.ref)

    def do_back(self) -> None:
        """To the models."""
        self.go_to("models")

    def do_quit_here(self) -> None:
        """End the program."""
        self.app.exit()

    def do_next_pane(self) -> None:
        """The other list."""
        if self.pane == "versions":
            self.go_to("models")
        elif self.model or self.models.cursor_key:
            self.do_open()

    def do_zoom(self) -> None:
        """One list, or both."""
        self._zoom = not self._zoom
        if not self._zoom and self.size.width < _PANES:
            self.say(f"two panes need {_PANES} columns")
        self._arrange()
        self.show_bars()

    def do_preview(self) -> None:
        """Show or hide the preview."""
        self._preview = not self._previews[1].display
        self._arrange()
        self.show_preview()

    def do_archived(self) -> None:
        """Show or hide what is archived."""
        self._archived = not self._archived
        self.show_lists()

    def do_mark(self) -> None:
        """Mark and go down."""
        self.versions.action_mark()

    def do_mark_range(self) -> None:
        """Start or keep a range."""
        self.versions.action_mark_range()

    def do_unmark_all(self) -> None:
        """Forget the marks."""
        self.versions.action_unmark_all()

    def do_compare(self, *words: str) -> None:
        """What is marked, or the cursor against whoever holds the last stage."""
        if words:
            self.browser.compare_texts(words)
            return
        model = self.opened()
        marked = [int(key) for key in self.versions.marks if key.isdigit()]
        if model is None:
            self.say(self._absent(), tone="warn")
            return
        if len(marked) > 1:
            refs = [version.ref for number in sorted(marked) if (version := model.version(number))]
            self.browser.compare(refs)
            return
        version = self.version()
        if version is not None:
            self.browser.compare_with_holder(model, version)

    def do_move(self, *words: str) -> None:
        """Judge a move of the cursor's version."""
        if words:
            self.browser.move_text(words)
        elif (version := self.version()) is not None:
            self.browser.move(version.model, version.number)
        elif self.opened() is None:
            self.say(self._absent(), tone="warn")

    def do_rollback(self) -> None:
        """Judge a roll-back of the model."""
        name = self.model if self.pane == "versions" else self.models.cursor_key
        if name in self.browser.picture.models:
            self.browser.roll_back(name)
        elif name:
            self.say(f"{name} is gone", tone="warn")

    def do_editor(self) -> None:
        """Edit the metadata of the cursor's row."""
        version = self.version() if self.pane == "versions" else None
        if version is not None:
            self.browser.edit(str(version.ref))
        elif self.pane == "versions":
            self.say(self._absent("no version here"), tone="warn")
        elif self.models.cursor_key in self.browser.picture.models:
            self.browser.edit(self.models.cursor_key)
        elif self.models.cursor_key:
            self.say(f"{self.models.cursor_key} is gone", tone="warn")

    def do_copy(self) -> None:
        """Ask what to copy."""
        version = self.version() if self.pane == "versions" else None
        if version is not None:
            self.browser.copy_of(self, str(version.ref), str(version.path))
        elif model := self.browser.picture.models.get(self.models.cursor_key or ""):
            self.browser.copy_of(self, model.name, str(model.path))

    def sort_columns(self) -> Sequence[str]:
        """The columns that can be sorted by, without the words before the colon."""
        return [key.partition(":")[2] or key for key in sortable(self.table.columns)]

    def do_sort(self, *words: str) -> None:
        """The next column, or the one that was typed."""
        keys, view, policy = sortable(self.table.columns), self.view, self.browser.registry.policy
        if words:
            name = words[0].removeprefix("-")
            found = next((key for key in keys if name in {key, key.partition(":")[2]}), None)
            if found is None:
                self.say(f"no column {name}; there are {', '.join(self.sort_columns())}", tone="warn")
                return
            view.sort_by(found, policy)
            view.descending = view.descending != words[0].startswith("-")
        elif keys:
            view.sort_by_next(keys, policy)
        self.show_lists()

    def do_reverse(self) -> None:
        """The other way around."""
        self.view.descending = not self.view.descending
        self.show_lists()
