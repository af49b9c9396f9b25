"""The keys that are about metrics, the same on every screen that shows some: plot one, choose which are shown."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Literal, NamedTuple

from stackroom.tui.present.versions import metric_names, shown_metrics, trend_metric
from stackroom.tui.screens.metrics import MetricsPage
from stackroom.tui.screens.page import Page
from stackroom.tui.screens.plot import open_plot

if TYPE_CHECKING:
    from collections.abc import Sequence

    from stackroom.core.names import ModelName
    from stackroom.store.records import Model, Version
    from stackroom.tui.screens.lists import View
    from stackroom.tui.widgets.line_table import LineTable


class Measured(NamedTuple):
    """What a screen's cursor is on.

    Attributes:
        model: whose metrics are meant; None where that is not known.
        metric: under the cursor, or empty.
        number: of the version, or None.
        reading: the name of the model where its versions are still being read.
    """

    model: Model | None = None
    metric: str = ""
    number: int | None = None
    reading: ModelName | None = None


class MetricKeys(Page):
    """A page that shows metrics; subclasses say whose in :meth:`measured`."""

    def measured(self) -> Measured:
        """What the cursor is on."""
        return Measured()

    def metric_words(self) -> Sequence[str]:
        """Every metric that this screen can show."""
        model = self.measured().model
        return metric_names(model, self.browser.registry.policy) if model else ()

    def metrics_chosen(self) -> None:
        """Other metrics are to be shown."""

    def do_plot(self, *words: str) -> None:
        """The history of the metric that was typed, or that the cursor is on."""
        model, metric, number, reading = self.measured()
        open_plot(self, model.name if model else reading, words[0] if words else metric, number)

    def do_metrics(self) -> None:
        """Choose which metrics are shown."""
        names = self.metric_words()
        if not names:
            self.say("no metrics here", tone="warn")
            return
        app = self.browser
        present = [name for name in names if name in set(app.chosen_metrics)] or names

        def taken(chosen: tuple[str, ...]) -> None:
            elsewhere = tuple(name for name in app.chosen_metrics if name not in set(names))
            app.chosen_metrics = (*elsewhere, *chosen) if elsewhere or len(chosen) < len(names) else ()
            self.metrics_chosen()

        app.push_screen(MetricsPage(names, present, taken))


class BrowseMetricKeys(MetricKeys):
    """The same for the two lists of the first screen."""

    pane: Literal["models", "versions"]
    model: str | None
    models: LineTable

    @property
    @abstractmethod
    def view(self) -> View:
        """How the list is shown that has the keys."""

    @abstractmethod
    def opened(self) -> Model | None:
        """The model whose versions are shown, once all of them are read."""

    @abstractmethod
    def version(self) -> Version | None:
        """The version under the cursor."""

    @abstractmethod
    def show_lists(self) -> None:
        """Both lists and what is said about them."""

    def metrics_chosen(self) -> None:
        """Other columns."""
        self.show_lists()

    def measured(self) -> Measured:
        """A model's first metric; what the versions are sorted by, at the version under the cursor."""
        picture = self.browser.picture
        if self.pane == "models":
            name = self.models.cursor_key or ""
            return Measured(picture.models.get(name))
        model, version = self.opened(), self.version()
        if model is None:
            known = picture.models.get(self.model or "")
            return Measured(reading=known.name if known else None)
        shown = shown_metrics(model, self.browser.registry.policy, self.browser.chosen_metrics)
        return Measured(model, trend_metric(shown, self.view.sort), version.number if version else None)
