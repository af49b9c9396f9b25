"""A metric over the versions of a model, one point after the other."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, ClassVar, Final

from stackroom.core.listing import listed
from stackroom.core.names import Ref
from stackroom.core.show import count
from stackroom.core.tenure import Tenure, tenures
from stackroom.errors import NotFoundError, RegistryError, UsageError
from stackroom.tui.bindings import bindings_for
from stackroom.tui.present.history import History, history_of
from stackroom.tui.present.lists import of_history
from stackroom.tui.present.observed import Production, marks_of
from stackroom.tui.present.plot import Plot
from stackroom.tui.present.versions import metric_names, shown_metrics
from stackroom.tui.screens.exporting import Exporting
from stackroom.tui.screens.metrics import MetricsPage
from stackroom.tui.screens.page import Body, Page
from stackroom.tui.widgets.drawing import Cell
from stackroom.tui.widgets.sheet import Sheet, Words

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from textual.app import ComposeResult
    from textual.binding import BindingType

    from stackroom.core.export import Format
    from stackroom.core.names import ModelName
    from stackroom.registry.facade import Registry
    from stackroom.store.records import Model
    from stackroom.tui.background import Task

_WIDE: Final = 100
"""Columns from which on dates are told beside ages."""

_SCREENS_IN_PLOT: Final = 5
"""Steps of a page from one end of a plot to the other."""


def open_plot(page: Page, name: ModelName | None, metric: str = "", number: int | None = None) -> None:
    """The history of a model's metric. While the model is being read it opens at once, and finds its metric then.

    Args:
        page: where it is asked for.
        name: of the model; None where none is opened.
        metric: which; empty for the first one that is shown.
        number: of the version that the cursor starts on; the newest where there is none.

    Raises:
        NotFoundError: there is no such model or metric.
    """
    if name is None:
        raise NotFoundError("open a model first", hint="enter")
    model = page.browser.picture.opened.get(name)
    page.app.push_screen(PlotPage(name, _metric_of(page, model, metric) if model else metric, number))


def _metric_of(page: Page, model: Model, metric: str) -> str:
    """The metric of a model that is read; the first one that is shown where none is asked for.

    Raises:
        NotFoundError: no version has it.
    """
    names = metric_names(model, page.browser.registry.policy)
    if not names:
        raise NotFoundError(f"no version of {model.name} has a metric")
    if metric and metric not in names:
        raise NotFoundError(f"{model.name} has no metric {metric}", hint=f"there are {', '.join(names[:8])}")
    return metric or shown_metrics(model, page.browser.registry.policy, page.browser.chosen_metrics)[0]


def read_production(registry: Registry, ref: Ref) -> Production:
    """What production measured of a version or a model; that it cannot be read is part of the answer."""
    try:
        return Production(observations=registry.observations(ref).observations)
    except RegistryError as error:
        return Production(trouble=str(error))


class PlotBody(Body):
    """Holds the keys of a plot."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("plot")]


class PlotPage(Exporting):
    """The history of one metric at a time.

    Args:
        name: of the model.
        metric: that is shown first; empty for the first of those that are shown.
        number: of the version that the cursor starts on; None for the newest.
    """

    scope = "plot"
    body_class = PlotBody

    DEFAULT_CSS = """
    PlotPage #body { layout: vertical; }
    """

    def __init__(self, name: ModelName, metric: str, number: int | None = None) -> None:
        super().__init__()
        self.model_name = name
        self.metric = metric
        self.number = number
        self._title = Words()
        self._point = Words()
        self._sheet = Sheet()
        self._tenures: tuple[Tenure, ...] = ()
        self._measured = Production()
        self._by_time = False
        self._log: bool | None = None
        self._history: History | None = None
        self._plot: Plot | None = None
        self._is_settled = False
        """Whether the metric was looked for among those of the model."""

    def compose_body(self) -> ComposeResult:
        """The metric, the version under the cursor, the picture."""
        yield self._title
        yield self._point
        yield self._sheet

    def on_mount(self) -> None:
        """Read."""
        self.set_focus(self._sheet, scroll_visible=False)
        if self.model() is None:
            self.browser.read_model(self.model_name)
        self._read()

    def _read(self) -> None:
        registry, name = self.browser.registry, self.model_name

        def work(_task: Task) -> tuple[tuple[Tenure, ...], Production]:
            return tenures(registry.history(name)), read_production(registry, Ref(name))

        self.work.run("tenures", work)

    def model(self) -> Model | None:
        """The model, once all its versions are read."""
        return self.browser.picture.opened.get(self.model_name)

    def names(self) -> tuple[str, ...]:
        """The metrics that the keys go through: those that are chosen, and the one that is shown."""
        model, policy = self.model(), self.browser.registry.policy
        if model is None:
            return ()
        shown = shown_metrics(model, policy, self.browser.chosen_metrics)
        return tuple(name for name in metric_names(model, policy) if name in shown or name == self.metric)

    def metric_words(self) -> Sequence[str]:
        """All metrics of the model."""
        model = self.model()
        return metric_names(model, self.browser.registry.policy) if model else ()

    @property
    def cursor(self) -> int | None:
        """The place of the version under the cursor; the newest where it is not there any more."""
        model = self.model()
        if model is None or not model.versions:
            return None
        places = (place for place, version in enumerate(model.versions) if version.number == self.number)
        return next(places, len(model.versions) - 1)

    def steps(self) -> Sequence[str]:
        """The model and the metric."""
        return [self.model_name, *([self.metric] if self.metric else [])]

    def facts(self) -> Sequence[str]:
        """How many versions there are, and which of the metrics this is."""
        model, names = self.model(), self.names()
        if model is None:
            return [f"{self.model_name} is gone" if self._is_gone() else "reading …"]
        having = sum(self.metric in version.metrics for version in model.versions)
        lacking = f", {having:,} with it" if having < len(model.versions) else ""
        place = f"metric {names.index(self.metric) + 1} of {len(names)}" if self.metric in names else ""
        return [count(len(model.versions), "version") + lacking, place, self._measured.trouble]

    def _is_gone(self) -> bool:
        picture = self.browser.picture
        return picture.ready and self.model_name not in picture.models

    # ---- what is shown

    def picture_changed(self, changed: Mapping[str, frozenset[str]]) -> None:
        """There may be more versions, or other values."""
        if self.model_name in changed:
            self._read()
            if self.model() is None and not self._is_gone():
                self.browser.read_model(self.model_name)
        self.draw()

    def got(self, name: str, value: Any) -> None:  # noqa: ANN401  # each piece of work has its own
        """The stages' history and the observations have been read."""
        if name == "tenures":
            self._tenures, self._measured = value
            self.draw()
        else:
            super().got(name, value)

    def on_sheet_resized(self, event: Sheet.Resized) -> None:
        """More or less room."""
        event.stop()
        self.draw()

    def _settle(self, model: Model) -> None:
        """Look for the metric once all versions are read; what no version has is said."""
        self._is_settled = True
        try:
            self.metric = _metric_of(self, model, self.metric)
        except NotFoundError as error:
            self.complain(error)

    def draw(self) -> None:
        """Draw the curve anew."""
        model, app = self.model(), self.browser
        if model is not None and not self._is_settled:
            self._settle(model)
        width, height = self._sheet.size
        if model is None or not model.versions:
            text = "no versions" if model else f"{self.model_name} is gone" if self._is_gone() else "reading …"
            self._history = self._plot = None
            self._title.show([Cell(f" {text}", "dim")])
            self._point.show([])
            self._sheet.show([])
        else:
            marks = marks_of(self._measured, self.metric)
            self._history = history_of(model, self.metric, app.registry.policy, self._tenures, app.now, marks=marks)
            curve = self._history.curve(app.registry.stages, log=self._log)
            self._plot = Plot(curve, width=width, height=height, glyphs=app.glyphs, by_time=self._by_time)
            self.show_cursor()
        self.show_bars()

    def show_cursor(self) -> None:
        """Show the point under the cursor; the curve stays."""
        history, plot, cursor = self._history, self._plot, self.cursor
        if history is None or plot is None or cursor is None:
            return
        glyphs, wide = self.browser.glyphs, self.size.width >= _WIDE
        log = plot.scale is not None and plot.scale.log
        self._title.show(history.title(glyphs, log=log, by_time=self._by_time))
        self._point.show(history.point(cursor, glyphs, dates=wide))
        self._sheet.show(plot.lines(cursor))

    # ---- moving

    def on_sheet_moved(self, event: Sheet.Moved) -> None:
        """The keys of a list go from version to version."""
        event.stop()
        model = self.model()
        total = len(model.versions) if model else 0
        page = max(1, total // _SCREENS_IN_PLOT)
        units = {"one": 1, "half": max(1, page // 2), "screen": page, "end": total}
        self.step(event.steps * units[event.unit])

    def on_sheet_pressed(self, event: Sheet.Pressed) -> None:
        """A click goes to the version nearest to it."""
        event.stop()
        place = self._plot.index_at(event.x) if self._plot else None
        if place is not None and self.cursor is not None:
            self.step(place - self.cursor)

    def step(self, lines: int) -> None:
        """So many versions on, back when negative."""
        model, cursor = self.model(), self.cursor
        if model is None or cursor is None:
            return
        place = max(0, min(cursor + lines, len(model.versions) - 1))
        self.number = model.versions[place].number
        self.show_cursor()

    def do_point_right(self) -> None:
        """The next version."""
        self.step(1)

    def do_point_left(self) -> None:
        """The version before."""
        self.step(-1)

    # ---- what is plotted

    def show_metric(self, metric: str) -> None:
        """Another metric; the cursor stays on its version."""
        self.metric, self._log = metric, None
        self.draw()

    def do_plot(self, *words: str) -> None:
        """What was typed; the key that leads here leads back, too."""
        if not words:
            self.act("back")
        elif words[0] in self.metric_words():
            self.show_metric(words[0])
        else:
            raise NotFoundError(f"{self.model_name} has no metric {words[0]}", hint="Tab shows them")

    def do_next_metric(self) -> None:
        """The next one, and around."""
        self._turn(1)

    def do_previous_metric(self) -> None:
        """The one before, and around."""
        self._turn(-1)

    def _turn(self, steps: int) -> None:
        names = self.names()
        if names:
            place = names.index(self.metric) if self.metric in names else 0
            self.show_metric(names[(place + steps) % len(names)])

    def do_metrics(self) -> None:
        """Choose one of all."""
        words = self.metric_words()
        if words:
            self.app.push_screen(MetricsPage(words, [self.metric], lambda names: self.show_metric(names[0]), one=True))

    def do_axis(self) -> None:
        """By time, or by version."""
        self._by_time = not self._by_time
        self.draw()

    def do_scale(self) -> None:
        """Equal steps, or ten-fold ones."""
        scale = self._plot.scale if self._plot else None
        if scale is None or scale.only is not None or (not scale.log and scale.low <= 0):
            self.say("ten-fold steps need different values, all above 0", tone="warn")
            return
        self._log = not scale.log
        self.draw()

    # ---- going on

    def do_open_point(self) -> None:
        """The version under the cursor."""
        model, cursor = self.model(), self.cursor
        if model is not None and cursor is not None:
            self.browser.open_version(model.versions[cursor].ref)

    def do_compare(self, *words: str) -> None:
        """The version under the cursor against whoever holds the last stage."""
        model, cursor = self.model(), self.cursor
        if words:
            self.browser.compare_texts(words)
        elif model is not None and cursor is not None:
            self.browser.compare_with_holder(model, model.versions[cursor])

    def do_copy(self) -> None:
        """Ask what to copy of the version under the cursor."""
        model, cursor = self.model(), self.cursor
        if model is not None and cursor is not None:
            version = model.versions[cursor]
            self.browser.copy_of(self, str(version.ref), str(version.path))

    def exporting(self) -> Callable[[Format], str]:
        """The values of the curve, who held the stages, and what was observed."""
        history = self._history
        if history is None:
            raise UsageError("it is still being read")
        return lambda form: listed(of_history(history), form)

    def export_name(self) -> str:
        """The model and the metric."""
        return "-".join(re.sub(r"[^\w.-]+", "_", step) for step in self.steps())

    def do_refresh(self) -> None:
        """Read again."""
        self._read()
        super().do_refresh()
