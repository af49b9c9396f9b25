"""Everything about one version, in tabs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from stackroom.core.approvals import Op
from stackroom.core.show import count
from stackroom.errors import IntegrityError
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import version as tabs
from stackroom.tui.present.observed import Production, observed_lines
from stackroom.tui.screens.change_keys import ChangeKeys
from stackroom.tui.screens.metric_keys import Measured, MetricKeys
from stackroom.tui.screens.page import Body
from stackroom.tui.screens.plot import read_production
from stackroom.tui.screens.text import find
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.line_table import LineTable
from stackroom.tui.widgets.tabs import TabBar
from stackroom.tui.widgets.text_pane import TextPane

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.core.names import Ref
    from stackroom.registry.facade import Registry
    from stackroom.store.records import Model, Version
    from stackroom.tui.background import Task
    from stackroom.tui.widgets.columns import Column
    from stackroom.tui.widgets.line_table import Row

_TEXTS = (0, 3)
"""The tabs that are texts and not tables: Overview and Card."""

_METRICS = 1
"""The tab Metrics."""


def read_texts(registry: Registry, ref: Ref) -> tabs.Texts:
    """What a version is opened for; touches the disk."""
    trouble = ""
    try:
        files = registry.files(ref)
    except IntegrityError as error:
        files, trouble = (), str(error)
    return tabs.Texts(
        card=registry.card(ref),
        files=files,
        files_trouble=trouble,
        revisions=registry.revisions(ref),
        events=registry.history(ref.model),
        measured=read_production(registry, ref),
    )


class VersionBody(Body):
    """Holds the keys of a version."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("version")]


class VersionPage(MetricKeys, ChangeKeys):
    """One version.

    Args:
        ref: by its number.
    """

    scope = "version"
    body_class = VersionBody

    DEFAULT_CSS = """
    VersionPage #body { layout: vertical; }
    """

    def __init__(self, ref: Ref) -> None:
        super().__init__()
        self.ref = ref
        self.tab = 0
        self._bar = TabBar(tabs.TABS)
        self._text = TextPane(empty="reading …")
        self._table = LineTable()
        self._texts: tabs.Texts | None = None
        self._needle = ""

    def compose_body(self) -> ComposeResult:
        """The names of the tabs, a text and a table of which one is shown."""
        yield self._bar
        yield self._text
        yield self._table

    def on_mount(self) -> None:
        """The first tab; the rest is read meanwhile."""
        self._read()
        self.show_tab(0)

    def _read(self) -> None:
        registry, ref = self.browser.registry, self.ref
        if self.model() is None:
            self.browser.read_model(ref.model)

        def work(_task: Task) -> tabs.Texts:
            return read_texts(registry, ref)

        self.work.run("texts", work)

    def model(self) -> Model | None:
        """The model, once it is read."""
        return self.browser.picture.opened.get(self.ref.model)

    def version(self) -> Version | None:
        """The version, once its model is read; None where it is gone."""
        model = self.model()
        return model.version(int(self.ref.value)) if model else None

    def steps(self) -> Sequence[str]:
        """Model and version."""
        return [self.ref.model, self.ref.value]

    def facts(self) -> Sequence[str]:
        """What the version is, and how much the tab holds."""
        version = self.version()
        if version is None:
            return [f"{self.ref} is gone" if self.model() else "reading …"]
        found = [version.state]
        if self.tab not in _TEXTS:
            found.append(count(self._table.row_count, "line"))
        found.append(f"filter: {self._needle}" if self._needle and self.tab not in _TEXTS else "")
        return found

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """What is shown may have changed."""
        if self.ref.model in changed:
            self._read()
        self.show_tab(self.tab, keep_place=True)

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """Card, files and history have been read."""
        if name == "texts":
            self._texts = value
            self.show_tab(self.tab, keep_place=True)

    def do_refresh(self) -> None:
        """Read again, also what no change of the model tells of."""
        self._read()
        super().do_refresh()

    # ---- the tabs

    def show_tab(self, tab: int, *, keep_place: bool = False) -> None:
        """Show a tab."""
        if tab != self.tab:
            self._needle = ""
        self.tab = tab
        self._bar.show(tab)
        is_text = tab in _TEXTS
        self._text.display, self._table.display = is_text, not is_text
        if is_text:
            self._show_text(keep_place=keep_place)
        else:
            self._show_table()
        shown = self._text if is_text else self._table
        if self.focused is not shown and not self.prompt.question:
            self.set_focus(shown, scroll_visible=False)
        self.show_bars()

    def _show_text(self, *, keep_place: bool) -> None:
        model, version, texts = self.model(), self.version(), self._texts
        if self.tab == 0:
            if model and version is None:
                self._text.set_lines([(Cell(f"{self.ref} is gone", "bad"),)])
            elif model and version:
                app = self.browser
                measured = texts.measured if texts else Production()
                observed = observed_lines(version, measured, app.registry.policy, app.now)
                lines = tabs.overview(model, version, app.now, observed)
                self._text.set_lines(lines, keep_place=keep_place, fold=True)
        elif texts is not None:
            card = texts.card
            self._text.set_text("no card" if card is None else card or "an empty card", keep_place=keep_place)
        else:
            self._text.set_text("reading …")

    def _show_table(self) -> None:
        version = self.version()
        columns, rows, empty = self._table_of(version) if version else ((), [], "reading …")
        if self._needle:
            needle = self._needle.casefold()
            rows = [row for row in rows if any(needle in cell.text.casefold() for cell in row.cells)]
            empty = "nothing matches the filter"
        if tuple(columns) != self._table.columns:
            self._table.set_columns(columns)
        self._table.set_empty(empty)
        self._table.set_rows(rows)

    def _table_of(self, version: Version) -> tuple[Sequence[Column], list[Row], str]:
        """The columns and rows of the tab, and what to say when there are none."""
        app, texts = self.browser, self._texts
        match self.tab:
            case 1:
                holder = app.holder_of(self.ref.model)
                rows = tabs.metric_rows(version, holder, app.registry.policy, app.glyphs)
                return tabs.metric_columns(version, holder, app.registry.policy), rows, "no metrics"
            case 2:
                return tabs.HYPERPARAMETER_COLUMNS, tabs.hyperparameter_rows(version), "no hyperparameters"
            case 4:
                trouble = texts.files_trouble if texts else ""
                rows = tabs.file_rows(texts.files) if texts else []
                return tabs.FILE_COLUMNS, rows, (trouble or "no files") if texts else "reading …"
            case _:
                rows = tabs.history_rows(version, texts, app.now) if texts else []
                return tabs.HISTORY_COLUMNS, rows, "nothing happened yet" if texts else "reading …"

    def on_tab_bar_pressed(self, event: TabBar.Pressed) -> None:
        """A click on a name."""
        event.stop()
        self.show_tab(event.place)

    def do_next_tab(self) -> None:
        """To the right, and around."""
        self.show_tab((self.tab + 1) % len(tabs.TABS))

    def do_previous_tab(self) -> None:
        """To the left, and around."""
        self.show_tab((self.tab - 1) % len(tabs.TABS))

    def do_tab_1(self) -> None:
        """Overview."""
        self.show_tab(0)

    def do_tab_2(self) -> None:
        """Metrics."""
        self.show_tab(1)

    def do_tab_3(self) -> None:
        """Hyperparameters."""
        self.show_tab(2)

    def do_tab_4(self) -> None:
        """Card."""
        self.show_tab(3)

    def do_tab_5(self) -> None:
        """Files."""
        self.show_tab(4)

    def do_tab_6(self) -> None:
        """History."""
        self.show_tab(5)

    def measured(self) -> Measured:
        """The metric under the cursor of the tab Metrics, at this version."""
        metric = self._table.cursor_key if self.tab == _METRICS and not self._table.cursor_is_gone else None
        return Measured(self.model(), metric or "", int(self.ref.value), reading=self.ref.model)

    # ---- finding

    def filter_text(self) -> str:
        """What is looked for."""
        return self._needle

    def filter_changed(self, text: str) -> None:
        """Find in a text, filter a table."""
        self._needle = text.strip()
        if self.tab not in _TEXTS:
            self._show_table()
            self.show_bars()
        elif text:
            find(self, self._text, text, here=True)

    def step(self, lines: int) -> None:
        """The list behind the question."""
        if self.tab not in _TEXTS:
            (self._table.action_row_down if lines > 0 else self._table.action_row_up)()

    def dismiss_one(self) -> bool:
        """The filter of a table."""
        if self._needle and self.tab not in _TEXTS:
            self.filter_changed("")
            return True
        return False

    def do_next_match(self) -> None:
        """Further down."""
        if self.tab in _TEXTS:
            find(self, self._text, self._needle)

    def do_previous_match(self) -> None:
        """Further up."""
        if self.tab in _TEXTS:
            find(self, self._text, self._needle, backwards=True)

    # ---- actions

    def do_compare(self, *words: str) -> None:
        """Against whoever holds the last stage."""
        model, version = self.model(), self.version()
        if words:
            self.browser.compare_texts(words)
        elif model and version:
            self.browser.compare_with_holder(model, version)

    def do_move(self, *words: str) -> None:
        """Judge a move."""
        if words:
            self.browser.move_text(words)
        elif self.version() is not None:
            self.browser.move(self.ref.model, int(self.ref.value))

    def do_rollback(self) -> None:
        """Judge a roll-back of the model."""
        self.browser.roll_back(self.ref.model)

    def chosen(self, *, marked: bool = True) -> list[str]:  # noqa: ARG002  # there is one
        """This version."""
        return [str(self.ref)]

    def do_undo(self) -> None:
        """Undo the last own move of the model."""
        self.browser.undo(self.ref.model)

    def do_approve(self, *words: str) -> None:
        """Say yes to it."""
        if words:
            self.browser.speak_text(Op.APPROVE, words)
        elif self.version() is not None:
            self.browser.speak(Op.APPROVE, self.ref)

    def do_reject(self, *words: str) -> None:
        """Say no to it."""
        if words:
            self.browser.speak_text(Op.REJECT, words)
        elif self.version() is not None:
            self.browser.speak(Op.REJECT, self.ref)

    def model_shown(self) -> str | None:
        """Its model."""
        return self.ref.model

    def do_copy(self) -> None:
        """Ask what to copy."""
        version = self.version()
        if version is not None:
            self.browser.copy_of(self, str(version.ref), str(version.path))
