"""Versions side by side."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from stackroom.core.export import exported
from stackroom.errors import UsageError
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present import compare as side_by_side
from stackroom.tui.screens.exporting import FORMS, Exporting
from stackroom.tui.screens.metric_keys import Measured, MetricKeys
from stackroom.tui.screens.page import Body
from stackroom.tui.widgets.line_table import LineTable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.core.compare import Comparison
    from stackroom.core.export import Format
    from stackroom.core.names import Ref
    from stackroom.store.records import Version
    from stackroom.tui.background import Task


class CompareBody(Body):
    """Holds the keys of a comparison."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("compare")]


class ComparePage(MetricKeys, Exporting):
    """Two or more versions.

    Args:
        refs: which, by their numbers; the first is the base.
    """

    scope = "compare"
    body_class = CompareBody

    def __init__(self, refs: Sequence[Ref]) -> None:
        super().__init__()
        self.refs = tuple(refs)
        self.base = 0
        self._table = LineTable(overflow="scroll", frozen=2, empty="reading …")
        self._comparison: Comparison | None = None
        self._only_differences = False
        self._form = side_by_side.DELTA_FORMS[0]
        self._needle = ""
        self._keys: frozenset[str] = frozenset()

    def compose_body(self) -> ComposeResult:
        """The table."""
        yield self._table

    def on_mount(self) -> None:
        """Read."""
        self.set_focus(self._table, scroll_visible=False)
        self._read()

    def _read(self) -> None:
        registry, refs, base = self.browser.registry, self.refs, self.base

        def work(_task: Task) -> Comparison:
            return registry.compare(refs, base=base)

        self.work.run("compare", work)

    def steps(self) -> Sequence[str]:
        """The model, when there is only one."""
        models = {ref.model for ref in self.refs}
        return [*(models if len(models) == 1 else ()), "compare"]

    def facts(self) -> Sequence[str]:
        """Who wins how often, and how it is shown."""
        if self._comparison is None:
            return ["reading …"]
        layout = self._table.layout_shown
        hidden = (
            f"versions {layout.first}-{layout.last} of {layout.total}"
            if layout.last - layout.first + 1 < layout.total
            else ""
        )
        told = side_by_side.summary(self._comparison)
        return [
            hidden,
            # Of those that are beside the base, and not of those that are scrolled away.
            *(told[layout.first - 1 : layout.last] if hidden and layout.first else told)[:4],
            self._metrics_fact(self._comparison),
            "only differences" if self._only_differences else "",
            f"deltas as {form}" if (form := self._shown_form()) != "both" else "",
            f"filter: {self._needle}" if self._needle else "",
        ]

    def _metrics_fact(self, comparison: Comparison) -> str:
        shown = len(side_by_side.shown_metrics(comparison, self.browser.chosen_metrics))
        return f"{shown} of {len(comparison.metrics)} metrics" if shown < len(comparison.metrics) else ""

    def on_resize(self) -> None:
        """More or less room for each version."""
        self.show_rows(columns=True)

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """The comparison."""
        if name == "compare":
            self._comparison = value
            self.show_rows(columns=True)
        else:
            super().got(name, value)

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """What is compared may have changed."""
        if any(ref.model in changed for ref in self.refs):
            self._read()

    def show_rows(self, *, columns: bool = False) -> None:
        """Fill the table."""
        comparison = self._comparison
        if comparison is None:
            return
        if columns:
            self._table.set_columns(side_by_side.columns(comparison, self._versions(), self.size.width))
        rows = side_by_side.rows(
            comparison,
            self._shown_form(),
            self.browser.glyphs,
            only_differences=self._only_differences,
            chosen=self.browser.chosen_metrics,
            room=self.size.width,
        )
        if self._needle:
            needle = self._needle.casefold()
            rows = [row for row in rows if any(needle in cell.text.casefold() for cell in row.cells)]
        self._table.set_empty("no differences" if self._only_differences else "nothing to compare")
        self._keys = frozenset(row.key for row in rows)
        self._table.set_rows(rows)
        self.call_after_refresh(self.show_bars)

    def _shown_form(self) -> side_by_side.DeltaForm:
        return side_by_side.form_within(self._form, self.size.width)

    def _versions(self) -> dict[Ref, Version]:
        picture = self.browser.picture
        found = {}
        for ref in self.refs:
            model = picture.models.get(ref.model)
            version = model.version(int(ref.value)) if model else None
            if version:
                found[ref] = version
        return found

    def filter_text(self) -> str:
        """What the rows are filtered by."""
        return self._needle

    def filter_changed(self, text: str) -> None:
        """Only the rows with a text."""
        self._needle = text.strip()
        self.show_rows()

    def step(self, lines: int) -> None:
        """The list behind the question."""
        (self._table.action_row_down if lines > 0 else self._table.action_row_up)()

    def dismiss_one(self) -> bool:
        """The filter."""
        if self._needle:
            self.filter_changed("")
            return True
        return False

    # ---- actions

    def on_line_table_opened(self, event: LineTable.Opened) -> None:
        """A double click."""
        event.stop()
        self.do_details()

    def do_details(self) -> None:
        """The cursor's row in full."""
        key = self._table.cursor_key
        if self._comparison is not None and key is not None:
            lines = side_by_side.details(self._comparison, key, self.browser.glyphs)
            if lines:
                self.browser.show_text(key.partition(":")[2] or key, lines)

    def do_columns_right(self) -> None:
        """The versions at the right."""
        self._table.scroll_sideways(1)
        self.call_after_refresh(self.show_bars)

    def do_columns_left(self) -> None:
        """The versions at the left."""
        self._table.scroll_sideways(-1)
        self.call_after_refresh(self.show_bars)

    def do_baseline(self) -> None:
        """The next version is the base."""
        self.base = (self.base + 1) % len(self.refs)
        self._read()

    def do_only_differences(self) -> None:
        """Hide or show what is the same."""
        self._only_differences = not self._only_differences
        self.show_rows()

    def do_delta_form(self) -> None:
        """Values, per cent, both."""
        forms = side_by_side.DELTA_FORMS
        self._form = forms[(forms.index(self._form) + 1) % len(forms)]
        self.show_rows()

    def measured(self) -> Measured:
        """The metric under the cursor, at the base."""
        ref, picture = self.refs[self.base], self.browser.picture
        key = self._table.cursor_key or ""
        metric = key.removeprefix("metric:") if key.startswith("metric:") else ""
        return Measured(picture.models.get(ref.model), metric, int(ref.value))

    def metric_words(self) -> Sequence[str]:
        """Those that are compared."""
        return [row.name for row in self._comparison.metrics] if self._comparison else ()

    def metrics_chosen(self) -> None:
        """Other rows."""
        self.show_rows()

    def do_copy(self) -> None:
        """Ask what to copy."""
        refs = " ".join(str(ref) for ref in self.refs)
        forms = {key: form for key, form, _ in FORMS}
        named = [(key, f"as {name}") for key, _, name in FORMS]

        def answer(key: str) -> None:
            if key in forms:
                name = next(name for other, _, name in FORMS if other == key)
                self.browser.copy(self.exporting()(forms[key]), f"the comparison as {name}")
            else:
                self.browser.copy(refs if key == "r" else f"stackroom diff {refs}")

        self.choose("copy", [("r", "refs"), ("c", "command"), *(named if self._comparison else [])], answer)

    def exporting(self) -> Callable[[Format], str]:
        """The comparison as it is shown."""
        if self._comparison is None:
            raise UsageError("the comparison is still being read")
        return partial(exported, side_by_side.view_of(self._comparison, self._keys))

    def export_name(self) -> str:
        """What is compared."""
        models = {ref.model for ref in self.refs}
        names = [ref.value if len(models) == 1 else f"{ref.model}-{ref.value}" for ref in self.refs[:6]]
        return "-".join([*(models if len(models) == 1 else ()), *names])

    def do_refresh(self) -> None:
        """Read again."""
        self._read()
        super().do_refresh()
